import Foundation
import MartletData
import MartletOptimization

/// A finished run of a sweep: its test accuracy over steps, and when it came where.
public struct GrokkingOutcome: Sendable {
  /// The seed.
  public let seed: UInt64
  /// Why the run ended.
  public let ending: GrokkingFolder.Ending
  /// The number of steps made.
  public let steps: Int
  /// The test accuracy at each evaluation.
  public let curve: [(step: Int, accuracy: Double)]
  /// Processor time of a step in seconds, evaluations left out; nil where no checkpoint tells it.
  public let secondsPerStep: Double?

  /// The first evaluated step at which the test accuracy was at least a share; nil where it never was.
  public func step(reaching accuracy: Double) -> Int? { curve.first { $0.accuracy >= accuracy }?.step }

  /// Processor seconds until then: full-batch steps cost the same, so they are steps times the mean cost of a step.
  public func seconds(reaching accuracy: Double) -> Double? {
    step(reaching: accuracy).flatMap { step in secondsPerStep.map { $0 * Double(step) } }
  }

  /// An outcome by its parts.
  init(
    seed: UInt64, ending: GrokkingFolder.Ending, steps: Int, curve: [(step: Int, accuracy: Double)],
    secondsPerStep: Double?
  ) {
    self.seed = seed
    self.ending = ending
    self.steps = steps
    self.curve = curve
    self.secondsPerStep = secondsPerStep
  }

  /// Reads the outcome of a run in a folder.
  ///
  /// - Returns: nil where there is no run, or where it has more to do to reach the end of these settings.
  /// - Throws: ``ProbeError`` where the run has other settings.
  init?(folder: String, settings: GrokkingSettings) throws {
    guard let earlier = try GrokkingFolder.settings(of: folder) else { return nil }
    guard settings.continues(earlier) else {
      throw ProbeError("\(folder) was started with other settings; choose another folder for the sweep")
    }
    let metrics = RunMetrics(folder: folder)
    guard let last = metrics.lines.last, let steps = last["step"]?.integer,
      let ending = last["ending"]?.string.flatMap(GrokkingFolder.Ending.init), ending != .interrupted
    else { return nil }
    let curve = metrics.points("test_accuracy").map { (step: Int($0.x), accuracy: $0.y) }
    let isThere = curve.contains { $0.accuracy >= settings.target }
    guard ending == .diverged || isThere || steps >= settings.steps else { return nil }
    // A run that had another end may have gone on for longer than it is asked to now.
    let end = min(settings.steps, curve.first { $0.accuracy >= settings.target }?.step ?? steps)
    self.init(
      seed: settings.seed, ending: ending == .diverged ? .diverged : isThere ? .target : .steps, steps: min(end, steps),
      curve: curve.filter { $0.step <= end }, secondsPerStep: GrokkingFolder.secondsPerStep(folder))
  }
}
