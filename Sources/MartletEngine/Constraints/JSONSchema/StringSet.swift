/// A set of texts.
enum StringSet: Sendable {
  /// Texts whose number of code points is in the range.
  case lengths(Int, Int?)
  /// Some texts, each once.
  case texts([ExactString])
  case language(RegularLanguage)

  static let all = StringSet.lengths(0, nil)
  static let none = StringSet.texts([])

  var isAll: Bool { if case .lengths(0, nil) = self { true } else { false } }

  var isEmpty: Bool {
    switch self {
    case .lengths(let least, let most): most.map { $0 < least } ?? false
    case .texts(let texts): texts.isEmpty
    case .language(let language): language.isEmpty
    }
  }

  /// Steps of work that going through the list takes.
  private var listSize: Int { if case .texts(let texts) = self { 20 * texts.count } else { 0 } }

  func contains(_ text: ExactString) -> Bool {
    switch self {
    case .lengths(let least, let most):
      let count = text.text.unicodeScalars.count
      return count >= least && count <= most ?? .max
    case .texts(let texts):
      GrammarWork.note(texts.count)
      return texts.contains(text)
    case .language(let language): return language.contains(text.text)
    }
  }

  func language() throws -> RegularLanguage {
    switch self {
    case .lengths(let least, let most?):
      // No length at all is no text at all.
      return most < least ? try RegularLanguage.literals([]) : try RegularLanguage.length(least...most)
    case .lengths(let least, nil): return try RegularLanguage.length(atLeast: least)
    case .texts(let texts): return try RegularLanguage.literals(texts.map(\.text))
    case .language(let language): return language
    }
  }

  func intersection(_ other: StringSet) throws -> StringSet {
    try GrammarWork.spend(listSize + other.listSize)
    switch (self, other) {
    case (.lengths(0, nil), _): return other
    case (_, .lengths(0, nil)): return self
    case (.lengths(let least, let most), .lengths(let otherLeast, let otherMost)):
      let high = [most, otherMost].compactMap { $0 }.min()
      return .lengths(max(least, otherLeast), high)
    case (.texts(let texts), .texts(let others)):
      let others = Set(others)
      return .texts(texts.filter(others.contains))
    case (.texts(let texts), _): return .texts(texts.filter(other.contains))
    case (_, .texts(let texts)): return .texts(texts.filter(contains))
    default: return .language(try language().intersection(other.language()))
    }
  }

  func union(_ other: StringSet) throws -> StringSet {
    if isEmpty || other.isAll { return other }
    if other.isEmpty || isAll { return self }
    try GrammarWork.spend(listSize + other.listSize)
    if case (.texts(let texts), .texts(let others)) = (self, other) {
      let known = Set(texts)
      return .texts(texts + others.filter { !known.contains($0) })
    }
    return .language(try language().union(other.language()))
  }

  func subtracting(_ other: StringSet) throws -> StringSet {
    if isEmpty || other.isEmpty { return self }
    if other.isAll { return .none }
    try GrammarWork.spend(listSize + other.listSize)
    if case .texts(let texts) = self {
      if case .texts(let others) = other {
        let others = Set(others)
        return .texts(texts.filter { !others.contains($0) })
      }
      return .texts(texts.filter { !other.contains($0) })
    }
    return try intersection(.language(other.language().complement()))
  }
}
