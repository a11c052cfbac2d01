/// SentencePiece byte-pair encoding with byte fallback (Llama 1 and 2, TinyLlama, Mistral).
public struct SentencePieceTokenizer: Tokenizer {
  public let vocabularySize: Int
  public let beginOfText: Int?
  public let endOfText: Set<Int>
  public var name: String { "sentencepiece" }

  private let pieces: [[UInt8]]
  private let ids: [[UInt8]: Int32]
  private let ranks: Ranks
  private let byteTokens: [Int32]
  private let added: AddedTokens
  private let control: Set<Int>
  private let unknown: Int32
  private let prefixesSpace: Bool

  /// What decides which pair merges first.
  enum Ranks: Sendable {
    /// A score a token: the pair whose result scores highest.
    case scores([Float])
    /// An explicit list of pairs.
    case pairs([UInt64: PairMerger.Merge])
  }

  private static let space: [UInt8] = [0xe2, 0x96, 0x81]  // ▁

  init(
    vocabulary: [String], ranks: Ranks, added: [String: Int], control: Set<Int>, unknown: Int?, beginOfText: Int?,
    endOfText: Set<Int>, prefixesSpace: Bool
  ) {
    vocabularySize = vocabulary.count
    self.beginOfText = beginOfText
    self.endOfText = endOfText
    self.control = control
    self.added = AddedTokens(added)
    self.ranks = ranks
    self.prefixesSpace = prefixesSpace
    self.unknown = Int32(unknown ?? -1)
    var ids: [[UInt8]: Int32] = [:]
    var byteTokens = [Int32](repeating: -1, count: 256)
    var pieces: [[UInt8]] = []
    for (id, text) in vocabulary.enumerated() {
      let bytes = Array(text.utf8)
      if text.utf8.count == 6, text.hasPrefix("<0x"), let byte = UInt8(text.dropFirst(3).dropLast(), radix: 16) {
        byteTokens[Int(byte)] = Int32(id)
        pieces.append([byte])
        continue
      }
      if !control.contains(id) { ids[bytes] = Int32(id) }
      pieces.append(bytes)
    }
    self.ids = ids
    self.byteTokens = byteTokens
    self.pieces = pieces.enumerated().map { id, bytes in
      byteTokens.contains(Int32(id)) ? bytes : Self.withSpaces(bytes)
    }
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
    var result: [Int] = []
    var first = true
    let plain = { (part: ArraySlice<UInt8>) in
      var bytes: [UInt8] = first && prefixesSpace ? Self.space : []
      first = false
      for byte in part {
        if byte == 32 { bytes += Self.space } else { bytes.append(byte) }
      }
      encodePiece(bytes, into: &result)
    }
    if special {
      added.split(
        Array(text),
        token: {
          result.append($0)
          first = false
        }, text: plain)
    } else if !text.isEmpty {
      plain(Array(text)[...])
    }
    return result
  }

  private func encodePiece(_ bytes: [UInt8], into result: inout [Int]) {
    // One symbol a character; those outside the vocabulary get negative numbers and never merge.
    var symbols: [Int32] = []
    var strangers: [[UInt8]] = []
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      let character = UTF8.encode(scalar).map(Array.init) ?? []
      if let id = ids[character] {
        symbols.append(id)
      } else {
        strangers.append(character)
        symbols.append(-Int32(strangers.count) - 1)
      }
    }
    // Strangers split the text into runs of known symbols.
    var run: [Int32] = []
    func flush() {
      PairMerger.run(&run) { left, right in
        switch ranks {
        case .pairs(let table): return table[UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))]
        case .scores(let scores):
          guard let id = ids[raw(left) + raw(right)] else { return nil }
          return PairMerger.Merge(rank: Self.rank(of: scores[Int(id)]), result: id)
        }
      }
      result.append(contentsOf: run.map(Int.init))
      run.removeAll()
    }
    for symbol in symbols {
      if symbol >= 0 {
        run.append(symbol)
      } else {
        flush()
        let tokens = strangers[Int(-symbol) - 2].map { byteTokens[Int($0)] }
        result.append(
          contentsOf: tokens.allSatisfy { $0 >= 0 } ? tokens.map(Int.init) : unknown >= 0 ? [Int(unknown)] : [])
      }
    }
    flush()
  }

  /// The piece as it stands in the vocabulary, its spaces as ▁.
  private func raw(_ id: Int32) -> [UInt8] {
    let bytes = pieces[Int(id)]
    guard bytes.contains(32) else { return bytes }
    return bytes.flatMap { $0 == 32 ? Self.space : [$0] }
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

  public func token(named name: String) -> Int? { added.ids[name] }
}
