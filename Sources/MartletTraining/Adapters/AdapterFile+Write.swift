import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletModels
import MartletOptimization
import MartletTensor

extension AdapterFile {
  private static let prefix = "base_model.model."

  /// Writes the adapters of a model with PEFT's names, so that PEFT can load them.
  ///
  /// Adapters whose rank or alpha differs from the settings are written with PEFT's `rank_pattern` and `alpha_pattern`.
  public static func write(
    _ model: some TrainableModel, settings: AdapterSettings, base: String, to folder: String
  ) throws {
    var copy = model
    var tensors: [(name: String, value: Tensor)] = []
    var layers: [(name: String, adapter: LowRankAdapter?)] = []
    copy.visitLinears { name, linear in
      let adapter = linear.wrapper as? LowRankAdapter
      layers.append((name, adapter))
      guard var adapter else { return }
      adapter.b = adapter.b.gatherRows((0..<adapter.b.rows).map { model.hubRow(name, $0) })
      adapter.visitParameters(prefix + name) { tensors.append(($0, $1)) }
    }
    func ending(_ name: String) -> String { String(name.split(separator: ".").last ?? "") }
    let bare = Set(layers.filter { $0.adapter == nil }.map { ending($0.name) })
    // An ending names layers where all that are called so have an adapter.
    let targets = Set(
      layers.filter { $0.adapter != nil }.map { bare.contains(ending($0.name)) ? $0.name : ending($0.name) })
    var ranks: [String: Int] = [:], alphas: [String: Double] = [:]
    for case (let name, let adapter?) in layers {
      if adapter.a.rows != settings.rank { ranks[name] = adapter.a.rows }
      let alpha = adapter.scale * Double(adapter.a.rows)
      if abs(alpha - settings.alpha) > 1e-9 * abs(alpha) { alphas[name] = alpha }
    }
    try OutputTarget.makeFolder(folder)
    let configuration: [String: Any] = [
      "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": settings.rank, "lora_alpha": settings.alpha,
      "lora_dropout": settings.dropout, "target_modules": targets.sorted(), "bias": "none",
      "base_model_name_or_path": base, "inference_mode": true, "fan_in_fan_out": false, "init_lora_weights": true,
      "rank_pattern": ranks, "alpha_pattern": alphas,
    ]
    try TensorFile.write(tensors, metadata: ["format": "pt"], to: folder + "/adapter_model.safetensors")
    try writeJSON(configuration, to: folder + "/adapter_config.json")
  }
}
