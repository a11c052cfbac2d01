extension Llama {
  /// The names of tensors: GGUF's, and those of the hub, which are the model's own.
  enum Names {
    case gguf, hub

    func layer(_ index: Int, _ part: String) -> String {
      switch self {
      case .gguf: "blk.\(index).\(part)"
      case .hub: "model.layers.\(index).\(Self.hubParts[part] ?? part)"
      }
    }
    var embedding: String { self == .gguf ? "token_embd.weight" : "model.embed_tokens.weight" }
    var norm: String { self == .gguf ? "output_norm.weight" : "model.norm.weight" }
    var head: String { self == .gguf ? "output.weight" : "lm_head.weight" }
    var headBias: String { self == .gguf ? "output.bias" : "lm_head.bias" }

    private static let hubParts = [
      "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
      "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
      "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_gate": "mlp.gate_proj",
      "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    ]

    /// Tensors of the hub's files that are worked out from the configuration: rotary tables and position numbers, which old
    /// versions of transformers saved.
    static func isBuffer(_ name: String) -> Bool {
      ["rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached", "position_ids"].contains {
        name.hasSuffix($0)
      }
    }

    /// GGUF's tables of divisors of rotary frequencies, which the hub's configuration says in words and numbers.
    static func isRotaryTable(_ name: String) -> Bool {
      ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"].contains(name)
    }

    /// The hub's name of a GGUF tensor.
    static func hubName(_ name: String) -> String {
      switch name {
      case "token_embd.weight": return "model.embed_tokens.weight"
      case "output_norm.weight": return "model.norm.weight"
      case "output.weight": return "lm_head.weight"
      case "output.bias": return "lm_head.bias"
      default: break
      }
      let parts = name.split(separator: ".")
      guard parts.count == 4, parts[0] == "blk", let index = Int(parts[1]) else { return name }
      return hub.layer(index, String(parts[2])) + "." + parts[3]
    }

    /// GGUF's name of a tensor of the hub: the inverse of ``hubName(_:)``.
    static func ggufName(_ name: String) -> String {
      switch name {
      case "model.embed_tokens.weight": return "token_embd.weight"
      case "model.norm.weight": return "output_norm.weight"
      case "lm_head.weight": return "output.weight"
      case "lm_head.bias": return "output.bias"
      default: break
      }
      let parts = name.split(separator: ".")
      guard name.hasPrefix("model.layers."), parts.count >= 5, let ending = parts.last else { return name }
      let middle = parts[3..<parts.count - 1].joined(separator: ".")
      guard let part = hubParts.first(where: { $0.value == middle })?.key else { return name }
      return "blk.\(parts[2]).\(part).\(ending)"
    }

    /// Whether a tensor, by GGUF's name, holds rows in an order of rotary pairs.
    static func isRotated(gguf name: String) -> Bool { name.contains(".attn_q.") || name.contains(".attn_k.") }

    /// The same of a layer, by the hub's name.
    static func isRotated(hub layer: String) -> Bool { layer.hasSuffix("q_proj") || layer.hasSuffix("k_proj") }
  }
}
