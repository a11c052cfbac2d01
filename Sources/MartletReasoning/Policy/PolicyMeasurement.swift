import MartletData
import MartletEvaluation

/// How a policy answers held-out questions: each once with the most likely tokens, and once at the temperature of training.
public struct PolicyMeasurement: Sendable, Equatable {
  /// The step after which it was made; 0 before the first.
  public var step: Int
  /// The number of questions.
  public var questions: Int
  /// The number of right answers of most likely tokens.
  public var correct: Int
  /// The number of right answers at the temperature of training, which is the reward where it is binary.
  public var sampledCorrect: Int
  /// The mean reward at the temperature of training.
  public var reward: Double

  /// The share of right answers of most likely tokens, with Wilson's interval of 95 %.
  public var accuracy: (value: Double, interval: ConfidenceInterval) { share(correct) }
  /// The share of right answers at the temperature of training, with Wilson's interval of 95 %.
  public var sampledAccuracy: (value: Double, interval: ConfidenceInterval) { share(sampledCorrect) }

  private func share(_ count: Int) -> (value: Double, interval: ConfidenceInterval) {
    (Double(count) / Double(max(1, questions)), .wilson(count, of: questions))
  }

  /// The members of a line of metrics.
  var metrics: [String: Any] {
    let (greedy, sampled) = (accuracy, sampledAccuracy)
    return [
      "step": step, "held_out_questions": questions, "held_out_correct": correct, "held_out_accuracy": greedy.value,
      "held_out_lower": greedy.interval.lower, "held_out_upper": greedy.interval.upper,
      "held_out_sampled_correct": sampledCorrect, "held_out_sampled_accuracy": sampled.value,
      "held_out_sampled_lower": sampled.interval.lower, "held_out_sampled_upper": sampled.interval.upper,
      "held_out_reward": reward,
    ]
  }

  /// Reads a line of metrics; nil for another line.
  init?(_ line: JSONValue) {
    guard let step = line["step"]?.integer, let questions = line["held_out_questions"]?.integer,
      let correct = line["held_out_correct"]?.integer, let sampled = line["held_out_sampled_correct"]?.integer,
      let reward = line["held_out_reward"]?.number
    else { return nil }
    self.init(step: step, questions: questions, correct: correct, sampledCorrect: sampled, reward: reward)
  }

  init(step: Int, questions: Int, correct: Int, sampledCorrect: Int, reward: Double) {
    self.step = step
    self.questions = questions
    self.correct = correct
    self.sampledCorrect = sampledCorrect
    self.reward = reward
  }
}
