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
  @Test(arguments: DeviceMatrix.formats) func productsAgreeWithRoundedOperands(_ format: WeightFormat) throws {
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
      let wanted = (0..<rows).flatMap { m -> [Double] in
        let t = (0..<outputs).map { o in
          (0..<inputs).reduce(Double(bias[o])) { $0 + half(held[o * inputs + $1]) * half(x[m * inputs + $1]) }
        }
        return switch epilogue {
        case .add: t.enumerated().map { Double(before[m * outputs + $0]) + $1 }
        case .swiglu: (0..<columns).map { t[2 * $0] / (1 + exp(-t[2 * $0])) * t[2 * $0 + 1] }
        default: t
        }
      }
      #expect(difference(try bench.floats(ys), wanted) < 1e-3, "\(format) \(outputs)x\(inputs), \(rows) rows")
    }
    #expect(try bench.arena.isIntact())
  }

  @Test func aProductOfSquaresIsNotRoundedToHalves() throws {
    let bench = try Bench(), (outputs, inputs, rows) = (8, 32, 20)
    bench.device.tuning.usesMatrixCores = true
    let matrix = try DeviceMatrix(
      format: .f32, outputs: outputs, inputs: inputs, arena: bench.arena, device: bench.device
    ) { _, row in
      row.bindMemory(to: Float.self, capacity: inputs).update(repeating: 1, count: inputs)
    }
    let x = [Float](repeating: 1e6, count: rows * inputs), ys = try bench.blank(rows * outputs)
    try bench.device.perform([
      Product(matrix, allowsHalves: false).command(
        rows: rows, x: .init(try bench.put(x), stride: inputs), y: .init(ys, stride: outputs), device: bench.device)
    ])
    #expect(try bench.floats(ys).allSatisfy { $0 == 1e6 * Float(inputs) })
  }
}
