import Foundation
import CMartletKernels
import MartletTestSupport
import Testing

/// Every table that this machine can run, against double precision.
struct MatmulTests {
  static let formats: [(martlet_format, String, Double)] = [
    (MARTLET_F32, "f32", 2e-6), (MARTLET_F16, "f16", 2e-6), (MARTLET_BF16, "bf16", 6e-3), (MARTLET_Q8_0, "q8_0", 1e-2),
    (MARTLET_Q4_0, "q4_0", 1e-2), (MARTLET_Q4_1, "q4_1", 1e-2), (MARTLET_Q4_K, "q4_k", 1e-2),
    (MARTLET_Q5_K, "q5_k", 1e-2), (MARTLET_Q6_K, "q6_k", 1e-2),
  ]

  static let fileTypes: [UInt32: martlet_file_type] = [
    MARTLET_F32.rawValue: MARTLET_FILE_F32, MARTLET_F16.rawValue: MARTLET_FILE_F16,
    MARTLET_BF16.rawValue: MARTLET_FILE_BF16,
    MARTLET_Q8_0.rawValue: MARTLET_FILE_Q8_0, MARTLET_Q4_0.rawValue: MARTLET_FILE_Q4_0,
    MARTLET_Q4_1.rawValue: MARTLET_FILE_Q4_1, MARTLET_Q4_K.rawValue: MARTLET_FILE_Q4_K,
    MARTLET_Q5_K.rawValue: MARTLET_FILE_Q5_K, MARTLET_Q6_K.rawValue: MARTLET_FILE_Q6_K,
  ]

  /// Packs `outputs` rows of noise; returns tiles and the values they stand for.
  static func weights(_ format: martlet_format, outputs: Int, inputs: Int) -> (tiles: [UInt8], values: [Float]) {
    let block = Int(martlet_block_inputs(format))
    let padded = (inputs + block - 1) / block * block
    let rowBytes = martlet_row_bytes(format, Int64(inputs))
    let type = Int32(fileTypes[format.rawValue]!.rawValue)
    var raw = [UInt8](repeating: 0, count: outputs * rowBytes)
    for row in 0..<outputs {
      var values = TestData.noise(inputs, seed: UInt64(row + 1)) + [Float](repeating: 0, count: padded - inputs)
      if format == MARTLET_F32 || format == MARTLET_F16 || format == MARTLET_BF16 { values.removeLast(padded - inputs) }
      raw.withUnsafeMutableBytes {
        _ = martlet_file_round(type, values, Int64(values.count), $0.baseAddress! + row * rowBytes)
      }
    }
    let tileBytes = martlet_tile_bytes(format, Int64(inputs))
    let count = (outputs + 15) / 16
    var tiles = [UInt8](repeating: 0xAA, count: count * tileBytes)
    tiles.withUnsafeMutableBytes { target in
      raw.withUnsafeBytes { source in
        for tile in 0..<count {
          martlet_pack_tile(
            format, source.baseAddress! + tile * 16 * rowBytes, rowBytes, Int32(min(16, outputs - tile * 16)),
            Int64(inputs), target.baseAddress! + tile * tileBytes)
        }
      }
    }
    var values = [Float](repeating: 0, count: outputs * inputs)
    for row in 0..<outputs {
      values.withUnsafeMutableBufferPointer { buffer in
        tiles.withUnsafeBytes {
          martlet_unpack_row(
            format, $0.baseAddress! + row / 16 * tileBytes, Int32(row % 16), Int64(inputs),
            buffer.baseAddress! + row * inputs)
        }
      }
    }
    return (tiles, values)
  }

  static func multiply(
    _ format: martlet_format, _ tiles: [UInt8], outputs: Int, inputs: Int, x: [Float], rows: Int,
    addingTo start: Float? = nil, cuttingAt cut: Int64 = 0
  ) -> [Float] {
    var panel = [UInt8](repeating: 0, count: martlet_panel_bytes(format, Int64(rows), Int64(inputs)))
    var y = [Float](repeating: start ?? .nan, count: rows * outputs)
    panel.withUnsafeMutableBytes { panel in
      martlet_pack_panel(format, x, Int64(inputs), Int64(rows), Int64(inputs), 0, Int64(rows), panel.baseAddress)
      for range in [0..<cut, cut..<Int64((outputs + 15) / 16)] {
        martlet_matmul(
          format, tiles, Int64(outputs), Int64(inputs), range.lowerBound, range.upperBound, panel.baseAddress,
          Int64(rows),
          &y, Int64(outputs), start != nil)
      }
    }
    return y
  }

  @Test(arguments: formats.indices) func everyTableMatchesDoublePrecision(index: Int) throws {
    let (format, name, tolerance) = Self.formats[index]
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    for (outputs, inputs) in [(1, 1), (16, 32), (17, 33), (48, 65), (70, 511), (130, 96), (40, 800)] {
      let (tiles, weights) = Self.weights(format, outputs: outputs, inputs: inputs)
      for rows in [1, 2, 3, 7, 12, 13, 16, 33] {
        let x = TestData.noise(rows * inputs, seed: 77)
        var truth = [Double](repeating: 0, count: rows * outputs)
        var magnitude = 0.0
        for row in 0..<rows {
          for output in 0..<outputs {
            var sum = 0.0
            for k in 0..<inputs { sum += Double(x[row * inputs + k]) * Double(weights[output * inputs + k]) }
            truth[row * outputs + output] = sum
            magnitude = max(magnitude, abs(sum))
          }
        }
        for simd in 0...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
          let y = Self.multiply(format, tiles, outputs: outputs, inputs: inputs, x: x, rows: rows)
          let worst = zip(y, truth).map { abs(Double($0) - $1) }.max()!
          #expect(
            worst <= tolerance * max(1, magnitude),
            "\(name) \(String(cString: martlet_simd_name(martlet_simd(simd)))) \(rows)x\(inputs)x\(outputs): off by \(worst)"
          )
        }
      }
    }
  }

  /// The least weight of eight bits times the largest activation: sums of pairs must not leave 16 bits where a table adds in them.
  @Test func extremesOfEightBitsFit() {
    let inputs = 320, rowBytes = martlet_row_bytes(MARTLET_Q8_0, Int64(inputs))
    var row: [UInt8] = []
    for _ in 0..<inputs / 32 { row += [0, 0x3c] + [UInt8](repeating: 0x80, count: 32) }  // scale 1, codes -128
    let rows = [[UInt8]](repeating: row, count: 16).flatMap { $0 }
    var tiles = [UInt8](repeating: 0, count: martlet_tile_bytes(MARTLET_Q8_0, Int64(inputs)))
    martlet_pack_tile(MARTLET_Q8_0, rows, rowBytes, 16, Int64(inputs), &tiles)
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    for simd in 0...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
      for value in [Float(1), -1] {
        let x = [Float](repeating: value, count: 3 * inputs)
        let y = Self.multiply(MARTLET_Q8_0, tiles, outputs: 16, inputs: inputs, x: x, rows: 3)
        let truth = -128 * value * Float(inputs)
        #expect(
          y.allSatisfy { abs($0 / truth - 1) < 1e-6 }, "\(String(cString: martlet_simd_name(martlet_simd(simd)))): \(y)"
        )
      }
    }
  }

  /// Rows with a value that is no number have no finite result, whatever the format; the smallest numbers are zeros, and neighbours keep
  /// their bits.
  @Test(arguments: formats.indices) func oddActivationsDoNoHarm(index: Int) throws {
    let (format, outputs, inputs) = (Self.formats[index].0, 20, 512)
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    let (tiles, _) = Self.weights(format, outputs: outputs, inputs: inputs)
    let ordinary = TestData.noise(inputs, seed: 8)
    var odd: [[Float]] = Array(repeating: ordinary, count: 30)
    odd[0][5] = .nan
    odd[1][500] = .infinity
    odd[2][40] = -.infinity
    odd[3] = ordinary.map { $0 * 1e-39 }
    odd[4] = ordinary.map { $0 * 1e-36 }
    for simd in 0...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
      let y = Self.multiply(format, tiles, outputs: outputs, inputs: inputs, x: odd.flatMap { $0 }, rows: 30)
      let alone = Self.multiply(format, tiles, outputs: outputs, inputs: inputs, x: ordinary, rows: 1)
      let result = { (row: Int) in Array(y[row * outputs..<(row + 1) * outputs]) }
      #expect(result(0).allSatisfy(\.isNaN) && (1...2).flatMap(result).allSatisfy { !$0.isFinite }, "table \(simd)")
      #expect(result(3).allSatisfy { abs($0) < 1e-36 } && result(4).allSatisfy { abs($0) < 1e-33 }, "table \(simd)")
      #expect(result(29).map(\.bitPattern) == alone.map(\.bitPattern), "table \(simd)")
    }
  }

  /// The promise that batching stands on: a row's result has the same bits whatever rows are beside it.
  @Test(arguments: formats.indices) func aRowDoesNotDependOnItsNeighbours(index: Int) throws {
    let (format, name, _) = Self.formats[index]
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    let (outputs, inputs, rows) = (83, 608, 29)
    let (tiles, _) = Self.weights(format, outputs: outputs, inputs: inputs)
    let x = TestData.noise(rows * inputs, seed: 5)
    for simd in 0...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
      let together = Self.multiply(format, tiles, outputs: outputs, inputs: inputs, x: x, rows: rows)
      for row in 0..<rows {
        let alone = Self.multiply(
          format, tiles, outputs: outputs, inputs: inputs, x: Array(x[row * inputs..<(row + 1) * inputs]), rows: 1)
        #expect(alone == Array(together[row * outputs..<(row + 1) * outputs]), "\(name), table \(simd), row \(row)")
      }
    }
  }

  /// The eight-bit and four-bit products agree between tables to the last bits: the integer sums are exact.
  @Test func quantisedTablesAgree() {
    let best = martlet_simd_current()
    defer { martlet_simd_select(best) }
    for format in [MARTLET_Q8_0, MARTLET_Q4_0, MARTLET_Q4_1, MARTLET_Q4_K, MARTLET_Q5_K, MARTLET_Q6_K] {
      let (tiles, _) = Self.weights(format, outputs: 40, inputs: 320)
      let x = TestData.noise(5 * 320, seed: 9)
      martlet_simd_select(MARTLET_SIMD_PORTABLE)
      let reference = Self.multiply(format, tiles, outputs: 40, inputs: 320, x: x, rows: 5)
      for simd in 1...MARTLET_SIMD_AVX512BF16.rawValue where martlet_simd_select(martlet_simd(simd)) {
        let y = Self.multiply(format, tiles, outputs: 40, inputs: 320, x: x, rows: 5)
        #expect(TestData.largestDifference(y, reference) < 2e-5)
      }
    }
  }
}
