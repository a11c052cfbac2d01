// Trains a small RWKV-5 on the bytes of a text, in a folder that can be resumed.
import Foundation
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTokenizers
import MartletTraining

let text = try String(contentsOfFile: "shakespeare.txt", encoding: .utf8)
let data = TrainingData(stream: ByteTokenizer().encode(text), context: 256)
let (training, validation) = data.split(validation: 0.1)
let configuration = RWKV5Configuration(layers: 6, width: 192, vocabularySize: 256)
let settings = TrainingSettings(
  optimizer: OptimizerSettings(learningRate: 2e-3),
  schedule: LearningRateSchedule(shape: .cosine, warmup: 40, steps: 1500),
  steps: 1500, batch: 16, context: 256)

let trainer = try Trainer(
  RWKV5(configuration, random: RandomSource(seed: 1)), settings: settings, training: training,
  validation: validation)
let isThere = FileManager.default.fileExists(atPath: "run/run.json")
let run = try TrainingRun(
  folder: "run", trainer: trainer, training: training, description: ["data": "shakespeare.txt"], resuming: isThere)
_ = try run.run(isInterrupted: { false }) { event in
  if case .step(let report, _, _) = event { print(report.step, report.loss) }
}
