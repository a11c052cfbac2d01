import Foundation
import MartletCheckpoints
import MartletModels
import MartletTensor

/// Which adapters a model is given, in the words of PEFT's `adapter_config.json`.
public struct AdapterSettings: Sendable, Codable, Equatable {
  public var rank: Int
  public var alpha: Double
  public var dropout: Double
  /// Endings of the names of the layers that get one, e.g. `q_proj`; empty: every linear layer but the head.
  public var targets: [String]

  public init(rank: Int = 8, alpha: Double = 16, dropout: Double = 0, targets: [String] = []) {
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targets = targets
  }

  func matches(_ name: String) -> Bool {
    targets.isEmpty
      ? name != "lm_head" && name != "head"
      : targets.contains { name == $0 || name.hasSuffix("." + $0) }
  }

  /// Puts new adapters around the layers that the settings name.
  /// - Throws: ``TrainingError`` when none is named.
  public func attach(to model: inout some TrainableModel, random: RandomSource) throws {
    var attached = 0
    var names: [String] = []
    model.visitLinears { name, linear in
      names.append(name)
      guard matches(name) else { return }
      attached += 1
      linear.wrapper = LowRankAdapter(
        inputs: linear.weight.inputs, outputs: linear.weight.outputs, rank: rank, alpha: alpha, dropoutRate: dropout,
        random: random.stream(name))
    }
    if attached == 0 {
      let parts = Set(names.map { String($0.split(separator: ".").last ?? "") }).sorted().joined(separator: ", ")
      throw TrainingError("no layer is called \(targets.joined(separator: " or ")); the model has \(parts)")
    }
  }
}

/// An adapter on disk: PEFT's folder of `adapter_config.json` and `adapter_model.safetensors`.
public enum AdapterFile {
  private static let prefix = "base_model.model."

  /// Writes the adapters of a model. The names are PEFT's, so that it can load them.
  public static func write(
    _ model: some TrainableModel, settings: AdapterSettings, base: String, to folder: String
  ) throws {
    var copy = model
    var tensors: [(name: String, value: Tensor)] = []
    var targets: Set<String> = []
    copy.visitLinears { name, linear in
      guard var adapter = linear.wrapper as? LowRankAdapter else { return }
      targets.insert(String(name.split(separator: ".").last ?? ""))
      adapter.b = adapter.b.gatherRows((0..<adapter.b.rows).map { model.hubRow(name, $0) })
      adapter.visitParameters(prefix + name) { tensors.append(($0, $1)) }
    }
    try OutputTarget.makeFolder(folder)
    let configuration: [String: Any] = [
      "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": settings.rank, "lora_alpha": settings.alpha,
      "lora_dropout": settings.dropout, "target_modules": targets.sorted(), "bias": "none",
      "base_model_name_or_path": base, "inference_mode": true, "fan_in_fan_out": false, "init_lora_weights": true,
    ]
    try TensorFile.write(tensors, metadata: ["format": "pt"], to: folder + "/adapter_model.safetensors")
    try writeJSON(configuration, to: folder + "/adapter_config.json")
  }

  /// Puts the adapters of a folder around a model's layers.
  /// - Throws: errors that name the tensor that does not fit.
  public static func load(_ folder: String, into model: inout some TrainableModel) throws {
    let path = folder + "/adapter_config.json"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError(
        "\(folder): there is no adapter_config.json; give the folder that martlet finetune or PEFT wrote")
    }
    guard let settings = (try? MetadataValue(json: data))?.object, let rank = settings["r"]?.integer, rank > 0 else {
      throw TrainingError("\(path): it names no rank (r); it is no adapter of LoRA")
    }
    let alpha = settings["lora_alpha"]?.real ?? Double(rank)
    let scale = settings["use_rslora"]?.bool == true ? alpha / Double(rank).squareRoot() : alpha / Double(rank)
    for key in ["use_dora", "fan_in_fan_out"] where settings[key]?.bool == true {
      throw TrainingError("\(path): \(key) is not supported; train a plain LoRA adapter")
    }
    let file = try Checkpoint.open(folder + "/adapter_model.safetensors")
    // Names in the file by the model's own: an adapter of the hub's model fits the same model from any file.
    let names = Dictionary(
      file.names.map { (model.ownName($0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0), $0) }
    ) { first, _ in first }
    var rest = Set(file.names)
    var problem: TrainingError?
    let order = { [model] (name: String, row: Int) in model.hubRow(name, row) }
    model.visitLinears { name, linear in
      guard let first = names[name + ".lora_A.weight"], let second = names[name + ".lora_B.weight"],
        let a = file[first], let b = file[second], problem == nil
      else { return }
      rest.subtract([first, second])
      let shapes = ([rank, linear.weight.inputs], [linear.weight.outputs, rank])
      guard a.shape == shapes.0, b.shape == shapes.1, let x = try? a.floats(), let y = try? b.floats() else {
        problem = TrainingError(
          "\(file.path): the adapter of \(name) has shapes \(a.shape) and \(b.shape) where \(shapes.0) and \(shapes.1) belong; it was trained on another model"
        )
        return
      }
      let rows = b.shape[0]
      var back = [Int](repeating: 0, count: rows)
      for row in 0..<rows { back[order(name, row)] = row }
      linear.wrapper = LowRankAdapter(
        a: Tensor(x, shape: a.shape), b: Tensor(y, shape: b.shape).gatherRows(back), scale: scale)
    }
    if let problem { throw problem }
    if let unknown = rest.sorted().first {
      throw TrainingError(
        "\(file.path): the model has no layer for \(unknown); the adapter was trained on another model")
    }
  }

  /// What each adapter adds to the weight it wraps, `[outputs, inputs]` by the weight's name, in the hub's order of
  /// rows.
  public static func deltas(_ model: some TrainableModel) -> [String: Tensor] {
    var copy = model
    var result: [String: Tensor] = [:]
    copy.visitLinears { name, linear in
      guard let adapter = linear.wrapper as? LowRankAdapter else { return }
      let delta = adapter.delta
      result[name + ".weight"] = delta.gatherRows((0..<delta.rows).map { model.hubRow(name, $0) })
    }
    return result
  }
}
