import Foundation
import MartletTestSupport
import Testing

@testable import MartletSensing

@Suite struct SensingVerificationTests {
  @Test(.enabled(if: TestData.shared != nil, "no data folder"))
  func trainingStepsEqualTheReference() throws {
    let path = try #require(TestData.shared) + "/images/reference/dcs_csgan_fixtures_f64.json"
    let verification = try SensingVerification(path)
    for (quantity, error) in verification.errors { print(quantity, error); #expect(error < 1e-9, "\(quantity)") }
    #expect(verification.errors.count == 15)
  }
}
