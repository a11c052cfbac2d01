import Foundation
import MartletData
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletSensing

/// Files that are damaged, made to harm, or unusual: each gives its pixels or a sentence, and nothing traps or asks for memory without end.
@Suite struct FilesOfStrangersTests {
  /// A part of a PNG file, with a right checksum.
  private func part(_ name: String, _ data: [UInt8]) -> [UInt8] {
    func big(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
    let body = Array(name.utf8) + data
    var checksum = CRC32()
    body.withUnsafeBytes { checksum.update($0) }
    return big(UInt32(data.count)) + body + big(checksum.value)
  }

  /// A file of 3x2 pixels: `rows` have the byte of the filter before the pixels.
  private func png(depth: UInt8, color: UInt8, isInterlaced: Bool = false, _ parts: [UInt8], rows: [UInt8]) -> [UInt8] {
    PNG.signature + part("IHDR", [0, 0, 0, 3, 0, 0, 0, 2, depth, color, 0, 0, isInterlaced ? 1 : 0]) + parts
      + part("IDAT", Zlib.stored(rows)) + part("IEND", [])
  }

  /// What is not seen lies over black, by the opacity of a palette's colours and by the one colour of the others (ISO/IEC 15948, 11.3.2.1).
  @Test func transparentColoursOfAPNGFileAreBlack() throws {
    let palette = png(
      depth: 8, color: 3, part("PLTE", [255, 0, 0, 0, 255, 0]) + part("tRNS", [0, 51]), rows: [0, 0, 1, 0, 0, 1, 1, 0])
    let first = try #require(ImageFile.read(palette, of: "palette.png").first)
    let (none, green): ([Float], [Float]) = ([0, 0, 0], [0, 0.2, 0])
    #expect(zip(first.values, none + green + none + green + green + none).allSatisfy { abs($0 - $1) < 1e-6 })
    let grey = png(depth: 8, color: 0, part("tRNS", [0, 200]), rows: [0, 200, 100, 255, 0, 0, 200, 51])
    let second = try #require(ImageFile.read(grey, of: "grey.png").first)
    #expect(zip(second.values, [0, 100, 255, 0, 0, 51].map { $0 / 255 }).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect {
      try ImageFile.read(png(depth: 8, color: 0, part("tRNS", [1]), rows: [0, 0, 0, 0, 0, 0, 0, 0]), of: "x")
    } throws: { "\($0)".contains("transparency") }
  }

  /// Damage behind a right checksum reaches what the checksum keeps from it.
  @Test(arguments: [(8, 3, false), (1, 0, true), (16, 6, false), (4, 3, true), (8, 2, true)] as [(UInt8, UInt8, Bool)])
  func damagedPartsOfAPNGFileGiveSentences(depth: UInt8, color: UInt8, isInterlaced: Bool) throws {
    let random = RandomSource(seed: 5).stream(Int(depth) * 8 + Int(color))
    for round in 0..<4_000 {
      let draw = random.stream(round)
      func byte(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: draw.bits(place)) }
      var header: [UInt8] = [0, 0, 0, 3, 0, 0, 0, 2, depth, color, 0, 0, isInterlaced ? 1 : 0]
      if draw.integer(0, below: 2) == 0 { header[draw.integer(1, below: 13)] = byte(2) & 31 }
      let palette = (0..<3 * draw.integer(3, below: 5)).map { byte(10 + $0) }
      let seen = (0..<draw.integer(4, below: 8)).map { byte(40 + $0) }
      let rows = (0..<draw.integer(5, below: 120)).map { $0 % 7 == 0 ? byte(60 + $0) % 6 : byte(60 + $0) }
      var parts = [part("PLTE", palette), part("tRNS", seen), part("IDAT", Zlib.stored(rows)), part("gAMA", [1])]
      for place in parts.indices { parts.swapAt(place, draw.integer(200 + place, below: parts.count)) }
      let file =
        PNG.signature + part("IHDR", header) + parts.prefix(1 + draw.integer(6, below: 4)).joined() + part("IEND", [])
      do { _ = try ImageFile.read(file, of: "file") } catch { #expect("\(error)".hasPrefix("file"), "\(error)") }
    }
  }

  // MARK: Measurements

  private func line(_ change: (inout [String: Any]) -> Void) throws -> JSONLines.Line {
    var object: [String: Any] = [
      "name": "a", "height": 4, "width": 4, "operator": "cosine", "seed": "1", "measurements": [[0.5, 0.25, 1, -1]],
    ]
    change(&object)
    let data = try JSONSerialization.data(withJSONObject: object)
    return try #require(JSONLines.lines(data, of: "file").first)
  }

  /// A line of a few bytes may say that its image is as large as it likes.
  @Test func anImageThatIsTooLargeToMeasureIsRefused() throws {
    for (kind, height, width) in [
      ("cosine", 100_000_000, 100_000_000), ("mask", 100_000_000, 2), ("hadamard", 99_999_999, 99_999_999),
      ("fourier", 100_000_000, 3), ("gaussian", 100_000_000, 100_000_000), ("cosine", 100_000_000, 1),
      ("cosine", 1, 99_991),
      ("fourier", 99_991, 1),
    ] {
      let measured = try MeasuredImage(line { ($0["operator"], $0["height"], $0["width"]) = (kind, height, width) })
      #expect(throws: SensingError.self, "\(kind) \(height)x\(width)") {
        try measured.measured.linearOperator(height: measured.height, width: measured.width)
      }
    }
    #expect(throws: SensingError.self) { try SparseBasis.cosine.transform(height: 3, width: 99_991) }
    #expect(try SparseBasis.cosine.transform(height: 3, width: 8_191 * 2) != nil)
  }

  @Test func damagedLinesOfMeasurementsGiveSentences() throws {
    let whole = try #require(
      String(
        bytes: Array(
          JSONSerialization.data(
            withJSONObject: [
              "name": "a", "height": 4, "width": 4, "operator": "cosine", "seed": "1", "block": 2,
              "block_is_shared": true,
              "noise": ["kind": "poisson", "level": 10, "seed": "3"], "measurements": [[0.5, 0.25, 1, -1]],
            ], options: .sortedKeys)), encoding: .utf8))
    let words = [
      "\"cosine\"", "\"fourier\"", "\"convolution\"", "\"matrix\"", "\"mask\"", "\"gaussian\"", "0", "-1", "1e308",
      "99999999999999999999",
      "null", "[]", "{}", "true", "2", "4", "16", "\"\"", "[[1]]", "[[1,2],[3]]",
    ]
    let random = RandomSource(seed: 31)
    for round in 0..<5_000 {
      let draw = random.stream(round)
      var text = whole
      for change in 0..<1 + draw.integer(0, below: 2) {
        // A value becomes another one: from behind a colon to the comma, bracket or brace that ends it.
        let colons = text.indices.filter { text[$0] == ":" }
        let colon = colons[draw.integer(3 * change + 1, below: colons.count)]
        let start = text.index(after: colon)
        let end = text[start...].firstIndex { $0 == "," || $0 == "}" } ?? text.endIndex
        text.replaceSubrange(start..<end, with: words[draw.integer(3 * change + 2, below: words.count)])
      }
      do {
        guard let line = try JSONLines.lines(Data(text.utf8), of: "file").first else { continue }
        let measured = try MeasuredImage(line)
        _ = try measured.reconstruct(by: TotalVariation(iterations: 2))
      } catch { #expect(error is any ExplainedError, "\(text): \(error)") }
    }
  }

  // MARK: Tables and reference values

  @Test func damagedTablesGiveSentences() throws {
    let estimate = "{\"mean\":1,\"lower\":0.5,\"upper\":1.5,\"seed_lower\":1,\"seed_upper\":1}"
    let metrics = RecoveryRow.Metric.allCases.map { "\"\($0.rawValue)\":\(estimate)" }.joined(separator: ",")
    let whole = Array(
      ("{\"images\":\"x\",\"method\":\"tv\",\"learns_from_images\":false,\"measured_by\":\"cosine\",\"measurements\":10,\"pixels\":100,"
        + "\"noise\":0,\"count\":3,\"seeds\":1,\(metrics)}").utf8)
    let random = RandomSource(seed: 12)
    var read = 0
    for round in 0..<5_000 {
      var bytes = whole
      let draw = random.stream(round), digits = Array("0123456789-eE.".utf8)
      for change in 0..<1 + draw.integer(0, below: 3) {
        let place = draw.integer(3 * change + 1, below: bytes.count)
        bytes[place] =
          (48...57).contains(bytes[place])
          ? digits[draw.integer(3 * change + 2, below: digits.count)]
          : UInt8(truncatingIfNeeded: draw.bits(3 * change + 2))
      }
      do {
        let table = try RecoveryTable(JSONLines.lines(Data(bytes), of: "file"), of: "file")
        _ = RecoveryAdvice(.init(ratio: 0.1, noise: 0, hasTraining: true, pixels: 100), by: table)
        read += 1
      } catch { #expect(error is any ExplainedError, "\(error)") }
    }
    #expect(read > 0)
  }

  /// A key is missing, a list is shorter, a number is something else: what does not fit is named with its place.
  @Test(.enabled(if: TestData.shared != nil, "no data folder")) func damagedReferenceValuesGiveSentences() throws {
    let path = try #require(TestData.shared) + "/images/reference/dcs_csgan_fixtures_f64.json"
    let whole = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    let scratch = try TestData.Scratch(), file = scratch.file("fixture.json"), random = RandomSource(seed: 2)
    for round in 0..<150 {
      let draw = random.stream(round)
      var depth = 0
      func damaged(_ value: Any) -> Any {
        depth += 1
        let last = draw.integer(5 * depth, below: 4) == 0
        let others: [Any] = [NSNull(), "x", [Any](), [String: Any](), -1, 0, 1e300, 3.5, [[1, 2]]]
        if var object = value as? [String: Any], !object.isEmpty {
          let keys = object.keys.sorted(), key = keys[draw.integer(5 * depth + 1, below: keys.count)]
          if last {
            object[key] =
              draw.integer(5 * depth + 2, below: 2) == 0 ? nil : others[draw.integer(5 * depth + 3, below: 9)]
          }
          if !last, let inner = object[key] { object[key] = damaged(inner) }
          return object
        }
        if var list = value as? [Any], !list.isEmpty {
          let place = draw.integer(5 * depth + 1, below: list.count)
          if last { list.remove(at: place) } else { list[place] = damaged(list[place]) }
          return list
        }
        return others[draw.integer(5 * depth + 3, below: 9)]
      }
      try JSONSerialization.data(withJSONObject: damaged(whole)).write(to: URL(fileURLWithPath: file))
      do { _ = try SensingVerification(file).worst } catch { #expect("\(error)".hasPrefix(file), "\(error)") }
    }
  }

  // MARK: Images to learn from

  @Test func setsOfImagesThatCannotBeAreRefused() throws {
    let images = IDXFile.Images(count: 1000, height: 28, width: 28, pixels: [UInt8](repeating: 7, count: 784_000))
    for (pooling, padding) in [
      (4_000_000_000, 0), (.max, 0), (.min, 0), (0, 0), (3, 0), (1, .max), (1, .min), (1, 512),
    ] {
      #expect(throws: SensingError.self, "\(pooling) \(padding)") {
        try ImageSet(images, pooling: pooling, padding: padding)
      }
    }
    #expect(try ImageSet(images, pooling: 28, padding: 1).height == 3)
    let scratch = try TestData.Scratch(), folder = scratch.file("one")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data("P5\n2 1\n255\n12".utf8).write(to: URL(fileURLWithPath: folder + "/a.pgm"))
    #expect(throws: SensingError.self) { try ImageSet(contentsOf: folder, pooling: 4_000_000_000) }
  }

  /// Files that differ in their ending alone are told apart, so that what was measured can be recovered.
  @Test func imagesOfAFolderHaveNamesOfTheirOwn() throws {
    let scratch = try TestData.Scratch(), folder = scratch.file("photos")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in ["a.pgm", "a.PGM", "b.pgm"] {
      try Data("P5\n2 1\n255\n12".utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    #expect(try ImageFile.read(folder).map(\.name) == ["a.PGM", "a.pgm", "b"])
    #expect(try ImageFile.read(folder, limit: 1).map(\.name) == ["a.PGM"])
    let header = Array("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 2), }\n".utf8)
    try Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + [1, 2, 3, 4]).write(
      to: URL(fileURLWithPath: folder + "/c.npy"))
    try Data("P5\n2 1\n255\n12".utf8).write(to: URL(fileURLWithPath: folder + "/c-2.pgm"))
    #expect { try ImageFile.read(folder) } throws: { "\($0)".contains("\"c-2\"") && "\($0)".contains("rename") }
  }

  /// What NumPy's users save most: an image with its channels last, floats up to 255, and a matrix whose values are no pixels.
  @Test func arraysThatAreMeantOtherwiseAreRefused() throws {
    func array(_ shape: String, _ values: [Double]) -> [UInt8] {
      let header = Array("{'descr': '<f8', 'fortran_order': False, 'shape': (\(shape)), }\n".utf8)
      return NumPyArray.signature + [1, 0, UInt8(header.count), 0] + header
        + values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    }
    #expect { try ImageFile.read(array("2, 2, 3", [Double](repeating: 0.5, count: 12)), of: "file") } throws: {
      "\($0)".contains("one image with 3 channels; give [1, rows, columns, channels]")
    }
    #expect(
      try ImageFile.read(array("1, 2, 2, 3", [Double](repeating: 0.5, count: 12)), of: "file").first?.channels == 3)
    #expect { try ImageFile.read(array("1, 2", [12, 255]), of: "file") } throws: { "\($0)".contains("as by 255") }
    #expect(try ImageFile.read(array("1, 2", [-0.4, 1.7]), of: "file").first?.values == [-0.4, 1.7])
    let scratch = try TestData.Scratch(), path = scratch.file("matrix.npy")
    try Data(array("1, 2", [12, -255])).write(to: URL(fileURLWithPath: path))
    #expect(try MatrixOperator(file: path).rows == [12, -255])
  }

  @Test func matricesThatDoNotFitInTheMemoryAreRefused() {
    var settings = RecoverySettings()
    (settings.height, settings.width, settings.hidden) = (512, 512, 8192)
    #expect { try settings.check() } throws: { "\($0)".contains("1 GiB") }
    var network = GANSettings()
    (network.side, network.channels, network.latents) = (256, 256, 1024)
    #expect { try network.check() } throws: { "\($0)".contains("1 GiB") }
  }
}
