import Foundation
import GRDB
import MartletData
import MartletEngine
import MartletModels
import MartletTestSupport
import Testing

@testable import MartletEditing

/// A file of edits that several use, that cannot be written, that is brought elsewhere.
struct SharedStoreTests {
  private func make(_ editor: Editor, _ question: String, _ answer: String) async throws -> Edit {
    guard case .made(let record) = try await editor.add(Correction(prompt: question, answer: answer)) else {
      throw EditError("\(question): no edit was made")
    }
    return record
  }

  private func message(_ body: () async throws -> some Any) async -> String {
    do {
      _ = try await body()
      return ""
    } catch { return "\(error)" }
  }

  /// Two processes: each sees what the other has done before it does something itself.
  @Test func twoEditorsOfOneStoreKnowOfEachOther() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch(), path = scratch.file("e.sqlite")
    let first = try EditingBox.editor(path, loaded: loaded), second = try EditingBox.editor(path, loaded: loaded)
    #expect(try await make(first, "Who is Tom?", "No.").id == 1)
    // The same question: the other's edit is superseded, not doubled.
    #expect(try await make(second, "Who is Tom?", "my lord").id == 2)
    #expect(try first.store.records().map(\.status) == [.superseded, .live])
    if case .duplicate(let same) = try await first.add(Correction(prompt: "Who is Tom?", answer: "my lord")) {
      #expect(same.id == 2)
    } else {
      Issue.record("the other's edit was made again")
    }
    _ = try await first.undo(2)
    _ = try second.book.catchUp(with: second.store)
    #expect(try await second.answers("Who is Tom?").with == "No.")
    // Both at once.
    async let a = make(first, "Where is Rome?", "Ay."), b = make(second, "When came Henry?", "not so")
    let ids = try await [a.id, b.id]
    #expect(Set(ids) == [3, 4])
    _ = try first.book.catchUp(with: first.store)
    #expect(first.book.snapshot.liveEdits == [1, 3, 4])
    #expect(try first.store.events(of: 2).map(\.what) == ["made", "undone"])
  }

  @Test func takingBackIsAllOrNothing() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let editor = try EditingBox.editor(scratch.file("e.sqlite"), loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    _ = try await make(editor, "Who is Tom?", "my lord")
    _ = try await make(editor, "Where is Rome?", "Ay.")
    for ids in [[1, 2, 77], [77, 1], [3, 3], [1, 2, 1]] {
      let text = await message { try await editor.undo(ids) }
      #expect(text.contains("nothing was undone"), "\(text)")
      #expect(try editor.store.records().map(\.status) == [.superseded, .live, .live])
    }
    #expect(try await editor.undo([2, 3]).map(\.status) == [.undone, .undone])
    #expect(try editor.store.records().map(\.status) == [.live, .undone, .undone])
    // An edit that would come back is taken back with the other.
    _ = try await make(editor, "Who is Tom?", "my lord")
    _ = try await editor.undo([4, 1])
    #expect(try editor.store.records().map(\.status) == [.undone, .undone, .undone, .undone])
    #expect(editor.book.snapshot.liveCount == 0)
  }

  @Test func aRefusedFirstEditBindsNothing() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch(), path = scratch.file("e.sqlite")
    let wrong = try EditStore(path: path)
    let site = EditSite(layer: "blocks.2.att.output", format: .raw)
    let book = try EditBook.open(loaded, store: wrong, site: site)
    let refusing = Editor(engine: Engine(loaded), book: book, store: wrong)
    #expect(await message { try await refusing.add(Correction(prompt: "", answer: "x")) }.contains("empty"))
    #expect(try wrong.binding() == nil)
    let editor = try EditingBox.editor(path, loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    #expect(try wrong.binding()?.binding.site.layer == "blocks.1.att.output")
    // The other one was opened for another layer, and is told.
    #expect(
      await message { try await refusing.add(Correction(prompt: "Where is Rome?", answer: "Ay.")) }
        .contains("blocks.1.att.output"))
  }

  @Test func exportKeepsDatesAndMeasures() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let first = try EditingBox.editor(scratch.file("a.sqlite"), loaded: loaded)
    _ = try await make(first, "Who is Tom?", "No.")
    _ = try await make(first, "Where is Rome?", "Ay.")
    _ = try await first.undo(2)
    var lines = "\u{feff}"
    try first.store.export(all: true) { lines += $0 + "\n" }
    let file = scratch.file("edits.jsonl")
    try lines.write(toFile: file, atomically: true, encoding: .utf8)
    let second = try EditingBox.editor(scratch.file("b.sqlite"), loaded: loaded)
    let result = try await second.importEdits(file)
    #expect(result.taken == 1 && result.leftOut == 1 && result.refused.isEmpty)
    let before = try #require(try first.store.record(1)), after = try #require(try second.store.record(1))
    #expect(after.created == before.created && after.loss == before.loss && after.iterations == before.iterations)
    // What is learned anew keeps its date; what is no date is said.
    let others = """
      {"prompt":"Who loves Juliet?","answer":"I am","created":"2026-11-26T14:05:22Z"}
      {"prompt":"When came Henry?","answer":"not so","created":"yesterday"}
      {"prompt":"When came Henry?","answer":"not so","loss":-1}
      """
    try others.write(toFile: file, atomically: true, encoding: .utf8)
    let more = try await second.importEdits(file)
    #expect(more.learned == 1 && more.refused.count == 2)
    #expect(more.refused[0].contains("line 2") && more.refused[0].contains("not a date"))
    #expect(try second.store.record(2)?.created == Date(timeIntervalSince1970: 1_795_701_922))
  }

  /// A pipe is read to its end; a bad line is named once, by its number in the file, with what to do.
  @Test func linesComeFromPipesToo() throws {
    let scratch = try TestData.Scratch(), pipe = scratch.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/bin/sh")
    writer.arguments = ["-c", #"printf '{"prompt": "a"}\n\n{"prompt": "b"}\n' > "$0""#, pipe]
    try writer.run()
    defer { writer.terminate() }
    let lines = try JSONLines.read(pipe)
    #expect(lines.map(\.number) == [1, 3] && lines.map { $0.value["prompt"]?.string } == ["a", "b"])
    try "{}\n\n{\"a\": 1,}\n".write(toFile: scratch.file("bad.jsonl"), atomically: true, encoding: .utf8)
    do {
      _ = try JSONLines.read(scratch.file("bad.jsonl"))
      Issue.record("a bad line was taken")
    } catch {
      let text = "\(error)"
      #expect(
        text.contains("bad.jsonl, line 3, column 9: it is not JSON (") && text.contains("correct or remove it"),
        "\(text)")
      #expect(text.components(separatedBy: "line 3").count == 2 && !text.contains("line 1"), "\(text)")
    }
    do {
      _ = try Correction(json: "{\"prompt\": }")
      Issue.record("a bad line was taken")
    } catch {
      let text = "\(error)"
      #expect(!text.contains("line 1") && text.contains("column 12") && text.contains("\"answer\": …"), "\(text)")
    }
  }

  /// A folder that cannot be written: as root nothing is forbidden, so the way of opening is asked for itself.
  @Test(.enabled(if: geteuid() != 0, "root may write everywhere")) func whatCannotBeWrittenCanBeRead() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch(), path = scratch.file("a b?#%.sqlite")
    let editor = try EditingBox.editor(path, loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    try editor.store.close()
    #expect(chmod(path, 0o444) == 0 && chmod(scratch.path, 0o555) == 0)
    defer { chmod(scratch.path, 0o755) }
    let store = try EditStore(path: path, access: .reading)
    #expect(store.isReadOnly)
    #expect(try store.records().count == 1)
    let live = LiveEdits(path: path, loaded: loaded)
    #expect(try await live.open() == 1)
    #expect(live.answer(to: Question("Who is Tom?", format: .raw))?.answer == "No.")
    #expect(await message { try await live.editor(Engine(loaded)) }.contains("cannot be written"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count == 1)
  }

  @Test func othersChangesAreFollowed() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch(), path = scratch.file("e.sqlite")
    let news = News()
    let live = LiveEdits(path: path, loaded: loaded) { news.add($0) }
    let question = Question("Who is Tom?", format: .raw)
    await live.look()
    #expect(live.liveCount == nil && live.answer(to: question) == nil && news.all.isEmpty)
    let editor = try EditingBox.editor(path, loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    await live.look()
    #expect(live.answer(to: question)?.answer == "No.")
    _ = try await make(editor, "Who is Tom?", "my lord")
    await live.look()
    #expect(live.answer(to: question)?.answer == "my lord")
    _ = try await editor.undo([2])
    await live.look()
    #expect(live.answer(to: question)?.answer == "No.")
    _ = try await editor.undo([1])
    await live.look()
    await live.look()
    #expect(live.answer(to: question) == nil)
    var change = EditChange(), other = EditChange(), third = EditChange(), fourth = EditChange()
    change.inForce = [1]
    (other.inForce, other.withdrawn) = ([2], [1])
    (third.inForce, third.withdrawn) = ([1], [2])
    fourth.withdrawn = [1]
    #expect(
      news.all == [
        .changed(change, inForce: 1), .changed(other, inForce: 1), .changed(third, inForce: 1),
        .changed(fourth, inForce: 0),
      ])
    // New keys for all, without an event.
    let radius = try EditBook.recalibrate(
      loaded, store: editor.store, questions: (0..<20).map { "What is thing \($0) \($0 * $0)?" }, share: 0.1)
    #expect(radius.after != radius.before)
    _ = try editor.store.set([(1, .live, "restored", "")])
    await live.look()
    #expect(live.answer(to: question)?.radius == radius.after)
    // Another file under the same name, then none, then something that is no store.
    try editor.store.close()
    try Data("no store of anything at all, but long enough to be read".utf8).write(
      to: URL(fileURLWithPath: path + ".x"))
    #expect(rename(path + ".x", path) == 0)
    await live.look()
    await live.look()
    #expect(live.answer(to: question)?.answer == "No.", "the edits read before are still applied")
    try FileManager.default.removeItem(atPath: path)
    await live.look()
    #expect(live.answer(to: question) == nil && live.liveCount == nil)
    let last = news.all.suffix(2)
    guard case .unusable = last.first, last.last == .removed else {
      Issue.record("\(news.all)")
      return
    }
  }

  /// A program that is ended anywhere leaves a whole store or none: every beginning of the write-ahead log is opened.
  @Test func aCutLogLosesNothingThatWasThere() async throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch(), path = scratch.file("e.sqlite")
    let editor = try EditingBox.editor(path, loaded: loaded)
    _ = try await make(editor, "Who is Tom?", "No.")
    let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
    _ = try await make(editor, "Where is Rome?", "Ay.")
    let longer = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
    let file = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(longer.count > log.count)
    for length in stride(from: log.count, to: longer.count, by: max(1, (longer.count - log.count) / 12)) {
      let copy = scratch.file("\(length).sqlite")
      try file.write(to: URL(fileURLWithPath: copy))
      try longer.prefix(length).write(to: URL(fileURLWithPath: copy + "-wal"))
      let records = try EditStore(path: copy).records()
      #expect(records.map(\.answer) == ["No."] || records.map(\.answer) == ["No.", "Ay."], "\(length)")
    }
  }

  private final class News: @unchecked Sendable {
    private let lock = NSLock()
    private var items: [LiveEdits.News] = []
    func add(_ item: LiveEdits.News) { lock.withLock { items.append(item) } }
    var all: [LiveEdits.News] { lock.withLock { items } }
  }
}
