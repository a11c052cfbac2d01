import MartletTensor
import Testing

@testable import MartletSensing

/// Solutions of one problem that other programs printed: the lasso and matching pursuit of scikit-learn 1.9.1 (PyLops 2.8.0 has the same
/// lasso), and basis pursuit denoising of SPGL1 0.0.3 with tolerances of 1e-9.
@Suite struct SolverPeersTests {
  let measured: MatrixOperator, y: [Double]

  init() throws {
    measured = try MatrixOperator.gaussian(signalCount: 40, measurementCount: 20, seed: 11)
    var signal = [Double](repeating: 0, count: 40)
    (signal[3], signal[17], signal[31]) = (1.5, -2, 0.75)
    let random = RandomSource(seed: 12)
    y = measured.forward(signal).enumerated().map { $1 + 0.05 * random.uniform($0) }
  }

  private func expect(_ found: [Double], _ values: [Int: Double]) {
    for (index, value) in found.enumerated() { #expect(abs(value - (values[index] ?? 0)) < 1e-5) }
  }

  @Test func theLassoIsThatOfScikitLearnAndPyLops() throws {
    let found = try SparseSignal.lasso(y, of: measured, weight: 0.05, iterations: 100_000, tolerance: 1e-14)
    expect(
      found,
      [
        3: 1.44602965, 9: -0.055301303, 16: 0.04775206, 17: -1.944896708, 31: 0.638939147, 37: -0.022801032,
      ])
  }

  @Test func matchingPursuitIsThatOfScikitLearn() throws {
    let found = try SparseSignal.matchingPursuit(y, of: measured, count: 3)
    expect(found, [3: 1.514793337, 17: -2.010190288, 31: 0.736566809])
  }

  @Test func basisPursuitDenoisingIsThatOfSPGL1() throws {
    let found = try SparseSignal.basisPursuit(y, of: measured, noise: 0.1)
    expect(
      found,
      [
        3: 1.457512751, 9: -0.060249124, 16: 0.041928739, 17: -1.951730858, 31: 0.648036523, 37: -0.032863695,
      ])
  }

  /// SPGL1 stops at a sum of 4.59634 here, which is larger; the vertex is that of SciPy 1.17.1 (linprog, HiGHS).
  @Test func basisPursuitIsTheVertexOfTheLinearProgram() throws {
    let found = try SparseSignal.basisPursuit(y, of: measured)
    expect(
      found,
      [
        0: 0.016877022, 2: -0.04509956, 3: 1.517431054, 5: 0.05308978, 6: -0.038046396, 9: -0.032901437,
        10: -0.05401966, 16: 0.022727691, 17: -1.956499551, 21: 0.011614332, 22: -0.010493123, 23: 0.013985912,
        24: -0.015425602, 26: -0.011101327, 28: -0.00627614, 31: 0.730052502, 32: 0.003962269, 35: 0.009030321,
        37: -0.036791647, 38: -0.008572345,
      ])
  }
}
