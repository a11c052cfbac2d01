import Foundation
import MartletEngine
import Testing

struct SamplerTests {
  private let logits: [Float] = [2, 1, 0, -1, 0.5]

  private func frequencies(_ change: (inout Sampling) -> Void, draws: Int = 20_000) -> [Double] {
    var sampling = Sampling()
    sampling.temperature = 1
    sampling.seed = 7
    change(&sampling)
    var sampler = Sampler(sampling)
    var counts = [Double](repeating: 0, count: logits.count)
    for _ in 0..<draws { counts[logits.withUnsafeBufferPointer { sampler.sample($0) }] += 1 / Double(draws) }
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

  @Test func drawsFollowTheSoftmax() {
    expectClose(frequencies { _ in }, softmax(1))
    expectClose(frequencies { $0.temperature = 0.5 }, softmax(0.5))
    expectClose(frequencies { $0.topK = 2 }, softmax(1, keep: [0, 1]))
    // p = 0.555, 0.204, 0.124, 0.075, 0.028: 0.7 is reached by the second.
    expectClose(frequencies { $0.topP = 0.7 }, softmax(1, keep: [0, 1]))
    expectClose(frequencies { $0.minP = 0.2 }, softmax(1, keep: [0, 1, 4]))
  }

  @Test func rwkvTruncatesBeforeTheTemperature() {
    expectClose(
      frequencies {
        $0.truncatesFirst = true
        $0.temperature = 2
        $0.topP = 0.7
      }, softmax(2, keep: [0, 1]))
    expectClose(
      frequencies {
        $0.temperature = 2
        $0.topP = 0.7
      }, softmax(2, keep: [0, 1, 4]))
  }

  @Test func greedyTakesTheLargest() {
    var sampler = Sampler(Sampling())
    #expect(logits.withUnsafeBufferPointer { sampler.sample($0) } == 0)
  }

  @Test func penaltiesAndBiases() {
    var sampling = Sampling()
    sampling.presencePenalty = 0.4
    sampling.frequencyPenalty = 0.3
    var sampler = Sampler(sampling)
    sampler.observe(0)
    #expect(logits.withUnsafeBufferPointer { sampler.sample($0) } == 0)  // 2 - 0.7
    sampler.observe(0)
    sampler.observe(0)
    #expect(logits.withUnsafeBufferPointer { sampler.sample($0) } == 1)  // 2 - 0.4 - 0.9 = 0.7
    sampling = Sampling()
    sampling.logitBias = [3: 10, 99: 100]
    sampler = Sampler(sampling)
    #expect(logits.withUnsafeBufferPointer { sampler.sample($0) } == 3)
    sampling = Sampling()
    sampling.repetitionPenalty = 4
    sampler = Sampler(sampling)
    sampler.observe(0)
    #expect(logits.withUnsafeBufferPointer { sampler.sample($0) } == 1)  // 2 / 4
  }

  @Test func sameSeedSameDraws() {
    #expect(frequencies({ $0.seed = 3 }, draws: 50) == frequencies({ $0.seed = 3 }, draws: 50))
    #expect(frequencies({ $0.seed = 3 }, draws: 50) != frequencies({ $0.seed = 4 }, draws: 50))
  }

  @Test func oddLogitsDoNotTrap() {
    var sampling = Sampling()
    sampling.temperature = 1
    var sampler = Sampler(sampling)
    for row in [[Float.nan, .nan], [-.infinity, -.infinity], [.infinity, 0], [-.infinity, 3]] as [[Float]] {
      #expect(row.indices.contains(row.withUnsafeBufferPointer { sampler.sample($0) }))
    }
  }
}
