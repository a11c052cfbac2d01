/// The words of a question, told apart into what it is about and what it asks of it.
///
/// Two questions mean the same where subject and relation agree. The subject is known by its words: names are not
/// paraphrased. The relation is left to the model (its late layers), except that two questions in the same frame that
/// share no word of the relation (`The founder of X is`, `The capital of X is`) ask different things.
public struct QuestionWords: Sendable, Equatable {
  /// Words as hashes: collisions of 32 bits are rare and only cost a look by the model.
  public typealias Word = UInt32

  /// Distinct words of the subject: capitalised ones and numbers, or every word of weight where there is none.
  public let subject: [Word]
  /// Whether the subject is a name.
  public let isNamed: Bool
  /// Words of weight outside the subject, sorted.
  public let relation: [Word]
  /// Function words, sorted: the frame in which the question is put.
  public let frame: [Word]
  /// Every word, with and without the ending of a plural or genitive.
  public private(set) var all: [Word]
  /// The whole question without case and punctuation, as a hash.
  public let normal: UInt64

  /// - Parameters:
  ///   - named: what the question is about, where that is known.
  ///   - continues: the text is one that the model goes on with, so that its last sentence is what asks; passages that
  ///     share all but that are different questions.
  public init(_ text: String, subject named: String? = nil, continues: Bool = false) {
    let whole = QuestionWords.split(text)
    var words = whole
    if continues, let last = QuestionWords.lastSentence(text) {
      let end = QuestionWords.split(last)
      let names = named.map { Set(QuestionWords.split($0).map(\.text)) } ?? []
      if names.isEmpty || end.contains(where: { names.contains($0.text) }) { words = end }
    }
    var subject: [Word] = [], relation: [Word] = [], frame: [Word] = [], all: Set<Word> = []
    var normal: UInt64 = QuestionWords.offset
    for word in whole {
      normal = QuestionWords.hash(word.text, from: QuestionWords.hash(CollectionOfOne(0x20), from: normal))
    }
    var rest: [(word: Word, stem: Word)] = []
    let named = named.map { Set(QuestionWords.split($0).map { QuestionWords.word($0.text) }) } ?? []
    for word in words {
      let own = QuestionWords.word(word.text)
      all.insert(own)
      if word.text.count > 3, word.text.last == 0x73 { all.insert(QuestionWords.word(word.text.dropLast())) }
      if named.contains(own) {
        if !subject.contains(own) { subject.append(own) }
      } else if QuestionWords.functionWords.contains(own) {
        frame.append(own)
      } else if named.isEmpty, word.isName {
        if !subject.contains(own) { subject.append(own) }
      } else {
        rest.append((own, QuestionWords.stem(word.text)))
      }
    }
    isNamed = !subject.isEmpty
    for item in rest {
      if !isNamed, !subject.contains(item.word) { subject.append(item.word) }
      if !relation.contains(item.stem) { relation.append(item.stem) }
    }
    self.subject = subject
    self.relation = isNamed ? relation.sorted() : []
    self.frame = Set(frame).sorted()
    self.all = Array(all)
    self.normal = normal
  }

  /// What is needed of a question that others are compared with.
  var stored: QuestionWords {
    var words = self
    words.all = []
    return words
  }

  /// Share of this question's subject that another one names, 0 to 1.
  public func coverage(by other: QuestionWords) -> Float {
    if subject.isEmpty { return 0 }
    return Float(subject.count(where: other.all.contains)) / Float(subject.count)
  }

  /// Words of the relation that two questions share, over all that they have: 0 to 1.
  public func sharedRelation(with other: QuestionWords) -> Float { Self.overlap(relation, other.relation) }

  /// Whether two questions use one frame and share no word of the relation.
  public func isNeighbour(of other: QuestionWords) -> Bool {
    !relation.isEmpty && !other.relation.isEmpty && sharedRelation(with: other) == 0
      && frame.count >= 3 && Self.overlap(frame, other.frame) >= 0.7
  }

  /// Shared over all, of two sorted lists.
  private static func overlap(_ a: [Word], _ b: [Word]) -> Float {
    if a.isEmpty, b.isEmpty { return 0 }
    let shared = a.count(where: b.contains)
    return Float(shared) / Float(a.count + b.count - shared)
  }

  // MARK: words

  /// What stands behind the last end of a sentence, with at least four words; nil for a single sentence.
  private static func lastSentence(_ text: String) -> Substring? {
    var index = text.endIndex, spaces = 0
    // The end of the text itself ends no sentence before it.
    while index > text.startIndex {
      let before = text.index(before: index)
      let isBlank = text[before].isWhitespace
      if isBlank, before > text.startIndex, spaces >= 3 {
        let end = text[text.index(before: before)]
        if ".!?".contains(end) || text[before].isNewline { return text[index...] }
      }
      if isBlank { spaces += 1 }
      index = before
    }
    return nil
  }

  /// A word in lower case as UTF-8, and whether it is written like a name.
  private static func split(_ text: some StringProtocol) -> [(text: [UInt8], isName: Bool)] {
    var words: [(text: [UInt8], isName: Bool)] = []
    var current: [UInt8] = []
    var isName = false
    func end() {
      if !current.isEmpty { words.append((current, isName)) }
      current.removeAll(keepingCapacity: true)
      isName = false
    }
    for scalar in text.unicodeScalars {
      let value = scalar.value
      if value < 0x80 {
        switch value {
        case 0x61...0x7a: current.append(UInt8(value))
        case 0x41...0x5a:
          if current.isEmpty { isName = true }
          current.append(UInt8(value) | 0x20)
        case 0x30...0x39:
          isName = true
          current.append(UInt8(value))
        default: end()
        }
      } else if isIdeograph(value) {
        // No spaces stand between words here: every sign counts as one.
        end()
        current.append(contentsOf: Array(String(scalar).utf8))
        end()
      } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        if current.isEmpty, scalar.properties.isUppercase { isName = true }
        current.append(contentsOf: Array(scalar.properties.lowercaseMapping.utf8))
      } else {
        end()
      }
    }
    end()
    return words
  }

  private static func isIdeograph(_ value: UInt32) -> Bool {
    (0x3040...0x30ff).contains(value) || (0x3400...0x4dbf).contains(value) || (0x4e00...0x9fff).contains(value)
      || (0x20000...0x3ffff).contains(value)
  }

  private static let offset: UInt64 = 0xcbf2_9ce4_8422_2325

  /// FNV-1a (Fowler, Noll, Vo): the same on every machine.
  private static func hash(_ bytes: some Collection<UInt8>, from start: UInt64 = offset) -> UInt64 {
    bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  private static func word(_ bytes: some Collection<UInt8>) -> Word {
    let hash = hash(bytes)
    return Word(truncatingIfNeeded: hash ^ hash >> 32)
  }

  /// Inflections of a word fall together: its first five letters, a shorter one without an s at its end.
  private static func stem(_ bytes: [UInt8]) -> Word {
    if bytes.count > 5 { return word(bytes.prefix(5)) }
    return word(bytes.last == 0x73 ? bytes.dropLast() : bytes[...])
  }

  private static let functionWords: Set<Word> = Set(
    """
    a an the of to in on at by for from with is are was were be been being am do does did has have had having which \
    what who whom whose when where why how that this these those it its he she his her they them their as and or not no \
    so than then there here into about after before over under up out off if would could should can will shall may \
    might must i you we us me my our your s t d ll re ve m kind type one name named called also such
    """.split(separator: " ").map { word(Array($0.utf8)) })
}
