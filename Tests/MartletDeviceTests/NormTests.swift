import MartletDevice
import MartletTestSupport
import Testing

@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct NormTests {
  private static let widths = [8, 33, 192, 1000]

  /// The layer norm of a row, or its RMS norm where there is no bias.
  private static func norm(_ x: ArraySlice<Float>, _ weight: [Float], _ bias: [Float]?, _ epsilon: Double) -> [Double] {
    let values = x.map(Double.init), count = Double(values.count)
    let mean = bias == nil ? 0 : values.reduce(0, +) / count
    let scale = 1 / (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count + epsilon).squareRoot()
    return values.indices.map { (values[$0] - mean) * scale * Double(weight[$0]) + Double(bias?[$0] ?? 0) }
  }

  @Test func normsOfRowsAgreeWithDoublePrecision() throws {
    let bench = try Bench()
    for width in Self.widths {
      var noise = Noise(UInt64(width))
      let rows = 5
      // Far enough from zero that a mean shows which is taken away, or is not.
      let x = noise.floats(rows * width).map { $0 * 2 + 0.7 }, weight = noise.floats(width), bias = noise.floats(width)
      let xs = try bench.put(x), weights = try bench.put(weight), biases = try bench.put(bias)
      for (isRMS, epsilon) in [(false, 1e-5), (false, 0.25), (true, 1e-6), (true, 0.25)] {
        // Rows in another order, some twice and one never.
        for order in [nil, [4, 0, 3, 3, 1, 0, 4]] {
          let sources = order ?? Array(0..<rows), ys = try bench.blank(sources.count * width)
          let source = try order.map { try bench.put($0.words) }
          for threads in [32, 256] {
            try bench.device.fill(ys, word: 0x7FC0_0000)
            try bench.device.perform([
              Command(
                Shader("norm", [UInt32(threads), isRMS ? 1 : 0, order == nil ? 0 : 1]),
                // An RMS norm has no bias, and must not look for one.
                Arguments().addresses(xs, ys, weights, isRMS ? nil : biases, source).numbers(width).float(epsilon),
                groups: (sources.count, 1, 1), reads: [.memory(xs)], writes: [.memory(ys)])
            ])
            let wanted = sources.flatMap {
              Self.norm(x[$0 * width..<($0 + 1) * width], weight, isRMS ? nil : bias, epsilon)
            }
            #expect(
              difference(try bench.floats(ys), wanted) < 1e-5,
              "width \(width), \(isRMS ? "RMS" : "layer") norm, epsilon \(epsilon), \(sources), \(threads) threads")
          }
        }
      }
    }
    #expect(try bench.arena.isIntact())
  }

  @Test(arguments: 1...4)
  func mixedRowsContinueFromTheStatesOfTheirSequences(_ mixes: Int) throws {
    let bench = try Bench()
    for (width, threads) in zip(Self.widths, [32, 64, 128, 256]) {
      for (counts, used) in [([2, 9, 1, 5], [4, 0, 5, 2]), ([1], [3]), ([5, 1, 1], [2, 1, 0])] {
        let batch = Ragged(counts: counts), rows = batch.rows, offset = 12
        var noise = Noise(UInt64(width + mixes + rows))
        let x = noise.floats(rows * width).map { $0 * 2 + 0.7 }, weight = noise.floats(width)
        let bias = noise.floats(width), mix = noise.floats(mixes * width)
        let slots = try Slots(bench, count: 6, floats: offset + width + 5, used: used, noise: &noise)
        let xs = try bench.put(x), ys = try bench.blank(mixes * rows * width)
        let arguments = Arguments().addresses(
          xs, ys, try bench.put(weight), try bench.put(bias), try bench.put(mix), slots.addresses,
          try bench.put(batch.firstRows.words), try bench.put(batch.sequenceOfRow.words)
        ).numbers(width, rows, offset)
        let part = Resource.states(offset * 4..<(offset + width) * 4)
        try bench.device.perform([
          Command(
            Shader("norm_mix", [UInt32(threads), UInt32(mixes)]), arguments, groups: (rows, 1, 1),
            reads: [.memory(xs), part], writes: [.memory(ys), part])
        ])

        let normed = (0..<rows).map { Self.norm(x[$0 * width..<($0 + 1) * width], weight, bias, 1e-5) }
        var wanted: [Double] = []
        for j in 0..<mixes {
          for row in 0..<rows {
            let state = slots.before[used[batch.sequenceOfRow[row]]]
            for i in 0..<width {
              let previous = batch.placeOfRow[row] == 0 ? Double(state[offset + i]) : normed[row - 1][i]
              wanted.append(previous + (normed[row][i] - previous) * Double(mix[j * width + i]))
            }
          }
        }
        let place: Comment = "width \(width), \(mixes) mixes, sequences of \(counts) rows"
        #expect(difference(try bench.floats(ys), wanted) < 1e-5, place)
        let (states, othersAreUntouched) = try slots.after(bench, changes: offset..<offset + width)
        #expect(othersAreUntouched, place)
        for (sequence, slot) in used.enumerated() {
          let last = normed[batch.firstRows[sequence + 1] - 1]
          #expect(difference(Array(states[slot][offset..<offset + width]), last) < 1e-5, place)
        }
      }
    }
    #expect(try bench.arena.isIntact())
  }
}
