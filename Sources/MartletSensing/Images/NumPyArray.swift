import MartletData

/// NumPy's .npy files: f4, f8 and u1 in row order, of one image `[rows, columns]`, of images `[images, rows, columns]`, or of those with
/// channels `[images, rows, columns, channels]`. Bytes are divided by 255; other values are taken as they are.
enum NumPyArray {
  static func read(_ bytes: [UInt8], of path: String, limit: Int) throws -> [Image] {
    func fail(_ problem: String) -> FileError { FileError(file: path, problem) }
    guard bytes.count >= 12 else { throw fail("this .npy file is cut off; save it again") }
    let isLong = bytes[6] >= 2, start = isLong ? 12 : 10
    let length = isLong ? (0..<4).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) } : Int(bytes[8]) | Int(bytes[9]) << 8
    guard length <= bytes.count - start, length < 65_536 else {
      throw fail("the header of this .npy file is cut off; save it again")
    }
    let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
    func after(_ key: String) -> Substring? {
      header.firstRange(of: "'\(key)':").map { header[$0.upperBound...].drop { $0 == " " } }
    }
    guard let type = after("descr")?.dropFirst().prefix(3), let size = ["<f4": 4, "<f8": 8, "|u1": 1][String(type)]
    else {
      throw fail("its numbers have a type that is not read; save them as float32, float64 or uint8")
    }
    guard after("fortran_order")?.hasPrefix("False") == true else {
      throw fail("its numbers are in column order; save numpy.ascontiguousarray of them")
    }
    guard let text = after("shape"), text.hasPrefix("("), let end = text.firstIndex(of: ")") else {
      throw fail("the header of this .npy file has no shape; save it again")
    }
    let sizes = text[text.index(after: text.startIndex)..<end].split(separator: ",").map {
      Int($0.filter { $0 != " " }) ?? 0
    }
    guard (2...4).contains(sizes.count), sizes.allSatisfy({ $0 > 0 }) else {
      throw fail(
        "its shape is (\(sizes.map(String.init).joined(separator: ", "))); give [rows, columns], [images, rows, columns] or [images, rows, columns, channels]"
      )
    }
    let shape = sizes.count == 2 ? [1] + sizes + [1] : sizes.count == 3 ? sizes + [1] : sizes
    guard let count = product(shape), count <= (bytes.count - start - length) / size,
      count * size == bytes.count - start - length
    else {
      throw fail("its shape does not agree with the \(bytes.count - start - length) bytes that follow; save it again")
    }
    guard shape[3] == 1 || shape[3] == 3 else { throw fail("its images have \(shape[3]) channels; give 1 or 3") }
    let each = shape[1] * shape[2] * shape[3], data = start + length
    return try (0..<min(limit, shape[0])).map { index in
      let values = (index * each..<(index + 1) * each).map { place -> Float in
        let at = data + place * size
        if size == 1 { return Float(bytes[at]) / 255 }
        let bits = (0..<size).reduce(UInt64(0)) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
        return size == 4 ? Float(bitPattern: UInt32(truncatingIfNeeded: bits)) : Float(Double(bitPattern: bits))
      }
      do { return try Image(height: shape[1], width: shape[2], channels: shape[3], values: values) } catch let error
        as SensingError
      {
        throw fail("image \(index + 1): \(error.message)")
      }
    }
  }
}
