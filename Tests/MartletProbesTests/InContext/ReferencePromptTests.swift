import Foundation
import MartletData
import MartletEvaluation
import MartletModels
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletProbes

/// Prompts and scores of another program (transformers, float32) on SmolLM2-135M-Instruct.
struct ReferencePromptTests {
  private static let path = TestData.shared.map { $0 + "/icl/reference_prompts.jsonl" }
    .flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }

  /// A prompt is put together from its texts and labels as it stands there.
  @Test(.enabled(if: path != nil)) func promptsAreWrittenAlike() throws {
    let format = ExemplarFormat.standard
    for line in try JSONLines.read(try #require(Self.path)) {
      let prompt = try #require(line.value["prompt"]?.string)
      var parts = prompt.components(separatedBy: "\n\n")
      let query = parts.removeLast()
      let exemplars = parts.map { part in
        let pair = part.components(separatedBy: "\nOutput: ")
        return format.exemplar(String(pair[0].dropFirst("Input: ".count)), pair[1])
      }
      let text = String(query.dropFirst("Input: ".count).dropLast("\nOutput:".count))
      #expect(exemplars.joined() + format.query(text) == prompt)
    }
  }

  @Test(.enabled(if: path != nil && TestData.smolLM2 != nil)) func scoresEqualTransformers() async throws {
    let model = try LoadedModel.load(try #require(TestData.smolLM2), options: .init(format: .f32))
    let scorer = ModelScorer(model)
    for line in try JSONLines.read(try #require(Self.path)) {
      let prompt = try #require(line.value["prompt"]?.string)
      let candidates = try #require(line.value["candidates"]?.array)
      let requests = try candidates.map { candidate in
        try scorer.encode(
          ContinuationRequest(
            context: prompt,
            continuation: ExemplarFormat.standard.continuation(try #require(candidate["label"]?.string))))
      }
      #expect(requests[0].context == line.value["prompt_ids"]?.array?.compactMap(\.integer))
      for (score, candidate) in zip(try await scorer.scores([requests])[0], candidates) {
        #expect(abs(score.logLikelihood - (try #require(candidate["sum_lp"]?.number))) < 1e-4)
      }
    }
  }
}
