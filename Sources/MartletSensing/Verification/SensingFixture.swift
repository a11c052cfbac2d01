import MartletData
import MartletTensor

/// A file of reference values in double precision: parameters, signals and start vectors, and what a step of training makes of them
/// (`dcs_csgan_fixtures_f64.json` of the data, or one of the same form).
package struct SensingFixture: Sendable {
  /// The part of deep compressed sensing; nil where the file has none.
  let compressedSensing: JSONNode?
  /// The part of the adversarial network; nil where the file has none.
  let adversarial: JSONNode?

  /// Reads a file.
  /// - Throws: `FileError` that names the file, the line and the cure.
  package init(_ path: String) throws {
    let root = try JSONNode(Array(JSONLines.contents(path)), of: path, as: "a fixture")
    compressedSensing = root.optional("dcs")
    adversarial = root.optional("csgan")
    guard compressedSensing != nil || adversarial != nil else {
      throw root.failure("it has neither `dcs` nor `csgan`, so there is nothing to verify")
    }
  }
}

extension JSONNode {
  /// A nested list of numbers as a tensor in double precision.
  /// - Parameter shape: the lengths that the lists must have.
  /// - Throws: `FileError` where a list has another length, or a value is no number.
  func tensor(_ shape: [Int]) throws -> Tensor {
    var values: [Double] = []
    try read(shape[...], into: &values)
    return Tensor(doubles: values, shape: shape)
  }

  private func read(_ shape: ArraySlice<Int>, into values: inout [Double]) throws {
    guard let count = shape.first else {
      values.append(try number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude))
      return
    }
    let elements = try elements
    guard elements.count == count else {
      throw failure("`\(name)` has \(elements.count) elements and must have \(count)")
    }
    for element in elements { try element.read(shape.dropFirst(), into: &values) }
  }

  /// A size, which must be positive.
  func size(_ key: String) throws -> Int { try required(key).integer(1...100_000) }
}
