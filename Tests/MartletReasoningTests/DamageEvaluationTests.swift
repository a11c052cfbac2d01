import Foundation
import MartletData
import MartletModels
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletReasoning

@Suite struct DamageEvaluationTests {
  private struct Stop: Error {}

  private func evaluation(seed: UInt64) throws -> DamageEvaluation {
    let model = RWKV5(
      RWKV5Configuration(layers: 2, width: 32, headSize: 16, vocabularySize: 256), random: RandomSource(seed: seed))
    let loaded = LoadedModel(
      model: model, tokenizer: try TokenizerLoading.open("bytes"), chatFormat: ChatFormat(.plain))
    var evaluation = DamageEvaluation(
      loaded, student: StudentSettings(model: "small", isChat: false), arm: "untrained", seed: 0, tasks: [], limit: 5,
      data: "", instructions: try .shipped)
    evaluation.maxTokens = 6
    return evaluation
  }

  @Test func aMeasurementThatWasEndedGoesOn() async throws {
    let scratch = try TestData.Scratch()
    let whole = try await evaluation(seed: 2).run(file: scratch.file("whole/damage.jsonl"))
    #expect(whole.count == (try InstructionCheck.shipped.instructions.count))
    #expect(whole.allSatisfy { $0.row.task == InstructionCheck.task && $0.row.isCorrect != nil })
    let path = scratch.file("parts.jsonl")
    for limit in [1, 7, 20] {
      await #expect(throws: Stop.self) {
        _ = try await evaluation(seed: 2).run(file: path) { done, _ in if done >= limit { throw Stop() } }
      }
    }
    #expect(try await evaluation(seed: 2).run(file: path) == whole)
    // What is complete is not asked again, and another student's answers are refused.
    #expect(try await evaluation(seed: 2).run(file: path) { _, _ in throw Stop() } == whole)
    var other = try evaluation(seed: 2)
    other.arm = "thoughts"
    let student = other
    await #expect(throws: FileError.self) { _ = try await student.run(file: path) }
    try DamageEvaluation.write(whole, to: path)
    let read = try JSONLines.read(path).map { try StudentAnswer($0) }
    #expect(read == whole)
    #expect(try TeachingDamage([read]).cells.map(\.task) == [InstructionCheck.task])
  }
}
