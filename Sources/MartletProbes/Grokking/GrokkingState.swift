/// What a checkpoint of a grokking run remembers beside parameters and moments.
struct GrokkingState: Codable {
  var step: Int
  /// The number of steps that the optimiser had made.
  var optimizerStep: Int
  /// The evaluations so far.
  var points: [GrokkingPoint]
  /// Bytes of metrics.jsonl written up to here.
  var metricsByteCount: Int
  /// Processor time of the thread that trains, without evaluations.
  var seconds: Double

  /// Whether a run can have come here.
  var isPossible: Bool {
    [step, optimizerStep, metricsByteCount].allSatisfy { (0...1 << 48).contains($0) } && seconds.isFinite
      && points.allSatisfy { (0...step).contains($0.step) }
  }
}
