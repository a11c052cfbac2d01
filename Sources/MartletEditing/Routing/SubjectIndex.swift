/// Finds the stored questions that are about what a new one is about, without the model. A value: copies share all but
/// what was added last.
struct SubjectIndex: Sendable {
  struct Candidate: Sendable {
    let slot: Int
    let words: QuestionWords
  }

  /// Questions that were added one after the other.
  ///
  /// `@unchecked Sendable`: a level is changed only while it is made, before anybody else holds it.
  private final class Level: @unchecked Sendable {
    let first: Int
    var words: [QuestionWords] = []
    var postings: [QuestionWords.Word: [Int32]] = [:]
    var exact: [UInt64: [Int32]] = [:]

    init(first: Int) { self.first = first }

    init(_ other: Level) {
      first = other.first
      words = other.words
      postings = other.postings
      exact = other.exact
    }

    func add(_ question: QuestionWords) {
      let place = Int32(words.count)
      for word in Set(question.subject.map(QuestionWords.lookup)) { postings[word, default: []].append(place) }
      exact[question.normal, default: []].append(place)
      words.append(question)
    }
  }

  private var base = Level(first: 0)
  private var recent = Level(first: 0)
  private(set) var count = 0

  init() {}

  /// An index of many questions at once. O(questions).
  init(_ questions: some Sequence<QuestionWords>) {
    for question in questions { base.add(question) }
    count = base.words.count
    recent = Level(first: count)
  }

  /// Adds a question as slot ``count``. O(questions added since the last merge); merging is O(all), once in a while.
  mutating func add(_ question: QuestionWords) {
    recent = Level(recent)
    recent.add(question)
    count += 1
    guard recent.words.count > max(512, base.words.count / 16) else { return }
    let merged = Level(base)
    for words in recent.words { merged.add(words) }
    base = merged
    recent = Level(first: count)
  }

  /// Slots whose question is the same but for case and punctuation, in order.
  func slots(of normal: UInt64) -> [Int] {
    [base, recent].flatMap { level in level.exact[normal, default: []].map { level.first + Int($0) } }
  }

  func words(_ slot: Int) -> QuestionWords {
    slot < recent.first ? base.words[slot] : recent.words[slot - recent.first]
  }

  /// Stored questions whose subject `question` may name, in order: forms of enough of its words are there.
  /// O(questions that share a word of their subject with it).
  func candidates(for question: QuestionWords) -> [Candidate] {
    let forms = Set(question.items.map(\.form))
    return [base, recent].flatMap { level -> [Candidate] in
      let lists = forms.compactMap { level.postings[$0] }
      if lists.isEmpty { return [] }
      var found: [Int32: Int32] = [:]
      found.reserveCapacity(lists.reduce(0) { $0 + $1.count })
      for list in lists { for place in list { found[place, default: 0] += 1 } }
      return found.compactMap { place, hits -> Candidate? in
        let words = level.words[Int(place)]
        guard 2 * Int(hits) >= words.subjectForms else { return nil }
        return Candidate(slot: level.first + Int(place), words: words)
      }.sorted { $0.slot < $1.slot }
    }
  }
}
