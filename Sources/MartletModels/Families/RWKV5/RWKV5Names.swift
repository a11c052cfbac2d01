import Foundation
import MartletCheckpoints
import MartletData

/// What the tensor names of a checkpoint say: whether it is an RWKV-5 model, and which tensor is which.
///
/// Files follow one of four conventions: BlinkDL's `.pth`, the hub's folders, the `.st` files of web-rwkv and ai00, and
/// rwkv.cpp's `.bin`. Everything after this type speaks BlinkDL's names.
enum RWKV5Names {
  /// Names in the file by BlinkDL's names; nil when this is no RWKV-5 model.
  /// - Throws: ``FileError`` naming two tensors that are one by BlinkDL's names.
  static func canonical(_ checkpoint: Checkpoint) throws -> [String: String]? {
    let names = Dictionary(checkpoint.names.map { (canonical($0), $0) }) { first, _ in first }
    return isRWKV5(names, checkpoint) ? try unique(checkpoint) : nil
  }

  /// Names in the file by BlinkDL's names, whatever the file is.
  /// - Throws: ``FileError`` naming two tensors that are one by BlinkDL's names.
  static func unique(_ checkpoint: Checkpoint) throws -> [String: String] {
    try Dictionary(checkpoint.names.map { (canonical($0), $0) }) { one, other in
      throw FileError(
        file: checkpoint.path,
        "its tensors \(one) and \(other) are two spellings of the same name, so it is unknown which one the model uses; save it again with only one"
      )
    }
  }

  /// BlinkDL's name for a tensor or, without `.weight`, for a layer.
  static func canonical(_ name: String) -> String {
    var text = name
    while text.hasPrefix("rwkv.") { text.removeFirst(5) }
    for (hub, original) in [
      ("embeddings.", "emb."), (".attention.", ".att."), (".feed_forward.", ".ffn."), (".pre_ln.", ".ln0."),
      ("time_mix_key", "time_mix_k"), ("time_mix_value", "time_mix_v"), ("time_mix_receptance", "time_mix_r"),
      ("time_mix_gate", "time_mix_g"),
    ] {
      text = text.replacing(hub, with: original)
    }
    return text
  }

  /// Any tensor that only RWKV-5 has tells it, in whichever layer, so that a file that lacks one is told what it lacks
  /// and is not taken for another version. Versions 6 and 7 have names of their own.
  private static func isRWKV5(_ names: [String: String], _ checkpoint: Checkpoint) -> Bool {
    otherVersion(names.keys) == nil
      && names.contains { canonical, name in
        guard canonical.hasPrefix("blocks."), let part = canonical.range(of: ".att.") else { return false }
        switch canonical[part.upperBound...] {
        case "ln_x.weight", "ln_x.bias", "gate.weight", "time_mix_g", "time_faaaa": return true
        // RWKV-4 has one decay a channel, as a plain vector.
        case "time_decay": return (checkpoint[name]?.shape.filter { $0 > 1 }.count ?? 0) > 1
        default: return false
        }
      }
  }

  /// The RWKV version, other than 5 (and 4, which has no name of its own), that some names belong to.
  static func otherVersion(_ names: some Sequence<String>) -> String? {
    var isSix = false
    for name in names {
      if name.contains("att.r_k") || name.contains("att.x_r") { return "RWKV-7" }
      if name.contains(".time_maa") { isSix = true }
    }
    return isSix ? "RWKV-6" : nil
  }

  /// Why a checkpoint with names like RWKV's is not run; nil when it has none.
  static func refusal(_ checkpoint: Checkpoint) -> FileError? {
    let names = checkpoint.names.map(canonical)
    let supported = "Martlet runs RWKV-5 (5.0, 5.1, 5.2)"
    if let version = otherVersion(names) {
      return FileError(file: checkpoint.path, "this is an \(version) model; \(supported)")
    }
    if names.contains(where: { $0.hasSuffix("att.time_decay") }) {
      return FileError(file: checkpoint.path, "this is an RWKV-4 model; \(supported)")
    }
    if !names.isEmpty, names.allSatisfy({ $0.hasSuffix(".time_state") }) {
      return FileError(
        file: checkpoint.path,
        "it contains initial states (time_state) and no model; load the model and give this file with --state"
      )
    }
    return nil
  }

  /// Number of layers.
  /// - Throws: ``FileError`` naming the first that is missing.
  static func layerCount(_ names: [String: String], path: String) throws -> Int {
    let present = Set(
      names.keys.compactMap { name -> Int? in
        let parts = name.split(separator: ".", maxSplits: 2)
        return parts.count == 3 && parts[0] == "blocks" ? Int(parts[1]) : nil
      })
    guard let last = present.max() else { throw FileError(file: path, "it has no layers (blocks.0. ...)") }
    if let missing = (0..<present.count).first(where: { !present.contains($0) }) {
      throw FileError(
        file: path,
        "it has no layer \(missing) (blocks.\(missing). ...) but a layer \(last); the file is incomplete, fetch or convert it again"
      )
    }
    return present.count
  }
}
