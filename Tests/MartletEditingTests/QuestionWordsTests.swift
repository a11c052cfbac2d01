import MartletTestSupport
import Testing

@testable import MartletEditing

struct QuestionWordsTests {
  @Test func subjectsAreNamesAndNumbers() {
    let question = QuestionWords("Which family does Epaspidoceras belong to?")
    #expect(question.isNamed && question.subject.count == 1)
    #expect(question.coverage(by: QuestionWords("what family are epaspidoceras?")) == 1)
    #expect(question.coverage(by: QuestionWords("What family are Ammonites?")) == 0)
    #expect(QuestionWords("What year was JS 7.62 made?").subject.count == 3)
    let plain = QuestionWords("puff pastry from")
    #expect(!plain.isNamed && plain.subject.count == 2)
    #expect(plain.coverage(by: QuestionWords("The development of puff pastry occurred in")) == 1)
    #expect(QuestionWords("").subject.isEmpty && QuestionWords("?! …").items.isEmpty)
  }

  @Test func caseAndPunctuationDoNotMatter() {
    #expect(QuestionWords("Who is  Tom?").normal == QuestionWords("who is tom").normal)
    #expect(QuestionWords("Who is Tom?").normal != QuestionWords("Who was Tom?").normal)
    #expect(QuestionWords("ÉTÉ à Nîmes").normal == QuestionWords("été à nîmes!").normal)
  }

  /// One frame, another relation: a neighbour. Other words for one relation are left to the model, also known synonyms:
  /// they let an edit fire only where its key is near.
  @Test func neighboursAreToldFromRewordings() {
    func verdict(_ other: String) -> QuestionComparison.Verdict {
      QuestionComparison(QuestionWords("The name of the founder of Goursez Vreizh is"), QuestionWords(other)).verdict
    }
    #expect(verdict("The name of the country of Goursez Vreizh is") == .otherRelation)
    #expect(verdict("The name of the founder of Gorsedd is") == .otherSubject)
    #expect(verdict("Who runs Goursez Vreizh?") == .otherRelation)
    #expect(verdict("Who stands behind Goursez Vreizh?") == .open)
    #expect(verdict("Who started Goursez Vreizh?") == .open)
  }

  @Test func aGivenSubjectCounts() {
    let question = QuestionWords("who wrote the who song", subject: "The Who")
    #expect(question.isNamed && question.subject.count == 2)
    // The word that asks is not the band.
    #expect(question.coverage(by: QuestionWords("Who wrote it?")) == 0)
    // Which of two equal words is the name is not seen without its subject; the same words fire by being the same.
    #expect(question.coverage(by: QuestionWords("who wrote the who song")) == 0.5)
    #expect(question.normal == QuestionWords("Who wrote The Who song?").normal)
  }

  /// What a model writes when it is asked to reword a question, and what becomes of it.
  @Test func rewordingsThatStrayAreDropped() {
    let prompt = "Who founded the Dingle bakery?"
    func kept(_ answer: String) -> String? {
      Editor.rewording(answer, of: prompt, words: QuestionWords(prompt))
    }
    #expect(
      kept("\"Which person founded the Dingle bakery?\"\nI hope this helps.")
        == "Which person founded the Dingle bakery?")
    #expect(kept("- **Who started the Dingle bakery?**") == "Who started the Dingle bakery?")
    #expect(kept("Who founded the bakery?") == nil)
    #expect(kept("The Dingle bakery was founded in 1901.") == nil)
    #expect(
      kept(
        "Who, in the long and storied history of baking, " + String(repeating: "truly ", count: 20) + "founded Dingle?")
        == nil)
    #expect(kept("") == nil)
  }

  /// Of a passage that the model goes on with, the last sentence is what asks.
  @Test func passagesAskWithTheirLastSentence() {
    let first = QuestionWords(
      "This is about Carole Gist. She was crowned Miss USA in 1990.", continues: true)
    let longer = "This is about Carole Gist. She was crowned Miss USA in 1990. Later Norway sent a runner to Detroit."
    #expect(first.coverage(by: QuestionWords(longer, continues: true)) == 0)
    #expect(first.coverage(by: QuestionWords(longer)) == 1)
    #expect(first.coverage(by: QuestionWords("Miss USA of 1990 was the one she became.", continues: true)) >= 0.75)
    #expect(first.normal == QuestionWords("This is about Carole Gist. She was crowned Miss USA in 1990.").normal)
    // A given subject that the last sentence does not name is looked for in the whole.
    let named = QuestionWords(longer, subject: "Carole Gist", continues: true)
    #expect(named.subject.count == 2 && named.isNamed)
    #expect(
      QuestionWords("The mother tongue of Ada is", continues: true) == QuestionWords("The mother tongue of Ada is"))
  }

  @Test func everySignOfChineseIsAWord() {
    let question = QuestionWords("谁创办了面包店?")
    #expect(question.items.count == 7)
    #expect(question.coverage(by: QuestionWords("面包店是谁创办的")) > 0.8)
  }

  /// The index leaves no question out that the comparison would take.
  @Test func theIndexFindsWhatCoverageFinds() {
    let names = (0..<1400).map { "Where does Person\($0 % 700) of Town\($0 % 90) live in \($0)?" }
    var grown = SubjectIndex()
    for name in names { grown.add(QuestionWords(name)) }
    let whole = SubjectIndex(names.lazy.map { QuestionWords($0) })
    for text in ["where does person3 of town3 live", "Person12, Town12 and 712?", "nothing at all", names[1300]] {
      let query = QuestionWords(text)
      let expected = names.indices.filter {
        QuestionWords(names[$0]).coverage(by: query) >= QuestionComparison.namedCoverage
      }
      #expect(expected.allSatisfy(grown.candidates(for: query).map(\.slot).contains))
      #expect(whole.candidates(for: query).map(\.slot) == grown.candidates(for: query).map(\.slot))
      #expect(grown.slots(of: query.normal) == names.indices.filter { QuestionWords(names[$0]).normal == query.normal })
    }
  }
}
