import Foundation
import MartletData
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletProbes

struct GrokkingSweepTests {
  private func outcome(_ steps: Int?, seed: UInt64 = 1) -> GrokkingOutcome {
    GrokkingOutcome(
      seed: seed, ending: steps == nil ? .steps : .target, steps: steps ?? 1000,
      curve: [(step: 0, accuracy: 0)] + (steps.map { [(step: $0, accuracy: 0.99)] } ?? []), secondsPerStep: 0.5)
  }

  private func result(_ configuration: GrokkingConfiguration, _ steps: [Int?]) -> GrokkingResult {
    GrokkingResult(configuration, steps.map { outcome($0) })
  }

  private var plan: GrokkingSweepPlan {
    var plan = GrokkingSweepPlan()
    plan.variants = [.grokfast]
    return plan
  }

  @Test func configurations() {
    let plan = GrokkingSweepPlan()
    #expect(
      plan.baselines.map(\.name) == [
        "adamw-lr-0.001-decay-1", "adamw-lr-0.001-decay-2", "adamw-lr-0.003-decay-1", "adamw-lr-0.003-decay-2",
      ])
    let all = plan.configurations(best: plan.baselines[3])
    #expect(Set(all.map(\.name)).count == all.count && all.count == 12)
    // At the best and the untuned rate once each; a decay of 0 is the same whatever it was.
    #expect(all.filter { $0.weightDecay == 0 }.map(\.learningRate) == [1e-3, 3e-3])
    #expect(plan.configurations(best: plan.baselines[0]).count == 8)
    var common = GrokkingSettings()
    common.grokfastMemory = 0.9
    let settings = all[4].settings(common, seed: 7)
    #expect(settings.grokfastAmplification == 2 && settings.grokfastMemory == 0.9 && settings.seed == 7)
    for cell in all {
      let settings = cell.settings(common, seed: 1)
      let isPlain = settings.grokfastAmplification == 0 && settings.loss == .softmax && !settings.isOrthogonal
      #expect(isPlain == (cell.variant == nil), "\(cell.name)")
    }
  }

  /// Runs that never came there are counted, and are later than all others.
  @Test func spreads() {
    let spread = result(plan.untuned, [300, nil, 100]).steps(reaching: 0.99)
    #expect((spread.median, spread.lowest, spread.highest) == (300, 100, .infinity))
    #expect((spread.reached, spread.count) == (2, 3))
    #expect(GrokkingSweepResults.text(spread) == "300 (100 to never), 2 of 3 seeds")
    let even = result(plan.untuned, [300, 100, 200, 500])
    #expect(even.steps(reaching: 0.99).median == 250 && even.seconds(reaching: 0.9).median == 125)
    #expect(result(plan.untuned, [nil, nil]).steps(reaching: 0.5).median == .infinity)
  }

  @Test func comparisonsNeedRangesThatAreApart() {
    func compare(_ mine: [Int?], _ baseline: [Int?]) -> GrokkingComparison {
      GrokkingComparison(
        result(plan.untuned, mine).steps(reaching: 0.99), against: result(plan.untuned, baseline).steps(reaching: 0.99))
    }
    let faster = compare([100, 150, 200], [300, 450, 600])
    #expect(faster.verdict == .faster && faster.ratio == 3 && abs(faster.chance - 0.1) < 1e-12)
    #expect(compare([300, 450, 600], [100, 150, 200]).verdict == .slower)
    #expect(compare([nil, nil, nil], [100, 150, 200]).verdict == .slower)
    #expect(compare([nil, nil, nil], [100, 150, 200]).ratio == nil)
    for (mine, baseline) in [
      ([100, 150, 301], [300, 450, 600]), ([100, 150, 300], [300, 450, 600]), ([100, nil, 120], [300, 310, 320]),
      ([nil, nil], [nil, nil]),
    ] as [([Int?], [Int?])] {
      #expect(compare(mine, baseline).verdict == .overlapping && compare(mine, baseline).ratio == nil)
    }
    #expect(compare([100], [300]).verdict == .tooFewSeeds)
  }

  /// A speed-up against the untuned baseline is none.
  @Test func conclusionsAreAgainstTheBestBaseline() throws {
    let cells = plan.configurations(best: plan.baselines[3])
    func conclusions(_ steps: [[Int?]]) -> String {
      GrokkingSweepResults(plan: plan, results: zip(cells, steps).map { result($0, $1) }, isComplete: true)
        .conclusions.joined(separator: "\n")
    }
    let untuned: [Int?] = [3000, 4000, 8000], best: [Int?] = [500, 600, 800]
    let between = conclusions([
      untuned, [2000, 2000, 2000], [1000, 1100, 1200], best, [900, 950, 990], [550, 700, 810],
    ])
    #expect(between.contains("lr 0.003, decay 2 is best"))
    #expect(between.contains("Grokfast-EMA, lr 0.001, decay 1: every seed was there after the last seed"))
    #expect(between.contains("Grokfast-EMA, lr 0.003, decay 2: the ranges overlap"))
    #expect(between.contains("nothing may be concluded") && !between.contains("times fewer"))
    #expect(between.contains("the highest learning rate and the highest weight decay of the grid"))
    let fast = conclusions([untuned, untuned, untuned, best, untuned, [200, 210, 220]])
    #expect(fast.contains("600 (500 to 800) steps, 2.9 times fewer; in processor time too"))
    #expect(fast.contains("apart in 10 % of all comparisons, and 2 comparisons were made"))
    let never = conclusions([[nil, nil], [nil, nil], [nil, nil], [nil, nil], [100, 100], [100, 100]])
    #expect(never.contains("there is no baseline") && !never.contains("Grokfast"))
  }

  /// A sweep that is interrupted and resumed keeps its finished runs, and ends with the numbers of one that was not.
  @Test func sweepsResume() throws {
    let scratch = try TestData.Scratch()
    var plan = GrokkingSweepPlan()
    plan.common.modulus = 7
    plan.common.width = 16
    plan.common.steps = 40
    plan.common.interval = 10
    plan.common.target = 0.5
    plan.learningRates = [1e-2]
    plan.weightDecays = [1]
    plan.seedCount = 2
    let whole = try GrokkingSweep(scratch.file("whole"), plan: plan)
    #expect(try whole.run(jobs: 2, isInterrupted: { false }, report: { _ in }))
    let expected = whole.results
    #expect(expected.isComplete && expected.results.allSatisfy { $0.outcomes.count == 2 })

    let finished = Mutex(0), kept = Mutex(0)
    let first = try GrokkingSweep(scratch.file("parts"), plan: plan)
    let isComplete = try first.run(
      jobs: 1, isInterrupted: { finished.withLock { $0 >= 3 } },
      report: { if case .finished = $0 { finished.withLock { $0 += 1 } } })
    #expect(!isComplete)
    let again = try GrokkingSweep(scratch.file("parts"), plan: plan)
    #expect(
      try again.run(
        jobs: 2, isInterrupted: { false },
        report: { if case .kept(let count) = $0 { kept.withLock { $0 += count } } }))
    #expect(kept.withLock { $0 } == 3)
    let found = again.results
    #expect(found.results.map(\.configuration) == expected.results.map(\.configuration))
    for (one, other) in zip(found.results, expected.results) {
      for (a, b) in zip(one.outcomes, other.outcomes) {
        #expect(a.curve.map(\.step) == b.curve.map(\.step) && a.curve.map(\.accuracy) == b.curve.map(\.accuracy))
        #expect(a.ending == b.ending && a.steps == b.steps && (a.secondsPerStep ?? 0) > 0)
      }
    }
    let numbers = try #require(try TestData.json(scratch.file("parts/results.json")) as? [String: Any])
    #expect(numbers["complete"] as? Bool == true)
    #expect((numbers["configurations"] as? [[String: Any]])?.count == found.results.count)
    let page = try String(contentsOfFile: scratch.file("parts/report.html"), encoding: .utf8)
    #expect(page.contains("What may be concluded") && page.contains("Processor seconds"))
    // Every seed is drawn, and named once in the legend.
    let chart = try #require(page.components(separatedBy: "<figure").dropFirst().first)
    #expect(chart.components(separatedBy: "<polyline").count == 5)
    #expect(chart.components(separatedBy: "</i>AdamW, lr 0.001, decay 1</span>").count == 2)

    // More seeds: only those that are new are run. More steps: those that have not come there go on.
    plan.seedCount = 3
    let ran = Mutex<[UInt64]>([])
    let wider = try GrokkingSweep(scratch.file("parts"), plan: plan)
    #expect(
      try wider.run(
        jobs: 2, isInterrupted: { false },
        report: { if case .finished(_, let outcome, _) = $0 { ran.withLock { $0.append(outcome.seed) } } }))
    let isSame = wider.results.best?.configuration == found.best?.configuration
    #expect(ran.withLock { $0 }.contains(3) && (!isSame || Set(ran.withLock { $0 }) == [3]))

    // Fewer steps than were made: what came after them does not count.
    plan.common.steps = 20
    let shorter = try GrokkingSweep(scratch.file("parts"), plan: plan)
    #expect(try shorter.run(jobs: 2, isInterrupted: { false }, report: { _ in }))
    for outcome in shorter.results.results.flatMap(\.outcomes) {
      #expect(outcome.steps <= 20 && outcome.curve.allSatisfy { $0.step <= 20 })
    }
  }
}
