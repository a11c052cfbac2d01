/// Byte-pair encoding as in Hugging Face's `tokenizers`: added tokens are split off, the rest is normalised and
/// pre-tokenised into pieces, and each piece is encoded (GPT-2, Llama, Qwen2, SmolLM2, Gemma ...).
public struct BytePairTokenizer: Tokenizer {
  public let vocabularySize: Int
  public let beginOfText: Int?
  public let endOfText: Set<Int>
  public let prefixToken: Int?
  public let name: String

  /// The parts of a tokenizer.
  struct Parts: Sendable {
    /// Texts of tokens by id; empty for ids that no token has.
    var vocabulary: [[UInt8]]
    var added: [AddedToken]
    var normalizer = TextNormalizer([])
    var preTokenizer: PreTokenizer
    var model: BytePairModel
    var decoder: TokenDecoder
    var beginOfText: Int?
    var endOfText: Set<Int> = []
    /// nil where the files name no token that begins or ends a text.
    var prefixToken: Int?
    var name = "bpe"
    /// Added tokens are the text they stand for; else they go through the decoder like all others.
    var addedAreText = false
  }

  private let vocabulary: [[UInt8]]
  private let rawTokens: AddedTokens
  private let normalizedTokens: AddedTokens
  private let addedIds: [[UInt8]: Int]
  private let normalizer: TextNormalizer
  private let preTokenizer: PreTokenizer
  private let model: BytePairModel
  private let decoder: TokenDecoder
  private let control: Set<Int>
  /// What each token adds to a text.
  private let pieces: [[UInt8]]

  init(_ parts: Parts) {
    vocabularySize = parts.vocabulary.count
    beginOfText = parts.beginOfText
    endOfText = parts.endOfText
    prefixToken = parts.prefixToken ?? parts.beginOfText ?? parts.endOfText.min()
    name = parts.name
    normalizer = parts.normalizer
    model = parts.model
    decoder = parts.decoder
    // A last step that prints bytes is left out where the model takes bytes.
    var steps = parts.preTokenizer.steps
    if case .printBytes? = steps.last, model.alphabet == .printedBytes { steps.removeLast() }
    preTokenizer = PreTokenizer(steps)
    let raw = parts.added.filter { !$0.isNormalized }
    rawTokens = AddedTokens(raw, spellings: raw.map { Array($0.text.unicodeScalars) })
    let normalized = parts.added.filter(\.isNormalized)
    let spellings = normalized.map { parts.normalizer.normalized($0.text) }
    normalizedTokens = AddedTokens(normalized, spellings: spellings)
    addedIds = Dictionary(parts.added.map { (Array($0.text.utf8), $0.id) }) { first, _ in first }
    control = Set(parts.added.filter(\.isSpecial).map(\.id))
    var vocabulary = parts.vocabulary
    // A token that was normalised on its way in is decoded from that form.
    for (token, spelling) in zip(normalized, spellings) {
      vocabulary[token.id] = Array(String(String.UnicodeScalarView(spelling)).utf8)
    }
    self.vocabulary = vocabulary
    var pieces = vocabulary.map(parts.decoder.bytes(of:))
    if parts.addedAreText { for token in parts.added { pieces[token.id] = Array(token.text.utf8) } }
    self.pieces = pieces
  }

  public func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] {
    encode(text, special: special, barred: [])
  }

  public func encode(_ text: some Collection<UInt8>, barring barred: Set<String>) -> [Int] {
    encode(text, special: false, barred: barred)
  }

  private func encode(_ text: some Collection<UInt8>, special: Bool, barred: Set<String>) -> [Int] {
    var ids: [Int] = []
    var cache: [ArraySlice<UInt8>: [Int32]] = [:]
    let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
    rawTokens.split(scalars, special: special, barring: barred, token: { ids.append($0) }) { range in
      var text = NormalizedText(
        range.count == scalars.count ? scalars : Array(scalars[range]), isStart: range.lowerBound == 0)
      normalizer.apply(to: &text)
      if normalizedTokens.isEmpty { return encodePlain(&text, into: &ids, cache: &cache) }
      normalizedTokens.split(text.scalars, special: special, barring: barred, token: { ids.append($0) }) { range in
        var part = NormalizedText(Array(text.scalars[range]), isStart: false)
        part.originCount = max(0, min(text.originCount - range.lowerBound, range.count))
        encodePlain(&part, into: &ids, cache: &cache)
      }
    }
    return ids
  }

  private func encodePlain(
    _ text: inout NormalizedText, into ids: inout [Int], cache: inout [ArraySlice<UInt8>: [Int32]]
  ) {
    preTokenizer.apply(to: &text)
    var bytes: [UInt8] = []
    var offsets: [Int] = [0]
    bytes.reserveCapacity(text.scalars.count)
    offsets.reserveCapacity(text.scalars.count + 1)
    for scalar in text.scalars {
      if scalar.isASCII {
        bytes.append(UInt8(truncatingIfNeeded: scalar.value))
      } else {
        UTF8.encode(scalar).map { bytes.append(contentsOf: $0) }
      }
      offsets.append(bytes.count)
    }
    for piece in text.pieces {
      let slice = bytes[offsets[piece.lowerBound]..<offsets[piece.upperBound]]
      if let known = cache[slice] {
        for id in known { ids.append(Int(id)) }
        continue
      }
      let symbols = model.encode(text.scalars[piece], slice)
      if slice.count <= 32, cache.count < 50_000 { cache[slice] = symbols }
      for id in symbols { ids.append(Int(id)) }
    }
  }

  public func bytes(of token: Int) -> [UInt8] {
    pieces.indices.contains(token) && !control.contains(token) ? pieces[token] : []
  }

  public func decode(_ tokens: [Int]) -> [UInt8] {
    if decoder.isTokenwise { return tokens.flatMap(bytes(of:)) }
    // Ids that no token has, and control tokens, are passed over.
    return decoder.decode(
      tokens.compactMap { id in
        vocabulary.indices.contains(id) && !control.contains(id) && !vocabulary[id].isEmpty ? vocabulary[id] : nil
      })
  }

  public func token(named name: String) -> Int? { addedIds[Array(name.utf8)] }
  public func name(of token: Int) -> String? {
    control.contains(token) && vocabulary.indices.contains(token)
      ? String(validating: vocabulary[token], as: UTF8.self) : nil
  }
}
