import Foundation
import MartletData
import MartletEvaluation
import MartletTestSupport
import Testing

@testable import MartletProbes

/// A model whose scores depend on the texts alone, with a token for each byte.
private struct MadeScorer: ContinuationScorer, TextGenerator {
  func encode(_ request: ContinuationRequest) throws -> TokenizedRequest {
    TokenizedRequest(
      context: request.context.utf8.map { Int($0) }, continuation: request.continuation.utf8.map { Int($0) })
  }

  func scores(
    _ rows: [[TokenizedRequest]], finished: (_ row: Int, _ scores: [ContinuationScore]) throws -> Void
  ) async throws -> [[ContinuationScore]] {
    try rows.enumerated().map { place, row in
      let scores = row.map { request in
        let sum = (request.context + request.continuation).reduce(7) { ($0 &* 31 &+ $1) & 0xffff }
        return ContinuationScore(logLikelihood: -Double(sum) / 65_536, isGreedy: false, tokenLogLikelihoods: [])
      }
      try finished(place, scores)
      return scores
    }
  }

  func generate(
    _ requests: [GenerationRequest], finished: (_ request: Int, _ text: GeneratedText) throws -> Void
  ) async throws {
    for (place, request) in requests.enumerated().reversed() {
      try finished(place, GeneratedText(request.context.utf8.count % 3 == 0 ? " no idea" : " Foo "))
    }
  }
}

struct InContextProbeTests {
  private func subject(_ name: String = "made") -> InContextSubject {
    InContextSubject(EvaluatedModel(name: name, fingerprint: name, scorer: MadeScorer(), generator: MadeScorer()))
  }

  private func probe(_ change: (inout InContextDesign) -> Void = { _ in }) throws -> InContextProbe {
    var design = InContextDesign()
    design.shots = [2]
    design.settings = [.linear(isSwapped: false), .linear(isSwapped: true)]
    design.seeds = 2
    design.contexts = 3
    design.queries = 4
    design.domainQueries = 2
    change(&design)
    return try InContextProbe([LinearTask(dimension: 2)], design: design)
  }

  private func rows(_ probe: InContextProbe, after done: [InContextRow] = []) async throws -> [InContextRow] {
    var rows: [InContextRow] = []
    try await probe.run(subject(), after: done) { rows += $0 }
    return rows
  }

  @Test func rowsHoldWhatTheSummaryNeeds() async throws {
    let probe = try probe { $0.scoring = .both }
    let rows = try await rows(probe)
    #expect(rows.count == 2 * 6 * 4 && rows.count == probe.contextCount * probe.queriesPerContext)
    for row in rows {
      #expect(row.scores.count == 2 && row.contentFreeScores.count == 3 && row.domainScores.count == 2)
      #expect(row.generated == " no idea" ? row.answer == .outside : row.answer != .outside)
    }
    #expect(rows.contains { $0.labels == ["Foo", "Bar"] } && rows.contains { $0.labels == ["Bar", "Foo"] })
    // What is written is read as it was.
    let scratch = try TestData.Scratch(), path = scratch.file("rows.jsonl")
    let file = try InContextRowsFile(path, of: probe, by: [subject()], resumes: false, replaces: false)
    try file.append(rows)
    #expect(try InContextRow.read(path) == rows)
    #expect(throws: FileError.self) {
      try InContextRowsFile(path, of: probe, by: [subject()], resumes: false, replaces: false)
    }
  }

  /// A file cut anywhere becomes the same again.
  @Test func aRunThatWasCutGoesOn() async throws {
    let probe = try probe()
    let whole = try await rows(probe)
    let scratch = try TestData.Scratch(), path = scratch.file("rows.jsonl")
    let bytes = Array(whole.map { $0.json.text + "\n" }.joined().utf8)
    for cut in [0, 1, 200, bytes.count / 3, bytes.count / 2, bytes.count - 1, bytes.count] {
      try Data(bytes.prefix(cut)).write(to: URL(fileURLWithPath: path))
      let file = try InContextRowsFile(path, of: probe, by: [subject()], resumes: true, replaces: false)
      try await probe.run(subject(), after: file.done[0]) { try file.append($0) }
      #expect(FileManager.default.contents(atPath: path) == Data(bytes), "cut at \(cut)")
    }
  }

  /// A file that is refused keeps every byte.
  @Test func whatIsNotOfThisRunIsLeftAsItIs() async throws {
    let probe = try probe()
    let whole = try await rows(probe)
    let rows = whole.map { $0.json.text + "\n" }
    let scratch = try TestData.Scratch(), path = scratch.file("rows.jsonl")
    func refuses(_ text: String, _ probe: InContextProbe, _ name: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self, "\(name)") {
        try InContextRowsFile(path, of: probe, by: [subject()], resumes: true, replaces: false)
      }
      #expect(FileManager.default.contents(atPath: path) == Data(text.utf8), "\(name)")
    }
    try refuses("my notes", probe, "a file of something else")
    try refuses("my notes\nof today\n", probe, "lines of something else")
    try refuses(rows[0] + "{}\n", probe, "an object that is no row")
    try refuses(rows.prefix(10).joined(), try self.probe { $0.queries = 7 }, "other contexts")
    try refuses(rows.prefix(3).joined(), try self.probe { $0.symbols = ["Ket", "Dal"] }, "less than a context")
    try refuses(rows.prefix(8).joined(), try self.probe { $0.domainQueries = 0 }, "another calibration")
    try refuses(rows.prefix(8).joined(), try self.probe { $0.usesContentFreeQueries = false }, "another calibration")
  }

  @Test func rowsOfAnotherRunAreRefused() async throws {
    let done = Array(try await rows(try probe()).prefix(4))
    for change: (inout InContextDesign) -> Void in [
      { $0.symbols = ["Ket", "Dal"] }, { $0.format = try! ExemplarFormat("arrow") }, { $0.scoring = .generation },
    ] {
      let other = try probe(change)
      await #expect(throws: ProbeError.self) { try await other.run(subject(), after: done) { _ in } }
    }
    #expect(throws: ProbeError.self) {
      try probe {
        $0.contexts = 1; $0.seeds = 1
      }.resumed(
        [InContextRow](repeating: done[0], count: 100), by: [subject()])
    }
  }
}
