import Foundation
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

/// What wrappers of modules put around the names of a model is taken off when its file is opened, whatever the format.
struct WrappedNamesTests {
  private static let llama = [
    "model.embed_tokens.weight", "model.layers.0.input_layernorm.weight", "model.layers.0.self_attn.q_proj.weight",
    "model.norm.weight", "lm_head.weight",
  ]
  private static let rwkv = [
    "emb.weight", "blocks.0.ln1.weight", "blocks.0.att.key.weight", "ln_out.weight", "head.weight",
  ]
  private static let hub = [
    "rwkv.embeddings.weight", "rwkv.blocks.0.ln1.weight", "rwkv.blocks.0.attention.key.weight", "rwkv.ln_out.weight",
    "head.weight",
  ]

  private func opened(_ names: [String]) throws -> [String] {
    let scratch = try TestData.Scratch()
    let path = scratch.file("model.safetensors")
    try Safetensors.write(to: path, tensors: names.map { ($0, .f32, [1]) }) { _, write in
      try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try write($0) }
    }
    let checkpoint = try Checkpoint.open(path)
    for name in checkpoint.names { #expect(checkpoint[name]?.name == name) }
    return checkpoint.names
  }

  private func refusal(_ names: [String]) -> String {
    do { return "\(try opened(names))" } catch { return "\(error)" }
  }

  @Test(arguments: [
    "", "module.", "_orig_mod.", "base_model.", "base_model.model.", "model.", "_orig_mod.module.", "module._orig_mod.",
    "module.module.", "_forward_module.", "_forward_module.model.", "_fsdp_wrapped_module.", "net.", "student.model.",
    "base_model.model._orig_mod.", "language_model.", "0.",
  ])
  func prefixes(prefix: String) throws {
    for names in [Self.llama, Self.rwkv, Self.hub] {
      #expect(try Set(opened(names.map { prefix + $0 })) == Set(names), "\(prefix)")
    }
  }

  @Test func wrappersInsideNames() throws {
    let names = Self.llama.map {
      $0.replacing("layers.0.", with: "layers.0._fsdp_wrapped_module._checkpoint_wrapped_module.")
        .replacing("self_attn.", with: "self_attn._orig_mod.")
    }
    #expect(try Set(opened(names.map { "_fsdp_wrapped_module." + $0 })) == Set(Self.llama))
  }

  /// A model without its head, as AutoModel saves it.
  @Test func aModelWithoutItsHead() throws {
    let bare = Self.llama.dropLast().map { String($0.dropFirst("model.".count)) }
    #expect(try Set(opened(bare)) == Set(Self.llama.dropLast()))
    #expect(try Set(opened(bare.map { "module." + $0 })) == Set(Self.llama.dropLast()))
    #expect(try Set(opened(bare + ["lm_head.weight"])) == Set(Self.llama))
  }

  /// What stands beside the model keeps its name, so that it can be named as unused.
  @Test func whatIsBesideTheModelKeepsItsName() throws {
    let names = Self.llama.map { "model." + $0 } + ["ema.decay", "vision_tower.weight"]
    #expect(try Set(opened(names)) == Set(Self.llama + ["ema.decay", "vision_tower.weight"]))
    // The model itself comes before copies of it.
    let copies = Self.llama + Self.llama.map { "teacher." + $0 }
    #expect(try Set(opened(copies)) == Set(copies))
  }

  @Test func noModelKeepsItsNames() throws {
    let adapter = [
      "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "base_model.model.model.embed_tokens.weight",
    ]
    #expect(try Set(opened(adapter)) == Set(adapter))
    let gradients = ["module.x", "module.y", "first/emb.weight"]
    #expect(try Set(opened(gradients)) == Set(gradients))
  }

  @Test func whatIsNotOneModelIsRefused() {
    let two = Self.llama.map { "student." + $0 } + Self.llama.map { "teacher." + $0 }
    #expect(refusal(two).contains("contains 2 models (student.model., teacher.model.)"))
    let adapter = Self.llama + ["model.layers.0.self_attn.q_proj.lora_A.weight"]
    #expect(refusal(adapter).contains("merge_and_unload"))
    #expect(refusal(Self.llama + Self.llama.map { "module." + $0 }).contains("twice"))
  }
}
