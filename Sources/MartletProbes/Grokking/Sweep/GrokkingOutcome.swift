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
    let curve = metrics.points("test_accuracy").map { (step: Int($0.x), accuracy: $0.y) }
    let ending = metrics.lines.last?["ending"]?.string.flatMap(GrokkingFolder.Ending.init) ?? .interrupted
    let arrival = curve.first { $0.accuracy >= settings.target }?.step
    let made = curve.last?.step ?? 0
    // A run that was to be longer, and may be under way still, has passed the end that is asked for now.
    guard
      made > settings.steps
        || ending != .interrupted && (ending == .diverged || arrival != nil || made == settings.steps)
    else { return nil }
    let end = min(settings.steps, arrival ?? made)
    self.init(
      seed: settings.seed, ending: arrival == end ? .target : made == end && ending == .diverged ? .diverged : .steps,
      steps: end, curve: curve.filter { $0.step <= end }, secondsPerStep: GrokkingFolder.secondsPerStep(folder))
  }
}
