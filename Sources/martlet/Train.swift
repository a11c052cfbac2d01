import ArgumentParser
import Foundation
import MartletData
import MartletModels
import MartletTensor
import MartletTokenizers
import MartletTraining

struct Train: TrainingCommand {
  /// A family of models, by its name.
  struct Family: RawRepresentable, ExpressibleByArgument {
    let rawValue: String
    let family: any ModelFamily

    init?(rawValue: String) {
      guard let family = ModelFamilies.named(rawValue) else { return nil }
      self.rawValue = rawValue
      self.family = family
    }
    init(_ family: any ModelFamily) {
      rawValue = family.name
      self.family = family
    }
    static var allValueStrings: [String] { ModelFamilies.all.map(\.name) }
  }

  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a language model from scratch.",
    discussion: """
      The result is OUT/model.safetensors; OUT/report.html shows the curves. Ctrl-C and SIGTERM save a checkpoint; \
      `martlet train --resume OUT` resumes and gives exactly the result of a run without interruption.

      Example: martlet train --data shakespeare.txt --model rwkv5 --layers 6 --width 256 --out run
      """)

  @Option(help: "Model family: \(Family.allValueStrings.joined(separator: " or ")).") var model = Family(
    ModelFamilies.standard)
  @Option(help: "Number of layers.") var layers = 6
  @Option(help: "Width of the model.") var width = 256
  @Option(help: "Width of an attention head.") var headSize: Int?
  @Option(help: "Version of RWKV-5: 5.0, 5.1 or 5.2.") var rwkvVersion = "5.2"
  @Option(help: "Tokenizer: bytes, rwkv-world, or a tokenizer.json.") var tokenizer = "bytes"
  @OptionGroup var options: TrainingOptions

  func validate() throws {
    if layers < 1 || layers > 1000 || width < 2 || width > 65_536 {
      throw ValidationError("--layers must be from 1 to 1000, --width from 2 to 65536")
    }
    let versions = ModelFamilies.all.flatMap(\.versions)
    if !versions.contains(rwkvVersion) {
      throw ValidationError("--rwkv-version must be one of \(versions.joined(separator: ", "))")
    }
    let size = resolvedHeadSize
    if size < 1 || width % size != 0 {
      throw ValidationError("--width must be a multiple of --head-size (\(size))")
    }
    do { try model.family.check(shape(vocabularySize: 256)) } catch { throw ValidationError("\(error)") }
  }

  private var resolvedHeadSize: Int { headSize ?? min(64, width) }

  private func shape(vocabularySize: Int) -> ModelShape {
    ModelShape(
      layers: layers, width: width, headSize: resolvedHeadSize, vocabularySize: vocabularySize,
      contextLength: options.context, version: model.family.versions.isEmpty ? nil : rwkvVersion)
  }

  var results: [String] {
    // A tokenizer may lie there to be used.
    let own = URL(fileURLWithPath: options.folder + "/tokenizer.json").standardizedFileURL
    let isOwn = URL(fileURLWithPath: tokenizer).standardizedFileURL == own
    return ["model.safetensors", "config.json"] + (isOwn ? [] : ["tokenizer.json"])
  }

  func run() throws {
    let (command, record) = try TrainingRecord.resolve(self)
    DeviceVariable.remarkOfTraining()
    try command.train(record)
  }

  private func train(_ record: TrainingRecord?) throws {
    if let threads = options.threads { Parallel.width = threads }
    let tokenizer = try TokenizerLoading.open(tokenizer)
    let (training, validation) = try options.load(options.reading(tokenizer, ChatFormat(.plain)))
    try record?.check(
      training: training, validation: validation, accepts: options.acceptChangedData, path: options.data ?? "")
    var (plan, settings) = options.settings(defaultRate: 1e-3, training: training, record: record)
    settings.logitPenalty = model.family.defaults.logitPenalty
    if options.showBatch { return try options.show(training, settings, tokenizer: tokenizer) }
    let random = RandomSource(seed: settings.seed).stream("parameters")
    let vocabulary = tokenizer is WorldTokenizer ? 65_536 : tokenizer.vocabularySize
    let fresh = try model.family.make(shape(vocabularySize: vocabulary), random: random).trainable()
    let trainer = try Trainer(fresh, settings: settings, training: training, validation: validation)
    let description = try TrainingRecord.object(
      self, after: record, settings: settings, training: training, validation: validation, model: "")
    try options.run(
      trainer, plan: plan, training: training, validation: validation, record: record, description: description
    ) { model, folder in
      let path = folder + "/model.safetensors"
      try ModelExport.write(model, to: path)
      if FileManager.default.fileExists(atPath: self.tokenizer) {
        try AtomicFile.copy(self.tokenizer, to: folder + "/tokenizer.json")
      }
      if !options.json, folder == options.folder { print(path) }
    }
  }
}
