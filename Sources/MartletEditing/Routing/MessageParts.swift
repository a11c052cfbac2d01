/// The parts of a message that may be the question an edit is about: the whole, its sentences, and their clauses.
///
/// People greet, explain and thank around a question, quote it, or ask two at once; and documents name subjects without
/// asking anything. So every part is compared with the stored questions by its words, in any language, and only a part
/// that asks, or what the message ends with, may be left to the model to decide on.
struct MessageParts: Sendable {
  struct Part: Sendable {
    let words: QuestionWords
    /// What the model is asked about the part.
    let text: String
    /// Whether the model may decide where words do not.
    let isOpen: Bool
  }

  /// Longest part in words. No one asks longer questions of a few facts, and what is compared stays small.
  static let longestPart = 64
  /// Sentences that are looked at, at the beginning and the end of a long message: a question stands before a document
  /// or behind it.
  static let firstSentences = 16, lastSentences = 32
  /// Bytes that are read of a long message, at its beginning and its end.
  static let firstBytes = 4_000, lastBytes = 8_000

  let parts: [Part]
  /// The whole message without case and punctuation, as a hash.
  let normal: UInt64

  /// - Parameter continues: the text is one that the model goes on with: its end is what asks, and nothing is around it.
  init(_ message: String, continues: Bool = false) {
    if continues {
      let words = QuestionWords(message, continues: true)
      parts = [Part(words: words, text: message, isOpen: true)]
      normal = words.normal
      return
    }
    let reader = WordReader(Self.bounded(message))
    let words = reader.words
    normal = QuestionWords.normal(words, of: message)

    let sentences = Self.pieces(of: 0..<words.count, words, at: .sentence)
    var ranges: [(range: Range<Int>, isOpen: Bool)] = []
    if words.count <= Self.longestPart { ranges.append((0..<words.count, true)) }
    for (number, sentence) in sentences.enumerated()
    where number < Self.firstSentences || number >= sentences.count - Self.lastSentences {
      let isLast = number == sentences.count - 1
      if sentences.count > 1, sentence.count <= Self.longestPart { ranges.append((sentence, isLast)) }
      let clauses = Self.pieces(of: sentence, words, at: .clause)
      guard clauses.count > 1 else { continue }
      for (place, clause) in clauses.enumerated() {
        if clause.count <= Self.longestPart { ranges.append((clause, false)) }
        if place > 0, clauses.count > 2 {
          let two = clauses[place - 1].lowerBound..<clause.upperBound
          if two.count <= Self.longestPart { ranges.append((two, false)) }
        }
      }
    }
    parts = ranges.map { range, isOpen in
      let own = QuestionWords(words, part: range)
      // A question begins with what asks where only courtesy stands before it.
      var start = range.lowerBound
      let courtesy = own.items.prefix { !$0.role.hasWeight }
      if var asking = courtesy.lastIndex(where: \.asks) {
        while asking > 0, courtesy[asking - 1].role == courtesy[asking].role { asking -= 1 }
        // "Of which family", "to whom"
        if asking == 1 || asking > 1 && Self.prepositions.contains(courtesy[asking - 1].text) { asking -= 1 }
        start += asking
      }
      return Part(words: own, text: reader.text(of: start..<range.upperBound), isOpen: isOpen || own.asks)
    }
  }

  private static let prepositions: Set<String> = ["in", "of", "by", "to", "for", "from", "on", "at", "with", "since"]

  /// Parts of a range of words that begin where words are parted at least so much.
  private static func pieces(of range: Range<Int>, _ words: [WrittenWord], at gap: WrittenWord.Gap) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = range.lowerBound
    for place in range where place > start && words[place].gap >= gap {
      pieces.append(start..<place)
      start = place
    }
    if start < range.upperBound { pieces.append(start..<range.upperBound) }
    return pieces
  }

  static func isLong(_ message: String) -> Bool { message.utf8.count > firstBytes + lastBytes }

  /// A message, or the beginning and the end of a long one, as sentences of their own.
  static func bounded(_ message: String) -> String {
    guard isLong(message) else { return message }
    let bytes = message.utf8
    let first = String(decoding: bytes.prefix(firstBytes), as: UTF8.self)
    let last = String(decoding: bytes.suffix(lastBytes), as: UTF8.self)
    return first + "\n" + last
  }
}
