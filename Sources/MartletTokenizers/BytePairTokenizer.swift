import Foundation

/// Byte-level byte-pair encoding (GPT-2, Llama 3, SmolLM2, Qwen2).
public struct BytePairTokenizer: Tokenizer {
  public let vocabularySize: Int
  public let beginOfText: Int?
  public let endOfText: Set<Int>
  public var name: String { "bpe" }

  private let pieces: [[UInt8]]
  private let byteTokens: [Int32]
  private let merges: [UInt64: PairMerger.Merge]
  private let whole: [[UInt8]: Int]?
  private let added: AddedTokens
  private let control: Set<Int>
  private let preTokenizer: PreTokenizer
  private let composes: Bool

  /// - Parameters:
  ///   - vocabulary: token texts in GPT-2's printable alphabet, by id.
  ///   - merges: pairs in order of rank, each `left right`.
  ///   - added: texts that are cut out as tokens before anything else.
  ///   - control: tokens without text of their own.
  ///   - composes: Unicode NFC first.
  ///   - ignoresMerges: a word that is itself a token is never split (Llama 3).
  init(
    vocabulary: [String], merges pairs: [(String, String)], added: [String: Int], control: Set<Int>,
    preTokenizer: PreTokenizer, beginOfText: Int?, endOfText: Set<Int>, composes: Bool = false,
    ignoresMerges: Bool = false
  ) {
    vocabularySize = vocabulary.count
    self.beginOfText = beginOfText
    self.endOfText = endOfText
    self.added = AddedTokens(added)
    self.control = control
    self.preTokenizer = preTokenizer
    self.composes = composes
    var ids: [String: Int32] = [:]
    ids.reserveCapacity(vocabulary.count)
    for (id, text) in vocabulary.enumerated() { ids[text] = Int32(id) }
    let addedIds = Set(added.values)
    pieces = vocabulary.enumerated().map { id, text in
      addedIds.contains(id) ? Array(text.utf8) : PrintableBytes.decode(text)
    }
    byteTokens = (0..<256).map { ids[PrintableBytes.encode(UInt8($0))] ?? -1 }
    var table: [UInt64: PairMerger.Merge] = [:]
    table.reserveCapacity(pairs.count)
    for (rank, pair) in pairs.enumerated() {
      guard let left = ids[pair.0], let right = ids[pair.1], let result = ids[pair.0 + pair.1] else { continue }
      let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
      if table[key] == nil { table[key] = PairMerger.Merge(rank: Int32(rank), result: result) }
    }
    merges = table
    whole =
      ignoresMerges
      ? Dictionary(pieces.enumerated().filter { !addedIds.contains($0.offset) }.map { ($1, $0) }) { first, _ in first }
      : nil
  }

  public func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] {
    var ids: [Int] = []
    var cache: [ArraySlice<UInt8>: [Int32]] = [:]
    if special {
      added.split(Array(text), token: { ids.append($0) }, text: { encodePlain($0, into: &ids, cache: &cache) })
    } else {
      encodePlain(Array(text)[...], into: &ids, cache: &cache)
    }
    return ids
  }

  private func encodePlain(_ text: ArraySlice<UInt8>, into ids: inout [Int], cache: inout [ArraySlice<UInt8>: [Int32]])
  {
    var string = String(decoding: text, as: UTF8.self)
    if composes { string = string.precomposedStringWithCanonicalMapping }
    let scalars = Array(string.unicodeScalars)
    var bytes: [UInt8] = []
    var offsets: [Int] = [0]
    bytes.reserveCapacity(text.count)
    offsets.reserveCapacity(scalars.count + 1)
    for scalar in scalars {
      UTF8.encode(scalar).map { bytes.append(contentsOf: $0) }
      offsets.append(bytes.count)
    }
    for word in preTokenizer.split(scalars) {
      let slice = bytes[offsets[word.lowerBound]..<offsets[word.upperBound]]
      if let known = cache[slice] {
        ids.append(contentsOf: known.map(Int.init))
        continue
      }
      let symbols = merged(slice)
      if slice.count <= 32, cache.count < 50_000 { cache[slice] = symbols }
      ids.append(contentsOf: symbols.map(Int.init))
    }
  }

  private func merged(_ word: ArraySlice<UInt8>) -> [Int32] {
    if let whole, let id = whole[Array(word)] { return [Int32(id)] }
    var symbols = word.map { byteTokens[Int($0)] }.filter { $0 >= 0 }
    PairMerger.run(&symbols) { merges[UInt64(UInt32(bitPattern: $0)) << 32 | UInt64(UInt32(bitPattern: $1))] }
    return symbols
  }

  public func bytes(of token: Int) -> [UInt8] {
    pieces.indices.contains(token) && !control.contains(token) ? pieces[token] : []
  }

  public func token(named name: String) -> Int? { added.ids[name] }
}

/// GPT-2's bijection between bytes and printable characters.
enum PrintableBytes {
  private static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (0..<256).map { (byte: UInt32) -> Unicode.Scalar in
      let printable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
      defer { if !printable { next += 1 } }
      return Unicode.Scalar(printable ? byte : next) ?? " "
    }
  }()
  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

  static func encode(_ byte: UInt8) -> String { String(Character(scalars[Int(byte)])) }

  /// Characters outside the alphabet stand for themselves.
  static func decode(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      if let byte = bytes[scalar] { result.append(byte) } else { result += UTF8.encode(scalar).map(Array.init) ?? [] }
    }
    return result
  }
}
