import MartletCheckpoints
import MartletData
import MartletLayers
import MartletModels
import MartletTensor

/// The family of ``PairModel``: all that the rest of Martlet has to know of it.
struct PairFamily: ModelFamily {
  var name: String { "pair" }
  var title: String { "the pair models" }
  var defaults: ModelDefaults { ModelDefaults(headName: "head", editLayer: "down") }

  func recognize(_ checkpoint: Checkpoint) -> [String: String]? {
    guard checkpoint["embedding.weight"] != nil, checkpoint["blocks.0.up.weight"] != nil else { return nil }
    return Dictionary(uniqueKeysWithValues: checkpoint.names.map { ($0, $0) })
  }

  func load(_ loader: WeightLoader, options: LoadedModel.Options) throws -> PairModel {
    let shape = try loader.entry("embedding.weight").shape
    let inner = try loader.entry("blocks.0.up.weight").shape
    guard shape.count == 2, inner.count == 2 else {
      throw FileError(file: loader.checkpoint.path, "its shapes are not those of a pair model")
    }
    let (vocabulary, width, features) = (shape[0], shape[1], inner[0])
    let layers = (0...).prefix { loader.has("blocks.\($0).up.weight") }.count
    let model = try PairModel(
      description: describe(
        layers: layers, width: width, features: features, vocabulary: vocabulary, loader.fingerprint()),
      embedding: loader.tensor("embedding.weight", shape: shape),
      blocks: (0..<layers).map {
        try PairModel.Block(
          up: loader.linear("blocks.\($0).up.weight", outputs: features, inputs: 2 * width),
          down: loader.linear("blocks.\($0).down.weight", outputs: width, inputs: features))
      }, head: loader.linear("head.weight", outputs: vocabulary, inputs: width))
    try loader.checkEveryTensorIsUsed()
    return model
  }

  func facts(of model: PairModel, in checkpoint: Checkpoint) -> ModelFacts {
    ModelFacts(
      architecture: name, numbers: [("layers", model.description.layers), ("width", model.description.width)],
      stateByteCount: PairState().byteCount)
  }

  func make(_ shape: ModelShape, random: RandomSource) -> PairModel {
    let (width, features) = (shape.width, 4 * shape.width)
    func linear(_ name: String, _ outputs: Int, _ inputs: Int) -> Linear {
      Linear(weight: .dense(normal([outputs, inputs], deviation: 0.1, random: random.stream(name))))
    }
    return PairModel(
      description: describe(
        layers: shape.layers, width: width, features: features, vocabulary: shape.vocabularySize, ""),
      embedding: normal([shape.vocabularySize, width], deviation: 0.5, random: random.stream("embedding")),
      blocks: (0..<shape.layers).map {
        PairModel.Block(up: linear("up\($0)", features, 2 * width), down: linear("down\($0)", width, features))
      }, head: linear("head", shape.vocabularySize, width))
  }

  func plan(_ request: ConversionRequest) throws -> ConversionPlan {
    try ConversionPlan(copying: request, metadata: [("general.architecture", .string(name))])
  }

  private func describe(
    layers: Int, width: Int, features: Int, vocabulary: Int, _ fingerprint: String
  ) -> ModelDescription {
    let parameterCount = 2 * vocabulary * width + 3 * layers * width * features
    return ModelDescription(
      architecture: name, layers: layers, width: width, heads: 1, feedForwardWidth: features,
      vocabularySize: vocabulary, parameterCount: parameterCount, contextLength: nil, bytesPerToken: 4 * parameterCount,
      fingerprint: fingerprint, defaults: defaults)
  }
}
