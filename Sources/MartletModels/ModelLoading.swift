import MartletCheckpoints
import MartletData
import MartletDevice
import MartletTensor

/// Loads models of any family without a tokenizer and a chat format (see ``LoadedModel`` for these).
public enum ModelLoading {
  /// Loads the model of a checkpoint for inference.
  ///
  /// - Throws: `FileError` or ``ModelError`` that says what is not supported, missing or damaged.
  public static func load(_ checkpoint: Checkpoint, options: LoadedModel.Options = .init()) throws -> any LanguageModel
  {
    if let device = options.device { return try load(checkpoint, options, on: device) }
    guard options.adapters.isEmpty else { return try loadTrainable(checkpoint, options: options, frozen: true) }
    let model = try read(checkpoint, options, for: .inference)
    guard let model = model as? any LanguageModel else {
      throw ModelError(
        "\(checkpoint.path): a model of the architecture \(model.description.architecture) does not generate text")
    }
    note(model, checkpoint, options)
    return model
  }

  /// Loads a model on a device. Its matrices go there one after the other; the processor keeps settings, embeddings and vectors.
  private static func load(
    _ checkpoint: Checkpoint, _ options: LoadedModel.Options, on device: Device
  ) throws -> any LanguageModel {
    guard options.adapters.isEmpty else {
      throw ModelError(
        "adapters (--adapter) run on the processor only; use --device cpu, or merge them into the weights")
    }
    device.isExact = options.isExact
    let (family, names) = try ModelFamilies.recognize(checkpoint)
    let progress = options.progress.map { LoadProgress(total: checkpoint.byteCount, report: $0) }
    let loader = WeightLoader(checkpoint, names: names, format: options.format, for: .device, progress: progress)
    let weights = DeviceWeights(loader, device: device)
    let (shell, program) = try family.loadOnDevice(loader, weights, options: options)
    guard let shell = shell as? any LanguageModel, let program else {
      throw ModelError(
        "\(checkpoint.path): models of the architecture \(shell.description.architecture) run on the processor only; use --device cpu"
      )
    }
    var processor = options
    processor.device = nil
    let model = DeviceModel(
      shell: shell, device: device, program: program, byteCount: weights.matrixByteCount, remarks: weights.remarks,
      log: { options.note?($0) }, load: { [processor] in try load(checkpoint, options: processor) })
    note(model, checkpoint, options)
    return model
  }

  /// Loads a model for training: with `frozen`, in packed formats through which gradients flow to adapters only, else
  /// as float tensors.
  ///
  /// - Throws: `FileError` or ``ModelError`` that says what is not supported, missing or damaged.
  public static func loadTrainable(
    _ checkpoint: Checkpoint, options: LoadedModel.Options = .init(), frozen: Bool
  ) throws -> any TrainableModel {
    var model = try read(checkpoint, options, for: frozen ? .inference : .training).trainable()
    for path in options.adapters {
      for note in try AdapterFile.load(path, into: &model).notes { options.note?("\(path): \(note)".printable) }
    }
    note(model, checkpoint, options)
    return model
  }

  /// Checks a model as loading does, and says what can be told of it; its weights are not kept.
  static func inspect(_ checkpoint: Checkpoint) throws -> (model: any Model, facts: ModelFacts) {
    let (family, names) = try ModelFamilies.recognize(checkpoint)
    return try family.inspect(WeightLoader(checkpoint, names: names, format: nil, for: .inspection))
  }

  private static func read(
    _ checkpoint: Checkpoint, _ options: LoadedModel.Options, for purpose: WeightLoader.Purpose
  ) throws -> any Model {
    let (family, names) = try ModelFamilies.recognize(checkpoint)
    let progress = options.progress.map { LoadProgress(total: checkpoint.byteCount, report: $0) }
    return try family.load(
      WeightLoader(checkpoint, names: names, format: options.format, for: purpose, progress: progress),
      options: options)
  }

  private static func note(_ model: any Model, _ checkpoint: Checkpoint, _ options: LoadedModel.Options) {
    for remark in model.description.remarks { options.note?("\(checkpoint.path): \(remark)") }
  }
}
