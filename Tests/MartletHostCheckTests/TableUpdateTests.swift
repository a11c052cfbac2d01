import Foundation
import MartletTestSupport
import Testing

@testable import MartletHostCheck

/// Lists of Intel and AMD that came out after this program, and what looks like them.
@Suite struct TableUpdateTests {
  private static let today = "2026-11-26"

  /// A file as Intel's releasenote.md.
  private func notes(_ rows: [String], release: String = "20260512") -> [UInt8] {
    Array(
      """
      # Release Notes
      ## [microcode-\(release)](https://example.org/releases/tag/microcode-\(release))

      ### Purpose

      - Security updates for [INTEL-SA-01166](https://example.org/advisory.html)

      ### New Platforms

      | Processor      | Stepping | F-M-S/PI    | Old Ver  | New Ver  | Products
      |:---------------|:---------|:------------|:---------|:---------|:---------
      \(rows.joined(separator: "\n"))

      """.utf8)
  }

  private func update(_ bytes: [UInt8], _ name: String = "file", fileDate: String = "2026-06-01") throws -> TableUpdate
  {
    try TableUpdate(bytes, name: name, fileDate: fileDate, today: Self.today)
  }

  private func problem(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return "\(error)" }
    return nil
  }

  private let none = UpdatedTables(folder: nil)
  private let icelake = "| ICX-SP         | Dx/M1    | 06-6a-06/87 | 0d000421 | 0d000444 | Xeon Scalable Gen3"
  private let panther = "| PTL            | B0       | 06-cc-01/e0 |          | 0000011a | Core Ultra Series 3"

  /// Writes what a change holds, as the command does.
  private func apply(_ change: UpdatedTables.Change, to folder: String) throws -> UpdatedTables {
    for file in change.files {
      try Data(file.text.utf8).write(to: URL(fileURLWithPath: folder + "/" + file.name))
    }
    return UpdatedTables(folder: folder)
  }

  @Test func releaseNotesAddRevisions() throws {
    let scratch = try TestData.Scratch()
    let disclosed = "| CFL-H/S        | P0       | 06-9e-0c/22 | 000000f8 | N/A      | Core Gen9"
    let update = try update(notes([icelake, panther, disclosed]), "releasenote.md")
    #expect(update.date == "2026-05-12" && update.revisions.count == 2)
    let change = try none.adding(update)
    #expect(change.newRevisions == 2 && change.files.map(\.name) == ["revisions.tsv"])
    let tables = try apply(change, to: scratch.path)
    #expect(tables.problems == [])
    let known = KnownRevisions(updates: tables)
    #expect(known.isKnown(0x0d00_0444, of: 0x606a6, vendor: "Intel"))
    #expect(!KnownRevisions(updates: none).isKnown(0x0d00_0444, of: 0x606a6, vendor: "Intel"))
    let newest = try #require(known.newest(for: 0x606a6, like: 0x0d00_03b9))
    #expect(newest.revision == 0x0d00_0444 && newest.date == "2026-05-12")
    #expect(newest.citation.sources == ["releasenote.md of 2026-05-12"])
    #expect(newest.citation.version.contains("update-2026-05-12"))
    // The same again is nothing new; a later one is added to it.
    #expect(try tables.adding(update).files.isEmpty)
    let later = try apply(
      tables.adding(
        self.update(notes([icelake.replacing("0d000444", with: "0d000450")], release: "20260811"), "later.md")),
      to: scratch.path)
    #expect(KnownRevisions(updates: later).newest(for: 0x606a6, like: 0x0d00_03b9)?.revision == 0x0d00_0450)
    #expect(KnownRevisions(updates: later).isKnown(0x11a, of: 0xc06c1, vendor: "Intel"))
    #expect(later.notes.map(\.date) == ["2026-08-11"] && later.notes[0].sources.count == 2)
    // And what was taken in cannot be taken back by an older one.
    let said = problem { _ = try later.adding(update) }
    #expect(said?.contains("older") == true && said?.contains("2026-08-11") == true)
  }

  @Test func aGuestsRevisionIsHeldAgainstTheUpdate() throws {
    let scratch = try TestData.Scratch()
    let tables = try apply(none.adding(update(notes([icelake]))), to: scratch.path)
    let bytes = LearningCaseTests.cpuinfo(
      model: 0x55, stepping: 7, name: "Intel(R) Xeon(R) Platinum 8259CL", revision: "0xd000444", flags: "fpu hypervisor"
    )
    let facts = try HostReader.read(cpuinfo: bytes, name: "x")
    let finding = Reptar.judge(facts.processors[0].kind, in: facts, revisions: KnownRevisions(updates: tables))
    #expect(finding.reason == "revision_belongs_to_other_cpu")
    #expect(Reptar.judge(facts.processors[0].kind, in: facts).reason != "revision_belongs_to_other_cpu")
  }

  @Test func damagedReleaseNotesAreRefused() throws {
    for (bytes, words) in [
      (notes([icelake.replacing("0d000444", with: "0d00zz44")]), "is not a revision"),
      (notes([icelake.replacing("06-6a-06/87", with: "06-6a-06/zz")]), "does not give family"),
      (notes([icelake.replacing("06-6a-06/87", with: "06-6a-06/00")]), "does not give family"),
      (notes([icelake.replacing("06-6a-06/87", with: "06-6a-16/87")]), "does not give family"),
      (notes([icelake.replacing("0d000444", with: "0d000420")]), "older than the old one"),
      (notes([icelake.replacing("0d000444", with: "8d000444")]), "pre-production"),
      (notes([icelake.replacing("0d000444", with: "ffffffff")]), "not a revision"),
      (notes([icelake.replacing("0d000444", with: "00000000")]), "not a revision"),
      (notes([icelake], release: "20261332"), "not the date"), (notes([icelake], release: "20270101"), "in the future"),
      (notes([icelake], release: "20170101"), "before any"), (notes([]), "is not a supported file"),
      (Array(notes([icelake]).prefix(40)), "is not a supported file"),
      ([], "empty"), (Array("hello\n".utf8), "is not a supported file"), ([0x1f, 0x8b, 8, 0], "archive"),
      ([0xff, 0xfe, 0x23, 0], "neither text"), ([0, 1, 2, 3, 4], "neither text"),
      (Array("<html>404 not found</html>".utf8), "is not a supported file"),
    ] {
      let said = problem { _ = try update(bytes, "notes.md") }
      #expect(said?.contains(words) == true && said?.contains("notes.md") == true, "\(words): \(said ?? "taken")")
    }
  }

  @Test func whatIsOlderIsRefused() throws {
    // The table is of 2025-11-11.
    let old = try update(notes(["| ICX-SP | Dx/M1 | 06-6a-06/87 | 0d0003f5 | 0d000404 | Xeon"], release: "20250812"))
    #expect(problem { _ = try none.adding(old) }?.contains("older") == true)
    // A newer date does not make a lower revision right.
    let lower = try update(notes(["| ICX-SP | Dx/M1 | 06-6a-06/87 | 0d000301 | 0d0003b9 | Xeon"]))
    let said = problem { _ = try none.adding(lower) }
    #expect(said?.contains("0x0d0003b9") == true && said?.contains("older") == true)
    let blob = try update(MicrocodeTests.intel(revision: 0x0d00_0375), "06-6a-06")
    #expect(problem { _ = try none.adding(blob) }?.contains("older") == true)
    let amd = try update(MicrocodeTests.amd(revision: 0x0a00_11ce), "microcode_amd_fam19h.bin")
    #expect(problem { _ = try none.adding(amd) }?.contains("0x0a0011d1") == true)
    let readme = try update(Array("Family=0x19 Model=0x01 Stepping=0x02: Patch=0x0a001231 Length=5568 bytes\n".utf8))
    #expect(problem { _ = try none.adding(readme) }?.contains("0x0a001234") == true)
  }

  @Test func microcodeItselfIsRead() throws {
    let update = try update(MicrocodeTests.intel(revision: 0x0d00_0500), "06-6a-06")
    #expect(update.revisions == [.init(vendor: "Intel", signature: 0x606a6, revision: 0x0d00_0500, date: "2023-09-01")])
    #expect(try none.adding(update).newRevisions == 1)
    var damaged = MicrocodeTests.intel(revision: 0x0d00_0500)
    damaged[50] ^= 1
    #expect(problem { _ = try self.update(damaged, "06-6a-06") }?.contains("checksum") == true)
    let container = try self.update(MicrocodeTests.amd(revision: 0x0a00_11ff), "microcode_amd_fam19h.bin")
    #expect(container.revisions.map(\.vendor) == ["AMD"])
    #expect(try none.adding(container).newRevisions == 1)
    #expect(
      problem { _ = try self.update(MicrocodeTests.amd(revision: 0x0b00_11ff), "x.bin") }?.contains("cannot be") == true
    )
  }

  @Test func listsOfAMDAreRead() throws {
    let text = """
      Microcode patches in microcode_amd_fam19h.bin:
        Family=0x19 Model=0x01 Stepping=0x01: Patch=0x0a0011ff Length=5568 bytes
        Family=0x19 Model=0x11 Stepping=0x01: Patch=0x0a1011ff Length=5568 bytes
        Family=0x1a Model=0x02 Stepping=0x01: Patch=0x0b0021ff Length=14368 bytes

      """
    let update = try update(Array(text.utf8), "README")
    #expect(update.revisions.map(\.signature) == [0xa00f11, 0xa10f11, 0xb00f21])
    #expect(update.revisions.map(\.revision) == [0x0a00_11ff, 0x0a10_11ff, 0x0b00_21ff])
    #expect(update.date == "2026-06-01")
    #expect(try none.adding(update).newRevisions == 3)
    for (from, to) in [
      ("Patch=0x0a0011ff", "Patch=0x0a1011ff"), ("Patch=0x0a0011ff", "Patch=0x0a0021ff"), ("Stepping=0x01", "Step=1"),
      ("Model=0x01", "Model=0xfff"), ("Patch=0x0a0011ff", "Patch=0x"), ("Patch=0x0a0011ff", "Patch=0xa0011ffffff"),
    ] {
      #expect(problem { _ = try self.update(Array(text.replacing(from, with: to).utf8), "README") } != nil, "\(to)")
    }
  }

  /// Intel's list as it is, with rows of ours.
  private func list(_ change: (inout [String]) -> Void = { _ in }) throws -> [UInt8] {
    let path = try #require(TestData.shared) + "/host/intel_affected_processor_list.csv"
    var lines = try String(contentsOfFile: path, encoding: .utf8).replacing("\r\n", with: "\n")
      .split(separator: "\n").map(String.init)
    change(&lines)
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  @Test(.enabled(if: TestData.shared != nil, "needs the shared data")) func intelsListAddsProcessors() throws {
    let scratch = try TestData.Scratch()
    // The one we came with holds nothing new.
    #expect(try none.adding(update(list(), "list.csv")).files.isEmpty)
    let panther = try list { lines in
      let model = lines.first { $0.contains(",B0671,") } ?? ""
      lines.append(
        model.replacing(",B0671,", with: ",C06C1,").replacing("Raptor Lake", with: "Panther Lake"))
      lines.append((lines.first { $0.contains(",606A6,") } ?? "").replacing(",606A6,", with: ",D0671,"))
    }
    let change = try none.adding(update(panther, "list.csv"))
    #expect(change.newProcessors == 2)
    let tables = try apply(change, to: scratch.path)
    let reptar = ReptarTable(updates: tables)
    let citation = try #require(reptar.listedNotAffected(0xc06c1))
    #expect(citation.row.contains("Panther Lake") && citation.date == "2026-06-01")
    #expect(reptar.listedAffected(0xd0671) != nil && reptar.listedNotAffected(0xd0671) == nil)
    func judged(_ model: Int, _ stepping: Int) throws -> Finding {
      let bytes = LearningCaseTests.cpuinfo(
        model: model, stepping: stepping, name: "Intel(R) Core(TM) 7", revision: "0x110")
      let facts = try HostReader.read(cpuinfo: bytes, name: "x")
      return Reptar.judge(facts.processors[0].kind, in: facts, table: reptar)
    }
    #expect(try judged(0xcc, 1).status == .notAffected)
    #expect(try judged(0xd7, 1).reason == "floor_not_known")
  }

  @Test(.enabled(if: TestData.shared != nil, "needs the shared data")) func damagedListsAreRefused() throws {
    func said(_ change: (inout [String]) -> Void) throws -> String {
      let bytes = try list(change)
      return problem { _ = try none.adding(update(bytes, "list.csv")) } ?? "taken"
    }
    let head = try #require(String(decoding: list(), as: UTF8.self).split(separator: "\n").first)
    let reptar = try #require(
      head.split(separator: ",", omittingEmptySubsequences: false).firstIndex { $0.contains("23583") })
    func shift(_ line: String) -> String {
      line.replacing(",MCU,", with: ",Not Affected,").replacing(",MCU,", with: ",Not Affected,")
    }
    #expect(try said { $0 = $0.map(shift) }.contains("shifted"))
    #expect(try said { $0.removeAll { $0.contains(",C0662,") } }.contains("older"))
    #expect(try said { $0 = Array($0.prefix(10)) }.contains("more than sixty"))
    #expect(try said { $0[5] += ",one more" }.contains("columns"))
    #expect(try said { $0[5].removeLast(20) } != "taken")
    #expect(try said { $0[0] = $0[0].replacing("CVE-2023-23583", with: "CVE-2023-0") } != "taken")
    #expect(
      try said {
        $0[7] = $0[7].replacing(",806", with: ",ZZZ").replacing(",906", with: ",ZZZ").replacing(",506", with: ",ZZZ")
          .replacing(",606", with: ",ZZZ")
      }.contains("signature"))
    #expect(try said { $0[$0.count - 1] = "\"open" }.contains("cut off"))
    #expect(reptar > 5)
  }

  @Test func storedTablesAreCheckedWhenRead() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("revisions.tsv")
    _ = try apply(none.adding(update(notes([icelake, panther]))), to: scratch.path)
    let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    for place in stride(from: 0, to: whole.count, by: 3) {
      var bytes = whole
      bytes[place] ^= 1
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let tables = UpdatedTables(folder: scratch.path)
      #expect(tables.problems.count == 1 && tables.notes.isEmpty, "byte \(place)")
      #expect(!KnownRevisions(updates: tables).isKnown(0x0d00_0444, of: 0x606a6, vendor: "Intel"))
    }
    for count in stride(from: 0, to: whole.count, by: 7) {
      try Data(whole.prefix(count)).write(to: URL(fileURLWithPath: path))
      #expect(UpdatedTables(folder: scratch.path).problems.count == 1, "cut at \(count)")
    }
    try Data(whole).write(to: URL(fileURLWithPath: path))
    #expect(UpdatedTables(folder: scratch.path).problems.isEmpty)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    #expect(UpdatedTables(folder: scratch.path).problems.count == 1)
  }
}
