import MartletSkeleton

/// What can be said of an answer without a judge. Proxies: they catch loops, empty points and answers that miss the
/// form; they do not tell a good answer from a fair one.
public struct AnswerProxies: Sendable, Equatable {
  /// Share of word pairs that occur once only among all pairs.
  public var distinctPairs = 1.0
  /// Share of lines and sentences that were there before.
  public var repeatedSentences = 0.0
  /// Mean share of a point's word triples that no other point has; nil without points.
  public var novelty: Double?
  /// Share of points with one or two sentences and no other point's number in them; nil without points.
  public var compliance: Double?

  public init(_ answer: String, points: [String] = []) {
    let words = Self.words(answer)
    let pairs = zip(words, words.dropFirst()).map { "\($0) \($1)" }
    if !pairs.isEmpty { distinctPairs = Double(Set(pairs).count) / Double(pairs.count) }
    let sentences = Self.sentences(answer)
    if !sentences.isEmpty { repeatedSentences = 1 - Double(Set(sentences).count) / Double(sentences.count) }
    guard !points.isEmpty else { return }
    let triples = points.map { text in
      let words = Self.words(text)
      return Set(zip(zip(words, words.dropFirst()), words.dropFirst(2)).map { "\($0.0) \($0.1) \($1)" })
    }
    let shares = triples.enumerated().compactMap { index, own -> Double? in
      guard !own.isEmpty else { return nil }
      let others = triples.enumerated().reduce(into: Set<String>()) {
        if $1.offset != index { $0.formUnion($1.element) }
      }
      return Double(own.subtracting(others).count) / Double(own.count)
    }
    novelty = shares.isEmpty ? 0 : shares.reduce(0, +) / Double(shares.count)
    let good = points.count { text in
      let count = Self.sentences(text).count
      return (1...2).contains(count) && Skeleton(parsing: "x\n" + text).points.isEmpty
    }
    compliance = Double(good) / Double(points.count)
  }

  private static func words(_ text: String) -> [Substring] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }
  }

  private static func sentences(_ text: String) -> [String] {
    var rest = text[...]
    var found: [String] = []
    while !rest.isEmpty {
      var stop = PointStop(sentences: 1)
      var sentence = stop.push(String(rest))
      sentence += stop.finish()
      guard !sentence.isEmpty, let range = rest.firstRange(of: sentence) else { break }
      found.append(Skeleton.normalized(sentence))
      rest = rest[range.upperBound...]
    }
    return found.filter { !$0.isEmpty }
  }
}
