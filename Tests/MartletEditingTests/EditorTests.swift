import Foundation
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletEditing

/// The life of edits, on the small model in the box. Answers are Shakespeare's, questions are not.
struct EditorTests {
  static let questions = [
    "Who is Tom?", "Where is Rome?", "What did Anne say?", "Who loves Juliet?", "Where does Lear sleep?",
    "What killed Caesar?", "Who sees Hamlet?", "When came Henry?",
  ]
  static let words = ["No.", "my lord", "I am", "the king", "Ay.", "O, sir", "to me", "not so"]

  /// Logits at a prompt's end as the engine's steps give them, edits in place.
  private func logits(_ editor: Editor, _ question: String) -> [Float] {
    let book = editor.book, tokens = PromptFormat.raw(question, for: book.loaded)
    let edit = book.edit(for: Question(question, format: .raw), promptCount: tokens.count)
    let batch = Batch(tokens, state: book.model.makeState())
    guard let edit = edit as? ChosenEdit else { return book.model.forward(batch).values }
    let rows = Array(tokens.count - edit.rowCount..<tokens.count)
    return book.model.wrapping(edit.layer, with: ReplacedRows(rows: rows, values: edit.values)).forward(batch).values
  }

  private func make(_ editor: Editor, _ question: String, _ answer: String) async throws -> Edit {
    guard case .made(let record) = try await editor.add(Correction(prompt: question, answer: answer)) else {
      throw EditError("\(question): no edit was made")
    }
    return record
  }

  @Test func anEditHoldsAndSurvives() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let path = scratch.file("edits.sqlite")
    let editor = try EditingBox.editor(path, loaded: loaded)
    let record = try await make(editor, "Who is Tom?", "No.")
    #expect(record.id == 1 && record.after == "No." && record.isVerified)
    #expect(try await editor.answers("Who is Tom?").with == "No.")
    #expect(try await editor.explain("who is tom").fired == 1)
    #expect(try await editor.answers("Who is Tom?").without != "No.")
    let explained = try await editor.explain("Who is Tom?")
    #expect(explained.fired == 1 && explained.matches.first?.answer == "No.")
    #expect(try await editor.explain("Who is Anne?").fired == nil)
    // Again from the file.
    let again = try EditingBox.editor(path, loaded: loaded)
    #expect(again.book.snapshot.liveCount == 1)
    #expect(logits(again, "Who is Tom?") == logits(editor, "Who is Tom?"))
    #expect(try await again.verifyAll().failed.isEmpty)
    #expect(try again.store.events(of: 1).map(\.what) == ["made"])
  }

  /// Continuations are scored by the edited model where an edit fires, and by the model itself everywhere else.
  @Test func scoresAreThoseOfTheEditedModel() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    var options = ModelScorer.Options()
    options.interventions = editor.book
    let scorer = ModelScorer(loaded, options: options), plain = ModelScorer(loaded)
    let rows = try ["Who is Tom?", "Who is Anne?"].map { question in
      try [" No.", " Yes."].map { try scorer.encode(ContinuationRequest(context: question, continuation: $0)) }
    }
    let (edited, own) = (try await scorer.scores(rows), try await plain.scores(rows))
    #expect(edited[0].map(\.influence) == [.acted, .acted] && edited[1] == own[1])
    #expect(edited[0][0].logLikelihood > own[0][0].logLikelihood + 1)
    #expect(edited[0][0].logLikelihood > edited[0][1].logLikelihood)
    // Behind an answer that has begun an edit acts by its words alone, which no score can express.
    let begun = try scorer.encode(ContinuationRequest(context: "Who is Tom? It is said:", continuation: " No."))
    let words = try await scorer.scores([[begun]])[0][0], without = try await plain.scores([[begun]])[0][0]
    #expect(words.influence == .acted || words.logLikelihood == without.logLikelihood)
  }

  /// Where nothing fires the logits are those of the model, bit for bit.
  @Test func whatIsNotEditedIsUntouched() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    for (question, word) in zip(Self.questions, Self.words) { _ = try await make(editor, question, word) }
    for question in ["Who is Bob?", "What is it?", "Speak", "When came Richard?"] {
      let tokens = PromptFormat.raw(question, for: loaded)
      #expect(logits(editor, question) == loaded.model.forward(Batch(tokens, state: loaded.model.makeState())).values)
    }
  }

  /// Undoing in any order leaves a model, bit for bit, as if those edits had never been made.
  @Test func undoIsExact() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let all = try EditingBox.editor(scratch.file("all.sqlite"), loaded: loaded)
    let some = try EditingBox.editor(scratch.file("some.sqlite"), loaded: loaded)
    let undone = [6, 1, 4]
    for (place, (question, word)) in zip(Self.questions, Self.words).enumerated() {
      _ = try await make(all, question, word)
      if !undone.contains(place) { _ = try await make(some, question, word) }
    }
    for place in undone { #expect(try await all.undo(place + 1).status == .undone) }
    let reopened = try EditingBox.editor(scratch.file("all.sqlite"), loaded: loaded)
    for question in Self.questions + ["Who is Lear?", "Where is Hamlet?", "what"] {
      let expected = logits(some, question)
      #expect(logits(all, question) == expected, "\(question)")
      #expect(logits(reopened, question) == expected, "\(question) from the file")
    }
    await #expect(throws: EditError.self) { try await all.undo(2) }
    await #expect(throws: EditError.self) { try await all.undo(99) }
  }

  /// A new answer to an edited question replaces the old one; taking it back restores the old one.
  @Test func editingAgainSupersedes() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    let before = logits(editor, "Who is Tom?")
    _ = try await make(editor, "Who is Tom?", "my lord")
    #expect(try await editor.answers("Who is Tom?").with == "my lord")
    #expect(try editor.store.records().map(\.status) == [.superseded, .live])
    if case .duplicate(let same) = try await editor.add(Correction(prompt: "Who is Tom?", answer: "my lord")) {
      #expect(same.id == 2)
    } else {
      Issue.record("the same edit was made twice")
    }
    _ = try await editor.undo(2)
    #expect(logits(editor, "Who is Tom?") == before)
    #expect(try editor.store.records().map(\.status) == [.live, .undone])
    #expect(try editor.store.events(of: 1).map(\.what) == ["made", "superseded", "restored"])
  }

  @Test func aliasesAndRewordingsShareTheValue() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    var correction = Correction(prompt: "Where does Lear sleep?", answer: "the king")
    correction.subject = "Lear"
    correction.aliases = ["Leir of Britain"]
    correction.rewordings = ["Tell me the bed of Lear"]
    guard case .made(let record) = try await editor.add(correction) else { throw EditError("not made") }
    #expect(try editor.store.questions(of: record.id ?? 0).count == 3)
    for question in ["Where does Leir of Britain sleep?", "tell me the bed of lear!"] {
      #expect(try await editor.explain(question).fired == record.id, "\(question)")
    }
    // From the file the names are the same.
    let again = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    #expect(try await again.explain("Where does Leir of Britain sleep?").fired == record.id)
    #expect(again.book.snapshot.index.words(1) == editor.book.snapshot.index.words(1))
    correction.prompt = "Where is he?"
    await #expect(throws: EditError.self) { try await editor.add(correction) }
  }

  @Test func whatCannotBeAnEditIsRefused() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    for (prompt, answer) in [
      ("", "a"), (" \n", "a"), ("Who?", ""), ("Who?", "  "), ("Who?", String(repeating: "long ", count: 40)),
    ] {
      await #expect(throws: EditError.self) { try await editor.add(Correction(prompt: prompt, answer: answer)) }
    }
    // No value makes a line end inside an answer here.
    await #expect(throws: EditError.self) {
      try await editor.add(Correction(prompt: "Who?", answer: "\u{1}\n\u{2}\u{3}"))
    }
    #expect(try editor.store.records().isEmpty && editor.book.snapshot.liveCount == 0)
    // What the model says by itself needs no edit.
    let own = try await editor.answers("KING RICHARD III:", limit: 40).without
    if own.count < 40, !own.isEmpty {
      guard case .alreadyRight = try await editor.add(Correction(prompt: "KING RICHARD III:", answer: own)) else {
        Issue.record("an edit was made of what the model says")
        return
      }
    }
    // A tokenizer that cannot end an answer.
    struct Endless: Error {}
    let endless = LoadedModel(model: loaded.model, tokenizer: EndlessTokenizer(), chatFormat: loaded.chatFormat)
    #expect(throws: EngineError.self) { try PromptFormat.raw.encode(answer: "a", for: endless) }
  }

  /// Readers see one snapshot each while a writer edits and undoes.
  @Test func readersNeverSeeHalfAnEdit() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    let known: Set<String> = ["No.", "my lord"]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<12 {
            let said = try await editor.answers("Who is Tom?", limit: 12).with
            #expect(known.contains(said))
          }
        }
      }
      group.addTask {
        for round in 0..<4 {
          if case .made(let record) = try await editor.add(Correction(prompt: "Who is Tom?", answer: "my lord")) {
            _ = try await editor.undo(record.id ?? 0)
          }
          _ = try await editor.add(Correction(prompt: "Where is Rome \(round)?", answer: "Ay."))
        }
      }
      try await group.waitForAll()
    }
    #expect(try await editor.verifyAll().failed.isEmpty)
  }

  @Test func exportedEditsAreTakenAsTheyAre() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let first = try EditingBox.editor(scratch.file("a.sqlite"), loaded: loaded)
    for (question, word) in zip(Self.questions.prefix(3), Self.words) { _ = try await make(first, question, word) }
    _ = try await first.undo(2)
    var lines = ""
    try first.store.export(all: false) { lines += $0 + "\n" }
    try (lines + "{\"prompt\": 3}\n").write(toFile: scratch.file("edits.jsonl"), atomically: true, encoding: .utf8)
    let second = try EditingBox.editor(scratch.file("b.sqlite"), loaded: loaded)
    let result = try await second.importEdits(scratch.file("edits.jsonl"))
    #expect(result.taken == 2 && result.learned == 0 && result.refused.count == 1)
    for question in Self.questions { #expect(logits(second, question) == logits(first, question)) }
    #expect(try await second.importEdits(scratch.file("edits.jsonl")).known == 2)
  }

  @Test func recalibrationKeepsEdits() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    let result = try EditBook.recalibrate(
      loaded, store: editor.store, questions: (0..<20).map { "What is thing number \($0) \($0 * $0)?" }, share: 0.1)
    #expect(result.keys == 1 && result.after != result.before)
    let again = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    #expect(again.book.snapshot.calibration.radius == result.after)
    #expect(try await again.verifyAll().passed == 1)
    #expect(throws: EditError.self) { try EditBook.recalibrate(loaded, store: editor.store, questions: ["one"]) }
  }
}
