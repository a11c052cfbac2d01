import MartletCheckpoints

extension LlamaConfiguration {
  /// From GGUF metadata, with llama.cpp's defaults.
  /// - Throws: ``FileError`` naming the key that is missing, wrong, unknown or not done.
  init(gguf checkpoint: Checkpoint) throws {
    let settings = ArchitectureSettings(checkpoint)
    let architecture = settings.architecture
    guard Self.architectures.contains(architecture) else {
      throw settings.fail(
        "its architecture is \(architecture); Martlet runs \(ModelFamilies.titles) (\(Self.architectures.joined(separator: ", ")))"
      )
    }
    modelType = architecture
    interleaved = architecture == "llama" || architecture == "mistral"
    layers = try settings.needed("block_count")
    width = try settings.needed("embedding_length")
    heads = try settings.needed("attention.head_count")
    keyValueHeads = try settings.number("attention.head_count_kv") ?? heads
    headSize = try settings.number("attention.key_length") ?? (width / heads)
    if let experts = try settings.value("expert_count")?.integer, experts > 0 {
      throw settings.fail(
        "it is a mixture of \(experts) experts (\(architecture).expert_count), which Martlet does not support; use a dense model"
      )
    }
    feedForwardWidth = try settings.needed("feed_forward_length")
    contextLength = try settings.needed("context_length")
    guard let epsilon = try settings.real("attention.layer_norm_rms_epsilon") else {
      throw settings.fail(
        "its metadata lacks \(architecture).attention.layer_norm_rms_epsilon, which the norms need; convert the model again"
      )
    }
    normEpsilon = Float(epsilon)
    vocabularySize = try Self.vocabularySize(checkpoint, "token_embd.weight")
    rotaryBase = try settings.real("rope.freq_base") ?? 10_000
    frequencies = []
    let rotated = try settings.number("rope.dimension_count") ?? headSize
    guard headSize <= 256, rotated <= headSize else {
      throw settings.fail(
        "heads of \(headSize) of which \(rotated) are rotated are not supported (heads of at most 256)")
    }
    if let valueSize = try settings.number("attention.value_length"), valueSize != headSize {
      throw settings.fail("its values have width \(valueSize) and its keys \(headSize), which Martlet does not support")
    }
    try Self.refuseExperts(checkpoint)
    try settings.refuseUndone(headSize: headSize)
    biases = Set(
      checkpoint.names.filter { $0.hasPrefix("blk.0.") && $0.hasSuffix(".bias") }.map {
        String($0.dropFirst(6).dropLast(5))
      })
    if architecture == "qwen2" { biases.formUnion(["attn_q", "attn_k", "attn_v"]) }
    rotaryScaling = try RotaryScaling(gguf: settings, pairs: rotated / 2, context: contextLength)
    // Llama 3's scaling comes worked out, as divisors of the frequencies.
    var divisors = try settings.divisors("rope_freqs.weight", count: rotated / 2)
    if divisors?.allSatisfy({ $0 == 1 }) == true { divisors = nil }
    if let table = divisors, rotaryScaling == nil {
      rotaryScaling = .divisors(short: table, long: table, magnitude: 1, original: contextLength)
      divisors = nil
    }
    hasUnnamedScaling = divisors != nil
    try finish(rotated: rotated, baseDivisors: divisors, settings.fail)
    if let window = try settings.value("attention.sliding_window")?.integer, window > 0 { end(atWindow: window) }
  }
}
