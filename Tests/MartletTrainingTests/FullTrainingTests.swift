import Foundation
import MartletCheckpoints
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletTraining

/// All weights of ready-made models are trained and written, `rope_parameters` of transformers 5 included.
struct FullTrainingTests {
  @Test(arguments: ["llama", "llama3", "qwen2", "mistral"]) func aHubFolderIsTrainedAndWritten(name: String) throws {
    let scratch = try TestData.Scratch()
    let folder = TestData.fixtures + "/" + name
    let settings = try String(contentsOfFile: folder + "/config.json", encoding: .utf8)
    #expect(settings.contains("rope_parameters"))
    let model = try ModelLoading.loadTrainable(Checkpoint.open(folder), frozen: false)
    #expect(model.exportProblem == nil)
    let data = TrainingData(stream: (0..<200).map { ($0 * $0) % 64 }, context: 16)
    let run = TrainingSettings(
      optimizer: OptimizerSettings(learningRate: 1e-3),
      schedule: LearningRateSchedule(shape: .cosine, warmup: 1, steps: 10), steps: 10, batch: 2, context: 16)
    var trainer = try Trainer(model, settings: run, training: data, validation: data)
    let before = try #require(trainer.validate())
    for _ in 0..<10 { _ = try trainer.train() }
    let after = try #require(trainer.validate())
    #expect(after < before)
    try ModelExport.write(trainer.model, to: scratch.file("model.safetensors"))
    let again = try ModelLoading.load(Checkpoint.open(scratch.path), options: .init(format: .f32))
    let tokens = (0..<20).map { ($0 * 7) % 64 }
    let right = trainer.model.logits(tokens, spans: [0..<20], rows: nil, checkpointing: false).values
    let written = again.forward(Batch(tokens, state: again.makeState(), outputs: .all)).values
    #expect(TestData.largestDifference(written, right) < 2e-5)
    let configuration = try String(contentsOfFile: scratch.file("config.json"), encoding: .utf8)
    #expect(configuration.contains("1e-05"), "\(configuration)")
  }
}
