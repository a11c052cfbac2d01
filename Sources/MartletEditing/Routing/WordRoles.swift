/// What a word does in a question.
enum WordRole: Sendable, Equatable {
  /// Holds the sentence together, or is courtesy.
  case filler
  case asks(Asked)
  case denies
  /// Asks for an answer again, or doubts it.
  case insists
  case content
  /// Written like a name, or a number or sign.
  case name

  /// The word asks for something, such as a question word.
  enum Asked: UInt8, Sendable, CaseIterable { case who, what, `where`, when, why, how, much }

  /// Whether it says what the question is about.
  var hasWeight: Bool { self == .content || self == .name }
}

/// Tells fillers and asking words by the lists of ``LanguageWords``, in the language that most of a sentence's words
/// belong to: `die` is a filler in German and none in English.
enum WordRoles {
  private struct Entry {
    let language: UInt8
    let role: WordRole
    /// Words behind the first.
    let rest: [String]
  }

  private static let english: UInt8 = 0

  /// Entries by their first word, the longest first.
  private static let table: [String: [Entry]] = {
    var table: [String: [Entry]] = [:]
    var languages: [Substring: UInt8] = [:]
    for line in LanguageWords.lists.split(separator: "\n") {
      let halves = line.split(separator: ":", maxSplits: 1)
      let names = halves[0].split(separator: " ")
      guard halves.count == 2, names.count == 2 else { continue }
      let language = languages[names[0]] ?? UInt8(languages.count)
      languages[names[0]] = language
      let role: WordRole
      switch names[1] {
      case "who": role = .asks(.who)
      case "what": role = .asks(.what)
      case "where": role = .asks(.where)
      case "when": role = .asks(.when)
      case "why": role = .asks(.why)
      case "how": role = .asks(.how)
      case "much": role = .asks(.much)
      case "not": role = .denies
      case "again": role = .insists
      default: role = .filler
      }
      for entry in halves[1].split(whereSeparator: { $0 == "," || $0 == "،" }) {
        let words = WordReader(String(entry)).words.map(\.text)
        guard let first = words.first else { continue }
        table[first, default: []].append(Entry(language: language, role: role, rest: Array(words.dropFirst())))
      }
    }
    return table.mapValues { $0.sorted { $0.rest.count > $1.rest.count } }
  }()

  private static let languageCount = table.values.joined().reduce(0) { max($0, Int($1.language) + 1) }

  /// The roles of the words of one sentence, in order. O(words).
  static func roles(_ words: ArraySlice<WrittenWord>) -> [WordRole] {
    var found: [[(entry: Entry, length: Int)]] = []
    found.reserveCapacity(words.count)
    var counts = [Int](repeating: 0, count: languageCount)
    for place in words.indices {
      let entries = (table[words[place].text] ?? []).filter { entry in
        entry.rest.isEmpty
          || (place + entry.rest.count < words.endIndex
            && entry.rest.indices.allSatisfy { words[place + 1 + $0].text == entry.rest[$0] })
      }
      found.append(entries.map { ($0, 1 + $0.rest.count) })
      var seen: Set<UInt8> = []
      for entry in entries where seen.insert(entry.language).inserted {
        // The longest entry of a language stands first.
        counts[Int(entry.language)] += 1 + entry.rest.count
      }
    }
    var language = english
    for other in counts.indices where counts[other] > counts[Int(language)] { language = UInt8(other) }

    let shows = showsNames(words)
    var roles = [WordRole](repeating: .content, count: words.count)
    var place = 0
    while place < words.count {
      let word = words[words.startIndex + place]
      let isOddCapital = shows && word.isAllCapitals && place > 0
      if !isOddCapital,
        let match = found[place].first(where: { $0.entry.language == language })
          ?? found[place].first(where: { $0.entry.language == english && word.script != .cased })
      {
        for offset in 0..<match.length { roles[place + offset] = match.entry.role }
        place += match.length
        continue
      }
      if word.isParticle {
        roles[place] = .filler
      } else if word.isNumber || word.isSign
        || shows && word.isCapital
          && !(word.isAllCapitals && RelationWords.lines(word.text) != nil)
      {
        roles[place] = .name
      }
      place += 1
    }
    settleFirst(words, &roles, isEnglish: language == english)
    return roles
  }

  /// Whether capitals tell names here: not where everything is written with them, or nothing.
  private static func showsNames(_ words: ArraySlice<WrittenWord>) -> Bool {
    let cased = words.filter { $0.script == .cased && !$0.isNumber && !$0.isSign }
    let capital = cased.count(where: \.isCapital)
    return capital > 0 && (cased.count < 4 || capital < cased.count)
      && !(cased.count > 1 && cased.allSatisfy(\.isAllCapitals))
  }

  /// A capital at a sentence's beginning is a name's where a name goes on behind it or there is no other.
  private static func settleFirst(_ words: ArraySlice<WrittenWord>, _ roles: inout [WordRole], isEnglish: Bool) {
    guard let first = words.first, roles.first == .name, first.isCapital, !first.isNumber, !isEnglish else { return }
    let goesOn = roles.count > 1 && roles[1] == .name
    if !goesOn, roles.dropFirst().contains(.name) { roles[0] = .content }
  }
}
