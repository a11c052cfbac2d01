import Dispatch
import Foundation
import MartletData
import Synchronization

/// A sweep in a folder: many grokking runs, of which those that are finished are kept when it is resumed.
///
///     run.json          what the sweep was asked to do
///     runs/NAME/        a run folder for each configuration and seed
///     results.json      all numbers
///     report.html       tables, curves of every seed, and what may be concluded
///
/// The runs share nothing, so several of them run side by side, each on a thread of its own. For models as small as these
/// that is faster than many threads for one run.
public final class GrokkingSweep: Sendable {
  /// How far a sweep has come.
  public struct Progress: Sendable {
    /// Runs that are finished, and all runs; as many as there can be until the best baseline is known.
    public var finished, total: Int
    /// The runs that are under way: the name of the folder, and the latest evaluation.
    public var underWay: [(name: String, point: GrokkingPoint)]
    /// Seconds until the end: as many as are left if the remaining runs take as long as those finished, and at most so
    /// many while none is; nil before the first evaluation.
    public var secondsLeft: Double?
    /// Whether a run is finished, so that ``secondsLeft`` is an estimate instead of a limit.
    public var isEstimate: Bool
  }

  /// An event of a sweep, for progress display.
  public enum Event: Sendable {
    /// Finished runs were found in the folder and are kept.
    case kept(Int)
    /// A run was evaluated.
    case progress(Progress)
    /// A run is finished.
    case finished(GrokkingConfiguration, GrokkingOutcome, Progress)
  }

  /// The path of the folder.
  public let path: String
  /// The plan.
  public let plan: GrokkingSweepPlan
  private let describe: @Sendable (GrokkingSettings) throws -> [String: Any]
  private let state: Mutex<State>

  private struct State {
    var outcomes: [String: GrokkingOutcome] = [:]
    var queue: [Run] = []
    var underWay: [String: GrokkingPoint] = [:]
    var total: Int
    /// Runs finished by this call of `run`.
    var finishedNow = 0
    var problem: (any Error)?
  }

  private struct Run {
    let configuration: GrokkingConfiguration
    let seed: UInt64
    var name: String { "\(configuration.name)-seed-\(seed)" }
  }

  /// Begins a sweep, or goes on with the one in a folder.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - plan: what is compared. A sweep that goes on may have more configurations, seeds or steps than before.
  ///   - description: what `run.json` says beside the settings.
  ///   - describe: what the `run.json` of a single run says beside its settings.
  /// - Throws: ``ProbeError`` for settings that cannot be; `FileError` where the folder cannot be written.
  public init(
    _ path: String, plan: GrokkingSweepPlan, description: [String: Any] = [:],
    describe: @escaping @Sendable (GrokkingSettings) throws -> [String: Any] = { _ in [:] }
  ) throws {
    _ = try GrokkingRun(plan.common)
    self.path = path
    self.plan = plan
    self.describe = describe
    state = Mutex(State(total: plan.mostRuns))
    try OutputTarget.makeFolder(path)
    var description = description
    description["settings"] = try plan.common.metrics
    try writeJSON(description, to: path + "/run.json")
    try OutputTarget.makeFolder(path + "/runs")
  }

  /// Runs what is not finished yet: the baselines and the variants at the untuned setting, then the variants at the best
  /// baseline. Results and page are written after every run.
  ///
  /// - Parameters:
  ///   - jobs: the number of runs side by side.
  ///   - isInterrupted: called before every step of a run; true saves all runs under way and ends.
  ///   - report: a callback that is called with every event, by one thread at a time.
  /// - Returns: whether the sweep is complete.
  /// - Throws: the first error of a run; the others are saved and ended.
  public func run(
    jobs: Int, isInterrupted: @escaping @Sendable () -> Bool, report: @escaping @Sendable (Event) -> Void
  ) throws -> Bool {
    let started = Date()
    let kept = try plan.possibleConfigurations.reduce(0) { try $0 + keepFinished($1) }
    if kept > 0 { report(.kept(kept)) }
    for isLast in [false, true] {
      let configurations = plan.configurations(best: isLast ? results.best?.configuration : nil)
      state.withLock { state in
        state.queue = configurations.flatMap { cell in plan.seeds.map { Run(configuration: cell, seed: $0) } }
          .filter { state.outcomes[$0.name] == nil }
        if isLast { state.total = state.outcomes.count + state.queue.count }
      }
      work(jobs: max(1, jobs), since: started, isInterrupted: isInterrupted, report: report)
      if let problem = state.withLock({ $0.problem }) { throw problem }
      if isInterrupted() { break }
    }
    try write()
    return results.isComplete
  }

  /// The results so far. Variants at a baseline that was the best before the plan grew are among them.
  public var results: GrokkingSweepResults {
    let outcomes = state.withLock { $0.outcomes }
    let results = plan.possibleConfigurations.compactMap { cell -> GrokkingResult? in
      let own = plan.seeds.compactMap { outcomes[Run(configuration: cell, seed: $0).name] }
      return own.isEmpty ? nil : GrokkingResult(cell, own)
    }
    let best = GrokkingSweepResults(plan: plan, results: results, isComplete: false).best
    let isComplete = plan.configurations(best: best?.configuration).allSatisfy { cell in
      plan.seeds.allSatisfy { outcomes[Run(configuration: cell, seed: $0).name] != nil }
    }
    return GrokkingSweepResults(plan: plan, results: results, isComplete: isComplete)
  }

  /// Takes over what the folder holds of a configuration.
  /// - Returns: the number of finished runs that were not known yet.
  private func keepFinished(_ configuration: GrokkingConfiguration) throws -> Int {
    try plan.seeds.reduce(0) { count, seed in
      let run = Run(configuration: configuration, seed: seed)
      guard state.withLock({ $0.outcomes[run.name] == nil }),
        let outcome = try GrokkingOutcome(
          folder: folder(of: run), settings: configuration.settings(plan.common, seed: seed))
      else { return count }
      state.withLock { $0.outcomes[run.name] = outcome }
      return count + 1
    }
  }

  private func folder(of run: Run) -> String { path + "/runs/" + run.name }

  private func write() throws {
    let results = results
    try writeJSON(results.object(), to: path + "/results.json")
    try AtomicFile.write(GrokkingSweepPage(results: results).html.utf8, to: path + "/report.html")
  }

  // MARK: Running

  private func work(
    jobs: Int, since started: Date, isInterrupted: @escaping @Sendable () -> Bool,
    report: @escaping @Sendable (Event) -> Void
  ) {
    let group = DispatchGroup()
    for _ in 0..<jobs {
      group.enter()
      let thread = Thread { [self] in
        while !isInterrupted(), let run = next() {
          do {
            try make(run, since: started, isInterrupted: isInterrupted, report: report)
          } catch {
            state.withLock { $0.problem = $0.problem ?? error }
          }
        }
        group.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    group.wait()
  }

  /// The next run to make; nil where none is left, or one has failed.
  private func next() -> Run? {
    state.withLock { $0.problem == nil && !$0.queue.isEmpty ? $0.queue.removeFirst() : nil }
  }

  private func make(
    _ run: Run, since started: Date, isInterrupted: @Sendable () -> Bool, report: @Sendable (Event) -> Void
  ) throws {
    let settings = run.configuration.settings(plan.common, seed: run.seed)
    let folder = try GrokkingFolder(
      folder(of: run), settings: settings, description: try describe(settings),
      resuming: FileManager.default.fileExists(atPath: folder(of: run) + "/run.json"), takesSnapshots: false,
      keptCheckpoints: 1)
    let ending = try folder.run(
      isInterrupted: { isInterrupted() || self.state.withLock { $0.problem != nil } },
      report: { event in
        guard case .evaluation(let point, _) = event else { return }
        self.state.withLock { state in
          state.underWay[run.name] = point
          report(.progress(self.progress(state, since: started)))
        }
      })
    guard ending != .interrupted, let outcome = try GrokkingOutcome(folder: folder.path, settings: settings) else {
      state.withLock { $0.underWay[run.name] = nil }
      return
    }
    state.withLock { state in
      state.underWay[run.name] = nil
      state.outcomes[run.name] = outcome
      state.finishedNow += 1
      report(.finished(run.configuration, outcome, progress(state, since: started)))
    }
    try writing.withLock { _ in try write() }
  }

  /// One thread at a time writes the results.
  private let writing = Mutex(())

  private func progress(_ state: borrowing State, since started: Date) -> Progress {
    let underWay = state.underWay.sorted { $0.key < $1.key }.map { (name: $0.key, point: $0.value) }
    let finished = state.outcomes.count, elapsed = Date().timeIntervalSince(started)
    // In runs, of which those under way are half done; before the first is finished, in steps.
    var done = Double(state.finishedNow) + Double(underWay.count) / 2
    var all = Double(state.total - finished + state.finishedNow)
    if state.finishedNow == 0 {
      done = Double(underWay.reduce(0) { $0 + $1.point.step })
      all *= Double(plan.common.steps)
    }
    return Progress(
      finished: finished, total: state.total, underWay: underWay,
      secondsLeft: done > 0 ? max(0, all - done) * elapsed / done : nil, isEstimate: state.finishedNow > 0)
  }
}
