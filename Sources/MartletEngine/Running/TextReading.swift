import MartletModels
import MartletTensor

/// Reads texts that get no answer: for their embeddings, or to score their tokens.
struct TextReading {
  let model: any LanguageModel
  let schedule: Schedule
  let bytes: TokenBytes

  /// One forward pass over the next pieces of all texts that are read for `purpose`.
  /// - Returns: the rows of the pass; nil where there was no such text.
  func read(_ texts: [ReadingJob], for purpose: ReadingJob.Purpose) -> Int? {
    var batch = Batch(outputs: .all)
    var jobs: [ReadingJob] = []
    let texts = texts.filter { job in
      if let failure = job.state.failure { job.fail(failure) }
      return job.purpose == purpose && job.failure == nil
    }
    let pieces = schedule.pieces(of: texts.map { $0.tokens.count - $0.read }, areScored: purpose == .logProbabilities)
    for (job, count) in zip(texts, pieces) where count > 0 {
      batch.append(job.tokens[job.read..<job.read + count], state: job.state)
      jobs.append(job)
    }
    guard !jobs.isEmpty else { return nil }
    let result = purpose == .embedding ? model.hidden(batch) : model.forward(batch)
    if let failure = model.takeFailure() {
      for job in jobs { job.fail(failure) }
      return batch.tokens.count
    }
    Parallel.run(jobs.count) { index in
      for row in batch.spans[index] {
        result.withFloats(row: row) { jobs[index].take($0, bytes: bytes) }
      }
    }
    return batch.tokens.count
  }
}

extension ReadingJob {
  /// Takes in the model's row for the next token: its part of the embedding, or the logits that the token behind it is
  /// scored with.
  fileprivate func take(_ row: Tensor.Elements, bytes: TokenBytes) {
    read += 1
    switch purpose {
    case .embedding:
      if values.isEmpty { values = [Float](repeating: 0, count: row.count) }
      for (index, value) in row.enumerated() { values[index] += value }
    case .logProbabilities where read < tokens.count:
      let score = TokenProbability(row, chosen: tokens[read], alternatives: alternatives ?? 0, bytes: bytes)
      if alternatives != nil { probabilities.append(score) }
      values.append(score.chosen.logProbability)
    case .logProbabilities: break
    }
  }

  /// Hands over the result where the whole text is read.
  /// - Returns: whether it is.
  func finishIfRead() -> Bool {
    if let failure {
      finish(.failure(failure))
      return true
    }
    guard read == tokens.count else { return false }
    let scale = purpose == .embedding ? 1 / Float(tokens.count) : 1
    let values = values.map { $0 * scale }
    // A probability of zero is minus infinity; NaN is never an answer.
    let isDamaged = values.contains { purpose == .embedding ? !$0.isFinite : $0.isNaN }
    finish(isDamaged ? .failure(ModelOutputError()) : .success(values))
    return true
  }
}
