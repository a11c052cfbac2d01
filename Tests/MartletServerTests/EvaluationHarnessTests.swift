import Foundation
import MartletData
import MartletEvaluation
import MartletModels
import Testing

@testable import MartletServer

/// What `lm_eval --model local-completions` asks for: batches of prompts as tokens, their log-probabilities, one token more.
@Suite(.serialized) struct EvaluationHarnessTests {
  @Test(arguments: [0, 1]) func echoedScoresAreThoseOfTheScorer(maxTokens: Int) async throws {
    let box = try BuiltInModel.checkpoint()
    let loaded = try LoadedModel(model: ModelLoading.load(box), checkpoint: box)
    let scorer = ModelScorer(loaded)
    let texts = [
      ("ROMEO:\nWhat", " light"), ("But soft,", " what light through yonder"), ("", "h\u{e9}"), ("A", "\n\n"),
    ]
    let requests = try texts.map { try scorer.encode(ContinuationRequest(context: $0.0, continuation: $0.1)) }
    let scores = try await scorer.scores([requests])[0]
    try await withServer { base, _ in
      let prompts = requests.map { "\($0.context + $0.continuation)" }.joined(separator: ",")
      let body = #"""
        {"model":"box","prompt":[\#(prompts)],"temperature":0,"max_tokens":\#(maxTokens),"logprobs":1,"seed":1234,"echo":true}
        """#
      let reply = try await call(base + "/v1/completions", body)
      #expect(reply.status == 200, "\(reply.text)")
      let choices = try #require(reply.body["choices"]?.array)
      #expect(choices.compactMap { $0["index"]?.integer } == Array(0..<requests.count))
      for (choice, (request, score)) in zip(choices, zip(requests, scores)) {
        let count = request.context.count + request.continuation.count
        let values = choice["logprobs"]?["token_logprobs"]?.array ?? []
        let tops = choice["logprobs"]?["top_logprobs"]?.array ?? []
        #expect(values.count == count + maxTokens && tops.count == count + maxTokens)
        guard values.count >= count, tops.count >= count else { continue }
        let own = values[request.context.count..<count].compactMap(\.number)
        #expect(own.count == request.continuation.count)
        #expect(abs(own.reduce(0, +) - score.logLikelihood) < 1e-4)
        let best = tops[request.context.count..<count].map { $0.object?.members.compactMap(\.value.number).max() }
        #expect(zip(own, best).allSatisfy { $0 == $1 } == score.isGreedy)
      }
    }
  }

  /// By these three the harness finds that it needs no tokenizer of its own.
  @Test func textsAreEncodedForTheHarness() async throws {
    try await withServer { base, _ in
      let info = try await call(base + "/tokenizer_info")
      #expect(info.status == 200 && info.body["eos_token"] != nil && info.body["bos_token"] != nil, "\(info.text)")
      let tokens = try await call(base + "/tokenize", #"{"prompt":"test","add_special_tokens":false}"#)
      #expect(tokens.body["tokens"]?.array == [116, 101, 115, 116], "\(tokens.text)")
      #expect(try await call(base + "/detokenize", #"{"tokens":[116,101]}"#).body["prompt"] == "te")
    }
  }
}
