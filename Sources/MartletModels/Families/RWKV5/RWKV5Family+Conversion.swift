import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTokenizers

extension RWKV5Family {
  /// Plans a conversion to BlinkDL's names and values from any of the naming conventions. The tokenizer is written into
  /// GGUF.
  public func plan(_ request: ConversionRequest) throws -> ConversionPlan {
    let (checkpoint, names) = (request.checkpoint, request.names)
    let c = try RWKV5Configuration(WeightLoader(checkpoint, names: names, format: nil), groupNormEpsilon: nil)
    let isCpp = checkpoint.format == .rwkvCpp
    let isRenamed = checkpoint.format == .safetensors && c.version != .v5_0
    var plan = ConversionPlan()
    plan.items = try names.sorted { $0.key < $1.key }.map { canonical, name in
      let source = try checkpoint.tensor(name)
      // u itself: say so by name
      let isRaw = canonical.hasSuffix("time_first") && (isCpp || isRenamed)
      var item = ConversionPlan.Item(
        name: isRaw ? canonical.replacing("time_first", with: "time_faaaa") : canonical, source: source,
        type: request.type(for: source), canonical: canonical)
      if isCpp, canonical.hasSuffix("time_decay") { item.map = { Float(log(-log(Double($0)))) } }
      if canonical == "emb.weight", [.f16, .bf16].contains(source.type),
        [.f32, .f16, .bf16, nil].contains(request.format)
      {
        // The folded LN0 is rounded to the table's own type, so another one would change every logit; rwkv.cpp's
        // tables are not rounded.
        item.type = isCpp ? .f32 : source.type
      }
      item.isExchanged =
        canonical.hasSuffix("att.time_state") && RWKV5StartState.isKeyFirst(checkpoint, names, isWholeModel: true)
      return item
    }
    plan.metadata = [
      ("general.architecture", .string(name)), ("rwkv5.version", .string(c.version.rawValue)),
      ("rwkv5.group_norm_epsilon", .real(Double(c.groupNormEpsilon))),
    ]
    if request.container == .gguf {
      plan.metadata += try TokenizerLoading.metadataForGGUF(
        of: checkpoint, vocabularySize: c.vocabularySize)
    }
    return plan
  }
}
