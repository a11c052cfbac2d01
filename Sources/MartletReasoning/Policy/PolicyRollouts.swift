import MartletEngine
import MartletLayers
import MartletModels
import MartletTensor

/// Writes answers with the policy as it is: on the engine's batch, over the weights in memory.
struct PolicyRollouts {
  /// The tokenizer and the chat format.
  let loaded: LoadedModel
  /// Texts that end an answer.
  let stops: [String]
  /// The largest number of tokens of an answer.
  let maxTokens: Int
  /// The largest number of answers that are written at once.
  private static let batch = 64

  /// Answers to prompts, in their order.
  ///
  /// - Parameters:
  ///   - prompts: the tokens of the prompts, each with the seed of its answer.
  ///   - model: the policy.
  ///   - temperature: the temperature; 0 takes the most likely token.
  func answers(
    _ prompts: [(tokens: [Int], seed: UInt64)], by model: any TrainableModel, temperature: Double
  ) async throws -> [PolicyAnswer] {
    var options = Engine.Options()
    options.maxSequences = max(1, min(Self.batch, prompts.count))
    let engine = Engine(
      LoadedModel(model: packed(model), tokenizer: loaded.tokenizer, chatFormat: loaded.chatFormat), options: options)
    let streams = try engine.generate(
      prompts.map { prompt in
        var request = Request(tokens: prompt.tokens)
        request.sampling.temperature = Float(temperature)
        request.sampling.seed = prompt.seed
        request.maxTokens = maxTokens
        request.stops = stops
        request.logProbabilities = 0  // so that the end token is told
        return request
      })
    var answers: [PolicyAnswer] = []
    for (prompt, stream) in zip(prompts, streams) {
      var text = ""
      for try await event in stream {
        switch event {
        case .text(let piece): text += piece
        case .token: break
        case .finished(let completion):
          guard completion.reason != .cancelled else { throw CancellationError() }
          answers.append(
            PolicyAnswer(
              prompt: prompt.tokens,
              completion: completion.tokens + (completion.endToken.map { [$0.chosen.token] } ?? []), text: text,
              isComplete: completion.reason == .stop))
        }
      }
    }
    return answers
  }

  /// The model with what is trained, adapters or all weights, packed for inference: decoding would otherwise pack it for every token.
  private func packed(_ model: any TrainableModel) -> any TrainableModel {
    var copy = model
    copy.visitLinears { _, linear in
      if case .dense(let weight) = linear.weight { linear.weight = .packed(PackedMatrix(weight, format: .f32)) }
      linear.prepareForInference()
    }
    return copy
  }
}
