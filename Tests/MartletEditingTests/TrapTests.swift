import Foundation
import MartletEngine
import MartletModels
import MartletTensor
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletEditing

/// The thirteen traps of the reference notes (section 1.6): the authors' code or EasyEdit falls into each of them, and
/// Martlet does not.
@Suite(.serialized) struct TrapTests {
  private func editor(_ scratch: TestData.Scratch, _ name: String = "e.sqlite") throws -> Editor {
    try EditingBox.editor(scratch.file(name), loaded: EditingBox.loaded())
  }

  private func make(_ editor: Editor, _ question: String, _ answer: String) async throws -> Edit {
    guard case .made(let record) = try await editor.add(Correction(prompt: question, answer: answer)) else {
      throw EditError("no edit was made")
    }
    return record
  }

  @Test func trap1LabelsAreComparedTokenByToken() {
    var codebook = Codebook(rules: .paper)
    codebook.insert([0, 0], label: [5, 7], edit: 1)
    #expect(codebook.insert([0, 0.5], label: [6, 6], edit: 2).action == .split)
    var theirs = Codebook(rules: .reference)
    theirs.insert([0, 0], label: [5, 7], edit: 1)
    #expect(theirs.insert([0, 0.5], label: [6, 6], edit: 2).action == .none, "the trap is no longer shown")
  }

  @Test func trap2EachKeyHasItsOwnLabel() {
    var codebook = Codebook(rules: .paper), theirs = Codebook(rules: .easyEdit)
    for (key, label) in [([Float(0)], [5]), ([4], [9])] {
      codebook.insert(key, label: label, edit: 0)
      theirs.insert(key, label: label, edit: 0)
    }
    #expect(codebook.insert([1], label: [9], edit: 3).action == .split)
    #expect(theirs.insert([1.5], label: [9], edit: 3).action == .expand, "the trap is no longer shown")
  }

  @Test func trap3AnyEditCanBeUndoneAlsoAmongEqualAnswers() async throws {
    let scratch = try TestData.Scratch(), editor = try editor(scratch)
    for question in ["Who is Tom?", "Where is Rome?", "Who loves Juliet?"] {
      _ = try await make(editor, question, "No.")
    }
    _ = try await editor.undo(1)
    _ = try await editor.undo(2)
    #expect(try await editor.explain("Who is Tom?").fired == nil)
    #expect(try await editor.explain("Where is Rome?").fired == nil)
    #expect(try await editor.answers("Who loves Juliet?").with == "No.")
  }

  @Test func trap4TheSamePromptCanBeEditedAgain() async throws {
    let scratch = try TestData.Scratch(), editor = try editor(scratch)
    _ = try await make(editor, "Who is Tom?", "No.")
    _ = try await make(editor, "Who is Tom?", "my lord")
    #expect(try await editor.answers("Who is Tom?").with == "my lord")
    // In the paper's rules too, where a distance of 0 would make a radius of 0.
    let plain = try EditingBox.editor(scratch.file("p.sqlite"), loaded: EditingBox.loaded(), rules: .paper)
    _ = try await make(plain, "Who is Tom?", "No.")
    _ = try await make(plain, "Who is Tom?", "my lord")
    #expect(try await plain.answers("Who is Tom?").with == "my lord")
    #expect(plain.book.snapshot.codebook?.entries.count == 1)
    _ = try await plain.undo(2)
    #expect(try await plain.answers("Who is Tom?").with == "No.")
    let again = try EditingBox.editor(scratch.file("p.sqlite"), loaded: EditingBox.loaded(), rules: .paper)
    #expect(try await again.answers("Who is Tom?").with == "No.")
  }

  @Test func trap5AskingChangesNothing() async throws {
    let scratch = try TestData.Scratch(), editor = try editor(scratch)
    _ = try await make(editor, "Who is Tom?", "No.")
    let version = editor.book.snapshot.version
    for question in ["Who is Tom?", "Where is Tom?", "Who is Bob?"] { _ = try await editor.answers(question) }
    #expect(editor.book.snapshot.version == version && editor.book.snapshot.keyCount == 1)
  }

  @Test func trap6EverythingIsSaved() async throws {
    let scratch = try TestData.Scratch(), first = try editor(scratch)
    let record = try await make(first, "Who is Tom?", "No.")
    let second = try editor(scratch)
    let kept = try second.store.record(1)
    #expect(kept?.prompt == record.prompt && kept?.label == record.label && kept?.before == record.before)
    #expect(second.book.snapshot.calibration == first.book.snapshot.calibration)
    #expect(second.book.snapshot.keys.vector(0) == first.book.snapshot.keys.vector(0))
    #expect(second.book.snapshot.value(ofEdit: 1)?.values == first.book.snapshot.value(ofEdit: 1)?.values)
  }

  /// The 20,000th edit costs what the first costs: nothing is copied that grows with all.
  @Test func trap7AnEditDoesNotCostAllEdits() {
    let calibration = KeyCalibration(keys: (0..<10).map { TestData.noise(64, seed: UInt64($0 + 1)) })
    var snapshot = EditSnapshot(keyWidth: 64, valueWidth: 16, calibration: calibration)
    let key = snapshot.keys.encoded(TestData.noise(64)), value = snapshot.values.encoded(TestData.noise(16))
    func add(_ range: Range<Int>) -> Duration {
      ContinuousClock().measure {
        for edit in range {
          snapshot.add(
            LoadedEdit(
              edit: edit, questions: [(QuestionWords("Where is Town\(edit)?"), key)], value: [value],
              answer: "\(edit)", isLive: true))
        }
      }
    }
    let early = add(0..<4000)
    _ = add(4000..<20_000)
    let late = add(20_000..<24_000)
    #expect(late < early * 40, "\(early) for the first 4,000 and \(late) for the last")
    #expect(snapshot.liveCount == 24_000)
  }

  @Test func trap8ManyPromptsTogetherEachGetTheirOwnEdit() async throws {
    let scratch = try TestData.Scratch(), editor = try editor(scratch)
    let pairs = [("Who is Tom?", "No."), ("Where is Rome?", "my lord"), ("Who loves Juliet?", "I am")]
    for (question, answer) in pairs { _ = try await make(editor, question, answer) }
    let questions = pairs.map(\.0) + ["Who is Bob?", "Speak, now", "Who is Tom?"]
    let site = editor.book.site, loaded = editor.book.loaded
    let answers = try await EditAnswers.read(
      questions.map {
        EditAnswers.request(
          try site.format.encode($0, for: loaded), question: Question($0, format: .raw), edit: nil, limit: 20,
          site: site,
          loaded: loaded)
      }, engine: editor.engine)
    #expect(answers.map(\.text).prefix(3) == ["No.", "my lord", "I am"] && answers[5].text == "No.")
    #expect(answers.map { $0.completion.edit?.id } == [1, 2, 3, nil, nil, 1])
    for place in 3...4 {
      #expect(answers[place].text == (try await editor.answers(questions[place], limit: 20)).without)
    }
  }

  /// An edit that counts how often it is asked.
  private final class Counting: PromptEdit {
    let layer = "blocks.1.att.output", rowCount = 3
    let asked = Atomic(0)
    func replacement(for input: Tensor) -> RowReplacement? {
      asked.wrappingAdd(1, ordering: .relaxed)
      #expect(input.rows == 3)
      return nil
    }
  }

  @Test func trap9TheCodebookIsAskedOnceAPrompt() async throws {
    var options = Engine.Options()
    options.promptChunk = 4
    let loaded = try EditingBox.loaded(), engine = Engine(loaded, options: options)
    for length in [3, 4, 5, 6, 7, 8, 11, 40] {
      let edit = Counting()
      var request = Request(tokens: (0..<length).map { 97 + $0 % 26 })
      request.interventions = [edit.intervention]
      request.maxTokens = 12
      request.endTokens = []
      request.sampling.temperature = 0
      let edited = try await EditAnswers.collect(engine.generate(request))
      #expect(edit.asked.load(ordering: .relaxed) == 1, "\(length) tokens")
      request.interventions = []
      #expect(try await EditAnswers.collect(engine.generate(request)).completion.tokens == edited.completion.tokens)
    }
  }

  @Test func trap10AnswersEnd() async throws {
    let scratch = try TestData.Scratch(), editor = try editor(scratch)
    let record = try await make(editor, "Who is Tom?", "No.")
    #expect(record.labelTokens.last == 10)
    let request = EditAnswers.request(
      PromptFormat.raw("Who is Tom?", for: editor.book.loaded), question: Question("Who is Tom?", format: .raw),
      edit: nil, limit: 200, site: editor.book.site, loaded: editor.book.loaded)
    let answer = try await EditAnswers.collect(editor.engine.generate(request))
    #expect(answer.completion.reason == .stop && answer.text == "No.")
  }

  /// A chat's last tokens say little of the question: keys do not come from there.
  @Test func trap11KeysDoNotDependOnTheTemplate() throws {
    let scratch = try TestData.Scratch(), editor = try editor(scratch)
    let calibration = editor.book.snapshot.calibration
    let a = calibration.direction(editor.book.canonicalKey("Who is Tom?"))
    let b = calibration.direction(editor.book.canonicalKey("When did the ships of Athens come to Rome?"))
    #expect(a.distance(to: a) < 1e-3 && a.distance(to: b) > 0.1)
    #expect(abs(a.reduce(0) { $0 + $1 * $1 } - 1) < 1e-3)
  }

  /// A low loss is not enough: what does not come out in free generation is refused, and nothing is kept.
  @Test func trap12OnlyWhatTheModelSaysCounts() async throws {
    let scratch = try TestData.Scratch(), editor = try editor(scratch)
    await editor.set([
      ValueAttempt(training: ValueTraining(learningRate: 1, iterations: 0), tokensPerRow: 8, leastRows: 1)
    ])
    await #expect(throws: EditError.self) { try await editor.add(Correction(prompt: "Who is Tom?", answer: "No.")) }
    #expect(try editor.store.records().isEmpty && editor.book.snapshot.liveCount == 0)
    #expect(try await editor.explain("Who is Tom?").fired == nil)
  }

  @Test func trap13TheSameEditGivesTheSameBits() async throws {
    let scratch = try TestData.Scratch()
    var values: [[Float]] = []
    for name in ["a", "b"] {
      let editor = try editor(scratch, name + ".sqlite")
      // What came before does not matter.
      if name == "b" { _ = try await make(editor, "Where is Rome?", "my lord") }
      let record = try await make(editor, "Who is Tom?", "No.")
      values.append(editor.book.snapshot.value(ofEdit: record.id ?? 0)?.values ?? [])
    }
    #expect(values[0] == values[1] && !values[0].isEmpty)
  }
}
