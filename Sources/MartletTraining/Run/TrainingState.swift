/// What a checkpoint of a training run remembers beside parameters and moments.
struct TrainingState: Codable {
  var step: Int
  var optimizerStep: Int
  var countedRows: Int
  var position: BatchSampler.Position
  /// Bytes of metrics.jsonl written up to here.
  var metricsByteCount: Int
  var bestLoss: Double?
  var bestStep: Int?
  var validationsWithoutGain: Int
  var seconds: Double
  /// Digest of the examples that are dealt.
  var data: String

  /// Whether a run over so many groups of examples can have come here.
  func fits(groups: Int) -> Bool {
    let counts = [step, optimizerStep, countedRows, position.epoch, metricsByteCount, validationsWithoutGain]
    return counts.allSatisfy { (0...1 << 48).contains($0) } && (0...groups).contains(position.dealt)
  }
}
