/// Decides whether a skeleton is worth expanding. A bad skeleton costs only its own time, because the answer is then
/// generated normally.
public struct SkeletonCheck: Sendable, Equatable {
  /// The accepted number of points.
  public var points = 3...10
  /// A list of more points than accepted is truncated if it ended by itself and has at most this many.
  public var mostWritten = 16
  /// The largest mean number of words of a head; a Chinese or Japanese character counts as half a word.
  public var mostWords = 8.0
  /// The largest share of points that repeat an earlier one.
  public var mostDuplicates = 0.5
  /// The largest number of heads copied from the example in the prompt.
  public var mostDemonstrationHeads = 1

  /// The default limits.
  public init() {}

  /// What may be wrong with a skeleton.
  public enum Problem: String, Sendable, Equatable, CaseIterable {
    /// It has no points.
    case empty = "no points"
    /// Its points have no words.
    case wordless = "points that say nothing"
    /// It has fewer points than it should.
    case tooFew = "too few points"
    /// It has more points than it should.
    case tooMany = "too many points"
    /// Its numbers do not go up.
    case notAscending = "numbers out of order"
    /// It reached the token limit.
    case cut = "it did not end by itself"
    /// Its headings are sentences.
    case longHeads = "heads as long as sentences"
    /// Most headings occur twice.
    case repeated = "mostly repetition"
    /// It repeats the prompt's example.
    case demonstration = "copied from the prompt's example"
    /// Its headings repeat the question.
    case question = "heads repeat the question"
  }

  /// The most serious problem; nil if the skeleton is good.
  ///
  /// - Parameters:
  ///   - skeleton: the parsed skeleton.
  ///   - endedByItself: whether an end token or a stop string ended it and not the token limit.
  ///   - demonstrationHeads: the headings of the examples in the prompt, which a good skeleton does not repeat.
  ///   - question: the question, which a good skeleton does not repeat either.
  public func problem(
    _ skeleton: Skeleton, endedByItself: Bool, demonstrationHeads: Set<String> = [], question: String = ""
  ) -> Problem? {
    if skeleton.points.isEmpty { return skeleton.wordless > 0 ? .wordless : .empty }
    // What follows the list is cut off anyway, so a limit reached there does no harm.
    if !endedByItself, !skeleton.hasTail { return .cut }
    let written = skeleton.writtenIndices
    guard written.first == 1, zip(written, written.dropFirst()).allSatisfy({ $1 == $0 + 1 }) else {
      return .notAscending
    }
    if written.count > mostWritten { return .tooMany }
    if skeleton.wordless * 2 > written.count { return .wordless }
    if Double(skeleton.duplicates) > mostDuplicates * Double(written.count) { return .repeated }
    let heads = skeleton.points.map { Skeleton.normalized($0.head) }
    if heads.count(where: demonstrationHeads.contains) > mostDemonstrationHeads { return .demonstration }
    if skeleton.points.count < points.lowerBound { return .tooFew }
    let words = skeleton.points.reduce(0) { $0 + Self.words($1.head) } / Double(skeleton.points.count)
    if words > mostWords { return .longHeads }
    if !question.isEmpty, heads.contains(Skeleton.normalized(question)) { return .question }
    return nil
  }

  /// Whether nothing that may still be written can make a good skeleton of it: then the rest is not waited for.
  func isHopeless(_ skeleton: Skeleton, demonstrationHeads: Set<String>) -> Bool {
    switch problem(skeleton, endedByItself: true, demonstrationHeads: demonstrationHeads) {
    case .tooMany, .notAscending, .demonstration: true
    case .repeated: skeleton.duplicates >= 3
    case .longHeads: skeleton.points.contains { Self.words($0.head) > 3 * mostWords }
    case .tooFew: skeleton.points.contains { Self.words($0.head) > 4 * mostWords }
    case .empty, .wordless, .cut, .question, nil: false
    }
  }

  static func words(_ text: String) -> Double {
    let ideographs = text.unicodeScalars.count { $0.properties.isIdeographic || (0x3040...0x30ff).contains($0.value) }
    let others = text.split { !($0.isLetter || $0.isNumber || $0 == "'" || $0 == "-") }
      .filter { $0.unicodeScalars.contains { !$0.properties.isIdeographic } }
    return Double(ideographs) / 2 + Double(others.count)
  }
}
