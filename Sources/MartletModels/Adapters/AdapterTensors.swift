import Foundation
import MartletCheckpoints
import MartletTensor

/// The tensors of an adapter file, sorted by the module that they belong to and by what they are of it.
struct AdapterTensors {
  enum Part: Hashable {
    /// `[rank, inputs]`, `[outputs, rank]`, `[outputs]`
    case a, b, outputBias
    /// Of embeddings: `[rank, vocabulary]`, `[width, rank]`
    case embeddingA, embeddingB
    /// The lengths of a weight's rows (DoRA).
    case magnitude
    /// What stands in place of the module's own.
    case weight, bias
  }

  struct Module {
    /// As the hub's model calls it, which the patterns of a configuration are written for.
    let name: String
    var parts: [Part: CheckpointTensor] = [:]
  }

  let path: String
  /// By the model's own names.
  let modules: [String: Module]

  /// - Parameter ownName: the model's own name for a module.
  /// - Throws: ``ModelError`` naming a tensor whose kind is not known, or that is there twice.
  init(folder: String, ownName: (String) -> String) throws {
    let file = try Self.open(folder)
    path = file.path
    func fail(_ problem: String) -> ModelError { ModelError("\(file.path): \(problem)") }
    if let (name, reason) = file.unreadable.min(by: { $0.key < $1.key }) { throw fail("its tensor \(name) \(reason)") }
    if let other = file.beside.first { throw fail("it contains \(other), which is not part of the adapter") }
    guard !file.names.isEmpty else {
      throw fail("it contains no tensors, so the adapter was lost when it was saved; save it again after training")
    }
    var modules: [String: Module] = [:]
    for name in file.names {
      guard let tensor = file[name] else { continue }
      guard let (module, part) = Self.split(name) else {
        throw fail(
          "its tensor \(name) is not part of LoRA, DoRA or a replaced module, so Martlet cannot use it; merge the adapter with PEFT's merge_and_unload() and use the merged model"
        )
      }
      let own = ownName(Self.withoutRoot(module))
      if let added = modules[own, default: Module(name: module)].parts.updateValue(tensor, forKey: part) {
        throw fail("its tensors \(added.name) and \(name) are the same part of \(own)")
      }
    }
    self.modules = modules
  }

  private static func open(_ folder: String) throws -> Checkpoint {
    let files = FileManager.default
    for (name, open) in [
      ("adapter_model.safetensors", Safetensors.open), ("adapter_model.bin", PyTorch.open),
    ] as [(String, (String) throws -> Checkpoint)] {
      let path = (folder as NSString).appendingPathComponent(name)
      if files.fileExists(atPath: path) { return try open(path) }
    }
    throw ModelError(
      "\(folder): it contains neither adapter_model.safetensors nor adapter_model.bin; fetch the weights of the adapter too"
    )
  }

  private static let endings: [(ending: String, part: Part)] = [
    (".lora_A.weight", .a), (".lora_B.weight", .b), (".lora_B.bias", .outputBias),
    (".lora_embedding_A", .embeddingA), (".lora_embedding_B", .embeddingB),
    (".lora_magnitude_vector", .magnitude), (".lora_magnitude_vector.weight", .magnitude),
    (".base_layer.weight", .weight), (".base_layer.bias", .bias), (".modules_to_save.weight", .weight),
    (".modules_to_save.bias", .bias), (".weight", .weight), (".bias", .bias),
  ]

  /// The module of a tensor, as the hub's model calls it, and the tensor's part in it.
  private static func split(_ name: String) -> (module: String, part: Part)? {
    let name = plain(name)
    for (ending, part) in endings where name.hasSuffix(ending) {
      let module = String(name.dropLast(ending.count))
      // What none of the endings explains must not pass as the weight of a module.
      guard !module.contains("lora_"), !module.hasSuffix("_delta"), !module.isEmpty else { return nil }
      return (module, part)
    }
    return nil
  }

  /// A name without what wrappers of modules, PEFT itself and the adapter's own name put into it.
  private static func plain(_ name: String) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    parts.removeAll {
      ["module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"].contains($0)
    }
    while parts.count > 2, parts[0] == "base_model", parts[1] == "model" { parts.removeFirst(2) }
    // In the state of a model in memory an adapter's name stands behind the kind of its tensors.
    let kinds = [
      "lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector", "modules_to_save",
    ]
    if let place = parts.firstIndex(where: kinds.contains), place + 1 < parts.count,
      !["weight", "bias"].contains(parts[place + 1])
    {
      parts.remove(at: place + 1)
    }
    return parts.joined(separator: ".")
  }

  /// A module's name without the model around the layers, which some programs leave out and others put there twice.
  static func withoutRoot(_ module: String) -> String {
    var parts = module.split(separator: ".", omittingEmptySubsequences: false)
    while parts.count > 1, ["base_model", "model", "language_model"].contains(parts[0]) { parts.removeFirst() }
    return parts.joined(separator: ".")
  }

  /// The values of a tensor that must have a shape.
  /// - Throws: ``ModelError`` naming the tensor that has not, or that holds something else than finite numbers.
  static func values(_ tensor: CheckpointTensor, shape: [Int], of module: String) throws -> Tensor {
    guard tensor.shape == shape else {
      throw ModelError(
        "\(tensor.path): \(tensor.name) has shape \(tensor.shape) and \(module) needs \(shape); "
          + (tensor.count == 0
            ? "its parts were not gathered when it was saved: save it again" : "it was trained on another model"))
    }
    let values = try tensor.floats()
    guard values.allSatisfy(\.isFinite) else {
      throw ModelError(
        "\(tensor.path): \(tensor.name) contains infinite values or NaN; its training failed, so take an earlier checkpoint"
      )
    }
    return Tensor(values, shape: shape)
  }
}
