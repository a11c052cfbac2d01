/// A method that recovers a plane from its measurements.
public protocol Reconstruction: Sendable {
  /// Recovers a plane `[height, width]`, with values in 0...1 where the measurements allow it.
  /// - Parameters:
  ///   - measurements: what `measured` gave for the plane, perhaps with noise.
  ///   - measured: how the measurements were taken; its signal has `height * width` values.
  ///   - height: the number of rows of the plane.
  ///   - width: the number of columns of the plane.
  ///   - log: takes the state behind each step; nil spares what it costs to compute.
  /// - Throws: ``SensingError`` if the sizes disagree or the method cannot use the operator.
  func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int, log: ConvergenceLog?
  ) throws -> [Double]

  /// Recovers planes of one size that one operator measured, one after the other unless the method does better.
  /// - Parameters:
  ///   - planes: the measurements of each plane.
  ///   - measured: how they were taken.
  ///   - height: the number of rows of a plane.
  ///   - width: the number of columns of a plane.
  /// - Throws: ``SensingError`` if the sizes disagree or the method cannot use the operator.
  func reconstruct(planes: [[Double]], of measured: any LinearOperator, height: Int, width: Int) throws -> [[Double]]
}

extension Reconstruction {
  /// Recovers a plane without a log.
  /// - Parameters:
  ///   - measurements: what `measured` gave for the plane, perhaps with noise.
  ///   - measured: how the measurements were taken; its signal has `height * width` values.
  ///   - height: the number of rows of the plane.
  ///   - width: the number of columns of the plane.
  /// - Throws: ``SensingError`` if the sizes disagree or the method cannot use the operator.
  public func reconstruct(
    _ measurements: [Double], of measured: any LinearOperator, height: Int, width: Int
  ) throws -> [Double] {
    try reconstruct(measurements, of: measured, height: height, width: width, log: nil)
  }

  public func reconstruct(
    planes: [[Double]], of measured: any LinearOperator, height: Int, width: Int
  ) throws -> [[Double]] {
    try planes.map { try reconstruct($0, of: measured, height: height, width: width, log: nil) }
  }

  /// - Throws: ``SensingError`` if sizes disagree or a measurement is not a finite number.
  func check(_ measurements: [Double], _ measured: any LinearOperator, _ height: Int, _ width: Int) throws {
    guard height > 0, width > 0, measured.signalCount == height * width, measurements.count == measured.measurementCount
    else {
      throw SensingError(
        "\(measurements.count) measurements of an image of \(height)x\(width) do not belong to an operator of \(measured.measurementCount) measurements of \(measured.signalCount) pixels; use the operator that measured them."
      )
    }
    if let index = measurements.firstIndex(where: { !$0.isFinite }) {
      throw SensingError(
        "Measurement \(index + 1) is \(measurements[index]), which is not a finite number; measure again.")
    }
  }
}

/// Takes the state of an iterative method behind each of its steps.
public typealias ConvergenceLog = (ConvergenceStep) -> Void

/// The state of an iterative method behind a step.
public struct ConvergenceStep: Sendable, Equatable {
  /// The number of the step, from 1.
  public let iteration: Int
  /// What the method makes small, without its constraints.
  public let objective: Double
  /// The Euclidean length of the difference between the measurements and those of the state.
  public let residual: Double
}
