import Testing
@testable import MartletSensing

@Suite struct SensingErrorTests {
  @Test func saysItsMessage() { #expect(SensingError("x").message == "x") }
}
