import CMartletData
import MartletData

/// The RWKV World tokenizer: greedy longest match from left to right. Every byte is a token, so encoding never fails.
/// The text is not normalised or split, and no token is added.
public struct WorldTokenizer: Tokenizer {
  private let trie: ByteTrie
  private let tokens: [ArraySlice<UInt8>]

  public var name: String { "rwkv-world" }
  public var vocabularySize: Int { 65_536 }
  /// Token 0, which ends a text.
  public var endOfText: Set<Int> { [0] }

  /// The tokenizer with the vocabulary that is built into Martlet (rwkv_vocab_v20230424). It is parsed once per
  /// process.
  public static let shared: WorldTokenizer = {
    let file = martlet_find(martlet_vocabulary, "rwkv_vocab_v20230424.txt")
    let text = UnsafeRawBufferPointer(start: file.bytes, count: file.size)
    guard let tokenizer = try? WorldTokenizer(vocabulary: text, file: "the built-in vocabulary") else {
      preconditionFailure("the built-in vocabulary is damaged")  // safe: a constant of the library, tested
    }
    return tokenizer
  }()

  /// Reads a vocabulary file: lines `ID LITERAL LENGTH`, the literal in Python's syntax.
  public init(vocabulary: UnsafeRawBufferPointer, file: String) throws {
    var tokens = [ArraySlice<UInt8>](repeating: [], count: 65_536)
    var entries: [(key: ArraySlice<UInt8>, value: Int)] = []
    entries.reserveCapacity(65_536)
    var line = 0, start = 0
    while start < vocabulary.count {
      line += 1
      var end = start
      while end < vocabulary.count, vocabulary[end] != 10 { end += 1 }
      var last = end
      if last > start, vocabulary[last - 1] == 13 { last -= 1 }
      if last > start {
        guard let (id, bytes) = Self.parse(UnsafeRawBufferPointer(rebasing: vocabulary[start..<last])), id < 65_536
        else {
          throw FileError(file: file, "line \(line) is not `ID LITERAL LENGTH`; use an RWKV World vocabulary")
        }
        tokens[id] = bytes[...]
        entries.append((bytes[...], id))
      }
      start = end + 1
    }
    self.tokens = tokens
    trie = ByteTrie(entries)
  }

  public func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] {
    var ids: [Int] = []
    ids.reserveCapacity(text.count / 3)
    let contiguous: Void? = text.withContiguousStorageIfAvailable { encode($0, into: &ids) }
    if contiguous == nil { Array(text).withUnsafeBufferPointer { encode($0, into: &ids) } }
    return ids
  }

  private func encode(_ text: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
    _ = trie.segment(text) { ids.append(Int($0)) }
  }

  public func bytes(of token: Int) -> [UInt8] { tokens.indices.contains(token) ? Array(tokens[token]) : [] }

  public func decode(_ tokens: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    for token in tokens where self.tokens.indices.contains(token) { bytes.append(contentsOf: self.tokens[token]) }
    return bytes
  }

  /// One line, by bytes: Swift's Character would join combining marks with the quotes.
  private static func parse(_ line: UnsafeRawBufferPointer) -> (Int, [UInt8])? {
    guard let first = line.firstIndex(of: 32), let last = line.lastIndex(of: 32), first < last,
      let id = number(line[..<first]), let length = number(line[(last + 1)...])
    else { return nil }
    var at = first + 1
    let binary = line[at] == UInt8(ascii: "b")
    if binary { at += 1 }
    guard last - at >= 2, line[at] == line[last - 1], [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(line[at]) else {
      return nil
    }
    at += 1
    let end = last - 1
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    while at < end {
      let byte = line[at]
      at += 1
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      guard at < end else { return nil }
      let escape = line[at]
      at += 1
      switch escape {
      case UInt8(ascii: "n"): bytes.append(10)
      case UInt8(ascii: "r"): bytes.append(13)
      case UInt8(ascii: "t"): bytes.append(9)
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
      case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
        let digits = escape == UInt8(ascii: "x") ? 2 : escape == UInt8(ascii: "u") ? 4 : 8
        guard at + digits <= end, let value = hexadecimal(line[at..<at + digits]) else { return nil }
        at += digits
        if binary {
          bytes.append(UInt8(truncatingIfNeeded: value))
        } else {
          guard let scalar = Unicode.Scalar(value) else { return nil }
          bytes.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        }
      default: return nil
      }
    }
    return bytes.count == length ? (id, bytes) : nil
  }

  private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard !digits.isEmpty, digits.count < 9 else { return nil }
    var value = 0
    for digit in digits {
      guard digit >= 48, digit < 58 else { return nil }
      value = value * 10 + Int(digit - 48)
    }
    return value
  }

  private static func hexadecimal(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt32? {
    UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
