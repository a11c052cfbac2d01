import MartletCheckpoints
import MartletTensor

/// Writes a model in another container and weight format, with the accompanying files (``HubFiles``).
public struct Conversion {
  /// The containers that can be written.
  public enum Container: String, Sendable, CaseIterable {
    /// The GGUF format of llama.cpp.
    case gguf
    /// safetensors, with `config.json` and the tokenizer's files in the same folder.
    case safetensors
    /// A PyTorch file.
    case pth
  }

  let request: ConversionRequest
  /// What the model's family says is to be written.
  var plan: ConversionPlan
  /// What becomes of tensors while they are written, by canonical name.
  var changes: [String: WeightChange] = [:]
  /// Whether the head was tied to the embeddings and is written as a separate matrix.
  public internal(set) var isUntied = false

  var checkpoint: Checkpoint { request.checkpoint }
  var container: Container { request.container }

  /// - Parameters:
  ///   - checkpoint: the model to convert.
  ///   - container: the container to write.
  ///   - format: the format of all matrices; nil keeps each tensor's type if the container supports it. A file that is
  ///     mostly in this block format already keeps its types, as in loading.
  /// - Throws: ``ModelError`` or `FileError` that says what cannot be written.
  public init(_ checkpoint: Checkpoint, to container: Container, format: WeightFormat?) throws {
    let format = checkpoint.isMostly(format) ? nil : format
    if container != .gguf, let format, ![.f32, .f16, .bf16].contains(format) {
      throw ModelError(
        "\(container.rawValue) has no type for \(format.rawValue); write .gguf, or choose f32, f16 or bf16")
    }
    try checkpoint.refuseParts()
    let (family, names) = try ModelFamilies.recognize(checkpoint)
    request = ConversionRequest(checkpoint: checkpoint, names: names, container: container, format: format)
    plan = try family.plan(request)
  }

  /// The matrices whose rows do not fill the blocks of the format that was asked for: how many are written in which type instead.
  public var substitutes: [(type: String, count: Int)] {
    guard let wanted = request.format.flatMap({ FileType(rawValue: $0.fileType) }) else { return [] }
    let others = plan.items.filter { request.isMatrix($0.source) && $0.type != wanted }.map { "\($0.type)" }
    return Dictionary(grouping: others) { $0 }.map { (type: $0.key, count: $0.value.count) }.sorted {
      $0.type < $1.type
    }
  }

  /// The size of all tensors as they will be written, in bytes.
  public var byteCount: Int {
    plan.items.reduce(4 * plan.tables.reduce(0) { $0 + $1.values.count }) {
      $0 + $1.source.count / $1.type.blockValues * $1.type.blockByteCount
    }
  }
}
