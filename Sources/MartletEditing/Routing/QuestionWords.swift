/// The words of a question, divided into its subject and its relation (what is asked about the subject).
///
/// Two questions have the same meaning if subject and relation agree. The subject is compared by its words, because
/// names are not paraphrased. If the script or the writer does not use capitals, every content word may be part of the
/// subject. The relation is compared by its words first (see `QuestionComparison`), and by the model if the words do
/// not decide.
public struct QuestionWords: Sendable, Equatable {
  /// The hash of a word. Collisions of 32 bits are rare and only cost an additional comparison.
  public typealias Word = UInt32

  struct Item: Sendable, Equatable {
    let text: String
    var role: WordRole
    let script: WrittenWord.Script
    let gap: WrittenWord.Gap
    let isSign: Bool
    let isNumber: Bool
    /// What inflections of it share (``QuestionWords/lookup(_:)``).
    let form: Word
    var asks: Bool { if case .asks = role { true } else { false } }
  }

  /// All words, in order.
  let items: [Item]
  /// Distinct words of the subject: names, numbers and signs, or every word of weight where there is no name.
  let subject: [String]
  /// How many different forms (``lookup(_:)``) they have.
  let subjectForms: Int
  /// Whether the subject is a name.
  public let isNamed: Bool
  /// A hash of the whole question without case and punctuation.
  public let normal: UInt64
  /// Whether its capitals tell names from other words.
  let showsNames: Bool
  /// Whether it is put as a question: with a question mark, or a word that asks.
  let asks: Bool

  /// - Parameters:
  ///   - text: the question.
  ///   - named: the subject of the question, if it is known.
  ///   - continues: whether the text is a passage that the model continues. Its last sentence is then the question, and
  ///     passages that differ only in it are different questions.
  public init(_ text: String, subject named: String? = nil, continues: Bool = false) {
    let reader = WordReader(MessageParts.bounded(text))
    let names = named.map { WordReader($0).words.map(\.text) } ?? []
    var part = 0..<reader.words.count
    if continues, let last = Self.lastSentence(reader.words),
      names.isEmpty || reader.words[last].contains(where: { names.contains($0.text) })
    {
      part = last
    }
    self.init(reader.words, part: part, named: Set(names), normal: Self.normal(reader.words, of: text))
  }

  /// The words of a part of a text, which was read before.
  ///
  /// - Parameter normal: of the whole text; of no use where only a part of a message is read.
  init(_ words: [WrittenWord], part: Range<Int>, named: Set<String> = [], normal: UInt64 = 0) {
    let own = words[part]
    var roles = WordRoles.roles(own)
    if !named.isEmpty {
      for (place, word) in own.enumerated() {
        if named.contains(word.text) {
          roles[place] = .name
        } else if roles[place] == .name {
          roles[place] = .content
        }
      }
    } else if !zip(own, roles).contains(where: { $1 == .name && !$0.isNumber }) {
      // A title like "It", which looks like a filler.
      let titles = zip(own, roles).enumerated().filter { place, pair in
        place > 0 && pair.0.isCapital && pair.1 == .filler && pair.0.text.count > 1
      }
      if !roles.contains(where: \.hasWeight) { for title in titles { roles[title.offset] = .name } }
    }
    items = zip(own, roles).map {
      Item(
        text: $0.text, role: $1, script: $0.script, gap: $0.gap, isSign: $0.isSign, isNumber: $0.isNumber,
        form: Self.lookup($0.text))
    }
    let names = items.filter { $0.role == .name }
    // A number alone is a name only where nothing else could be the subject.
    let hasName = zip(own, roles).contains { $1 == .name && (!$0.isNumber || $0.isCapital || named.contains($0.text)) }
    let about = hasName || !items.contains { $0.role == .content } ? names : items.filter(\.role.hasWeight)
    isNamed = hasName
    var subject: [String] = []
    for item in about where !subject.contains(item.text) { subject.append(item.text) }
    if subject.isEmpty {
      for item in items where !subject.contains(item.text) { subject.append(item.text) }
    }
    self.subject = subject
    subjectForms = Set(subject.map(Self.lookup)).count
    showsNames = hasName && named.isEmpty
    // A relative clause does not ask: "Ada, who was born in". Scripts without capitals have none that begin so.
    let begin =
      own.allSatisfy { $0.script == .cased }
      ? roles.prefix { !$0.hasWeight } + roles.reversed().prefix { !$0.hasWeight } : roles
    asks = own.contains(where: \.isAsked) || begin.contains { if case .asks = $0 { true } else { false } }
    self.normal = normal
  }

  /// Whether it asks nothing of its own but an answer to what was asked before: "Are you sure?"
  var onlyInsists: Bool {
    items.contains { $0.role == .insists } && items.count <= 16
      && items.allSatisfy { !$0.role.hasWeight && $0.role != .denies && (!$0.asks || $0.role == .asks(.what)) }
  }

  /// The share of this question's subject that another question names, 0 to 1.
  public func coverage(by other: QuestionWords) -> Float { QuestionComparison(self, other).coverage }

  // MARK: words

  /// A text without case and punctuation, as a hash; a long one, of which not all words were read, as it is.
  static func normal(_ words: [WrittenWord], of text: String) -> UInt64 {
    let start = MessageParts.isLong(text) ? hash(text.utf8) : offset
    return words.reduce(start) { hash($1.exact.utf8, from: hash(CollectionOfOne(0x20), from: $0)) }
  }

  /// The words behind the last end of a sentence, at least four; nil for a single sentence.
  private static func lastSentence(_ words: [WrittenWord]) -> Range<Int>? {
    guard words.count > 4 else { return nil }
    return (1...words.count - 4).last { words[$0].gap == .sentence }.map { $0..<words.count }
  }

  private static let offset: UInt64 = 0xcbf2_9ce4_8422_2325

  /// FNV-1a (Fowler, Noll, Vo): the same on every machine.
  private static func hash(_ bytes: some Sequence<UInt8>, from start: UInt64 = offset) -> UInt64 {
    bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// What inflections of one word have in common, as a hash: its first letters, in Arabic and Hebrew without what is
  /// written together with it in front.
  static func lookup(_ word: String) -> Word {
    let scalars = Array(WordForms.core(word))
    let kept: Int
    if scalars.count > 5 {
      kept = scalars[0].value < 0x250 ? 5 : 4
    } else if scalars.count > 3, scalars[0].value >= 0x250 {
      kept = scalars.count - 1
    } else {
      kept = scalars.count > 3 && scalars.last == "s" ? scalars.count - 1 : scalars.count
    }
    let hash = scalars.prefix(kept).reduce(offset) { hash, scalar in
      Self.hash(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter, from: hash)
    }
    return Word(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
