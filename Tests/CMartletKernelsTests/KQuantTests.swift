import CMartletKernels
import Foundation
import MartletTestSupport
import Testing

/// Q4_K, Q5_K and Q6_K in tiles: the file's values bit for bit, in the file's bytes; products in extremes.
struct KQuantTests {
  static let formats: [(format: martlet_format, type: martlet_file_type, halves: [Int])] = [
    (MARTLET_Q4_K, MARTLET_FILE_Q4_K, [0, 2]), (MARTLET_Q5_K, MARTLET_FILE_Q5_K, [0, 2]),
    (MARTLET_Q6_K, MARTLET_FILE_Q6_K, [208]),
  ]

  /// Rows of random bytes with the scales of blocks in a range that models have.
  private func rows(_ index: Int, count: Int, inputs: Int, fill: UInt8? = nil, scale: UInt8? = nil) -> [UInt8] {
    let (_, type, halves) = Self.formats[index], size = Int(martlet_file_block_bytes(Int32(type.rawValue)))
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state >> 16
    }
    let blocks = count * inputs / 256
    var bytes = [UInt8](repeating: fill ?? 0, count: blocks * size)
    if fill == nil { for place in bytes.indices { bytes[place] = UInt8(truncatingIfNeeded: next()) } }
    for block in 0..<blocks {
      if let scale, index == 2 { for place in 192..<208 { bytes[block * size + place] = scale } }
      for place in halves {
        let scale: Float = 0.001 + Float(next() % 1000) / 10000
        let bits = Float16(scale).bitPattern
        bytes[block * size + place] = UInt8(bits & 255)
        bytes[block * size + place + 1] = UInt8(bits >> 8)
      }
    }
    return bytes
  }

  private func packed(_ index: Int, _ bytes: [UInt8], outputs: Int, inputs: Int) -> [UInt8] {
    let format = Self.formats[index].format, rowBytes = martlet_row_bytes(format, Int64(inputs))
    let tileBytes = martlet_tile_bytes(format, Int64(inputs))
    var tiles = [UInt8](repeating: 0xAA, count: (outputs + 15) / 16 * tileBytes)
    for tile in 0..<(outputs + 15) / 16 {
      bytes.withUnsafeBytes { source in
        tiles.withUnsafeMutableBytes {
          martlet_pack_tile(
            format, source.baseAddress! + tile * 16 * rowBytes, rowBytes, Int32(min(16, outputs - tile * 16)),
            Int64(inputs), $0.baseAddress! + tile * tileBytes)
        }
      }
    }
    return tiles
  }

  /// Every code, scale and minimum survives: what is unpacked has the bits of the file's definition (FileTypeTests holds
  /// that to the `gguf` package), and sixteen rows take no byte more than in the file.
  @Test(arguments: formats.indices) func tilesHoldWhatTheFileSays(index: Int) {
    let (format, type, _) = Self.formats[index], (outputs, inputs) = (37, 768)
    let bytes = rows(index, count: outputs, inputs: inputs)
    let tiles = packed(index, bytes, outputs: outputs, inputs: inputs)
    #expect(martlet_tile_bytes(format, Int64(inputs)) == 16 * bytes.count / outputs)
    var truth = [Float](repeating: 0, count: outputs * inputs), found = truth
    martlet_file_expand(Int32(type.rawValue), bytes, Int64(truth.count), &truth)
    for row in 0..<outputs {
      found.withUnsafeMutableBufferPointer { buffer in
        tiles.withUnsafeBytes {
          martlet_unpack_row(
            format, $0.baseAddress! + row / 16 * martlet_tile_bytes(format, Int64(inputs)), Int32(row % 16),
            Int64(inputs), buffer.baseAddress! + row * inputs)
        }
      }
    }
    #expect(found.map(\.bitPattern) == truth.map(\.bitPattern))
  }

  /// Many rows go another way than few on some tables (Matmul_expanded.h): the bits stay those of each row alone, over several
  /// stretches of inputs, groups of tiles and strips of rows, and where results are added to what is there.
  @Test(arguments: formats.indices) func manyRowsHaveTheBitsOfOne(index: Int) {
    let (format, _, _) = Self.formats[index], (outputs, inputs) = (83, 1280)
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    let tiles = packed(index, rows(index, count: outputs, inputs: inputs), outputs: outputs, inputs: inputs)
    for rows in [24, 25, 35, 253] {
      let x = TestData.noise(rows * inputs, seed: 9)
      for simd in 1...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
        let together = MatmulTests.multiply(format, tiles, outputs: outputs, inputs: inputs, x: x, rows: rows)
        let added = MatmulTests.multiply(
          format, tiles, outputs: outputs, inputs: inputs, x: x, rows: rows, addingTo: 0.25)
        let inParts = MatmulTests.multiply(
          format, tiles, outputs: outputs, inputs: inputs, x: x, rows: rows, cuttingAt: 3)
        #expect(inParts.map(\.bitPattern) == together.map(\.bitPattern), "table \(simd), \(rows) rows in two parts")
        for row in 0..<rows {
          let alone = MatmulTests.multiply(
            format, tiles, outputs: outputs, inputs: inputs, x: Array(x[row * inputs..<(row + 1) * inputs]), rows: 1)
          let range = row * outputs..<(row + 1) * outputs
          #expect(together[range].map(\.bitPattern) == alone.map(\.bitPattern), "table \(simd), row \(row) of \(rows)")
          #expect(added[range].map(\.bitPattern) == alone.map { ($0 + 0.25).bitPattern }, "table \(simd), row \(row)")
        }
      }
    }
  }

  /// The largest codes with the largest activations fit every table's sums; the integers are exact, so with activations
  /// that 8 bits hold the product is that of double precision.
  @Test(arguments: formats.indices) func extremesFitTheSums(index: Int) {
    let (format, type, _) = Self.formats[index], (outputs, inputs) = (16, 512)
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    var mixed = [Float](repeating: 127, count: inputs)
    for k in 0..<inputs where k % 32 != 0 {
      let value: Int = k * 37 % 255 - 127
      mixed[k] = Float(value)
    }
    let extremes: [[Float]] = [
      [Float](repeating: 127, count: inputs), [Float](repeating: -127, count: inputs), mixed,
    ]
    // Random bytes, all codes at their largest, and all at their smallest; in Q6_K with the extreme scales too.
    let fills: [(UInt8?, UInt8?)] = [
      (nil, nil), (0xff, nil), (0, nil), (0xff, 0x80), (0, 0x80), (0xff, 0x7f), (0, 0x7f),
    ]
    for (fill, scale) in fills {
      let bytes = rows(index, count: outputs, inputs: inputs, fill: fill, scale: scale)
      let tiles = packed(index, bytes, outputs: outputs, inputs: inputs)
      var weights = [Float](repeating: 0, count: outputs * inputs)
      martlet_file_expand(Int32(type.rawValue), bytes, Int64(weights.count), &weights)
      for x in extremes {
        for simd in 0...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
          let y = MatmulTests.multiply(format, tiles, outputs: outputs, inputs: inputs, x: x, rows: 1)
          let many = MatmulTests.multiply(
            format, tiles, outputs: outputs, inputs: inputs, x: [[Float]](repeating: x, count: 24).flatMap { $0 },
            rows: 24)
          #expect(many == [[Float]](repeating: y, count: 24).flatMap { $0 }, "table \(simd)")
          for output in 0..<outputs {
            var sum = 0.0, magnitude = 0.0
            for k in 0..<inputs {
              let term = Double(x[k]) * Double(weights[output * inputs + k])
              sum += term
              magnitude += abs(term)
            }
            let off = abs(Double(y[output]) - sum)
            #expect(off <= 1e-6 * magnitude, "table \(simd), output \(output): off by \(off)")
          }
        }
      }
    }
  }

  /// Rounding costs what ggml's own does: 0.298, 0.076 and 0.018 % of the square of uniform noise (Scripts/check_k_quants.py;
  /// FileFormatTests has its bytes).
  @Test func roundingIsFine() {
    let values = TestData.noise(4096, seed: 3)
    func squares(_ values: [Float]) -> Double {
      var sum = 0.0
      for value in values { sum += Double(value) * Double(value) }
      return sum
    }
    let most: [Double] = [0.0031, 0.0008, 0.0002]
    for index in Self.formats.indices {
      let (format, type, _) = Self.formats[index]
      var bytes = [UInt8](repeating: 0, count: martlet_row_bytes(format, 4096))
      #expect(martlet_file_round(Int32(type.rawValue), values, 4096, &bytes))
      var found = [Float](repeating: 0, count: 4096)
      martlet_file_expand(Int32(type.rawValue), bytes, 4096, &found)
      let differences: [Float] = zip(values, found).map { pair in pair.0 - pair.1 }
      let error = squares(differences) / squares(values)
      #expect(error < most[index], "\(type): \(error)")
      // What is on the grid already stays there: rounding twice changes little.
      var again = bytes
      #expect(martlet_file_round(Int32(type.rawValue), found, 4096, &again))
      var second = found
      martlet_file_expand(Int32(type.rawValue), again, 4096, &second)
      #expect(TestData.largestDifference(second, found) < 0.08, "\(type)")
    }
    // Values without a scale, and those that no number describes, end in numbers of the format or are told.
    for (_, type, _) in Self.formats {
      var bytes = [UInt8](repeating: 7, count: Int(martlet_file_block_bytes(Int32(type.rawValue))))
      var found = [Float](repeating: 1, count: 256)
      #expect(martlet_file_round(Int32(type.rawValue), [Float](repeating: 0, count: 256), 256, &bytes))
      martlet_file_expand(Int32(type.rawValue), bytes, 256, &found)
      #expect(found.allSatisfy { $0 == 0 })
      #expect(martlet_file_round(Int32(type.rawValue), [Float](repeating: 1e30, count: 256), 256, &bytes))
      #expect(!martlet_file_is_finite(Int32(type.rawValue), bytes, 256))
      _ = martlet_file_round(Int32(type.rawValue), [Float](repeating: .nan, count: 256), 256, &bytes)
    }
  }
}
