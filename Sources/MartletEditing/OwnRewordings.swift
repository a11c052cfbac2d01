import MartletEngine
import MartletModels

/// Rewordings of a question that the model writes itself, as further keys of an edit: they widen what an edit answers
/// without a larger radius.
extension Editor {
  /// How the model is asked; one rewording each, greedily, so that the same edit gets the same keys.
  private static let requests = [
    "Rewrite this question in other words, with the same meaning. Write only the question.\n",
    "Ask the same thing in a different way. Write only the question.\n",
    "Write a shorter question that has the same answer.\n",
    "Write this as someone else would ask it. Write only the question.\n",
  ]

  /// The largest number of rewordings that can be tried for one edit.
  public static let mostOwnRewordings = requests.count

  /// - Returns: at most `count` rewordings that name the whole subject, ask the same in the frame they use, and whose
  ///   keys lie within the radius of the question's own key: a poor model's other questions are dropped.
  func ownRewordings(of prompt: String, words: QuestionWords, count: Int) async throws -> [String] {
    let loaded = book.loaded, snapshot = book.snapshot
    guard count > 0, snapshot.codebook == nil else { return [] }
    let asked = try Self.requests.prefix(count).map { request in
      EditAnswers.request(
        try PromptFormat.chat.encode(request + prompt, for: loaded), question: nil, edit: nil, limit: 64,
        site: EditSite(layer: book.site.layer, format: .chat), loaded: loaded)
    }
    let own = snapshot.calibration.direction(book.canonicalKey(prompt))
    var seen: Set<UInt64> = [words.normal], kept: [String] = []
    for answer in try await EditAnswers.read(Array(asked), engine: engine) {
      guard let text = Self.rewording(answer.text, of: prompt, words: words),
        seen.insert(QuestionWords(text).normal).inserted
      else { continue }
      let direction = snapshot.calibration.direction(book.canonicalKey(text))
      let cosine = zip(own, direction).reduce(0) { $0 + $1.0 * $1.1 }
      if KeyCalibration.distance(cosine: cosine) <= snapshot.calibration.radius { kept.append(text) }
    }
    return kept
  }

  /// The first line of an answer without marks around it, where it asks about the same subject; nil for anything else.
  static func rewording(_ answer: String, of prompt: String, words: QuestionWords) -> String? {
    guard let line = answer.split(whereSeparator: \.isNewline).first else { return nil }
    let begun = line.trimmingPrefix { "\"'“*- ".contains($0) }
    let text = String(begun.reversed().trimmingPrefix { "\"'”* ".contains($0) }.reversed())
    let comparison = QuestionComparison(words, QuestionWords(text))
    guard text.count <= 3 * prompt.count, text.hasSuffix("?") == prompt.hasSuffix("?"), comparison.coverage == 1,
      comparison.verdict != .otherRelation, comparison.verdict != .otherSubject
    else { return nil }
    return text
  }
}
