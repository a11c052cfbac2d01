import MartletData

/// NumPy's .npy files: f4, f8 and u1 in row order, of one image `[rows, columns]`, of images `[images, rows, columns]`, or of those with
/// channels `[images, rows, columns, channels]`. Bytes are divided by 255; other values are taken as they are.
public enum NumPyArray {
  /// What every file begins with.
  static let signature = [0x93] + Array("NUMPY".utf8)

  /// The bytes of a file of numbers in double precision: `[height, width]` for one plane, `[1, height, width, planes]` for more.
  /// - Parameters:
  ///   - planes: planes `[height * width]`, one a channel.
  ///   - height: the number of rows of a plane.
  ///   - width: the number of columns of a plane.
  public static func bytes(planes: [[Double]], height: Int, width: Int) -> [UInt8] {
    let shape = planes.count == 1 ? "\(height), \(width)" : "1, \(height), \(width), \(planes.count)"
    var header = Array("{'descr': '<f8', 'fortran_order': False, 'shape': (\(shape)), }".utf8)
    header += [UInt8](repeating: 32, count: 63 - (10 + header.count) % 64) + [10]
    var bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count & 255), UInt8(header.count >> 8)] + header
    for index in 0..<height * width {
      for plane in planes {
        let bits = plane[index].bitPattern
        for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * byte))) }
      }
    }
    return bytes
  }

  static func read(_ bytes: [UInt8], of path: String, limit: Int) throws -> [Image] {
    func fail(_ problem: String) -> FileError { FileError(file: path, problem) }
    guard bytes.count >= 12 else { throw fail("this .npy file is cut off; save it again") }
    let isLong = bytes[6] >= 2, start = isLong ? 12 : 10
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
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
    guard sizes.count != 3 || !(3...4).contains(sizes[2]) else {
      throw fail(
        "its shape is (\(sizes.map(String.init).joined(separator: ", "))), which looks like one image with \(sizes[2]) channels; give [1, rows, columns, channels], with 1 or 3 channels"
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
