import Foundation
import MartletCheckpoints
import MartletData

/// How a model's rotary frequencies were changed for sequences longer than those it first saw.
///
/// Each kind is what transformers computes for the hub's `rope_scaling` (or `rope_parameters`) and llama.cpp for GGUF's
/// `rope.scaling.*`.
enum RotaryScaling: Equatable, Sendable {
  /// All positions divided by the factor (Chen et al., 2023).
  case linear(factor: Double)
  /// The base grows once a sequence leaves the window ("dynamic NTK"). Keys that were cached before would have to turn
  /// too, so only the window itself is used, where nothing is scaled.
  case dynamic(factor: Double)
  /// Slow frequencies are divided, fast ones kept, those between blended (Llama 3.1).
  case llama3(factor: Double, low: Double, high: Double, original: Double)
  case yarn(YaRN)
  /// Each frequency has a divisor of its own, one for sequences up to the original length and one beyond
  /// (LongRoPE, Ding et al., 2024). Which one holds must not change within a sequence, so where they differ only the
  /// original length is used.
  case divisors(short: [Double], long: [Double], magnitude: Double, original: Int)

  /// NTK by parts (Peng et al., 2023).
  struct YaRN: Equatable, Sendable {
    var factor: Double
    /// Length of the sequences before.
    var original: Double
    /// Turns over the original length from which a frequency is kept, and below which it is divided by the factor.
    var fast = 32.0, slow = 1.0
    /// Whether the ramp begins and ends at whole pairs.
    var isTruncated = true
    /// Factor of all cosines and sines.
    var magnitude: Double

    static func magnitude(_ factor: Double, _ weight: Double = 1) -> Double {
      factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1
    }
  }

  /// Radians that pair i turns a position, scaled.
  ///
  /// - Parameters:
  ///   - frequencies: unscaled, `base^(-2i / size)`.
  ///   - size: how many of a head's values are rotated.
  func scaled(_ frequencies: [Double], base: Double, size: Int) -> [Double] {
    switch self {
    case .linear(let factor): return frequencies.map { $0 / factor }
    case .dynamic: return frequencies
    case .llama3(let factor, let low, let high, let original):
      return frequencies.map { frequency in
        let turns = original * frequency / (2 * .pi)
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let kept = (turns - low) / (high - low)
        return (1 - kept) * frequency / factor + kept * frequency
      }
    case .yarn(let yarn):
      func pair(turning turns: Double) -> Double {
        Double(size) * log(yarn.original / (turns * 2 * .pi)) / (2 * log(base))
      }
      var low = pair(turning: yarn.fast), high = pair(turning: yarn.slow)
      if yarn.isTruncated { (low, high) = (low.rounded(.down), high.rounded(.up)) }
      low = max(low, 0)
      high = min(high, Double(size - 1))
      if low == high { high += 0.001 }
      return frequencies.enumerated().map { pair, frequency in
        let divided = min(max((Double(pair) - low) / (high - low), 0), 1)
        return frequency / yarn.factor * divided + frequency * (1 - divided)
      }
    case .divisors(let short, _, _, _): return zip(frequencies, short).map { $0 / $1 }
    }
  }

  /// Factor of all cosines and sines.
  var magnitude: Double {
    switch self {
    case .linear, .dynamic, .llama3: 1
    case .yarn(let yarn): yarn.magnitude
    case .divisors(_, _, let magnitude, _): magnitude
    }
  }

  /// The longest sequence for which the frequencies hold; nil where the scaling sets no limit.
  func limit(context: Int) -> Int? {
    switch self {
    case .dynamic: context
    case .divisors(let short, let long, _, let original): short == long ? nil : original
    case .linear, .llama3, .yarn: nil
    }
  }
}

extension RotaryScaling {
  /// From the hub's `rope_scaling` or `rope_parameters`; nil where nothing is scaled.
  ///
  /// - Parameters:
  ///   - settings: the object; `original` what stands outside it (`original_max_position_embeddings`).
  ///   - context: the model's `max_position_embeddings`.
  ///   - pairs: how many pairs are rotated.
  /// - Throws: ``FileError`` naming the key that is missing, wrong or unknown.
  init?(
    hub settings: [String: MetadataValue], original outside: MetadataValue?, context: Int, pairs: Int,
    _ fail: (String) -> FileError
  ) throws {
    func optional(_ key: String) throws -> Double? {
      guard let value = settings[key], value != .null else { return nil }
      guard let number = value.real, number.isFinite, number > 0 else {
        throw fail("rope_scaling.\(key) in its config.json is not a number above 0")
      }
      return number
    }
    func needed(_ key: String) throws -> Double {
      guard let number = try optional(key) else { throw fail("rope_scaling in its config.json lacks \(key)") }
      return number
    }
    func list(_ key: String) throws -> [Double] {
      let values = settings[key]?.array?.compactMap(\.real) ?? []
      guard values.count == pairs, values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
        throw fail("rope_scaling.\(key) in its config.json is not a list of \(pairs) numbers above 0")
      }
      return values
    }
    let original = try outside?.real ?? optional("original_max_position_embeddings") ?? Double(context)
    guard original >= 1, original < 1e12 else { throw fail("an original length of \(original) tokens is not valid") }
    let given = settings.filter { $0.value != .null }
    if let key = ["rope_type", "type"].first(where: { given[$0] != nil && given[$0]?.string == nil }) {
      throw fail("rope_scaling.\(key) in its config.json is \(given[key]?.text ?? "null"), not the name of a scaling")
    }
    let kind = given["rope_type"]?.string ?? given["type"]?.string
    // These two say how to rotate, not how to scale.
    let scales = given.keys.filter { !["rope_theta", "partial_rotary_factor"].contains($0) }
    switch kind {
    case nil where !scales.isEmpty:
      let key = scales.contains("factor") ? "factor" : scales.min() ?? "factor"
      throw fail(
        "rope_scaling in its config.json has \(key) but no rope_type, so the kind of scaling is unknown; add \"rope_type\": \"linear\" or the kind used in training"
      )
    case nil, "default": return nil
    case "linear": self = .linear(factor: try needed("factor"))
    case "dynamic":
      self = .dynamic(factor: try needed("factor"))
    case "llama3":
      let (low, high) = (try needed("low_freq_factor"), try needed("high_freq_factor"))
      guard high > low else {
        throw fail("rope_scaling.high_freq_factor in its config.json is not above low_freq_factor")
      }
      // transformers needs it too: a context that was made longer is not what the frequencies were scaled from.
      if outside?.real == nil { _ = try needed("original_max_position_embeddings") }
      self = .llama3(factor: try needed("factor"), low: low, high: high, original: original)
    case "yarn":
      let factor = try optional("factor") ?? Double(context) / original
      var magnitude = YaRN.magnitude(factor)
      if let first = try optional("mscale"), let all = try optional("mscale_all_dim") {
        magnitude = YaRN.magnitude(factor, first) / YaRN.magnitude(factor, all)
      }
      self = .yarn(
        YaRN(
          factor: factor, original: original, fast: try optional("beta_fast") ?? 32,
          slow: try optional("beta_slow") ?? 1, isTruncated: settings["truncate"]?.bool ?? true,
          magnitude: try optional("attention_factor") ?? magnitude))
    case "longrope", "su":
      guard original > 1 else {
        throw fail("original_max_position_embeddings in its config.json is \(original), not above 1 as longrope needs")
      }
      let factor = try optional("factor") ?? Double(context) / original
      let magnitude = factor <= 1 ? 1 : (1 + log(factor) / log(original)).squareRoot()
      self = .divisors(
        short: try list("short_factor"), long: try list("long_factor"),
        magnitude: try optional("attention_factor") ?? magnitude, original: Int(original))
    case let other:
      throw fail(
        "its rope_scaling is \(other ?? "unknown"), which Martlet does not support (it supports default, linear, dynamic, llama3, yarn and longrope)"
      )
    }
  }

  /// From GGUF metadata; nil where nothing is scaled.
  /// - Throws: ``FileError`` naming the key or tensor that is missing, wrong or unknown.
  init?(gguf settings: ArchitectureSettings, pairs: Int, context: Int) throws {
    let prefix = settings.architecture + ".rope.scaling."
    // 0 stands for no scaling; the name of 2023 for the factor is scale_linear.
    let given = try settings.real("rope.scaling.factor") ?? settings.real("rope.scale_linear") ?? 0
    let factor = given == 0 ? 1 : given
    guard factor > 0 else { throw settings.fail("\(prefix)factor is \(factor), not a number above 0") }
    let isUnset = try settings.value("rope.scaling.original_context_length")?.integer == 0
    let original = isUnset ? context : try settings.number("rope.scaling.original_context_length") ?? context
    // llama.cpp multiplies YaRN's own factor of cosines and sines by these.
    var magnitude = 1.0
    for key in ["attn_factor", "yarn_attn_factor"] {
      guard let share = try settings.real("rope.scaling." + key) else { continue }
      guard share > 0 else { throw settings.fail("\(prefix)\(key) is \(share), not a number above 0") }
      magnitude *= share
    }
    let long = try settings.divisors("rope_factors_long.weight", count: pairs)
    let short = try settings.divisors("rope_factors_short.weight", count: pairs)
    let type = try settings.value("rope.scaling.type")
    if let type, type.string == nil {
      throw settings.fail("\(prefix)type is \(type.text), not a string; the file is damaged")
    }
    let kind = type?.string ?? (long == nil ? "linear" : "longrope")
    switch kind {
    case "none": return nil
    case "linear":
      guard magnitude == 1 else {
        throw settings.fail("\(prefix)attn_factor without YaRN or LongRoPE is not supported")
      }
      guard factor != 1 else { return nil }
      self = .linear(factor: factor)
    case "yarn":
      if let share = try settings.real("rope.scaling.yarn_ext_factor"), share != 1 {
        throw settings.fail("\(prefix)yarn_ext_factor is \(share), but only 1 is supported")
      }
      self = .yarn(
        YaRN(
          factor: factor, original: Double(original), fast: try settings.real("rope.scaling.yarn_beta_fast") ?? 32,
          slow: try settings.real("rope.scaling.yarn_beta_slow") ?? 1,
          magnitude: YaRN.magnitude(factor) * magnitude))
    case "longrope":
      guard let short, let long, factor == 1 else {
        throw settings.fail(
          "its rotary scaling is longrope, without rope_factors_short.weight and rope_factors_long.weight, or with an additional factor; convert the model again"
        )
      }
      guard original > 1 else {
        throw settings.fail("\(prefix)original_context_length is \(original), not above 1 as longrope needs")
      }
      self = .divisors(short: short, long: long, magnitude: magnitude, original: original)
    default:
      throw settings.fail(
        "\(prefix)type is \(kind), which Martlet does not support (it supports none, linear, yarn and longrope)")
    }
  }

  /// What the hub's `config.json` says for the same.
  var hub: [String: MetadataValue] {
    switch self {
    case .linear(let factor): ["rope_type": .string("linear"), "factor": .real(factor)]
    case .dynamic(let factor): ["rope_type": .string("dynamic"), "factor": .real(factor)]
    case .llama3(let factor, let low, let high, let original):
      [
        "rope_type": .string("llama3"), "factor": .real(factor), "low_freq_factor": .real(low),
        "high_freq_factor": .real(high), "original_max_position_embeddings": .integer(Int(original)),
      ]
    case .yarn(let yarn):
      [
        "rope_type": .string("yarn"), "factor": .real(yarn.factor),
        "original_max_position_embeddings": .integer(Int(yarn.original)), "beta_fast": .real(yarn.fast),
        "beta_slow": .real(yarn.slow), "truncate": .bool(yarn.isTruncated), "attention_factor": .real(yarn.magnitude),
      ]
    case .divisors(let short, let long, let magnitude, let original):
      [
        "rope_type": .string("longrope"), "short_factor": .array(short.map { .real($0) }),
        "long_factor": .array(long.map { .real($0) }), "attention_factor": .real(magnitude), "factor": .real(1),
        "original_max_position_embeddings": .integer(original),
      ]
    }
  }
}
