import Foundation
import MartletData

/// Token files of RWKV's and Megatron's trainers: `NAME.bin` holds the tokens, `NAME.idx` where documents begin.
enum BinIdx {
  static func read(_ path: String, context: Int) throws -> TrainingData {
    let stem = (path as NSString).deletingPathExtension
    let indexPath = stem + ".idx", tokenPath = stem + ".bin"
    let bytes = try MappedFile.contents(of: indexPath)
    func fail(_ problem: String) -> TrainingError { TrainingError("\(indexPath): \(problem)") }
    guard bytes.count >= 34, bytes.prefix(9).elementsEqual(Array("MMIDIDX\0\0".utf8)) else {
      throw fail("it does not begin with MMIDIDX, so it is not an index of tokens")
    }
    func load<Number: FixedWidthInteger>(_ place: Int, _ type: Number.Type) -> Number {
      bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: type) }
    }
    func number(_ place: Int) -> Int { Int(clamping: load(place, UInt64.self).littleEndian) }
    guard number(9) == 1 else { throw fail("its version is \(number(9)), not 1") }
    let size: Int
    switch bytes[17] {
    case 1, 2: size = 1
    case 3, 8: size = 2
    case 4: size = 4
    case 5: size = 8
    default: throw fail("its element type \(bytes[17]) is not one of integers")
    }
    let kind = bytes[17], count = number(18)
    guard count > 0, count < 1 << 40, bytes.count >= 34 + count * 12 else {
      throw fail("it declares \(count) documents, which do not fit into its \(bytes.count) bytes; it is cut off")
    }
    let tokens = try MappedFile(path: tokenPath), raw = tokens.bytes
    defer { withExtendedLifetime(tokens) {} }
    var stream: [Int] = []
    stream.reserveCapacity(raw.count / size)
    for document in 0..<count {
      let length = Int(load(34 + document * 4, Int32.self).littleEndian)
      let start = Int(load(34 + count * 4 + document * 8, Int64.self).littleEndian)
      guard length >= 0, start >= 0, start <= raw.count, length <= (raw.count - start) / size else {
        throw fail("document \(document) lies outside \(tokenPath); the two files do not belong together")
      }
      for place in 0..<length {
        let at = start + place * size
        switch kind {
        case 1: stream.append(Int(raw[at]))
        case 2: stream.append(Int(Int8(bitPattern: raw[at])))
        case 3: stream.append(Int(raw.loadUnaligned(fromByteOffset: at, as: Int16.self).littleEndian))
        case 8: stream.append(Int(raw.loadUnaligned(fromByteOffset: at, as: UInt16.self).littleEndian))
        case 4: stream.append(Int(raw.loadUnaligned(fromByteOffset: at, as: Int32.self).littleEndian))
        default: stream.append(Int(clamping: raw.loadUnaligned(fromByteOffset: at, as: Int64.self).littleEndian))
        }
      }
    }
    guard stream.count >= 2 else { throw fail("it has \(stream.count) tokens, too few for training") }
    return TrainingData(stream: stream, context: context)
  }
}
