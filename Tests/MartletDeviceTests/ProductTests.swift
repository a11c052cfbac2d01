import Foundation
import MartletDevice
import MartletTensor
import MartletTestSupport
import Testing

@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct ProductTests {
  /// A matrix in the file layout of a format, and what its bits mean in double precision.
  static func matrix(
    _ format: WeightFormat, outputs: Int, inputs: Int, seed: UInt64
  ) -> (rows: [[UInt8]], values: [Double]) {
    var noise = Noise(seed)
    let rowBytes = format.rowByteCount(inputs: inputs)
    var rows: [[UInt8]] = [], values: [Double] = []
    for _ in 0..<outputs {
      let floats = noise.floats(inputs)
      var row = [UInt8](repeating: 0, count: rowBytes)
      row.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        format.encode(inputs: inputs, into: base) { target in target.update(from: floats, count: inputs) }
      }
      rows.append(row)
      values += Self.meaning(row, format, inputs: inputs)
    }
    return (rows, values)
  }

  /// The numbers that a row of a file holds, written from the formats' definitions.
  private static func meaning(_ row: [UInt8], _ format: WeightFormat, inputs: Int) -> [Double] {
    func half(_ at: Int) -> Double { Double(Float16(bitPattern: UInt16(row[at]) | UInt16(row[at + 1]) << 8)) }
    func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(row[at + $1]) << (8 * UInt32($1)) } }
    switch format {
    case .f32: return (0..<inputs).map { Double(Float(bitPattern: word($0 * 4))) }
    case .f16: return (0..<inputs).map { half($0 * 2) }
    case .bf16:
      return (0..<inputs).map { (i: Int) -> Double in
        let bits = UInt32(row[i * 2]) << 16 | UInt32(row[i * 2 + 1]) << 24
        return Double(Float(bitPattern: bits))
      }
    case .q8_0:
      return (0..<inputs).map { i in
        let block = i / 32 * 34
        return half(block) * Double(Int8(bitPattern: row[block + 2 + i % 32]))
      }
    case .q4_0, .q4_1:
      let head = format == .q4_0 ? 2 : 4
      return (0..<inputs).map { i in
        let block = i / 32 * (head + 16), place = i % 32
        let byte = row[block + head + place % 16], nibble = Double(place < 16 ? byte & 15 : byte >> 4)
        return format == .q4_0 ? half(block) * (nibble - 8) : half(block) * nibble + half(block + 2)
      }
    default: return []
    }
  }

  /// Outputs, inputs, rows, stacked parts, and the formats in which all epilogues run. Each is another shader to be compiled, and epilogues
  /// are the same text in all formats.
  private static let shapes: [(Int, Int, Int, Int, complete: [WeightFormat])] = [
    (1, 32, 1, 1, []), (7, 96, 2, 1, []), (64, 512, 3, 1, []), (301, 1024, 1, 1, []), (60, 96, 2, 2, [.f32, .q4_0]),
    (300, 96, 8, 2, []), (301, 32, 9, 1, []), (192, 64, 67, 3, [.f32]), (130, 512, 63, 1, []), (96, 32, 65, 3, []),
    (256, 2048, 16, 4, []),
  ]

  private static let epilogues: [(Product.Epilogue, hasBias: Bool)] = [
    (.store, true), (.add, true), (.siluLast, false), (.squareSigmoid, false), (.addGated, false), (.swiglu, true),
  ]

  /// What an epilogue makes of the sums of a row, bias included.
  private static func finished(
    _ epilogue: Product.Epilogue, _ t: [Double], lastPartFrom last: Int, before: ArraySlice<Float>,
    gate: ArraySlice<Float>
  ) -> [Double] {
    func silu(_ t: Double) -> Double { t / (1 + exp(-t)) }
    let before = before.map(Double.init), gate = gate.map(Double.init)
    return (0..<(epilogue == .swiglu ? t.count / 2 : t.count)).map { o in
      switch epilogue {
      case .store: t[o]
      case .add: before[o] + t[o]
      case .siluLast: o >= last ? silu(t[o]) : t[o]
      case .squareSigmoid: o >= last ? 1 / (1 + exp(-t[o])) : max(t[o], 0) * max(t[o], 0)
      case .addGated: before[o] + t[o] * gate[o]
      case .swiglu: silu(t[2 * o]) * t[2 * o + 1]
      }
    }
  }

  @Test(arguments: DeviceMatrix.formats)
  func everyFormatAgreesWithDoublePrecision(_ format: WeightFormat) throws {
    let device = try Card.open(Card.strict)
    for (index, (outputs, inputs, rows, parts, complete)) in Self.shapes.enumerated() {
      let arena = DeviceArena(device, blockByteCount: 1 << 20)
      let (encoded, weights) = Self.matrix(format, outputs: outputs, inputs: inputs, seed: UInt64(index + 1))
      let matrix = try DeviceMatrix(
        format: format, outputs: outputs, inputs: inputs, arena: arena, device: device
      ) { row, target in
        target.copyMemory(from: encoded[row], byteCount: encoded[row].count)
      }
      var noise = Noise(77)
      let partOutputs = outputs / parts
      let x = noise.floats(parts * rows * inputs), before = noise.floats(rows * outputs)
      let gate = noise.floats(rows * outputs), bias = noise.floats(outputs)
      let xs = try arena.allocate(x.count * 4), gates = try arena.allocate(gate.count * 4)
      let biases = try arena.allocate(bias.count * 4), ys = try arena.allocate(rows * outputs * 4)
      try device.upload(x, to: xs)
      try device.upload(gate, to: gates)
      try device.upload(bias, to: biases)
      let sums = (0..<rows).map { m in
        (0..<outputs).map { o in
          let part = min(o / partOutputs, parts - 1), from = (part * rows + m) * inputs
          return (0..<inputs).reduce(0) { $0 + weights[o * inputs + $1] * Double(x[from + $1]) }
        }
      }
      for (epilogue, hasBias) in complete.contains(format) ? Self.epilogues : [(.store, index % 2 == 1)] {
        let adds = epilogue == .add || epilogue == .addGated, results = epilogue == .swiglu ? outputs / 2 : outputs
        if adds { try device.upload(before, to: ys) } else { try device.fill(ys, word: 0x7FC0_0000) }
        let product = Product(
          matrix, bias: hasBias ? biases : nil, parts: parts, partOutputs: partOutputs, epilogue: epilogue)
        try device.perform([
          product.command(
            rows: rows, x: .init(xs, stride: inputs), partStride: parts > 1 ? rows * inputs : 0,
            y: .init(ys, stride: results), gate: .init(gates, stride: outputs), device: device)
        ])
        let got = try device.download(ys.part(0, rows * results * 4), as: Float.self)
        let wanted = (0..<rows).flatMap { m in
          let row = m * outputs..<(m + 1) * outputs
          return Self.finished(
            epilogue, hasBias ? zip(sums[m], bias).map { $0 + Double($1) } : sums[m],
            lastPartFrom: (parts - 1) * partOutputs, before: before[row], gate: gate[row])
        }
        #expect(
          difference(got, wanted) < 1e-5,
          "\(format) \(outputs)x\(inputs), \(rows) rows, \(parts) parts, \(epilogue), bias \(hasBias)")
      }
      #expect(try arena.isIntact(), "\(format) \(outputs)x\(inputs), \(rows) rows: written behind the memory")
    }
  }

  @Test func epiloguesOfResultsThatTheHostHasSeenAgreeWithDoublePrecision() throws {
    let bench = try Bench(), (rows, outputs, parts) = (5, 300, 2)
    var noise = Noise(78)
    // The shader reads results alone; the matrix only says how many outputs there are.
    let matrix = try DeviceMatrix(
      format: .f32, outputs: outputs, inputs: 8, arena: bench.arena, device: bench.device
    ) { _, row in
      row.bindMemory(to: Float.self, capacity: 8).update(repeating: .nan, count: 8)
    }
    let t = noise.floats(rows * outputs), before = noise.floats(rows * outputs), gate = noise.floats(rows * outputs)
    let results = try bench.put(t), gates = try bench.put(gate)
    for epilogue: Product.Epilogue in [.store, .add, .siluLast, .squareSigmoid, .addGated, .swiglu] {
      let columns = epilogue == .swiglu ? outputs / 2 : outputs, ys = try bench.blank(rows * columns)
      if epilogue == .add || epilogue == .addGated { try bench.device.upload(before, to: ys) }
      let product = Product(matrix, parts: parts, partOutputs: 128, epilogue: epilogue)
      try bench.device.perform([
        product.epilogueCommand(
          rows: rows, results: .init(results, stride: outputs), y: .init(ys, stride: columns),
          gate: .init(gates, stride: outputs))
      ])
      let wanted = (0..<rows).flatMap { m in
        let row = m * outputs..<(m + 1) * outputs
        return Self.finished(
          epilogue, t[row].map(Double.init), lastPartFrom: 128, before: before[row], gate: gate[row])
      }
      #expect(difference(try bench.floats(ys), wanted) < 1e-5, "\(epilogue)")
    }
    #expect(try bench.arena.isIntact())
  }
}

/// The choice of workgroups by measurement.
@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct ProductTuningTests {
  @Test func aRaceChoosesAmongTheCandidates() throws {
    let device = try Card.open(), tuning = try ProductTuning.race(on: device, byteCount: 1)
    #expect(tuning.isValid)
    #expect(Set(tuning.few.keys) == Set(DeviceMatrix.formats.map(\.rawValue)))
    #expect(Set(tuning.many.keys) == Set(DeviceMatrix.formats.map(\.rawValue)))
    // Whatever was chosen, results are right: the self-test uses it.
    for threads in [32, 256] {
      for outputs in [1, 4] {
        var choice = ProductTuning()
        for format in DeviceMatrix.formats {
          choice.few[format.rawValue] = .init(threads: threads, outputs: outputs)
        }
        device.tuning = choice
        try DeviceSelfTest.check(device)
      }
    }
    #expect(try JSONDecoder().decode(ProductTuning.self, from: JSONEncoder().encode(tuning)) == tuning)
    var wrong = ProductTuning()
    wrong.few["f16"] = .init(threads: 7, outputs: 1)
    #expect(!wrong.isValid)
  }
}
