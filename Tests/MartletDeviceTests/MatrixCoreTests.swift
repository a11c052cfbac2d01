import Foundation
import MartletDevice
import MartletTensor
import MartletTestSupport
import Testing

/// Products on matrix cores, which round their operands to halves. Mesa has them for the processor from version 26 on, at its default width.
@Suite(
  .serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)),
  .enabled(if: Card.hasMatrixCores, "this device has no matrix cores that shaders can use"))
struct MatrixCoreTests {
  @Test(arguments: DeviceMatrix.formats.filter { $0 != .f32 })
  func productsAgreeWithRoundedOperands(_ format: WeightFormat) throws {
    let bench = try Bench()
    bench.device.tuning.usesMatrixCores = true
    for (outputs, inputs, rows, epilogue) in [
      (64, 32, 64, Product.Epilogue.store), (301, 96, 67, .store), (130, 512, 9, .add), (126, 64, 70, .swiglu),
    ] {
      var noise = Noise(UInt64(outputs))
      let x = noise.floats(rows * inputs)
      let before = noise.floats(rows * outputs), bias = noise.floats(outputs)
      let (encoded, held) = ProductTests.matrix(format, outputs: outputs, inputs: inputs, seed: UInt64(rows))
      let matrix = try DeviceMatrix(
        format: format, outputs: outputs, inputs: inputs, arena: bench.arena, device: bench.device
      ) { row, target in
        target.copyMemory(from: encoded[row], byteCount: encoded[row].count)
      }
      func half(_ value: some BinaryFloatingPoint) -> Double { Double(Float16(value)) }
      let columns = epilogue == .swiglu ? outputs / 2 : outputs, ys = try bench.blank(rows * columns)
      if epilogue == .add { try bench.device.upload(before, to: ys) }
      try bench.device.perform([
        Product(matrix, bias: try bench.put(bias), epilogue: epilogue).command(
          rows: rows, x: .init(try bench.put(x), stride: inputs), y: .init(ys, stride: columns), device: bench.device)
      ])
      var wanted: [Double] = []
      for m in 0..<rows {
        var t = bias.map(Double.init)
        for o in 0..<outputs {
          for i in 0..<inputs { t[o] += half(held[o * inputs + i]) * half(x[m * inputs + i]) }
        }
        switch epilogue {
        case .add: for o in 0..<outputs { wanted.append(Double(before[m * outputs + o]) + t[o]) }
        case .swiglu: for j in 0..<columns { wanted.append(t[2 * j] / (1 + exp(-t[2 * j])) * t[2 * j + 1]) }
        default: wanted += t
        }
      }
      #expect(difference(try bench.floats(ys), wanted) < 1e-3, "\(format) \(outputs)x\(inputs), \(rows) rows")
    }
    #expect(try bench.arena.isIntact())
  }

  @Test(arguments: [(WeightFormat.f32, true), (.bf16, false)])
  func whatMustNotBeRoundedIsNot(_ format: WeightFormat, allowsHalves: Bool) throws {
    let bench = try Bench(), (outputs, inputs, rows) = (8, 32, 20)
    bench.device.tuning.usesMatrixCores = true
    let matrix = try DeviceMatrix(
      format: format, outputs: outputs, inputs: inputs, arena: bench.arena, device: bench.device
    ) { _, row in
      format.encode(inputs: inputs, into: row) { $0.update(repeating: 1, count: inputs) }
    }
    let x = [Float](repeating: 1e6, count: rows * inputs), ys = try bench.blank(rows * outputs)
    try bench.device.perform([
      Product(matrix, allowsHalves: allowsHalves).command(
        rows: rows, x: .init(try bench.put(x), stride: inputs), y: .init(ys, stride: outputs), device: bench.device)
    ])
    #expect(try bench.floats(ys).allSatisfy { $0 == 1e6 * Float(inputs) })
  }
}
