import Foundation
import MartletData
import MartletTokenizers

/// What PEFT's `adapter_config.json` says of an adapter, read as PEFT 0.21 reads it: with its defaults, in its order.
/// Whatever changes an adapter's meaning and is not done is refused by the key's name.
struct AdapterConfiguration {
  /// What the base model lost when the adapter was begun from its weights.
  enum Beginning: Equatable {
    case nothing
    /// The part of the adapter's rank with the largest singular values (PiSSA, Meng et al., 2024).
    case principalPart
    /// The projection on its first columns (OLoRA, Büyükakyüz, 2024).
    case firstColumns
  }

  let path: String
  let usesRootOfRank, isWeightDecomposed, hasOutputBias: Bool
  let beginning: Beginning
  /// Names of modules that are replaced whole.
  let modulesToSave: [String]
  /// Keys that go beyond plain LoRA and are done.
  private(set) var usedKeys: [String] = []
  /// What else people should know, one sentence each.
  private(set) var notes: [String] = []
  private let rank: Int
  private let alpha: Double
  private let ranks: [(pattern: NamePattern, value: Int)]
  private let alphas: [(pattern: NamePattern, value: Double)]
  private let targets: AdapterTargets

  /// Keys that say nothing of what an adapter computes.
  private static let harmless: Set<String> = [
    "peft_type", "auto_mapping", "base_model_name_or_path", "revision", "peft_version", "task_type", "inference_mode",
    "lora_dropout", "runtime_config", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "megatron_core",
    "qalora_group_size", "merge_weights", "enable_lora",
  ]
  private static let done: Set<String> = [
    "r", "lora_alpha", "target_modules", "exclude_modules", "fan_in_fan_out", "bias", "use_rslora", "modules_to_save",
    "init_lora_weights", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "use_dora",
    "lora_bias",
  ]
  /// Keys of kinds that are not done, where they are set.
  private static let undone: Set<String> = [
    "alora_invocation_tokens", "arrow_config", "kasa_config", "use_qalora", "monteclora_config", "velora_config",
    "layer_replication", "target_parameters", "trainable_token_indices", "use_bdlora", "megatron_config",
    "ensure_weight_tying",
  ]

  init(_ path: String) throws {
    self.path = path
    func fail(_ problem: String) -> ModelError { ModelError("\(path): \(problem)") }
    let json: JSONValue
    do {
      json = try JSONValue(parsing: MappedFile.contents(of: path, limit: 16 << 20), values: 1_000_000)
    } catch let error as JSONError {
      throw fail("it is not JSON (\(error)); fetch it again")
    }
    guard let object = json.object else { throw fail("it is not a JSON object; fetch it again") }
    func value(_ key: String) -> JSONValue? { object.present(key) }
    func flag(_ key: String) throws -> Bool {
      guard let value = value(key) else { return false }
      guard let flag = value.bool else { throw fail("\(key) is \(value.kind) but must be true or false") }
      return flag
    }
    let kind = value("peft_type")?.string ?? (value("r") == nil ? nil : "LORA")
    guard kind == "LORA" else {
      throw fail(
        kind.map { "peft_type is \($0), which Martlet does not support (it supports LORA)" }
          ?? "it has neither peft_type nor r, so it is not an adapter of PEFT")
    }
    for member in object.members where Self.undone.contains(member.key) && !Self.isUnset(member.value) {
      throw fail(
        "\(member.key) is set, a kind of adapter that Martlet does not support; merge the adapter with PEFT's merge_and_unload() and use the merged model"
      )
    }

    rank = try value("r").map { try Self.count($0, "r", fail) } ?? 8
    alpha = try value("lora_alpha").map { try Self.number($0, "lora_alpha", fail) } ?? 8
    if object["lora_alpha"]?.isNull == true { throw fail("lora_alpha is null but must be a number") }
    usesRootOfRank = try flag("use_rslora")
    isWeightDecomposed = try flag("use_dora")
    hasOutputBias = try flag("lora_bias")
    if isWeightDecomposed, hasOutputBias {
      throw fail("use_dora together with lora_bias is not supported (nor is it in PEFT)")
    }
    ranks = try Self.patterns(value("rank_pattern"), "rank_pattern", fail) { try Self.count($0, $1, fail) }
    alphas = try Self.patterns(value("alpha_pattern"), "alpha_pattern", fail) { try Self.number($0, $1, fail) }
    modulesToSave = try value("modules_to_save").map { try Self.names($0, "modules_to_save", fail) } ?? []
    targets = try AdapterTargets(object, modulesToSave: modulesToSave, fail)

    let start = value("init_lora_weights") ?? .bool(true)
    switch start {
    case .bool: beginning = .nothing
    case .string(let name):
      switch name.lowercased() {
      case "gaussian", "eva", "orthogonal", "mica", "lora_ga", "true", "false": beginning = .nothing
      case "pissa": beginning = .principalPart
      case "olora": beginning = .firstColumns
      default:
        throw fail(
          "init_lora_weights is \(name), which changed the base model in a way that cannot be repeated here; save the adapter again with path_initial_model_for_weight_conversion of PEFT's save_pretrained, which converts it to plain LoRA"
        )
      }
      if name.lowercased() == "lora_ga" {
        notes.append(
          "it was initialised by LoRA-GA, which changed the base model; like PEFT, Martlet uses the adapter with the unchanged base model"
        )
      }
    default: throw fail("init_lora_weights is \(start.kind), which PEFT does not define")
    }

    if !(value("bias")?.string.map { ["none", "all", "lora_only"].contains($0) } ?? (value("bias") == nil)) {
      throw fail("bias must be none, all or lora_only")
    }
    if try flag("fan_in_fan_out") {
      notes.append("fan_in_fan_out has no effect on the layers of this model, as in PEFT")
    }
    for member in object.members {
      if Self.done.contains(member.key), !["r", "lora_alpha", "fan_in_fan_out"].contains(member.key),
        Self.isBeyondPlain(member)
      {
        usedKeys.append(member.key)
      } else if !Self.done.contains(member.key), !Self.harmless.contains(member.key),
        !Self.undone.contains(member.key), !Self.isUnset(member.value)
      {
        notes.append("its key \(member.key) is unknown and ignored, as in PEFT")
      }
    }
  }

  /// The rank of a module's adapter, by the module's name in the hub's model.
  func rank(of module: String) -> Int { ranks.first { $0.pattern.matches(module) }?.value ?? rank }

  /// What a module's adapter is multiplied by.
  func scale(of module: String) -> Double {
    let alpha = alphas.first { $0.pattern.matches(module) }?.value ?? alpha
    let rank = Double(rank(of: module))
    return usesRootOfRank ? alpha / rank.squareRoot() : alpha / rank
  }

  /// Which key keeps a module from having an adapter; nil where it has one.
  func exclusion(of module: String, isHead: Bool) -> String? { targets.exclusion(of: module, isHead: isHead) }

  /// Whether the configuration says which modules have adapters.
  var namesTargets: Bool { targets.isSaid }
  /// Whether it says so of all linear layers, and of nothing else.
  var targetsAreLinear: Bool { targets.isLinear }

  // MARK: reading

  /// Whether a value leaves things as they are without its key.
  private static func isUnset(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool(false), .integer(0), .string(""): true
    case .array(let values): values.isEmpty
    case .object(let object): object.isEmpty
    default: false
    }
  }

  private static func isBeyondPlain(_ member: JSONObject.Member) -> Bool {
    switch member.key {
    case "target_modules": member.value.string != nil
    case "bias": member.value.string != "none"
    case "init_lora_weights": member.value.string != nil
    default: !isUnset(member.value)
    }
  }

  private static func count(_ value: JSONValue, _ key: String, _ fail: (String) -> ModelError) throws -> Int {
    guard let count = value.integer, (1...65_536).contains(count) else {
      throw fail("\(key) must be a whole number from 1 to 65536")
    }
    return count
  }

  private static func number(_ value: JSONValue, _ key: String, _ fail: (String) -> ModelError) throws -> Double {
    guard let number = value.number, number.isFinite else {
      throw fail("\(key) is \(value.kind) but must be a number")
    }
    return number
  }

  /// A list of names, or one.
  static func names(_ value: JSONValue, _ key: String, _ fail: (String) -> ModelError) throws -> [String] {
    if let name = value.string { return [name] }
    guard let list = value.array else { throw fail("\(key) is \(value.kind) but must be a list of names") }
    return try list.map {
      guard let name = $0.string else { throw fail("\(key) contains \($0.kind) but must contain names") }
      return name
    }
  }

  /// Values by expressions that the end of a module's name must match; the first that does counts.
  private static func patterns<Value>(
    _ value: JSONValue?, _ key: String, _ fail: (String) -> ModelError, read: (JSONValue, String) throws -> Value
  ) throws -> [(pattern: NamePattern, value: Value)] {
    guard let value else { return [] }
    guard let object = value.object else { throw fail("\(key) is \(value.kind) but must be an object") }
    guard object.members.count <= 10_000 else { throw fail("\(key) has more than 10000 entries") }
    return try object.members.map { member in
      do {
        return (try NamePattern("(?:.*\\.)?(?:\(member.key))"), try read(member.value, "\(key).\(member.key)"))
      } catch let error as NamePatternError {
        throw fail("\(key) contains the expression \(member.key), which is not supported: \(error.problem)")
      }
    }
  }
}
