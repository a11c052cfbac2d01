/// The parts of a message that may be the question an edit is about: the whole, its sentences, and their clauses.
///
/// People greet, explain and thank around a question, quote it, or ask two at once; and documents name subjects without
/// asking anything. So every part is compared with the stored questions by its words, in any language, and only a part
/// that asks, or what the message ends with, may be left to the model to decide on.
package struct MessageParts: Sendable {
  struct Part: Sendable {
    let words: QuestionWords
    /// What the model is asked about the part.
    let text: String
    /// Whether the model may decide where words do not.
    let isOpen: Bool
    /// Whether the part is told of, and something else is asked about it.
    var isReported = false
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
  /// The word that asks for something to be done with the rest of the message, as with a text: `Translate into French:`.
  private(set) var work: String?

  /// - Parameter continues: the text is one that the model goes on with: its end is what asks, and nothing is around it.
  package init(_ message: String, continues: Bool = false) {
    if continues {
      let words = QuestionWords(message, continues: true)
      parts = [Part(words: words, text: message, isOpen: true)]
      normal = words.normal
      return
    }
    let reader = WordReader(Self.bounded(message))
    let words = reader.words
    normal = QuestionWords.normal(words, of: message)

    let sentences = Self.ranges(of: 0..<words.count, words, at: .sentence)
    work = sentences.first.flatMap { Self.work(QuestionWords(words, part: $0)) }
    if work == nil, sentences.count > 1, let last = sentences.last,
      words[last].contains(where: { ["this", "that", "it", "above"].contains($0.text) })
    {
      work = Self.work(QuestionWords(words, part: last))
    }
    let asksForMore = Self.asksForMore(words)
    let reports = asksForMore.map { end in sentences.filter { $0.upperBound <= end && Self.isReport(words[$0]) } } ?? []
    var ranges: [(range: Range<Int>, isOpen: Bool)] = []
    if words.count <= Self.longestPart { ranges.append((0..<words.count, true)) }
    for (number, sentence) in sentences.enumerated()
    where number < Self.firstSentences || number >= sentences.count - Self.lastSentences {
      let isLast = number == sentences.count - 1
      if sentences.count > 1, sentence.count <= Self.longestPart { ranges.append((sentence, isLast)) }
      let clauses = Self.ranges(of: sentence, words, at: .clause)
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
      return Part(
        words: own, text: reader.text(of: start..<range.upperBound), isOpen: isOpen || own.asks,
        isReported: reports.contains { $0.overlaps(range) })
    }
  }

  // MARK: questions that are not asked

  /// Whether the message asks for work on a text that an edit's question is part of, rather than for its answer.
  func isWork(on stored: QuestionWords) -> Bool {
    guard let work else { return false }
    return !stored.items.contains { $0.text == work }
  }

  private static func work(_ sentence: QuestionWords) -> String? {
    guard let first = sentence.items.first(where: { $0.role.hasWeight }) else { return nil }
    // Work on something else, behind which a question of its own may stand: "Please rephrase your last answer."
    if sentence.items.contains(where: { ["your", "my"].contains($0.text) }) { return nil }
    // Accents are gone from these texts.
    if works.contains(first.text) { return first.text }
    let text = sentence.items.map(\.text)
    // Correct the grammar, how many words are in, what language is this
    if let word = text.first(where: { ["grammar", "spelling", "uppercase", "lowercase"].contains($0) }) { return word }
    if let many = text.firstIndex(of: "many"), many + 1 < text.count,
      ["words", "letters", "characters", "syllables"].contains(text[many + 1])
    {
      return text[many + 1]
    }
    if text.prefix(4).contains("language"), text.prefix(5).contains("this") { return "language" }
    // How do you say "..." in Spanish?
    if let place = text.prefix(5).firstIndex(where: { ["say", "spell", "pronounce", "write"].contains($0) }),
      sentence.items[..<place].contains(where: { $0.role == .asks(.how) }), place + 1 < text.count,
      sentence.items[place + 1].gap >= .clause
    {
      return text[place]
    }
    // Do not tell me who ...
    if let begin = text.first(where: { $0 != "please" }), ["do", "don", "never"].contains(begin),
      sentence.items.prefix(3).contains(where: { $0.role == .denies }),
      let verb = text.prefix(4).firstIndex(where: { ["tell", "say", "mention", "reveal"].contains($0) })
    {
      let asked = sentence.items[(verb + 1)...].first { !["me", "us", "them", "him", "her"].contains($0.text) }
      if let asked, asked.asks { return text[verb] }
    }
    guard ["write", "compose", "create", "make", "generate", "tell"].contains(first.text) else { return nil }
    // And not a letter-perfect answer.
    let hasPiece = text.indices.contains { (place: Int) -> Bool in
      guard pieces.contains(text[place]) else { return false }
      return place + 1 == text.count || sentence.items[place + 1].gap != .none
    }
    return hasPiece ? first.text : nil
  }

  /// Verbs of the languages most used here: translate, reword, shorten.
  private static let works: Set<String> = [
    "translate", "rephrase", "paraphrase", "reword", "rewrite", "proofread", "count", "classify",
    "shorten", "capitalise", "capitalize", "tokenise", "tokenize", "pronounce", "ubersetze", "ubersetzen",
    "ubersetz", "traduis", "traduisez", "traduire", "traduce", "traduzca", "traducir", "traduci", "traduza",
    "traduzir", "vertaal", "переведи", "переведите", "przetlumacz", "ترجم", "cevir",
  ]
  /// Texts that are written about a question.
  private static let pieces: Set<String> = [
    "poem", "story", "song", "haiku", "limerick", "essay", "joke", "letter", "email", "tweet", "headline", "slogan",
    "rap",
    "riddle", "dialogue",
  ]

  /// Whether a sentence tells that someone asked.
  private static func isReport(_ sentence: ArraySlice<WrittenWord>) -> Bool {
    !sentence.contains(where: \.isAsked) && sentence.contains { ["asked", "asks", "told"].contains($0.text) }
  }

  /// Where the last question of a message begins, if it asks for something else than an answer that someone wants.
  private static func asksForMore(_ words: [WrittenWord]) -> Int? {
    guard let end = words.lastIndex(where: \.isAsked) else { return nil }
    let start = words[...end].lastIndex { $0.gap >= .sentence } ?? 0
    guard end - start < longestPart else { return nil }
    let question = QuestionWords(words, part: start..<end + 1).items
    return question.contains(where: \.asks) && question.contains { $0.role.hasWeight && !replies.contains($0.text) }
      ? start : nil
  }

  /// Words of questions that ask for the answer which someone else was asked for.
  private static let replies: Set<String> = [
    "answer", "say", "tell", "reply", "respond", "help", "know", "explain", "him", "her", "them", "right", "correct",
    "write",
    "back", "option", "guess", "name", "look", "find", "check", "idea", "ideas", "clue", "true", "best",
  ]

  private static let prepositions: Set<String> = ["in", "of", "by", "to", "for", "from", "on", "at", "with", "since"]

  /// Parts of a range of words that begin where words are parted at least so much.
  private static func ranges(of range: Range<Int>, _ words: [WrittenWord], at gap: WrittenWord.Gap) -> [Range<Int>] {
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
