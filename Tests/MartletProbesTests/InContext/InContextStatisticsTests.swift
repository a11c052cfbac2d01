import Foundation
import MartletData
import MartletEvaluation
import MartletTestSupport
import Testing

@testable import MartletProbes

struct InContextStatisticsTests {
  private static let rows = TestData.fixtures + "/icl/rows.jsonl"

  /// Values that numpy has computed from the same rows (Scripts/make_icl_fixtures.py).
  @Test func everyStatisticEqualsNumpy() throws {
    let summary = InContextSummary(try InContextRow.read(Self.rows), draws: 50).json
    let expected = try #require(try TestData.json(TestData.fixtures + "/icl/cells.json") as? [[String: Any]])
    let cells = try #require(summary["cells"]?.array)
    #expect(cells.count == expected.count)
    for (cell, expected) in zip(cells, expected) {
      #expect(cell["task"]?.string == expected["task"] as? String)
      #expect(cell["setting"]?.string == expected["setting"] as? String)
      for (name, value) in expected where !["task", "setting", "model"].contains(name) {
        let found = try #require(cell[name], "\(name) is missing")
        let numbers = found.array?.compactMap(\.number) ?? [found.number ?? .nan]
        let wanted = (value as? [Double]) ?? [(value as? Double) ?? .nan]
        #expect(numbers.count == wanted.count)
        for (one, other) in zip(numbers, wanted) {
          #expect(abs(one - other) < 1e-9, "\(cell["task"]?.text ?? "") \(cell["setting"]?.text ?? "") \(name)")
        }
      }
    }
  }

  @Test func slopesFollowTheShares() throws {
    let summary = InContextSummary(try InContextRow.read(Self.rows), draws: 50)
    #expect(summary.slopes.map(\.task) == ["two", "three"])
    let cells = summary.cells.filter { $0.key.task == "two" && $0.flippedShare != nil }
    #expect(cells.map(\.flippedShare) == [0, 0.5, 1])
    // Of three places with equal distances the slope is the difference of the ends.
    for measure in [InContextMeasure.accuracy, .batchCalibratedAccuracy, .areaUnderCurve, .goldMargin] {
      let ends = [0, 2].compactMap { cells[$0].measures[measure]?.value }
      let slope = try #require(summary.slopes[0].slopes[measure])
      #expect(abs(slope.value - (ends[1] - ends[0])) < 1e-12)
      #expect(slope.interval.contains(slope.value))
    }
    #expect(summary.controls.map(\.count) == [40, 40])
  }

  private func row(_ setting: String, _ block: Int, _ query: Int, gold: Int, _ scores: [Double], model: String? = nil)
    -> InContextRow
  {
    var row = InContextRow(
      task: "t", shots: 4, setting: setting, context: ContextKey(seed: 1, block: block), query: "\(query)", gold: gold,
      scores: scores)
    row.model = model
    return row
  }

  /// A model that does what its exemplars show, and one that does not care.
  private func rows(following: Bool, model: String) -> [InContextRow] {
    [("regular", 0.0), ("flipped50", 0.5), ("flipped100", 1)].flatMap { setting, share in
      (0..<10).flatMap { block in
        (0..<10).map { query in
          let gold = query % 2
          let flips = following && Double((query + block) % 10) < 10 * share
          return row(setting, block, query, gold: gold, (gold == 1) != flips ? [-2, -1] : [-1, -2], model: model)
        }
      }
    }
  }

  @Test func aFollowerOfFlipsIsToldFromOneWhoIsNot() throws {
    let summary = InContextSummary(rows(following: false, model: "stubborn") + rows(following: true, model: "docile"))
    let stubborn = summary.slopes[0], docile = summary.slopes[1]
    #expect(stubborn.slopes[.batchCalibratedAccuracy]?.value == 0)
    #expect(docile.slopes[.batchCalibratedAccuracy]?.value == -1)
    #expect(stubborn.overrides[.accuracy] == false)
    #expect(docile.overrides[.accuracy] == true)
    let slopes = try #require(summary.comparisons.first { $0.setting == nil })
    #expect((slopes.differences[.batchCalibratedAccuracy]?.interval.upper ?? 0) < 0)
    #expect(summary.conclusions.contains { $0.contains("overrides what it knows by what its exemplars show") })
    #expect(summary.conclusions.contains { $0.contains("nothing shows that it follows flipped labels") })
    #expect(!summary.conclusions.contains { $0.contains("too narrow") })
    let few = InContextSummary(rows(following: true, model: "few").filter { $0.context.block < 2 })
    #expect(few.conclusions.first?.contains("rest on 2 contexts") == true)
    let page = InContextPage(summary).html
    #expect(page.contains("class='interval'") && page.contains("What may be concluded"))
  }

  /// A label that every query likes better is no sign of knowledge.
  @Test func batchCalibrationTakesAwayABias() {
    let rows = (0..<10).map { row("regular", 0, $0, gold: $0 % 2, [-0.1, $0 % 2 == 1 ? -3 : -4]) }
    let cell = InContextSummary(rows, draws: 10).cells[0]
    #expect(cell.measures[.accuracy]?.value == 0.5)
    #expect(cell.measures[.batchCalibratedAccuracy]?.value == 1)
    #expect(cell.measures[.areaUnderCurve]?.value == 1)
    #expect(cell.measures[.classShare(0)]?.value == 1)
  }

  /// What one context is like says nothing about others.
  @Test func oneContextGivesNoInterval() throws {
    let rows = ["regular", "flipped100", "sul"].flatMap { setting in
      (0..<4).map { row(setting, 0, $0, gold: $0 % 2, $0 % 2 == 0 ? [-1, -2] : [-2, -1]) }
    }
    let summary = InContextSummary(rows, draws: 10)
    let cell = try #require(summary.json["cells"]?.array?[0])
    #expect(cell["auroc"]?.number == 1 && cell["auroc_interval"] == .null && cell["accuracy_interval"] == .null)
    #expect(summary.conclusions.count == 2)
    #expect(
      summary.conclusions.allSatisfy { $0.hasSuffix("one context gives no interval, so nothing may be concluded.") })
    #expect(InContextPage(summary).html.contains("of 10 draws"))
  }

  @Test func contextsOfOneClassGiveNoPairs() {
    let summary = InContextSummary((0..<4).map { row("regular", 0, $0, gold: 1, [-1, -2]) }, draws: 10)
    #expect(summary.json["cells"]?.array?[0]["auroc"] == .null)
    #expect(summary.json["cells"]?.array?[0]["auroc_interval"] == .null)
  }

  @Test(arguments: [
    (#"{"task":"t","k":4,"setting":"s","seed":1,"block":0,"eval_id":"a","gold":0}"#, #"has no "lp""#),
    (#"{"task":"t","k":4,"setting":"s","seed":1,"block":0,"eval_id":"a","gold":2,"lp":[-1,-2]}"#, "from 0 to 1"),
    (#"{"task":"t","k":4,"setting":"s","seed":1,"block":0,"eval_id":"a","gold":0,"lp":[-1]}"#, "at least two"),
    (#"{"task":"t","k":4,"setting":"s","seed":1,"block":0,"eval_id":"a","gold":0,"lp":[-1,null]}"#, "finite number"),
    (#"{"task":"t","k":"4","setting":"s","seed":1,"block":0,"eval_id":"a","gold":0,"lp":[-1,-2]}"#, "whole number"),
    (#"{"task":"t","k":4,"seed":1,"block":0,"eval_id":"a","gold":0,"lp":[-1,-2]}"#, #"no "setting""#),
    (
      #"{"task":"t","k":4,"setting":"s","seed":1,"block":0,"eval_id":"a","gold":"x","labels":["y","z"],"lp":[-1,-2]}"#,
      "one of the \"labels\""
    ),
    (#"[1]"#, "must be a JSON object"), (#"{"task":"#, "not JSON"),
  ])
  func aWrongRowIsNamedWithItsLine(_ text: String, _ part: String) throws {
    let scratch = try TestData.Scratch()
    let good = #"{"task":"t","k":4,"setting":"s","seed":1,"block":0,"eval_id":"z","gold":0,"lp":[-1,-2]}"#
    try Data("\(good)\n\(text)\n".utf8).write(to: URL(fileURLWithPath: scratch.file("rows.jsonl")))
    do {
      _ = try InContextRow.read(scratch.file("rows.jsonl"))
      Issue.record("no error")
    } catch let error as FileError {
      #expect(error.message.contains("line 2") && error.message.contains(part), "\(error.message)")
    }
  }

  @Test func theSameQueryTwiceAndOtherLabelsAreErrors() throws {
    let scratch = try TestData.Scratch()
    let one = row("regular", 0, 1, gold: 0, [-1, -2])
    for (other, part) in [(one, "as line 1"), (row("regular", 0, 2, gold: 0, [-1, -2, -3]), "3 scores")] {
      try Data("\(one.json.text)\n\(other.json.text)\n".utf8).write(
        to: URL(fileURLWithPath: scratch.file("rows.jsonl")))
      #expect { try InContextRow.read(scratch.file("rows.jsonl")) } throws: { "\($0)".contains(part) }
    }
  }
}
