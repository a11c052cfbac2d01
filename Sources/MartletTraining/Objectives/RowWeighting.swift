/// How much each row of a step counts in the cross entropy: its own weight, or its task's share divided among the rows of the
/// task in the step.
///
/// With shares s and weights w the loss is `sum over tasks t of s[t] * (sum over rows of t of w * loss) / (sum over rows of t of w)`:
/// each task contributes its mean, however many tokens it has. Rationales are long and labels short, so a mean over all
/// rows would nearly ignore the labels (Hsieh et al., "Distilling Step-by-Step", 2023, equation 4).
struct RowWeighting {
  /// The divisor of the weighted sum: the sum of all weights, or 1 with shares.
  let total: Double
  /// The factor of the weights of each task; nil without shares.
  private let factors: [Double]?

  /// The weighting of the batches of one step, or of all that one mean is taken over.
  init(_ batches: [TrainingBatch], taskShares: [Double]?) {
    guard let taskShares else {
      total = batches.reduce(0) { $0 + $1.weights.reduce(0) { $0 + Double($1) } }
      factors = nil
      return
    }
    var sums = [Double](repeating: 0, count: taskShares.count)
    for batch in batches {
      for (span, task) in zip(batch.spans, batch.tasks) {
        sums[task] += batch.weights[span].reduce(0) { $0 + Double($1) }
      }
    }
    factors = zip(taskShares, sums).map { $1 > 0 ? $0 / $1 : 0 }
    total = sums.contains { $0 > 0 } ? 1 : 0
  }

  /// The weight of each row of a batch, to be divided by ``total``.
  func weights(of batch: TrainingBatch) -> [Double] {
    var weights = batch.weights.map { Double($0) }
    guard let factors else { return weights }
    for (span, task) in zip(batch.spans, batch.tasks) {
      for row in span { weights[row] *= factors[task] }
    }
    return weights
  }

  /// Checks that shares can be used with examples of these tasks.
  /// - Throws: ``TrainingError`` if a task has no share, or a share is no positive number.
  static func check(_ shares: [Double]?, tasks: [Int]) throws {
    guard let shares else { return }
    if let share = shares.first(where: { !($0 >= 0 && $0.isFinite) }) {
      throw TrainingError("a task's share of the loss is \(share), but must be a number of at least 0")
    }
    guard shares.contains(where: { $0 > 0 }) else {
      throw TrainingError("no task has a share of the loss above 0, so there is nothing to learn")
    }
    if let task = tasks.first(where: { $0 >= shares.count }) {
      throw TrainingError(
        "an example belongs to task \(task), but shares of the loss are given only for the tasks below \(shares.count); give one for each task"
      )
    }
  }
}
