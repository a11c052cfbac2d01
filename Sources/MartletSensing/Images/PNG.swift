import MartletData

/// PNG files (ISO/IEC 15948): every colour type and bit depth, plain and interlaced, read; grey and RGB of 8 bits written.
enum PNG {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
  /// The most pixels of a file that is read.
  static let mostPixels = 100_000_000

  private struct Header {
    var width = 0, height = 0, depth = 0, color = 0
    var isInterlaced = false
    /// What tRNS says: the opacity of the palette's colours, or the samples of the one colour that is not seen.
    var transparency: [UInt8] = []
    var samples: Int { [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][color] ?? 1 }
    /// The bytes of a row of so many pixels.
    func rowBytes(_ width: Int) -> Int { (width * samples * depth + 7) / 8 }
    /// The samples of the one colour that is not seen; nil for none.
    var unseen: [Int]? {
      guard color == 0 || color == 2, transparency.count == 2 * samples else { return nil }
      return (0..<samples).map { Int(transparency[2 * $0]) << 8 | Int(transparency[2 * $0 + 1]) }
    }
    /// The passes: first row, first column, step of rows, step of columns.
    var passes: [(row: Int, column: Int, rows: Int, columns: Int)] {
      isInterlaced
        ? [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        : [(0, 0, 1, 1)]
    }
  }

  /// Reads a file. Transparent pixels are laid over black.
  static func read(_ bytes: [UInt8], of path: String) throws -> Image {
    func fail(_ problem: String) -> FileError { FileError(file: path, "\(problem); fetch or save it again") }
    func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    var header: Header?
    var palette: [[Float]] = [], compressed: [UInt8] = [], at = 8, hasEnd = false
    while !hasEnd {
      guard at + 12 <= bytes.count, number(at) <= bytes.count - at - 12 else {
        throw fail("this PNG file is cut off at byte \(at)")
      }
      let count = number(at), data = at + 8, end = at + 8 + count
      var checksum = CRC32()
      Array(bytes[at + 4..<end]).withUnsafeBytes { checksum.update($0) }
      guard Int(checksum.value) == number(end) else {
        throw fail("the part at byte \(at) of this PNG file has a wrong checksum")
      }
      switch String(decoding: bytes[at + 4..<at + 8], as: UTF8.self) {
      case "IHDR":
        guard count == 13, header == nil else { throw fail("the header of this PNG file is damaged") }
        var found = Header(
          width: number(data), height: number(data + 4), depth: Int(bytes[data + 8]), color: Int(bytes[data + 9]))
        found.isInterlaced = bytes[data + 12] == 1
        let depths = [0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]][found.color] ?? []
        guard depths.contains(found.depth), bytes[data + 10] == 0, bytes[data + 11] == 0, bytes[data + 12] < 2,
          found.width > 0, found.height > 0
        else { throw fail("the header of this PNG file has values that PNG does not know") }
        guard found.width <= mostPixels / found.height else {
          throw FileError(
            file: path,
            "\(found.width)x\(found.height) pixels are more than the limit of \(mostPixels); make it smaller")
        }
        header = found
      case "PLTE":
        guard count % 3 == 0, count <= 768 else { throw fail("the palette of this PNG file is damaged") }
        palette = stride(from: data, to: end, by: 3).map { place in (0..<3).map { Float(bytes[place + $0]) / 255 } }
      case "tRNS":
        guard let color = header?.color, [0: count == 2, 2: count == 6, 3: count <= palette.count][color] ?? false
        else {
          throw fail("the transparency of this PNG file is damaged")
        }
        header?.transparency = Array(bytes[data..<end])
      case "IDAT": compressed += bytes[data..<end]
      case "IEND": hasEnd = true
      default:
        // Bit 5 of the first letter says that a part may be left out.
        guard bytes[at + 4] & 32 != 0 else { throw fail("this PNG file has a part that PNG does not know") }
      }
      at = end + 4
    }
    guard let header else { throw fail("this PNG file has no header") }
    guard header.color != 3 || !palette.isEmpty else { throw fail("this PNG file has no palette") }
    for (index, opacity) in header.transparency.enumerated() where header.color == 3 {
      palette[index] = palette[index].map { $0 * Float(opacity) / 255 }
    }
    return try image(header, palette, compressed, fail: fail, path: path)
  }

  private static func image(
    _ header: Header, _ palette: [[Float]], _ compressed: [UInt8], fail: (String) -> FileError, path: String
  ) throws -> Image {
    let sizes = header.passes.map { pass in
      (
        rows: (header.height - pass.row + pass.rows - 1) / pass.rows,
        columns: (header.width - pass.column + pass.columns - 1) / pass.columns
      )
    }
    let total = sizes.reduce(0) { $0 + ($1.columns > 0 ? max(0, $1.rows) * (1 + header.rowBytes($1.columns)) : 0) }
    var data = try Zlib.unpack(compressed, of: path, most: total + 1024)
    guard data.count >= total else { throw fail("this PNG file has fewer pixels than its header says") }
    let channels = header.color == 2 || header.color == 3 || header.color == 6 ? 3 : 1
    var values = [Float](repeating: 0, count: header.height * header.width * channels)
    let step = max(1, header.samples * header.depth / 8), scale = Float(1) / Float(1 << header.depth - 1)
    let unseen = header.unseen
    var start = 0
    for (pass, size) in zip(header.passes, sizes) where size.rows > 0 && size.columns > 0 {
      let rowBytes = header.rowBytes(size.columns)
      for row in 0..<size.rows {
        guard unfilter(&data, start, rowBytes, step, isFirst: row == 0) else {
          throw fail("row \(row + 1) of this PNG file has an unknown filter")
        }
        for column in 0..<size.columns {
          func sample(_ index: Int) -> Int {
            let bit = (column * header.samples + index) * header.depth, byte = start + 1 + bit / 8
            if header.depth == 16 { return Int(data[byte]) << 8 | Int(data[byte + 1]) }
            return Int(data[byte]) >> (8 - header.depth - bit % 8) & (1 << header.depth - 1)
          }
          let place = ((pass.row + row * pass.rows) * header.width + pass.column + column * pass.columns) * channels
          if header.color == 3 {
            let index = sample(0)
            guard index < palette.count else {
              throw fail("a pixel of this PNG file has color \(index), and the palette has \(palette.count)")
            }
            for channel in 0..<3 { values[place + channel] = palette[index][channel] }
          } else {
            var alpha = header.color >= 4 ? Float(sample(channels)) * scale : 1
            if let unseen, unseen.indices.allSatisfy({ sample($0) == unseen[$0] }) { alpha = 0 }
            for channel in 0..<channels { values[place + channel] = Float(sample(channel)) * scale * alpha }
          }
        }
        start += 1 + rowBytes
      }
    }
    return try Image(height: header.height, width: header.width, channels: channels, values: values)
  }

  /// Undoes the filter of the row that begins at `start`; false if there is no such filter.
  private static func unfilter(_ data: inout [UInt8], _ start: Int, _ count: Int, _ step: Int, isFirst: Bool) -> Bool {
    let filter = data[start]
    guard filter < 5 else { return false }
    guard filter > 0 else { return true }
    for index in 0..<count {
      let place = start + 1 + index
      let left = index < step ? 0 : Int(data[place - step])
      let up = isFirst ? 0 : Int(data[place - count - 1])
      let corner = isFirst || index < step ? 0 : Int(data[place - count - 1 - step])
      let guess: Int
      switch filter {
      case 1: guess = left
      case 2: guess = up
      case 3: guess = (left + up) / 2
      default:
        let middle = left + up - corner
        let (a, b, c) = (abs(middle - left), abs(middle - up), abs(middle - corner))
        guess = a <= b && a <= c ? left : b <= c ? up : corner
      }
      data[place] = data[place] &+ UInt8(truncatingIfNeeded: guess)
    }
    return true
  }

  /// The bytes of a file with 8 bits a value, grey or RGB.
  static func bytes(_ image: Image) -> [UInt8] {
    func big(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
    func part(_ name: String, _ data: [UInt8]) -> [UInt8] {
      let body = Array(name.utf8) + data
      var checksum = CRC32()
      body.withUnsafeBytes { checksum.update($0) }
      return big(data.count) + body + big(Int(checksum.value))
    }
    let isColor = image.channels == 3, row = image.width * (isColor ? 3 : 1)
    var rows: [UInt8] = []
    for y in 0..<image.height {
      rows.append(0)
      for x in 0..<row {
        let index = isColor ? y * row + x : (y * image.width + x) * image.channels
        rows.append(UInt8((min(1, max(0, image.values[index])) * 255).rounded()))
      }
    }
    return signature + part("IHDR", big(image.width) + big(image.height) + [8, isColor ? 2 : 0, 0, 0, 0])
      + part("IDAT", Zlib.stored(rows)) + part("IEND", [])
  }
}
