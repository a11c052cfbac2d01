import Foundation
import MartletTestSupport

/// Tokens as Megatron's tools keep them: 16 bits each in a .bin, and where each document begins in a .idx.
enum IndexedTokens {
  /// Writes `name.idx` and `name.bin`.
  /// - Returns: the index.
  @discardableResult
  static func write(_ documents: [[UInt16]], to name: String, in scratch: TestData.Scratch) throws -> [UInt8] {
    var index = Array("MMIDIDX\0\0".utf8)
    func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { index += $0 } }
    put(UInt64(1))
    index.append(8)
    put(UInt64(documents.count))
    put(UInt64(documents.count + 1))
    for document in documents { put(Int32(document.count)) }
    var begin = 0
    for document in documents {
      put(Int64(begin))
      begin += 2 * document.count
    }
    for place in 0...documents.count { put(Int64(place)) }
    try scratch.write(index, to: name + ".idx")
    try scratch.write(bytes(documents.joined()), to: name + ".bin")
    return index
  }

  static func bytes(_ tokens: some Sequence<UInt16>) -> [UInt8] {
    tokens.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
  }
}
