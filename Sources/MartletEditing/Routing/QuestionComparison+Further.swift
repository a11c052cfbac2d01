// Questions that take a stored one a step further: they have all its words, and ask for something else.
extension QuestionComparison {
  /// Whether the other question, which has all words of the stored one's relation, asks for something of its answer or of
  /// something else that stands with the subject: `Who is the son of the founder of X?`, `Who founded X's rival?`,
  /// `Who wrote the foreword to X?`
  static func goesFurther(
    _ stored: QuestionWords, _ other: QuestionWords, _ pairs: Pairs, _ extra: [Int]
  ) -> Bool {
    let relation = stored.items.filter { $0.role == .content }
    guard stored.isNamed, !relation.isEmpty, stored.asks, other.asks else { return false }
    let own = relation.reduce(into: Set<UInt8>()) { $0.formUnion(RelationWords.lines($1.text) ?? []) }
    let items = other.items
    // The number of inhabitants, but not the phone number of the mayor.
    func isKind(_ place: Int) -> Bool {
      kinds.contains(items[place].text)
        && (place == 0 || pairs.taken[place - 1] || RelationWords.distinctLines(items[place - 1].text) == nil)
    }
    return extra.contains { place in
      let word = items[place].text, lines = RelationWords.lines(word)
      // What stands with a vague word, the name or date or cause of something, asks for the thing itself.
      guard lines == nil || RelationWords.distinctLines(word) != nil,
        kin.contains(word) || lines?.isDisjoint(with: own) ?? true, !isKind(place)
      else { return false }
      // What is told in another sentence asks nothing: "I am writing a story about X. Who founded it?"
      let begin = items[...place].lastIndex { $0.gap >= .sentence } ?? 0
      let end = items[(place + 1)...].firstIndex { $0.gap >= .sentence } ?? items.count
      guard items[begin..<end].contains(where: \.asks) else { return false }
      // X's rival
      if place > 1, items[place - 1].text == "s", items[place - 1].gap == .none, pairs.taken[place - 2],
        items[place - 2].role.hasWeight
      {
        return lines != nil || place + 1 == items.count || !pairs.taken[place + 1]
      }
      // When did the founder of X die?
      if lines != nil, !asked(other).contains(.who),
        items.indices.dropFirst().dropLast().contains(where: { noun in
          pairs.taken[noun] && items[noun].role == .content && items[noun - 1].text == "the"
            && items[noun + 1].text == "of" && !relation.contains { $0.text == items[noun].text }
        })
      {
        return true
      }
      guard let next = items.indices[(place + 1)...].first(where: { pairs.taken[$0] && items[$0].role.hasWeight }),
        let link = items[place + 1..<next].last(where: { links.contains($0.text) })?.text
      else { return false }
      // The son of the founder, a river through the capital, the company that founded X; the rival of X, a song about X.
      if items[next].role == .content {
        let before = items[next - 1].text
        return items[place + 1].text == "of" || before == "the" && !clauses.contains(link) && link != "of"
          || clauses.contains(before) && !asksForNoun(other, items[..<(next - 1)])
      }
      let isNoun = place > 0 && ["the", "a", "an"].contains(items[place - 1].text)
      return link == "of" ? lines != nil : isNoun && ["to", "for", "about"].contains(link)
    }
  }

  /// Whether a question asks for nothing but the noun in front of a relative clause: `Who is the man who built X?`
  ///
  /// - Parameter beginning: what stands before the clause.
  private static func asksForNoun(_ question: QuestionWords, _ beginning: ArraySlice<QuestionWords.Item>) -> Bool {
    let article = beginning.lastIndex { ["the", "a", "an"].contains($0.text) } ?? beginning.startIndex
    return asked(question).isSubset(of: [.who, .what])
      && !beginning.contains { ["do", "does", "did"].contains($0.text) }
      && beginning[..<article].allSatisfy { !$0.role.hasWeight }
  }

  /// Words that stand with what is asked and ask nothing of their own: the cause of death.
  private static let kinds: Set<String> = [
    "cause", "causes", "home", "type", "kind", "state", "country", "region", "person", "man", "woman", "lady", "one",
    "office", "position", "post", "role", "title", "job", "number", "amount", "identity", "unit",
  ]
  /// Relatives, whose words may stand in a line with other relations (`born`).
  private static let kin: Set<String> = [
    "mother", "father", "parent", "parents", "sister", "brother", "son", "daughter", "wife", "husband", "uncle", "aunt",
  ]
  private static let clauses: Set<String> = ["that", "which", "who"]
  private static let links: Set<String> = [
    "that", "which", "who", "of", "to", "for", "about", "through", "in", "near", "with", "by", "from",
  ]

  /// Whether a word that the stored question has not makes a larger or another name of its subject: `South Norland`,
  /// `Norland Street`, `Köln-Porz`, `Marigold II`.
  static func isLargerName(_ other: QuestionWords, _ pairs: Pairs, _ extra: [Int]) -> Bool {
    let items = other.items
    func isSubject(_ place: Int) -> Bool {
      items.indices.contains(place) && pairs.taken[place] && items[place].role == .name
    }
    return extra.contains { place in
      let item = items[place]
      let joinsNext = isSubject(place + 1) && items[place + 1].gap < .clause
      let joinsLast = isSubject(place - 1) && item.gap < .clause
      guard item.role == .name, !item.isNumber, !item.isSign, item.script == .cased, other.showsNames else {
        return false
      }
      // Other names beside it may be a first name, a title, or another spelling of the whole.
      return joinsNext && (parts.contains(item.text) || items[place + 1].gap == .none)
        || joinsLast && (places.contains(item.text) || item.gap == .none)
    }
  }

  /// Whether something is asked that a stored answer does not answer: yes or no about another name, or another time.
  static func asksYesOrNo(_ other: QuestionWords, extraNames: [Int]) -> Bool {
    guard let first = other.items.first(where: { $0.text != "and" && $0.text != "so" }), other.asks,
      !other.items.contains(where: \.asks)
    else { return false }
    return !extraNames.isEmpty && verbs.contains(first.text)
  }

  private static let verbs: Set<String> = [
    "is", "are", "was", "were", "am", "does", "do", "did", "has", "have", "had", "isn", "wasn", "didn", "doesn",
  ]

  /// What makes a name of a part or of a namesake, in front of it.
  private static let parts: Set<String> = [
    "north", "south", "east", "west", "northern", "southern", "eastern", "western", "central", "new", "old", "upper",
    "lower", "greater", "little", "great", "saint", "port", "fort", "northeast", "northwest",
    "southeast",
    "southwest",
  ]
  /// What is named after it, behind it.
  private static let places: Set<String> = [
    "street", "road", "avenue", "square", "park", "bridge", "tower", "station", "airport", "university", "college",
    "school", "museum", "zoo", "bay", "hotel", "stadium", "festival", "award",
    "prize", "cathedral", "church", "cookbook", "soundtrack", "trilogy", "junior", "jr", "ii", "iii", "iv",
  ]
}
