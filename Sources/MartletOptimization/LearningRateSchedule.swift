import Foundation

/// The learning rate of each step, as a share of the optimiser's.
public struct LearningRateSchedule: Sendable, Codable, Equatable {
  /// Courses of the rate after the warm-up.
  public enum Shape: String, Sendable, Codable, CaseIterable {
    /// From the highest rate to the final one, by the name of the curve.
    case constant, linear, cosine
    /// `initial^(1 - p) final^p`, as RWKV's trainer without a number of tokens to end at.
    case exponential
  }

  /// The course after the warm-up.
  public var shape: Shape
  /// Steps of the warm-up. A share of the rate grows linearly from `warmupStart` to 1.
  public var warmup: Int
  /// The rate of the first step, as a share of the highest.
  public var warmupStart: Double
  /// Share of the rate at the end.
  public var final: Double
  /// Step at which it ends.
  public var steps: Int

  /// A schedule over some steps.
  public init(shape: Shape, warmup: Int = 0, warmupStart: Double = 0.01, final: Double = 0, steps: Int) {
    self.shape = shape
    self.warmup = warmup
    self.warmupStart = warmupStart
    self.final = final
    self.steps = steps
  }

  /// Share of the rate at a step, counted from 0. RWKV's form (BlinkDL, RWKV-v5 trainer.py): the warm-up multiplies
  /// the curve, which starts when the warm-up ends.
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
