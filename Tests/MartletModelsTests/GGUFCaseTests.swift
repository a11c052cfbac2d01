import Foundation
import MartletCheckpoints
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// What a GGUF file says of the arithmetic is used or refused by name.
struct GGUFCaseTests {
  private static let folder = ModelCases.folder.map { $0 + "/inference/gguf" }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      "base", "align8", "align64", "align1024", "align_u64", "kv_array", "ff_array", "kv_i64", "eps_f64",
      "llama_bpe_bos_none", "llama_bpe_bos_true", "llama_bpe_bos_false", "llama_bpe_nobosflag", "splitm-00001-of-00002",
    ]) func equalsBase(name: String) throws
  {
    let folder = try #require(Self.folder)
    // Parts of a split model, and odd alignments, are read or refused by the reader.
    if let refusal = ModelCases.refusal("\(folder)/\(name).gguf") {
      #expect(name.hasPrefix("splitm") || name.hasPrefix("align"), "\(refusal)")
      return
    }
    let gap = try TestData.largestDifference(ModelCases.last("\(folder)/\(name).gguf"), ModelCases.truth("base"))
    #expect(gap < 2e-5, "\(name): \(gap)")
  }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("qbias", "qbias"), ("obias", "obias"), ("fbias", "fbias"), ("outbias", "outbias"),
      ("kv_array_gqa", "kv_array_gqa"), ("tied", "tied"), ("rope_linear", "rope_linear"),
      ("rope_factor_notype", "rope_linear"), ("rope_yarn", "rope_yarn"),
    ]) func equalsTransformers(name: String, truth: String) throws
  {
    let folder = try #require(Self.folder)
    let gap = try TestData.largestDifference(ModelCases.last("\(folder)/\(name).gguf"), ModelCases.truth(truth))
    #expect(gap < 2e-5, "\(name): \(gap)")
  }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["q_Q4_0", "q_Q5_0", "q_Q5_1", "q_Q8_0"]) func quantisedHeads(name: String) throws
  {
    let folder = try #require(Self.folder)
    let path = "\(folder)/\(name).gguf", truth = try ModelCases.truth(name)
    #expect(try TestData.largestDifference(ModelCases.last(path), truth) < 2e-5)
    // In the file's own format the activations are rounded to 8 bits.
    #expect(try TestData.largestDifference(ModelCases.last(path, format: nil), truth) < 0.05)
  }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("eps_missing", "layer_norm_rms_epsilon"), ("moe", "mixture of 8 experts"), ("moe_tensors", "mixture of"),
      ("qnorm", "blk.0.attn_q_norm.weight"),
    ]) func isRefused(name: String, word: String) throws
  {
    let folder = try #require(Self.folder)
    let refusal = try #require(ModelCases.refusal("\(folder)/\(name).gguf"))
    #expect(refusal.contains(word), "\(refusal)")
  }

  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data")) func ropeFreqsDivide()
    throws
  {
    let folder = try #require(Self.folder)
    let path = "\(folder)/rope_freqs.gguf"
    let divisors = try Checkpoint.open(path).tensor("rope_freqs.weight").floats()
    let model = try #require(ModelLoading.load(Checkpoint.open(path), options: .init(format: .f32)) as? Llama)
    for (pair, divisor) in divisors.enumerated() {
      let unscaled = pow(10_000, -2 * Double(pair) / 16)
      #expect(abs(model.configuration.frequencies[pair] - unscaled / Double(divisor)) < 1e-12)
    }
    #expect(model.configuration.contextLength == 256)
  }

  @Test(.enabled(if: ModelCases.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func attackedSizesAreNamed() throws {
    let cases = try #require(ModelCases.folder)
    for (name, word) in [("keylen40", "key_length"), ("embd0dims", "token_embd.weight")] {
      let path = "\(cases)/attack/\(name).gguf"
      let refusal = try #require(ModelCases.refusal(path))
      #expect(refusal.contains(word) || name == "embd0dims", "\(refusal)")
      if let checkpoint = try? Checkpoint.open(path) { #expect(ModelSummary(checkpoint).problem != nil) }
    }
  }

  /// Every size, at every value that a file might hold.
  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data")) func everySizeIsChecked()
    throws
  {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.gguf")
    for key in [
      "block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length",
      "feed_forward_length", "context_length", "rope.dimension_count", "attention.value_length",
    ] {
      for size in [0, -1, 1 << 31, 1 << 32, 1 << 40, Int.max, Int.min, (1 << 31) - 1] {
        try ModelCases.variant(
          of: "\(folder)/base.gguf", at: path, metadata: ["llama.\(key)": .integer(size)])
        let refusal = ModelCases.refusal(path)
        if key == "context_length", size == (1 << 31) - 1 { continue }  // a long context is no harm
        #expect(refusal?.contains("a.gguf") == true, "\(key) = \(size): \(refusal ?? "loaded")")
        _ = try ModelSummary(Checkpoint.open(path))
      }
      for value in [
        MetadataValue.string("2"), .real(.nan), .bool(true), .array([]), .array([.integer(2), .integer(3)]),
      ] {
        try ModelCases.variant(of: "\(folder)/base.gguf", at: path, metadata: ["llama.\(key)": value])
        #expect(ModelCases.refusal(path) != nil, "\(key) = \(value)")
      }
    }
  }

  @Test(
    .enabled(if: folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("attention.layer_norm_rms_epsilon", MetadataValue.real(.nan), "epsilon"),
      ("attention.layer_norm_rms_epsilon", .real(-1e-5), "epsilon"),
      ("attention.layer_norm_rms_epsilon", .real(.infinity), "epsilon"),
      ("rope.freq_base", .real(0), "rotary base"), ("rope.freq_base", .real(.nan), "freq_base"),
      ("rope.scaling.factor", .real(-2), "factor"), ("rope.scaling.factor", .real(.nan), "factor"),
      ("rope.scaling.type", .string("su"), "rope.scaling.type"),
      ("rope.scaling.type", .integer(2), "rope.scaling.type"),
      ("rope.scaling.attn_factor", .real(0), "attn_factor"), ("rope.scaling.attn_factor", .real(-1), "attn_factor"),
      ("rope.scaling.attn_factor", .real(.infinity), "attn_factor"),
      ("rope.scaling.type", .string("longrope"), "longrope"),
      ("logit_scale", .real(0.5), "logit_scale"), ("embedding_scale", .real(12), "embedding_scale"),
      ("residual_scale", .real(0.2), "residual_scale"), ("attention.scale", .real(0.1), "attention.scale"),
      ("attn_logit_softcapping", .real(50), "attn_logit_softcapping"),
      ("final_logit_softcapping", .real(30), "final_logit_softcapping"),
      ("attention.clamp_kqv", .real(8), "clamp_kqv"), ("use_parallel_residual", .bool(true), "use_parallel_residual"),
      ("attention.causal", .bool(false), "attention.causal"), ("expert_count", .integer(2), "mixture of 2 experts"),
      ("some.new_arithmetic", .integer(3), "some.new_arithmetic"),
      ("attention.head_count_kv", .array([.integer(2), .integer(1)]), "differs between layers"),
      ("attention.value_length", .integer(8), "values have width 8"),
    ]) func whatIsNotDoneIsNamed(key: String, value: MetadataValue, word: String) throws
  {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.gguf")
    try ModelCases.variant(of: "\(folder)/base.gguf", at: path, metadata: ["llama.\(key)": value])
    let refusal = try #require(ModelCases.refusal(path))
    #expect(refusal.contains(word), "\(refusal)")
  }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("logit_scale", MetadataValue.real(1)), ("attention.scale", .real(0.25)), ("expert_count", .integer(0)),
      ("attention.causal", .bool(true)), ("attention.sliding_window", .integer(0)),
      ("rope.scaling.type", .string("none")),
      ("rope.scaling.factor", .real(0)), ("use_parallel_residual", .bool(false)), ("vocab_size", .integer(262)),
      ("tensor_data_layout", .string("Meta AI original pth")),
    ]) func whatIsSwitchedOffIsNoHindrance(key: String, value: MetadataValue) throws
  {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.gguf")
    try ModelCases.variant(of: "\(folder)/base.gguf", at: path, metadata: ["llama.\(key)": value])
    #expect(try TestData.largestDifference(ModelCases.last(path), ModelCases.truth("base")) < 2e-5)
  }

  /// The spellings of the same scaling, and what scales on top of each other.
  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func ropeScalingHasManyNames() throws {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.gguf"), base = "\(folder)/base.gguf"
    func gap(
      _ metadata: [String: MetadataValue?], _ truth: String, _ tensors: [String: (shape: [Int], values: [Float])?] = [:]
    )
      throws -> Float
    {
      try ModelCases.variant(of: base, at: path, metadata: metadata, tensors: tensors)
      return try TestData.largestDifference(ModelCases.last(path), ModelCases.truth(truth))
    }
    #expect(try gap(["llama.rope.scale_linear": .real(4)], "rope_linear") < 2e-5)
    let fours = [Float](repeating: 4, count: 8), twos = [Float](repeating: 2, count: 8)
    #expect(try gap([:], "rope_linear", ["rope_freqs.weight": ([8], fours)]) < 2e-5)
    #expect(try gap(["llama.rope.scaling.factor": .real(2)], "rope_linear", ["rope_freqs.weight": ([8], twos)]) < 2e-5)
    let yarn: [String: MetadataValue?] = [
      "llama.rope.scaling.type": .string("yarn"), "llama.rope.scaling.factor": .real(4),
      "llama.rope.scaling.original_context_length": .integer(64),
    ]
    #expect(try gap(yarn, "rope_yarn") < 2e-5)
    #expect(try gap(yarn.merging(["llama.rope.scaling.yarn_beta_fast": .real(32)]) { $1 }, "rope_yarn") < 2e-5)
    #expect(try gap(yarn.merging(["llama.rope.scaling.yarn_beta_slow": .real(0.1)]) { $1 }, "rope_yarn") > 1e-3)
    #expect(try gap(yarn.merging(["llama.rope.scaling.attn_factor": .real(1.5)]) { $1 }, "rope_yarn") > 1e-3)
    let factors: [String: (shape: [Int], values: [Float])?] = [
      "rope_factors_short.weight": ([8], fours), "rope_factors_long.weight": ([8], [Float](repeating: 9, count: 8)),
    ]
    #expect(
      try gap(
        ["llama.rope.scaling.type": .string("longrope"), "llama.rope.scaling.original_context_length": .integer(64)],
        "rope_linear", factors) < 2e-5)
    let model = try ModelLoading.load(Checkpoint.open(path))
    #expect(model.description.contextLength == 64)
    #expect(model.description.remarks.contains { $0.contains("64") })
  }

  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func aWindowEndsTheContext() throws {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.gguf")
    try ModelCases.variant(
      of: "\(folder)/base.gguf", at: path, metadata: ["llama.attention.sliding_window": .integer(100)])
    let model = try ModelLoading.load(Checkpoint.open(path))
    #expect(model.description.contextLength == 100 && model.description.remarks.count == 1)
  }

  @Test(
    .enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      "blk.0.attn_rot_embd.weight", "blk.0.ffn_sub_norm.weight", "blk.1.attn_q.weight", "position_embd.weight", "extra",
      "blk.0.attn_q.weight.lora_a", "rope_factors_long.weight",
    ]) func noTensorIsPassedOver(name: String) throws
  {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.gguf")
    try ModelCases.variant(
      of: "\(folder)/base.gguf", at: path, metadata: ["llama.rope.scaling.type": .string("none")],
      tensors: [name: ([8], [Float](repeating: 1, count: 8))])
    let refusal = try #require(ModelCases.refusal(path))
    #expect(refusal.contains(name), "\(refusal)")
  }

  @Test(.enabled(if: Self.folder != nil, "MARTLET_DATA names no folder with the shared data"))
  func valuesThatAreNotNumbersAreNamed() throws {
    let folder = try #require(Self.folder)
    let scratch = try TestData.Scratch(), path = scratch.file("a.gguf")
    let source = try Checkpoint.open("\(folder)/base.gguf")
    for name in source.names {
      for bad in [Float.nan, .infinity, -.infinity] {
        let tensor = try source.tensor(name)
        var values = try tensor.floats()
        values[values.count / 2] = bad
        try ModelCases.variant(of: source.path, at: path, tensors: [name: (tensor.shape, values)])
        for format in [nil, WeightFormat.f16, .q8_0, .q4_1] {
          let refusal = try #require(ModelCases.refusal(path, format: format))
          #expect(refusal.contains(name) && refusal.contains("NaN"), "\(refusal)")
        }
      }
    }
  }
}
