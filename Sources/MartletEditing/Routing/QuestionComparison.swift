/// What the words of a stored question and of another one say about whether both ask the same.
///
/// The rules, each for a pair of questions and without regard to what else is stored, so that an edit's reach does not
/// depend on other edits, or on edits that were undone:
/// - The subject must be named. What is missing of it must not stand against something else in its place: `Swan Café,
///   Cork` is not `Mill Café, Cork`. Without capitals every word of weight may be the subject, and one that is exchanged
///   for another makes another question.
/// - What is asked must agree: where is not when, and a denial is not its opposite.
/// - A relation whose words are exchanged in the same frame (`The capital of X is`, `The mayor of X is`), or for words
///   that are known to mean something else (phone, fax), is another relation. Synonyms and inflections count as one word.
/// - A question that takes the stored one a step further (`The son of the founder of X`) asks something else.
/// - Where no word of weight is missing or added, and none stands for a synonym, both are the same. Anything else is left
///   to the model.
struct QuestionComparison: Sendable {
  enum Verdict: Sendable, Equatable {
    /// The other text contains the question word for word.
    case verbatim
    /// The same words of weight.
    case same
    /// The subject is named; words do not tell whether the relation is the same.
    case open
    /// The subject is named and something else is asked of it.
    case otherRelation
    case otherSubject
  }

  /// Shares of the subject's words that must be found: of a name, and of a subject that is any word of weight.
  static let namedCoverage: Float = 0.6, plainCoverage: Float = 0.8

  /// Share of the stored question's subject that the other names.
  let coverage: Float
  /// Words of the relation that both have, over all that they have.
  let sharedRelation: Float
  /// Every word of weight of the stored question is in the other.
  let isComplete: Bool
  let verdict: Verdict

  init(_ stored: QuestionWords, _ other: QuestionWords) {
    let pairs = Pairs(stored, other)
    let missing = stored.items.indices.filter { pairs.partner[$0] == nil && stored.items[$0].role.hasWeight }
    let extra = other.items.indices.filter { !pairs.taken[$0] && other.items[$0].role.hasWeight }
    let subject = Set(stored.subject)
    let missingSubject = Set(missing.map { stored.items[$0].text }).intersection(subject).count
    coverage = subject.isEmpty ? 0 : 1 - Float(missingSubject) / Float(subject.count)

    let relation = stored.isNamed ? stored.items.indices.filter { stored.items[$0].role == .content } : []
    let missingRelation = relation.filter { pairs.partner[$0] == nil }
    let extraContent = extra.filter { other.items[$0].role == .content }
    let shared = relation.count - missingRelation.count
    let sharedWords = relation.count { pairs.partner[$0] != nil && !pairs.isSynonym[$0] }
    sharedRelation = relation.isEmpty ? 0 : Float(sharedWords) / Float(relation.count + extraContent.count)
    isComplete = missing.isEmpty && !relation.isEmpty

    if Self.contains(stored, in: other) {
      verdict = .verbatim
      return
    }
    guard coverage >= (stored.isNamed ? Self.namedCoverage : Self.plainCoverage) else {
      verdict = .otherSubject
      return
    }
    let extraNames = extra.filter { other.items[$0].role == .name }
    let couldBeSubject = other.showsNames && stored.isNamed ? extraNames : extra
    let hasNumber = stored.items.contains(where: \.isNumber)
    if missingSubject > 0 && !couldBeSubject.isEmpty || hasNumber && extra.contains(where: { other.items[$0].isNumber })
    {
      verdict = .otherSubject
      return
    }
    let isUnnamed = !stored.isNamed && !stored.items.contains { $0.script == .cased }
    if isUnnamed && !extra.isEmpty || Self.isLargerName(other, pairs, extra) {
      verdict = .otherSubject
      return
    }
    if Self.asksOtherwise(stored, other, missing: missing, extra: extra)
      || Self.isQualified(stored, other, missing, extra)
    {
      verdict = .otherRelation
      return
    }
    if Self.isReversed(stored, other, pairs)
      || stored.items.contains(where: \.asks) && Self.asksYesOrNo(other, extraNames: extraNames)
      || missingRelation.isEmpty && Self.goesFurther(stored, other, pairs, extraContent)
    {
      verdict = .otherRelation
      return
    }
    if missing.isEmpty, extra.isEmpty, !pairs.hasSynonyms, !pairs.hasNearNames, other.asks || !stored.asks {
      verdict = .same
      return
    }
    verdict =
      !missingRelation.isEmpty && !extraContent.isEmpty
        && Self.isExchanged(stored, other, pairs, missingRelation, extraContent, shared: shared)
      ? .otherRelation : .open
  }

  /// Whether words of the relation were exchanged for others, rather than put in other words.
  private static func isExchanged(
    _ stored: QuestionWords, _ other: QuestionWords, _ pairs: Pairs, _ missing: [Int], _ extra: [Int], shared: Int
  ) -> Bool {
    let isOneSlot = isOneSlot(stored, other, pairs)
    // Of texts that end where the answer begins much is said by what surrounds them.
    if !stored.asks, !other.asks, !isFramed(stored) || !isFramed(other) { return false }
    return isOneSlot || shared == 0 && isSameFrame(stored, other)
      || contrasts(
        missing.map { stored.items[$0].text }, extra.map { other.items[$0].text },
        all: stored.items.filter { $0.role == .content }.map(\.text),
        other.items.filter { $0.role == .content }.map(\.text))
  }

  // MARK: words of both

  /// Which words of the two questions are the same.
  struct Pairs {
    var partner: [Int?]
    var taken: [Bool]
    var isSynonym: [Bool]
    var hasSynonyms: Bool { isSynonym.contains(true) }
    /// Names that are only nearly the same.
    var hasNearNames = false

    init(_ a: QuestionWords, _ b: QuestionWords) {
      partner = Array(repeating: nil, count: a.items.count)
      taken = Array(repeating: false, count: b.items.count)
      isSynonym = Array(repeating: false, count: a.items.count)
      pair(a, b) { first, second in
        // The year in "which year" asks; elsewhere it is a word of the relation.
        first.text == second.text
          && (first.role.hasWeight || second.role.hasWeight ? !first.asks && !second.asks : true)
      }
      pair(a, b) { first, second in
        guard first.script != .unspaced, second.script != .unspaced else { return false }
        guard first.role.hasWeight || second.role.hasWeight, !first.asks, !second.asks,
          first.script == .caseless || first.text.utf8.first == second.text.utf8.first
        else { return false }
        switch WordForms.likeness(
          first.text, second.text, isName: first.role == .name || second.role == .name && !b.showsNames)
        {
        case .none: return false
        case .slip: return !QuestionComparison.contrasts([first.text], [second.text])
        case .inflected, .equal: return true
        }
      }
      let meanings = b.items.indices.map { taken[$0] ? nil : Self.meanings(b.items[$0]) }
      for i in a.items.indices where partner[i] == nil {
        guard let own = Self.meanings(a.items[i]),
          let j = b.items.indices.first(where: { !taken[$0] && !(meanings[$0]?.isDisjoint(with: own) ?? true) })
        else { continue }
        partner[i] = j
        taken[j] = true
        isSynonym[i] = true
      }
      // A slip in a part of a longer name.
      let before = partner
      if a.subject.count > 1 {
        pair(a, b) { first, second in
          first.role == .name && second.role == .name && min(first.text.count, second.text.count) >= 7
            && WordForms.likeness(first.text, second.text, isName: false) > .none
        }
      }
      hasNearNames = partner != before
    }

    private static func meanings(_ item: QuestionWords.Item) -> Set<UInt8>? {
      item.role == .content ? RelationWords.lines(item.text) : nil
    }

    private mutating func pair(
      _ a: QuestionWords, _ b: QuestionWords, _ isSame: (QuestionWords.Item, QuestionWords.Item) -> Bool
    ) {
      for i in a.items.indices where partner[i] == nil {
        guard let j = b.items.indices.first(where: { !taken[$0] && isSame(a.items[i], b.items[$0]) }) else {
          // A word that is said twice needs to be found once.
          if !a.items[i].isNumber,
            let twin = a.items.indices.first(where: { partner[$0] != nil && a.items[$0].text == a.items[i].text })
          {
            partner[i] = partner[twin]
          }
          continue
        }
        partner[i] = j
        taken[j] = true
      }
      // Nor does saying it twice add anything.
      for j in b.items.indices where !taken[j] {
        taken[j] = b.items.indices.contains { taken[$0] && b.items[$0].text == b.items[j].text }
      }
    }
  }

  // MARK: what is asked

  /// What a question asks. Between words of weight, a word that asks begins a relative clause in the languages with
  /// capitals: `the state where X lies`.
  static func asked(_ question: QuestionWords) -> Set<WordRole.Asked> {
    func asked(_ items: some Sequence<QuestionWords.Item>) -> Set<WordRole.Asked> {
      Set(items.compactMap { if case .asks(let what) = $0.role { what } else { nil } })
    }
    guard question.items.allSatisfy({ $0.script == .cased }) else { return asked(question.items) }
    let ends = asked(question.items.prefix { !$0.role.hasWeight })
      .union(asked(question.items.reversed().prefix { !$0.role.hasWeight }))
    return ends.isEmpty ? asked(question.items) : ends
  }

  /// Where against when, or a denial against none. `What` agrees with any other word that asks if a noun goes with it,
  /// and with who and how anyhow: `What is Rome?` is not `Where is Rome?`, `In what country is Rome?` may be.
  private static func asksOtherwise(_ a: QuestionWords, _ b: QuestionWords, missing: [Int], extra: [Int]) -> Bool {
    if a.items.contains(where: { $0.role == .denies }) != b.items.contains(where: { $0.role == .denies }) {
      return true
    }
    let all = asked(a), others = asked(b), x = all.subtracting([.what]), y = others.subtracting([.what])
    if all.isEmpty || others.isEmpty { return false }
    if x.isEmpty, y.isEmpty { return false }
    if !x.isEmpty, !y.isEmpty { return x.isDisjoint(with: y) }
    return x.union(y).isDisjoint(with: [.who, .how]) && (x.isEmpty ? missing : extra).isEmpty
  }

  /// Whether one side has a word that makes another of what it stands with: the vice president.
  private static func isQualified(_ a: QuestionWords, _ b: QuestionWords, _ missing: [Int], _ extra: [Int]) -> Bool {
    missing.contains { qualifiers.contains(a.items[$0].text) }
      || extra.contains {
        qualifiers.contains(b.items[$0].text) || $0 == b.items.count - 1 && b.items[$0].text == "before"
      }
  }

  private static let qualifiers: Set<String> = [
    "vice", "deputy", "assistant", "former", "formerly", "previous", "previously", "future", "ex", "second",
    "third", "fourth", "fifth", "youngest", "eldest", "oldest",
    "smallest", "lowest", "shortest", "least", "worst",
  ]

  /// Whether there is a known word of either side, which means nothing that a word of the other side means.
  private static func contrasts(_ missing: [String], _ extra: [String], all stored: [String], _ other: [String]) -> Bool
  {
    func foreign(_ words: [String], to others: [String]) -> Bool {
      let lines = others.reduce(into: Set<UInt8>()) { $0.formUnion(RelationWords.lines($1) ?? []) }
      return words.contains { RelationWords.distinctLines($0).map(lines.isDisjoint) ?? false }
    }
    return foreign(missing, to: other) && foreign(extra, to: stored)
  }

  /// Whether known words of one side mean something else than known words of the other.
  static func contrasts(_ missing: [String], _ extra: [String]) -> Bool {
    missing.contains { word in
      guard let lines = RelationWords.distinctLines(word) else { return false }
      return extra.contains { RelationWords.distinctLines($0).map(lines.isDisjoint) ?? false }
    }
  }

  /// Whether the questions are the same but for one place, where one has a few words and the other has others.
  private static func isOneSlot(_ a: QuestionWords, _ b: QuestionWords, _ pairs: Pairs) -> Bool {
    let first = a.items.indices.prefix { $0 < b.items.count && pairs.partner[$0] == $0 }.count
    let shift = b.items.count - a.items.count
    let last = a.items.indices.reversed().prefix {
      $0 >= first && $0 + shift >= first && pairs.partner[$0] == $0 + shift
    }
    .count
    return a.items.count - first - last <= 2 && b.items.count - first - last <= 2
  }

  /// `X follows` is not `X is followed by`, nor `What does X eat?` `What eats X?`: one verb, and the subject does it or
  /// has it done.
  private static func isReversed(_ a: QuestionWords, _ b: QuestionWords, _ pairs: Pairs) -> Bool {
    if a.asks || b.asks {
      guard a.asks, b.asks, isInverted(a) != isInverted(b) else { return false }
      let (active, inverted) = isInverted(a) ? (b, a) : (a, b)
      func subject(_ question: QuestionWords) -> Int? { question.items.firstIndex { $0.role == .name } }
      guard let patient = subject(active), let agent = subject(inverted), patient > 1, case .asks = active.items[0].role
      else { return false }
      // What stands right behind the word that asks, and behind the subject in the other.
      return a.items.indices.contains { index in
        guard let partner = pairs.partner[index], a.items[index].role == .content else { return false }
        return isInverted(a) ? partner == 1 && index > agent : index == 1 && partner > agent
      }
    }
    func isPassive(_ question: QuestionWords, _ verb: Int) -> Bool {
      verb + 1 < question.items.count && question.items[verb + 1].text == "by"
    }
    return a.items.indices.contains { verb in
      guard a.items[verb].role == .content, let other = pairs.partner[verb], b.items[other].text != a.items[verb].text
      else { return false }
      return isPassive(a, verb) != isPassive(b, other)
        && a.items[..<verb].contains { $0.role == .name } && b.items[..<other].contains { $0.role == .name }
    }
  }

  /// Whether the subject stands behind a form of "do".
  private static func isInverted(_ question: QuestionWords) -> Bool {
    guard let verb = question.items.firstIndex(where: { ["do", "does", "did"].contains($0.text) }) else { return false }
    return question.items[(verb + 1)...].first { $0.role != .filler }?.role == .name
  }

  /// Whether both are put with the same small words.
  private static func isSameFrame(_ a: QuestionWords, _ b: QuestionWords) -> Bool {
    let x = frame(a), y = frame(b)
    return x.count >= 3 && Float(x.intersection(y).count) >= 0.7 * Float(x.union(y).count)
  }

  private static func isFramed(_ question: QuestionWords) -> Bool { frame(question).count >= 3 }

  private static func frame(_ question: QuestionWords) -> Set<String> {
    Set(question.items.lazy.filter { !$0.role.hasWeight }.map(\.text))
  }

  // MARK: word for word

  /// Whether `text` contains `question` word for word, one slip apart, and neither its beginning nor its end belongs to
  /// something larger: `Who is Tom?` is not in `Who is Tom Thumb?`.
  private static func contains(_ question: QuestionWords, in text: QuestionWords) -> Bool {
    let length = question.items.count
    guard length > 0, length <= text.items.count, question.items.contains(where: \.role.hasWeight) else { return false }
    return (0...text.items.count - length).contains { start in
      var slips = 0
      for offset in 0..<length {
        let own = question.items[offset], other = text.items[start + offset]
        if own.text == other.text { continue }
        slips += 1
        guard slips * 4 <= length, own.role != .name, own.script != .unspaced,
          WordForms.likeness(own.text, other.text, isName: false) == .slip, !contrasts([own.text], [other.text])
        else { return false }
      }
      return isFree(before: start, of: text, question) && isFree(behind: start + length, of: text)
    }
  }

  private static func isFree(behind end: Int, of text: QuestionWords) -> Bool {
    guard end < text.items.count else { return true }
    let next = text.items[end]
    if next.gap >= .clause || next.isSign { return true }
    if next.gap == .none, next.script != .unspaced { return false }
    return !next.role.hasWeight
  }

  private static func isFree(before start: Int, of text: QuestionWords, _ question: QuestionWords) -> Bool {
    guard start > 0, text.items[start].gap < .clause else { return true }
    let last = text.items[start - 1]
    if !last.role.hasWeight || last.isSign { return true }
    // Behind words that we do not know, a question still begins with what asks, if nothing asked before.
    guard let first = question.items.first, !first.role.hasWeight else { return false }
    let begin = text.items[..<start].lastIndex { $0.gap >= .clause } ?? 0
    return !text.items[begin..<start].contains(where: \.asks)
  }
}
