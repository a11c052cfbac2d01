import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct SparseSignalTests {
  static let signal: [Double] = {
    var values = [Double](repeating: 0, count: 80)
    (values[3], values[17], values[40], values[71]) = (1.5, -2, 0.75, 1)
    return values
  }()

  @Test func theLassoMeetsTheConditionsOfItsMinimum() throws {
    let measured = try MatrixOperator.gaussian(signalCount: 80, measurementCount: 40, seed: 2), weight = 0.05
    let y = measured.forward(Self.signal)
    let found = try SparseSignal.lasso(y, of: measured, weight: weight, iterations: 20_000, tolerance: 1e-13)
    let miss = zip(y, measured.forward(found)).map { $0 - $1 }
    for (correlation, value) in zip(measured.adjoint(miss), found) {
      // The correlation with the error is the weight where a value is not zero, and at most the weight elsewhere.
      if value == 0 {
        #expect(abs(correlation) <= weight + 1e-6)
      } else {
        #expect(abs(correlation - (value > 0 ? weight : -weight)) < 1e-6)
      }
    }
  }

  @Test func matchingPursuitFindsFewValues() throws {
    let measured = try MatrixOperator.gaussian(signalCount: 80, measurementCount: 40, seed: 2)
    let found = try SparseSignal.matchingPursuit(measured.forward(Self.signal), of: measured, count: 4)
    #expect(zip(found, Self.signal).allSatisfy { abs($0 - $1) < 1e-10 })
  }

  @Test func wrongMeasurementsGiveSentences() throws {
    let measured = try MatrixOperator.gaussian(signalCount: 80, measurementCount: 40, seed: 2)
    #expect(throws: SensingError.self) { try SparseSignal.lasso([1, 2], of: measured, weight: 1) }
    #expect(throws: SensingError.self) {
      try SparseSignal.lasso([Double](repeating: .nan, count: 40), of: measured, weight: 1)
    }
    #expect(throws: SensingError.self) {
      try SparseSignal.matchingPursuit([Double](repeating: 1, count: 40), of: measured, count: 41)
    }
  }
}
