import Testing

@testable import MartletSensing

@Suite struct PhaseTransitionTests {
  @Test(arguments: [(0.1, 0.189), (0.25, 0.267), (0.5, 0.386), (0.75, 0.534), (0.9, 0.678)])
  func theCurveHasItsKnownValues(_ delta: Double, _ rho: Double) {
    #expect(abs(PhaseTransition.curve(delta: delta) - rho) < 6e-4)
  }

  @Test(arguments: [0.25, 0.5, 0.75], 1...2 as ClosedRange<UInt64>)
  func signalsAreFoundBelowTheCurveAlone(_ delta: Double, _ seed: UInt64) throws {
    let curve = PhaseTransition.curve(delta: delta), transition = PhaseTransition(seed: seed)
    let below = try transition.successShare(delta: delta, rho: 0.7 * curve)
    let above = try transition.successShare(delta: delta, rho: 1.5 * curve)
    print("delta", delta, "seed", seed, "below", below, "above", above)
    #expect(below >= 0.9)
    #expect(above <= 0.1)
  }
}
