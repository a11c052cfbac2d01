import Foundation

/// The learning rate of each step, as a multiple of the optimiser's learning rate.
public struct LearningRateSchedule: Sendable, Codable, Equatable {
  /// The shape of the schedule after the warm-up.
  public enum Shape: String, Sendable, Codable, CaseIterable {
    /// A curve from the highest rate to the final rate.
    case constant, linear, cosine
    /// `initial^(1 - p) final^p`, as in RWKV's trainer if no number of tokens is given.
    case exponential
  }

  /// The shape after the warm-up.
  public var shape: Shape
  /// The number of warm-up steps, in which the multiple grows linearly from `warmupStart` to 1.
  public var warmup: Int
  /// The multiple at the first step.
  public var warmupStart: Double
  /// The multiple at the end.
  public var final: Double
  /// The step at which the schedule ends.
  public var steps: Int

  /// A schedule over a number of steps.
  public init(shape: Shape, warmup: Int = 0, warmupStart: Double = 0.01, final: Double = 0, steps: Int) {
    self.shape = shape
    self.warmup = warmup
    self.warmupStart = warmupStart
    self.final = final
    self.steps = steps
  }

  /// The multiple of the learning rate at a step, counted from 0. RWKV's form (BlinkDL, RWKV-v5 trainer.py): the
  /// warm-up multiplies the curve, which starts when the warm-up ends.
  public func share(at step: Int) -> Double {
    let progress = min(1, max(0, Double(step - warmup) / Double(max(1, steps - warmup))))
    let curve: Double
    switch shape {
    case .constant: curve = 1
    case .linear: curve = 1 + (final - 1) * progress
    case .cosine: curve = (0.5 + final / 2) + (0.5 - final / 2) * cos(.pi * progress)
    case .exponential: curve = final > 0 ? pow(final, progress) : 1 - progress
    }
    guard step < warmup else { return curve }
    return curve * (warmupStart + (1 - warmupStart) * Double(step) / Double(warmup))
  }
}
