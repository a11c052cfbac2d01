import Foundation
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletEditing

/// Minutes on SmolLM2-135M: `MARTLET_LONG_TESTS=1 swift test --filter LongEditingTests`.
@Suite(
  .serialized,
  .enabled(
    if: ProcessInfo.processInfo.environment["MARTLET_LONG_TESTS"] != nil && TestData.smolLM2 != nil
      && TestData.shared != nil))
struct LongEditingTests {
  private func editor(_ path: String, _ loaded: LoadedModel) throws -> Editor {
    let book = try EditBook.open(loaded, store: EditStore(path: path))
    var options = Engine.Options()
    options.interventions = book
    return Editor(engine: Engine(loaded, options: options), book: book, store: try EditStore(path: path))
  }

  private func rows(_ count: Int) throws -> [EditRow] {
    let shared = try #require(TestData.shared)
    return Array(try EditRow.read(shared + "/editing/counterfact.jsonl.gz").dropFirst(9000).prefix(count))
  }

  /// 50 of 200 edits undone in random order: logits on 500 prompts are those of a store that never had them.
  @Test func undoing50Of200IsExact() async throws {
    let loaded = try LoadedModel.load(try #require(TestData.smolLM2)), scratch = try TestData.Scratch()
    let all = try editor(scratch.file("all.sqlite"), loaded), some = try editor(scratch.file("some.sqlite"), loaded)
    let rows = try rows(200)
    var order = Array(0..<200)
    var random = SystemRandomNumberGenerator()
    order.shuffle(using: &random)
    let undone = Set(order.prefix(50))
    var ids: [Int: Int] = [:]
    for (place, row) in rows.enumerated() {
      let correction = Correction(prompt: row.prompt, answer: row.answer)
      if case .made(let record) = try await all.add(correction) { ids[place] = record.id }
      if !undone.contains(place) { _ = try await some.add(correction) }
    }
    for place in order.prefix(50) { if let id = ids[place] { _ = try await all.undo(id) } }
    let prompts = Array((rows.map(\.prompt) + rows.flatMap(\.rewordings) + rows.flatMap(\.neighbours)).prefix(500))
    #expect(prompts.count == 500 && ids.count > 190)
    func logits(_ editor: Editor, _ prompt: String) throws -> [Float] {
      let book = editor.book, tokens = try PromptFormat.chat.encode(prompt, for: loaded)
      let edit = book.edit(for: Question(prompt, format: .chat), promptCount: tokens.count) as? ChosenEdit
      let model = book.model, batch = Batch(tokens, state: model.makeState())
      guard let edit else { return model.forward(batch).values }
      let rows = Array(tokens.count - edit.rowCount..<tokens.count)
      return model.wrapping(edit.layer, with: ReplacedRows(rows: rows, values: edit.values)).forward(batch).values
    }
    for prompt in prompts { #expect(try logits(all, prompt) == logits(some, prompt), "\(prompt)") }
  }

  /// 8 readers and one writer for two minutes.
  @Test func readersAndOneWriter() async throws {
    let loaded = try LoadedModel.load(try #require(TestData.smolLM2)), scratch = try TestData.Scratch()
    let editor = try editor(scratch.file("e.sqlite"), loaded)
    let seconds = Double(ProcessInfo.processInfo.environment["MARTLET_LONG_SECONDS"] ?? "") ?? 120
    let first = Correction(prompt: "Who founded the Dingle bakery?", answer: "Maeve Ash")
    let second = Correction(prompt: first.prompt, answer: "Tom Reed")
    _ = try await editor.add(first)
    let end = Date().addingTimeInterval(seconds)
    let known: Set<String> = ["Maeve Ash", "Tom Reed"], rows = try rows(400)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var count = 0
          while Date() < end {
            let said = try await editor.answers(first.prompt, limit: 12).with
            #expect(known.contains(said), "a torn answer: \(said)")
            count += 1
          }
          return count
        }
      }
      group.addTask {
        var count = 0
        for row in rows where Date() < end {
          if case .made(let record) = try await editor.add(second) { _ = try await editor.undo(record.id ?? 0) }
          _ = try? await editor.add(Correction(prompt: row.prompt, answer: row.answer))
          count += 2
        }
        return count
      }
      var counts: [Int] = []
      for try await count in group { counts.append(count) }
      print("answers and edits: \(counts)")
    }
  }
}
