import MartletCheckpoints
import MartletData

/// The metadata of a GGUF file that stand under the name of its architecture.
struct ArchitectureSettings {
  let checkpoint: Checkpoint
  let architecture: String

  init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
    architecture = checkpoint.metadata["general.architecture"]?.string ?? "?"
  }

  func fail(_ problem: String) -> FileError { FileError(file: checkpoint.path, problem) }

  /// A value, or an array's, one a layer, where all are the same.
  func value(_ key: String) throws -> MetadataValue? {
    guard let value = checkpoint.metadata["\(architecture).\(key)"], let list = value.array else {
      return checkpoint.metadata["\(architecture).\(key)"]
    }
    guard let first = list.first, list.allSatisfy({ $0 == first }) else {
      throw fail(
        "\(architecture).\(key) differs between layers, which Martlet does not support; use a model with equal layers")
    }
    return first
  }

  /// A size.
  func number(_ key: String) throws -> Int? {
    guard let value = try value(key) else { return nil }
    guard let number = value.integer, number > 0, number < 1 << 31 else {
      throw fail(
        "\(architecture).\(key) is \(value.text), not a whole number from 1 to 2147483647; the file is damaged")
    }
    return number
  }

  func needed(_ key: String) throws -> Int {
    guard let number = try number(key) else {
      throw fail("its metadata lacks \(architecture).\(key); it is damaged, or not a language model")
    }
    return number
  }

  func real(_ key: String) throws -> Double? {
    guard let value = try value(key) else { return nil }
    guard let number = value.real, number.isFinite else {
      throw fail("\(architecture).\(key) is \(value.text), not a number; the file is damaged")
    }
    return number
  }

  /// A tensor of divisors of rotary frequencies.
  func divisors(_ name: String, count: Int) throws -> [Double]? {
    guard let tensor = checkpoint[name] else { return nil }
    let values = try tensor.floats().map(Double.init)
    guard values.count == count, values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw fail("tensor \(name) \(tensor.shape) is not \(count) numbers above 0")
    }
    return values
  }

  /// Keys, after the architecture's name, that are read or say nothing of the arithmetic.
  private static let known: Set<String> = [
    "block_count", "embedding_length", "feed_forward_length", "context_length", "vocab_size", "expert_count",
    "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
    "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "attention.sliding_window", "rope.freq_base",
    "rope.dimension_count", "rope.scale_linear", "rope.scaling.type", "rope.scaling.factor",
    "rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow",
    "rope.scaling.finetuned", "attention.sliding_window_pattern", "tensor_data_layout", "pooling_type",
  ]

  /// Every other key might change the arithmetic; one that is switched off does not.
  /// - Throws: ``FileError`` naming the first of those that are not.
  func refuseUndone(headSize: Int) throws {
    for (name, value) in checkpoint.metadata.sorted(by: { $0.key < $1.key }) where name.hasPrefix(architecture + ".") {
      let key = String(name.dropFirst(architecture.count + 1))
      if Self.known.contains(key) { continue }
      let isNeutral: Bool
      switch key {
      case "attention.causal": isNeutral = value.bool == true
      case "logit_scale", "embedding_scale", "residual_scale": isNeutral = value.real == 1 || value.real == 0
      case "attention.scale":
        isNeutral = value.real == 0 || abs((value.real ?? .nan) * Double(headSize).squareRoot() - 1) < 1e-5
      default:
        isNeutral =
          value.real == 0 || value.bool == false || value.string?.isEmpty == true || value.array?.isEmpty == true
      }
      guard isNeutral else {
        throw fail(
          "its metadata has \(name) = \(value.text), which Martlet does not support for this architecture; if the value has no effect, write the file again without that key"
        )
      }
    }
  }
}
