import MartletData

/// IDX files of images, as MNIST and Fashion-MNIST come: bytes of 0 to 255, `[images, rows, columns]`.
enum IDX {
  static func read(_ bytes: [UInt8], of path: String, limit: Int) throws -> [Image] {
    func fail(_ problem: String) -> FileError { FileError(file: path, "\(problem); fetch or save it again") }
    guard bytes.count >= 16 else { throw fail("this IDX file is cut off in its header") }
    func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    guard bytes[2] == 8, bytes[3] == 3 else {
      throw FileError(
        file: path, "this IDX file holds no images (magic number \(number(0)) instead of 2051); give the file of images"
      )
    }
    let (count, rows, columns) = (number(4), number(8), number(12))
    guard rows > 0, columns > 0, rows <= 65_535, columns <= 65_535, count <= (bytes.count - 16) / (rows * columns),
      bytes.count - 16 == count * rows * columns
    else {
      throw fail(
        "its header says \(count) images of \(rows)x\(columns), and \(bytes.count - 16) bytes of pixels follow")
    }
    let size = rows * columns
    return try (0..<min(limit, count)).map { index in
      try Image(
        height: rows, width: columns,
        values: bytes[16 + index * size..<16 + (index + 1) * size].map { Float($0) / 255 })
    }
  }
}
