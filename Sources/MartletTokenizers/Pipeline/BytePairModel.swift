/// Byte-pair encoding of one piece of text: its characters become tokens, of which known pairs merge.
struct BytePairModel: Sendable {
  /// What a tokenizer.json says about a BPE model besides its lists.
  struct Options: Sendable {
    /// The token for characters outside the vocabulary.
    var unknown: Int32?
    /// Neighbouring unknown characters are one token.
    var fusesUnknown = false
    /// Unknown characters become tokens of their bytes (`<0x0A>`).
    var fallsBackToBytes = false
    /// A piece that is itself a token is never split (Llama 3).
    var ignoresMerges = false
    /// Stands before every character of a piece but the first.
    var continuingPrefix: [UInt8] = []
    /// Stands behind the last character of a piece.
    var endSuffix: [UInt8] = []
  }

  /// A piece in the form that the model requires.
  enum Alphabet: Sendable { case characters, printedBytes }

  private let options: Options
  private let merges: [UInt64: PairMerger.Merge]
  /// The token of each byte, where every byte has one: then pieces need not be printed byte by byte.
  private let byteTokens: [Int32]?
  private let fallbackTokens: [Int32]
  /// Tokens of single characters, by whether the character is the first and the last of its piece.
  private let characters: [[UInt32: Int32]]
  private let whole: [[UInt8]: Int32]

  /// Why lists of tokens and merges do not belong together.
  struct MergeError: Error { let problem: String }

  /// - Parameters:
  ///   - ids: tokens by their text.
  ///   - special: tokens that no plain text may become.
  ///   - prefersLater: which rank a pair has that is listed twice.
  ///   - printsBytes: pieces are printed bytes.
  /// - Throws: ``MergeError`` for a merge of tokens that do not exist.
  init(
    ids: [[UInt8]: Int32], merges pairs: [(left: [UInt8], right: [UInt8])], special: Set<Int>, options: Options,
    printsBytes: Bool, prefersLater: Bool
  ) throws(MergeError) {
    self.options = options
    var table: [UInt64: PairMerger.Merge] = [:]
    table.reserveCapacity(pairs.count)
    for (rank, pair) in pairs.enumerated() {
      func missing(_ text: [UInt8]) -> MergeError {
        let (left, right) = (String(decoding: pair.left, as: UTF8.self), String(decoding: pair.right, as: UTF8.self))
        return MergeError(
          problem: "merge \(rank + 1) (\(left) \(right)) needs the token \(String(decoding: text, as: UTF8.self)), "
            + "which its vocabulary lacks; the file is damaged")
      }
      guard let left = ids[pair.left] else { throw missing(pair.left) }
      guard let right = ids[pair.right], pair.right.count >= options.continuingPrefix.count else {
        throw missing(pair.right)
      }
      let text = pair.left + pair.right.dropFirst(options.continuingPrefix.count)
      guard let result = ids[text] else { throw missing(text) }
      let key = Self.key(left, right)
      if prefersLater || table[key] == nil { table[key] = PairMerger.Merge(rank: Int32(rank), result: result) }
    }
    merges = table
    let bytes = PrintableBytes.scalars.map { UTF8.encode($0).flatMap { ids[Array($0)] } ?? -1 }
    let plain = options.continuingPrefix.isEmpty && options.endSuffix.isEmpty
    let isComplete = !bytes.contains(-1) || (options.unknown == nil && !options.fallsBackToBytes)
    byteTokens = printsBytes && plain && isComplete ? bytes : nil
    fallbackTokens =
      options.fallsBackToBytes
      ? (0..<256).map { ids[Array("<0x\($0 < 16 ? "0" : "")\(String($0, radix: 16, uppercase: true))>".utf8)] ?? -1 }
      : []
    characters = byteTokens == nil ? Self.characters(ids, options) : []
    var whole: [[UInt8]: Int32] = [:]
    if options.ignoresMerges {
      for (text, id) in ids where !special.contains(Int(id)) {
        if byteTokens == nil { whole[text] = id } else if let bytes = PrintableBytes.decode(text) { whole[bytes] = id }
      }
    }
    self.whole = whole
  }

  /// What ``encode(_:_:into:)`` takes: bytes that need no printing, or characters.
  var alphabet: Alphabet { byteTokens == nil ? .characters : .printedBytes }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private static func characters(_ ids: [[UInt8]: Int32], _ options: Options) -> [[UInt32: Int32]] {
    var tables = [[UInt32: Int32]](repeating: [:], count: 4)
    for place in 0..<4 {
      let (isFirst, isLast) = (place & 1 == 1, place & 2 == 2)
      if options.continuingPrefix.isEmpty, options.endSuffix.isEmpty, place > 0 {
        tables[place] = tables[0]
        continue
      }
      let prefix = isFirst ? [] : options.continuingPrefix
      let suffix = isLast ? options.endSuffix : []
      for (text, id) in ids
      where text.count > prefix.count + suffix.count && text.count <= prefix.count + suffix.count + 4 {
        guard text.starts(with: prefix), text.suffix(suffix.count).elementsEqual(suffix) else { continue }
        let body = String(decoding: text.dropFirst(prefix.count).dropLast(suffix.count), as: UTF8.self).unicodeScalars
        if let scalar = body.first, body.count == 1 { tables[place][scalar.value] = id }
      }
    }
    return tables
  }

  /// Tokens of one piece.
  ///
  /// - Parameters:
  ///   - scalars: the piece.
  ///   - bytes: the same in UTF-8.
  func encode(_ scalars: ArraySlice<Unicode.Scalar>, _ bytes: ArraySlice<UInt8>) -> [Int32] {
    if options.ignoresMerges, let id = whole[Array(bytes)] { return [id] }
    var symbols: [Int32]
    if let byteTokens {
      symbols = bytes.map { byteTokens[Int($0)] }
      symbols.removeAll { $0 < 0 }
    } else {
      symbols = characterTokens(scalars)
    }
    PairMerger.run(&symbols) { merges[Self.key($0, $1)] }
    return symbols
  }

  private func characterTokens(_ scalars: ArraySlice<Unicode.Scalar>) -> [Int32] {
    var symbols: [Int32] = []
    symbols.reserveCapacity(scalars.count)
    var pendingUnknown = false
    for at in scalars.indices {
      let place = (at == scalars.startIndex ? 1 : 0) | (at == scalars.endIndex - 1 ? 2 : 0)
      if let id = characters[place][scalars[at].value] {
        if pendingUnknown, let unknown = options.unknown { symbols.append(unknown) }
        pendingUnknown = false
        symbols.append(id)
        continue
      }
      if options.fallsBackToBytes {
        let character = UTF8.encode(scalars[at]).map(Array.init) ?? []
        let text =
          (place & 1 == 1 ? [] : options.continuingPrefix) + character + (place & 2 == 2 ? options.endSuffix : [])
        let tokens = text.map { fallbackTokens[Int($0)] }
        if !tokens.contains(-1) {
          symbols += tokens
          continue
        }
      }
      guard let unknown = options.unknown else { continue }
      if pendingUnknown, !options.fusesUnknown { symbols.append(unknown) }
      pendingUnknown = true
    }
    if pendingUnknown, let unknown = options.unknown { symbols.append(unknown) }
    return symbols
  }
}
