import CMartletData
import Foundation
import MartletCheckpoints
import MartletData

/// Decides from the question alone whether a skeleton suits its answer: logistic regression over hashed n-grams.
public struct SkeletonRouter: Sendable {
  /// The decision of the router for a question.
  public struct Decision: Sendable, Equatable {
    /// Whether a skeleton suits the answer.
    public let useSkeleton: Bool
    /// The predicted probability that it does.
    public let probability: Double
  }

  /// `[65536]`
  var weights: [Float]
  var bias: Float
  /// The probability from which a skeleton is used.
  public var threshold: Double
  /// Information about its training: rows, date, figures.
  public var card: [String: String]

  init(weights: [Float], bias: Float, threshold: Double = 0.5, card: [String: String] = [:]) {
    self.weights = weights
    self.bias = bias
    self.threshold = threshold
    self.card = card
  }

  /// Decides whether a skeleton suits the answer to a question.
  public func route(_ question: String) -> Decision {
    let score = QuestionFeatures.vector(question).reduce(bias) { $0 + weights[$1.index] * $1.value }
    let probability = 1 / (1 + exp(-Double(score)))
    return Decision(useSkeleton: probability >= threshold, probability: probability)
  }

  // MARK: file

  private static let tensors = ["index", "weight", "bias"]

  /// Writes a safetensors file with the nonzero weights.
  public func write(to path: String, replaces: Bool = true) throws {
    let places = weights.indices.filter { weights[$0] != 0 }
    var metadata = card
    metadata["format"] = "martlet-router-1"
    metadata["threshold"] = "\(threshold)"
    let columns: [[Float]] = [places.map(Float.init), places.map { weights[$0] }, [bias]]
    try Safetensors.write(
      to: path, tensors: zip(Self.tensors, columns).map { ($0, FileType.f32, [$1.count]) }, metadata: metadata,
      replaces: replaces
    ) { index, write in try columns[index].withUnsafeBytes { try write($0) } }
  }

  /// Reads a router.
  public init(path: String) throws { try self.init(Checkpoint.open(path)) }

  private init(_ file: Checkpoint) throws {
    guard file.metadata["format"]?.string == "martlet-router-1" else {
      throw FileError(file: file.path, "it is not a router; make one with `martlet skeleton train-router`")
    }
    let columns = try Self.tensors.map { try file.tensor($0).floats() }
    guard columns[0].count == columns[1].count, columns[2].count == 1,
      columns[0].allSatisfy({ $0 >= 0 && $0 < Float(QuestionFeatures.dimensions) }),
      columns.joined().allSatisfy(\.isFinite)
    else { throw FileError(file: file.path, "its sizes are inconsistent; train it again") }
    weights = [Float](repeating: 0, count: QuestionFeatures.dimensions)
    for (index, value) in zip(columns[0], columns[1]) { weights[Int(index)] = value }
    bias = columns[2][0]
    var card = file.metadata.compactMapValues(\.string)
    threshold = card.removeValue(forKey: "threshold").flatMap(Double.init) ?? 0.5
    card["format"] = nil
    self.card = card
  }

  /// The built-in router. Its card is Sources/CMartletData/Skeletons/ROUTER_CARD.md.
  public static let shared: SkeletonRouter = {
    let embedded = martlet_find(martlet_skeletons, "router.safetensors")
    guard
      let file = try? Safetensors.read(
        MappedFile(name: "router.safetensors", builtIn: .init(start: embedded.bytes, count: embedded.size))),
      let router = try? SkeletonRouter(file)
    else { preconditionFailure("the built-in router is damaged") }  // safe: part of the program, tested
    return router
  }()
}
