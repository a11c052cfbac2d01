/// Expands data in the format DEFLATE (RFC 1951), as gzip files hold it. Written here because linking zlib would tie
/// the program to a library for one kind of file.
struct Inflate {
  enum Problem: Error {
    /// The data ends before its end mark.
    case cutOff
    /// A code or length that DEFLATE does not have.
    case damaged
    /// More bytes than the limit allows.
    case tooLarge
  }

  private let input: UnsafeRawBufferPointer
  /// The next byte to read.
  private(set) var at: Int
  private var bits: UInt64 = 0
  private var bitCount = 0
  private var output: [UInt8] = []
  private let isTooLarge: (_ written: Int, _ read: Int) -> Bool

  /// - Parameter isTooLarge: asked now and then whether so many bytes, written for so many read, are more than is allowed.
  private init(
    _ input: UnsafeRawBufferPointer, from start: Int, isTooLarge: @escaping (_ written: Int, _ read: Int) -> Bool
  ) {
    self.input = input
    self.isTooLarge = isTooLarge
    at = start
  }

  /// The bytes of the stream that begins at `start`, and where it ends.
  static func expand(
    _ input: UnsafeRawBufferPointer, from start: Int, isTooLarge: @escaping (_ written: Int, _ read: Int) -> Bool
  ) throws(Problem) -> (bytes: [UInt8], end: Int) {
    var state = Inflate(input, from: start, isTooLarge: isTooLarge)
    while true {
      let isLast = try state.take(1) == 1
      switch try state.take(2) {
      case 0: try state.copyStored()
      case 1: try state.expandBlock(literals: fixedLiterals, distances: fixedDistances)
      case 2:
        let (literals, distances) = try state.readCodes()
        try state.expandBlock(literals: literals, distances: distances)
      default: throw .damaged
      }
      if isLast { break }
    }
    // Whole bytes that were read ahead belong to what follows.
    return (state.output, state.at - state.bitCount / 8)
  }

  /// A code of Huffman's, with a table of all inputs of ``Code/width`` bits.
  private struct Code {
    static let width = 15
    /// Symbol times 16 plus its length, by the next 15 bits; 0 where no symbol begins so.
    private var table: [UInt16]

    init(lengths: [UInt8]) throws(Problem) {
      var counts = [Int](repeating: 0, count: Code.width + 1)
      for length in lengths where length > 0 { counts[Int(length)] += 1 }
      var next = [Int](repeating: 0, count: Code.width + 2)
      var code = 0
      for length in 1...Code.width {
        code = (code + counts[length - 1]) << 1
        next[length] = code
        guard code + counts[length] <= 1 << length else { throw .damaged }
      }
      table = [UInt16](repeating: 0, count: 1 << Code.width)
      for (symbol, length) in lengths.enumerated() where length > 0 {
        let length = Int(length)
        var reversed = 0, value = next[length]
        next[length] += 1
        for _ in 0..<length {
          reversed = reversed << 1 | value & 1
          value >>= 1
        }
        let entry = UInt16(symbol << 4 | length)
        for place in stride(from: reversed, to: 1 << Code.width, by: 1 << length) { table[place] = entry }
      }
    }

    @inline(__always) func find(_ bits: UInt64) -> UInt16 { table[Int(bits & (1 << Code.width - 1))] }
  }

  private static let fixedLiterals = fixed(
    [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112) + [UInt8](repeating: 7, count: 24)
      + [UInt8](repeating: 8, count: 8))
  private static let fixedDistances = fixed([UInt8](repeating: 5, count: 30))

  /// A code that is known to be right.
  private static func fixed(_ lengths: [UInt8]) -> Code? { try? Code(lengths: lengths) }

  private mutating func fill() {
    while bitCount <= 56, at < input.count {
      bits |= UInt64(input[at]) << UInt64(bitCount)
      at += 1
      bitCount += 8
    }
  }

  private mutating func take(_ count: Int) throws(Problem) -> Int {
    if bitCount < count { fill() }
    guard bitCount >= count else { throw .cutOff }
    let value = Int(bits & (1 << UInt64(count) - 1))
    bits >>= UInt64(count)
    bitCount -= count
    return value
  }

  private mutating func symbol(_ code: Code) throws(Problem) -> Int {
    if bitCount < Code.width { fill() }
    let entry = code.find(bits), length = Int(entry & 15)
    guard length > 0 else { throw bitCount < Code.width ? .cutOff : .damaged }
    guard bitCount >= length else { throw .cutOff }
    bits >>= UInt64(length)
    bitCount -= length
    return Int(entry >> 4)
  }

  private mutating func copyStored() throws(Problem) {
    _ = try take(bitCount % 8)
    let length = try take(16)
    guard try take(16) == length ^ 0xffff else { throw .damaged }
    for _ in 0..<length { output.append(UInt8(try take(8))) }
    if isTooLarge(output.count, at) { throw .tooLarge }
  }

  /// The codes of a block that brings its own, themselves coded.
  private mutating func readCodes() throws(Problem) -> (literals: Code?, distances: Code?) {
    let literals = try take(5) + 257, distances = try take(5) + 1, count = try take(4) + 4
    guard literals <= 286, distances <= 30 else { throw .damaged }
    var lengths = [UInt8](repeating: 0, count: 19)
    for place in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].prefix(count) {
      lengths[place] = UInt8(try take(3))
    }
    let code = try Code(lengths: lengths)
    lengths = []
    while lengths.count < literals + distances {
      let found = try symbol(code)
      switch found {
      case 16:
        guard let last = lengths.last else { throw .damaged }
        lengths += [UInt8](repeating: last, count: try take(2) + 3)
      case 17: lengths += [UInt8](repeating: 0, count: try take(3) + 3)
      case 18: lengths += [UInt8](repeating: 0, count: try take(7) + 11)
      default: lengths.append(UInt8(found))
      }
    }
    guard lengths.count == literals + distances else { throw .damaged }
    return (try Code(lengths: Array(lengths[..<literals])), try Code(lengths: Array(lengths[literals...])))
  }

  private mutating func expandBlock(literals: Code?, distances: Code?) throws(Problem) {
    guard let literals, let distances else { throw .damaged }
    while true {
      let found = try symbol(literals)
      if found < 256 {
        output.append(UInt8(found))
      } else if found == 256 {
        break
      } else {
        guard found < 286 else { throw .damaged }
        let (start, extra) = Self.lengths[found - 257]
        let length = start + (try take(extra))
        let place = try symbol(distances)
        guard place < 30 else { throw .damaged }
        let (near, more) = Self.distances[place]
        let distance = near + (try take(more))
        guard distance <= output.count else { throw .damaged }
        for _ in 0..<length { output.append(output[output.count - distance]) }
      }
      if output.count & 0xffff < 258, isTooLarge(output.count, at) { throw .tooLarge }
    }
    if isTooLarge(output.count, at) { throw .tooLarge }
  }

  /// Smallest length and number of further bits, by symbol from 257 on.
  private static let lengths: [(Int, Int)] = {
    var list: [(Int, Int)] = [], start = 3
    for symbol in 0..<28 {
      let extra = symbol < 8 ? 0 : symbol / 4 - 1
      list.append((start, extra))
      start += 1 << extra
    }
    return list + [(258, 0)]
  }()
  private static let distances: [(Int, Int)] = {
    var list: [(Int, Int)] = [], start = 1
    for symbol in 0..<30 {
      let extra = symbol < 4 ? 0 : symbol / 2 - 1
      list.append((start, extra))
      start += 1 << extra
    }
    return list
  }()
}
