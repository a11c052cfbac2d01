import MartletData

/// PGM and PPM files of the Netpbm family, plain (P2, P3) and binary (P5, P6).
enum PortableMap {
  static func read(_ bytes: [UInt8], of path: String) throws -> Image {
    func fail(_ problem: String) -> FileError { FileError(file: path, "\(problem); fetch or save it again") }
    var at = 2
    /// The next number of the header or of a plain file; comments begin with # and end with the line.
    func number() throws -> Int {
      while at < bytes.count {
        if bytes[at] == UInt8(ascii: "#") {
          while at < bytes.count, bytes[at] != 10, bytes[at] != 13 { at += 1 }
        } else if [9, 10, 11, 12, 13, 32].contains(bytes[at]) {
          at += 1
        } else {
          break
        }
      }
      var value = 0
      let start = at
      while at < bytes.count, (48...57).contains(bytes[at]), at - start < 10 {
        value = value * 10 + Int(bytes[at] - 48)
        at += 1
      }
      guard at > start else { throw fail("a number is missing at byte \(at) of this PGM or PPM file") }
      return value
    }
    let kind = bytes[1], channels = kind == UInt8(ascii: "3") || kind == UInt8(ascii: "6") ? 3 : 1
    let width = try number(), height = try number(), white = try number()
    guard width > 0, height > 0, (1...65_535).contains(white), width <= PNG.mostPixels / height else {
      throw fail(
        "the header says \(width)x\(height) pixels and white \(white), which is not possible or more than \(PNG.mostPixels) pixels"
      )
    }
    let count = width * height * channels
    var values = [Float]()
    if kind < UInt8(ascii: "5") {
      guard count <= bytes.count else { throw fail("the file has fewer pixels than its header says") }
      for _ in 0..<count { values.append(Float(try number())) }
    } else {
      at += 1
      let size = white > 255 ? 2 : 1
      guard bytes.count - at >= count * size else { throw fail("the file has fewer pixels than its header says") }
      for index in 0..<count {
        let place = at + index * size
        values.append(Float(size == 1 ? Int(bytes[place]) : Int(bytes[place]) << 8 | Int(bytes[place + 1])))
      }
    }
    guard values.allSatisfy({ $0 <= Float(white) }) else {
      throw fail("a pixel is brighter than the white of the header")
    }
    return try Image(height: height, width: width, channels: channels, values: values.map { $0 / Float(white) })
  }
}
