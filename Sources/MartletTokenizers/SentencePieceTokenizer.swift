/// SentencePiece byte-pair encoding with byte fallback, as stored in GGUF files (Llama 1 and 2, TinyLlama, Mistral):
/// the pair whose result has the highest score is merged first. A space is added in front of the text and after each
/// added token (the rule of Llama 2's first tokenizer and of llama.cpp).
public struct SentencePieceTokenizer: Tokenizer {
  public let vocabularySize: Int
  public let beginOfText: Int?
  public let endOfText: Set<Int>
  public let prefixToken: Int?
  public var name: String { "sentencepiece" }

  /// Texts of tokens as the vocabulary has them, spaces as ▁.
  private let texts: [[UInt8]]
  /// What a token adds to a text.
  private let pieces: [[UInt8]]
  private let ids: [[UInt8]: Int32]
  private let scores: [Float]
  private let byteTokens: [Int32]
  private let added: AddedTokens
  private let addedIds: [[UInt8]: Int]
  private let control: Set<Int>
  private let unknown: Int32
  private let prefixesSpace: Bool

  private static let space: [UInt8] = [0xe2, 0x96, 0x81]  // ▁

  /// - Parameter scores: one for each token.
  init(
    vocabulary: [String], scores: [Float], added: [AddedToken], unknown: Int?, beginOfText: Int?, endOfText: Set<Int>,
    prefixToken: Int? = nil, prefixesSpace: Bool
  ) {
    vocabularySize = vocabulary.count
    self.beginOfText = beginOfText
    self.endOfText = endOfText
    self.prefixToken = prefixToken ?? beginOfText ?? endOfText.min()
    self.scores = scores
    self.added = AddedTokens(added, spellings: added.map { Array($0.text.unicodeScalars) })
    addedIds = Dictionary(added.map { (Array($0.text.utf8), $0.id) }) { first, _ in first }
    control = Set(added.filter(\.isSpecial).map(\.id))
    self.prefixesSpace = prefixesSpace
    self.unknown = Int32(unknown ?? -1)
    texts = vocabulary.map { Array($0.utf8) }
    var ids: [[UInt8]: Int32] = [:]
    var byteTokens = [Int32](repeating: -1, count: 256)
    var pieces: [[UInt8]] = []
    for (id, text) in texts.enumerated() {
      if let byte = TokenDecoder.byte(text) {
        byteTokens[Int(byte)] = Int32(id)
        pieces.append([byte])
        continue
      }
      if !control.contains(id) { ids[text] = Int32(id) }
      pieces.append(Self.withSpaces(text))
    }
    self.ids = ids
    self.byteTokens = byteTokens
    self.pieces = pieces
  }

  private static func withSpaces(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while at < bytes.count {
      if bytes[at...].starts(with: space) {
        result.append(32)
        at += 3
      } else {
        result.append(bytes[at])
        at += 1
      }
    }
    return result
  }

  public func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] {
    encode(text, special: special, barred: [])
  }

  public func encode(_ text: some Collection<UInt8>, barring barred: Set<String>) -> [Int] {
    encode(text, special: false, barred: barred)
  }

  private func encode(_ text: some Collection<UInt8>, special: Bool, barred: Set<String>) -> [Int] {
    var result: [Int] = []
    let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
    added.split(scalars, special: special, barring: barred, token: { result.append($0) }) { range in
      // Only added tokens and the text's start can stand before a part.
      encodePiece(
        (prefixesSpace ? ["\u{2581}"] : []) + scalars[range].map { $0 == " " ? "\u{2581}" : $0 }, into: &result)
    }
    return result
  }

  private func encodePiece(_ scalars: [Unicode.Scalar], into result: inout [Int]) {
    // Characters outside the vocabulary split the text into runs of known symbols.
    var run: [Int32] = []
    func flush() {
      PairMerger.run(&run) { left, right in
        guard let id = ids[texts[Int(left)] + texts[Int(right)]] else { return nil }
        return PairMerger.Merge(rank: Self.rank(of: scores[Int(id)]), result: id)
      }
      result.append(contentsOf: run.map(Int.init))
      run.removeAll()
    }
    for scalar in scalars {
      let character = UTF8.encode(scalar).map(Array.init) ?? []
      if let id = ids[character] {
        run.append(id)
        continue
      }
      flush()
      let tokens = character.map { byteTokens[Int($0)] }
      result.append(
        contentsOf: tokens.allSatisfy { $0 >= 0 } ? tokens.map(Int.init) : unknown >= 0 ? [Int(unknown)] : [])
    }
    flush()
  }

  /// Scores as integers whose order is the reverse: the highest score has the lowest rank.
  private static func rank(of score: Float) -> Int32 {
    let bits = Int32(bitPattern: score.bitPattern)
    return ~(bits < 0 ? bits ^ Int32.max : bits)
  }

  public func bytes(of token: Int) -> [UInt8] {
    pieces.indices.contains(token) && !control.contains(token) ? pieces[token] : []
  }

  public func decode(_ tokens: [Int]) -> [UInt8] {
    let bytes = tokens.flatMap(bytes(of:))
    return prefixesSpace && bytes.first == 32 ? Array(bytes.dropFirst()) : bytes
  }

  public func token(named name: String) -> Int? { addedIds[Array(name.utf8)] }
  public func name(of token: Int) -> String? {
    control.contains(token) && texts.indices.contains(token) ? String(validating: texts[token], as: UTF8.self) : nil
  }
}
