import Foundation
import MartletEngine
import Testing

struct SamplerTests {
  private let logits: [Float] = [2, 1, 0, -1, 0.5]

  private func frequencies(_ change: (inout Sampling) -> Void, draws: Int = 20_000) throws -> [Double] {
    var sampling = Sampling()
    sampling.temperature = 1
    sampling.seed = 7
    change(&sampling)
    var sampler = Sampler(sampling)
    var counts = [Double](repeating: 0, count: logits.count)
    for _ in 0..<draws { counts[try logits.withUnsafeBufferPointer { try sampler.sample($0) }] += 1 / Double(draws) }
    return counts
  }

  private func softmax(_ temperature: Double, keep: Set<Int>? = nil) -> [Double] {
    let weights = logits.enumerated().map { keep?.contains($0) ?? true ? exp(Double($1) / temperature) : 0 }
    return weights.map { $0 / weights.reduce(0, +) }
  }

  private func expectClose(_ a: [Double], _ b: [Double]) {
    // Four standard deviations of a frequency over 20,000 draws.
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 4 * (0.25 / 20_000).squareRoot() }, "\(a) against \(b)")
  }

  @Test func drawsFollowTheSoftmax() throws {
    expectClose(try frequencies { _ in }, softmax(1))
    expectClose(try frequencies { $0.temperature = 0.5 }, softmax(0.5))
    expectClose(try frequencies { $0.topK = 2 }, softmax(1, keep: [0, 1]))
    // p = 0.555, 0.204, 0.124, 0.075, 0.028: 0.7 is reached by the second.
    expectClose(try frequencies { $0.topP = 0.7 }, softmax(1, keep: [0, 1]))
    expectClose(try frequencies { $0.minP = 0.2 }, softmax(1, keep: [0, 1, 4]))
  }

  @Test func rwkvTruncatesBeforeTheTemperature() throws {
    expectClose(
      try frequencies {
        $0.truncatesFirst = true
        $0.temperature = 2
        $0.topP = 0.7
      }, softmax(2, keep: [0, 1]))
    expectClose(
      try frequencies {
        $0.temperature = 2
        $0.topP = 0.7
      }, softmax(2, keep: [0, 1, 4]))
  }

  @Test func greedyTakesTheLargest() throws {
    var sampler = Sampler(Sampling())
    #expect(try logits.withUnsafeBufferPointer { try sampler.sample($0) } == 0)
  }

  @Test func penaltiesAndBiases() throws {
    var sampling = Sampling()
    sampling.presencePenalty = 0.4
    sampling.frequencyPenalty = 0.3
    var sampler = Sampler(sampling)
    sampler.observe(0)
    #expect(try logits.withUnsafeBufferPointer { try sampler.sample($0) } == 0)  // 2 - 0.7
    sampler.observe(0)
    sampler.observe(0)
    #expect(try logits.withUnsafeBufferPointer { try sampler.sample($0) } == 1)  // 2 - 0.4 - 0.9 = 0.7
    sampling = Sampling()
    sampling.logitBias = [3: 10, 99: 100]
    sampler = Sampler(sampling)
    #expect(try logits.withUnsafeBufferPointer { try sampler.sample($0) } == 3)
    sampling = Sampling()
    sampling.repetitionPenalty = 4
    sampler = Sampler(sampling)
    sampler.observe(0)
    #expect(try logits.withUnsafeBufferPointer { try sampler.sample($0) } == 1)  // 2 / 4
  }

  @Test func sameSeedSameDraws() throws {
    #expect(try frequencies({ $0.seed = 3 }, draws: 50) == frequencies({ $0.seed = 3 }, draws: 50))
    #expect(try frequencies({ $0.seed = 3 }, draws: 50) != frequencies({ $0.seed = 4 }, draws: 50))
  }

  @Test func damagedLogitsAreAnError() {
    let rows: [[Float]] = [[.nan, 1], [1, .nan], [-.infinity, -.infinity], [.infinity, 0], [-.infinity, 3]]
    for temperature in [0, .leastNonzeroMagnitude, 0.01, 1] as [Float] {
      var sampling = Sampling()
      sampling.temperature = temperature
      var sampler = Sampler(sampling)
      for (row, place) in zip(rows, [0, 1, 0, 0, 0]) {
        // At every place of the groups of sixteen that are looked at together.
        for before in [0, 7, 16, 40] {
          let row = [Float](repeating: 0.5, count: before) + row
          #expect(throws: SamplingError.notFinite(token: before + place)) {
            try row.withUnsafeBufferPointer { try sampler.sample($0) }
          }
        }
      }
    }
  }

  /// A temperature that goes towards 0 ends at temperature 0's token, in both orders and behind every truncation.
  @Test(arguments: [false, true]) func lowTemperaturesLeadToGreedy(truncatesFirst: Bool) throws {
    let changes: [(inout Sampling) -> Void] = [
      { _ in }, { $0.topP = 0.3 }, { $0.topK = 2 }, { $0.minP = 0.5 }, { $0.typicalP = 0.2 },
      { $0.repetitionPenalty = 1.3 }, { $0.logitBias = [0: -10_000] },
    ]
    for change in changes {
      for temperature in [0.02, 0.005, 0.001, 1e-5, 1e-8, .leastNonzeroMagnitude, 0] as [Float] {
        for seed in 0..<20 as Range<UInt64> {
          var sampling = Sampling()
          sampling.seed = seed
          sampling.truncatesFirst = truncatesFirst
          change(&sampling)
          var greedy = Sampler(sampling)
          sampling.temperature = temperature
          var sampler = Sampler(sampling)
          greedy.observe(0)
          sampler.observe(0)
          // A 65th of a vocabulary that is likely as a whole, as it is in real rows.
          let row = logits + (0..<300).map { -3 - Float($0) / 100 }
          let wanted = try row.withUnsafeBufferPointer { try greedy.sample($0) }
          #expect(try row.withUnsafeBufferPointer { try sampler.sample($0) } == wanted, "\(sampling)")
        }
      }
    }
  }

  /// Settings at the ends of what is accepted, together: a token comes out, whatever the biases ban.
  @Test func extremesNeverTrap() throws {
    let extremes: [Float] = [0, .leastNonzeroMagnitude, 1e-20, 0.02, 1, 2, 1e20, .greatestFiniteMagnitude]
    for temperature in extremes {
      for penalty in extremes where penalty > 0 {
        for bias in [-1e38, -10_000, 0, 10_000, 1e38] as [Float] {
          for truncatesFirst in [false, true] {
            var sampling = Sampling()
            sampling.temperature = temperature
            sampling.repetitionPenalty = penalty
            sampling.presencePenalty = bias
            sampling.frequencyPenalty = -bias / 2
            sampling.truncatesFirst = truncatesFirst
            sampling.topP = .leastNonzeroMagnitude
            sampling.minP = 1
            sampling.topK = 1
            sampling.typicalP = .leastNonzeroMagnitude
            sampling.logitBias = Dictionary(uniqueKeysWithValues: logits.indices.map { ($0, bias) })
            sampling.logitBias[-5] = 3
            try sampling.validate()
            var sampler = Sampler(sampling)
            for token in logits.indices { sampler.observe(token) }
            #expect(logits.indices.contains(try logits.withUnsafeBufferPointer { try sampler.sample($0) }))
          }
        }
      }
    }
  }
}
