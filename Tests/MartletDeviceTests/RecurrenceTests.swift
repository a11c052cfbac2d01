import Foundation
import MartletDevice
import MartletTestSupport
import Testing

@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct RecurrenceTests {
  /// The weights of a layer: one number a channel.
  private struct Layer {
    let heads, size: Int
    let isGated: Bool
    let decay, bonus, weight, bias: [Float]
    var width: Int { heads * size }
    var rowWidth: Int { width * (isGated ? 4 : 3) }

    init(heads: Int, size: Int, isGated: Bool, noise: inout Noise) {
      self.heads = heads
      self.size = size
      self.isGated = isGated
      // From channels that forget at once to those that keep nearly all; some keep nothing, all, or what is hardly a number.
      var decay = noise.floats(heads * size).map { exp(-exp($0 * 4)) }
      decay.replaceSubrange(0..<3, with: [0, 1, 1e-40])
      self.decay = decay
      bonus = noise.floats(heads * size)
      weight = noise.floats(heads * size)
      bias = noise.floats(heads * size)
    }

    /// One row: the recurrence, the norm of each head and the gate in double precision. The state is changed.
    func step(_ products: ArraySlice<Float>, _ state: inout [Double], epsilon: Double) -> [Double] {
      let row = products.map(Double.init)
      var y: [Double] = []
      for head in 0..<heads {
        let from = head * size
        var sums = [Double](repeating: 0, count: size)
        for i in 0..<size {
          let r = row[from + i], k = row[width + from + i], u = Double(bonus[from + i]), w = Double(decay[from + i])
          for j in 0..<size {
            let kv = k * row[2 * width + from + j], at = (from + i) * size + j
            sums[j] += r * (u * kv + state[at])
            state[at] = w * state[at] + kv
          }
        }
        let mean = sums.reduce(0, +) / Double(size)
        let scale = 1 / (sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size) + epsilon).squareRoot()
        for j in 0..<size {
          let value = (sums[j] - mean) * scale * Double(weight[from + j]) + Double(bias[from + j])
          y.append(isGated ? value * row[3 * width + from + j] : value)
        }
      }
      return y
    }
  }

  /// For few rows of a sequence, and for many.
  private static let kernels = ["wkv5", "wkv5_chunk"]

  private static func shader(_ kernel: String, size: Int, isGated: Bool) -> Shader {
    let parts = kernel == "wkv5" ? 1 : size <= 64 && size % 16 == 0 ? 4 : 2
    return Shader(
      kernel, [UInt32(size * parts), UInt32(size), isGated ? 1 : 0] + (parts == 1 ? [] : [size <= 64 ? 16 : 8]))
  }

  @Test(arguments: [8, 16, 32, 64, 128].map { ($0, "wkv5") } + [8, 48, 64, 128].map { ($0, "wkv5_chunk") })
  func recurrenceAgreesWithDoublePrecision(size: Int, kernel: String) throws {
    let bench = try Bench()
    for isGated in [false, true] {
      for (heads, counts, used) in [
        (1, [5], [1]), (2, [2, 9, 1, 5], [4, 0, 5, 2]), (3, [1, 1, 2], [3, 2, 0]),
        (2, [16, 1, 37, 8, 1], [5, 3, 0, 1, 4]),
      ] {
        var noise = Noise(UInt64(size * 10 + heads * 2 + (isGated ? 1 : 0)))
        let layer = Layer(heads: heads, size: size, isGated: isGated, noise: &noise)
        let batch = Ragged(counts: counts), rows = batch.rows, offset = 24, stateCount = heads * size * size
        let epsilon = 64e-5, products = noise.floats(rows * layer.rowWidth)
        let slots = try Slots(bench, count: 6, floats: offset + stateCount + 5, used: used, noise: &noise)
        let inputs = try bench.put(products), ys = try bench.blank(rows * layer.width)
        let arguments = Arguments().addresses(
          inputs, try bench.put(layer.decay), try bench.put(layer.bonus), try bench.put(layer.weight),
          try bench.put(layer.bias), ys, slots.addresses, try bench.put(batch.firstRows.words)
        ).numbers(heads, offset).float(epsilon)
        let part = Resource.states(offset * 4..<(offset + stateCount) * 4)
        try bench.device.perform([
          Command(
            Self.shader(kernel, size: size, isGated: isGated), arguments, groups: (heads, counts.count, 1),
            reads: [.memory(inputs), part], writes: [.memory(ys), part])
        ])

        let place: Comment =
          "\(kernel), \(heads) heads of \(size), \(isGated ? "gated" : "not gated"), sequences of \(counts) rows"
        let (states, othersAreUntouched) = try slots.after(bench, changes: offset..<offset + stateCount)
        #expect(othersAreUntouched, place)
        var wanted: [Double] = []
        for (sequence, slot) in used.enumerated() {
          var state = slots.before[slot][offset..<offset + stateCount].map(Double.init)
          for row in batch.firstRows[sequence]..<batch.firstRows[sequence + 1] {
            wanted += layer.step(
              products[row * layer.rowWidth..<(row + 1) * layer.rowWidth], &state, epsilon: epsilon)
          }
          let error = difference(Array(states[slot][offset..<offset + stateCount]), state)
          #expect(error < 1e-5, place)
        }
        let error = difference(try bench.floats(ys), wanted)
        #expect(error < 1e-5, place)
      }
    }
    #expect(try bench.arena.isIntact())
  }

  /// A second run has the same bits, and so have rows in several passes, of which each continues from the state of the one before.
  @Test(arguments: kernels) func passesRepeatBitForBit(kernel: String) throws {
    let bench = try Bench(), size = 64, stateCount = size * size
    var noise = Noise(77)
    let layer = Layer(heads: 1, size: size, isGated: true, noise: &noise), rows = 45
    let products = noise.floats(rows * layer.rowWidth), state = noise.floats(stateCount)
    let weights = try [layer.decay, layer.bonus, layer.weight, layer.bias].map { try bench.put($0) }
    func run(_ passes: [Range<Int>]) throws -> [[UInt32]] {
      let memory = try bench.put(state), slots = try bench.put([memory.address])
      var results: [Float] = []
      for pass in passes {
        let inputs = try bench.put(Array(products[pass.lowerBound * layer.rowWidth..<pass.upperBound * layer.rowWidth]))
        let ys = try bench.blank(pass.count * size)
        let arguments = Arguments().addresses(
          inputs, weights[0], weights[1], weights[2], weights[3], ys, slots, try bench.put([0, pass.count].words)
        ).numbers(1, 0).float(64e-5)
        try bench.device.perform([
          Command(
            Self.shader(kernel, size: size, isGated: true), arguments, groups: (1, 1, 1), reads: [.memory(inputs)],
            writes: [.memory(ys)])
        ])
        results += try bench.floats(ys)
      }
      return try [results.map(\.bitPattern), bench.floats(memory).map(\.bitPattern)]
    }
    let whole = try run([0..<rows])
    #expect(try run([0..<rows]) == whole)
    #expect(try run([0..<16, 16..<17, 17..<40, 40..<45]) == whole)
  }
}
