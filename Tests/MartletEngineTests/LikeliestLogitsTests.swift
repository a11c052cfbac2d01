import Foundation
import MartletModels
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Synchronization
import Testing

@testable import MartletEngine

/// Drawing from the likeliest tokens gives what drawing from whole rows gives.
struct LikeliestLogitsTests {
  /// What a device finds in a row (likeliest.comp), computed plainly.
  private static func found(_ logits: [Float], temperature: Float, most: Int = 256) -> LikeliestLogits.Row {
    let order = logits.indices.sorted { (-logits[$0], $0) < (-logits[$1], $1) }
    let threshold = order.count > most ? logits[order[most]] : -.infinity
    let greatest = logits[order[0]]
    func sum(_ divisor: Double) -> Float {
      Float(logits.reduce(0.0) { $0 + exp((Double($1) - Double(greatest)) / divisor) })
    }
    return LikeliestLogits.Row(
      // In an order of its own, as a device has it.
      tokens: order.prefix { logits[$0] > threshold }.reversed().map { ($0, logits[$0]) }, greatest: greatest,
      sum: sum(1), sumAtTemperature: sum(Double(temperature)), temperature: temperature, isFinite: true)
  }

  private static func settings(_ random: inout RandomStream) -> Sampling {
    var sampling = Sampling()
    func chance(_ share: Double) -> Bool { random.uniform() < share }
    sampling.temperature = chance(0.2) ? 0 : Float(0.2 + random.uniform())
    if chance(0.3) { sampling.topK = Int(random.uniform() * 400) }
    if chance(0.4) { sampling.topP = Float(0.3 + 0.69 * random.uniform()) }
    if chance(0.2) { sampling.minP = Float(random.uniform() * 0.2) }
    sampling.truncatesFirst = chance(0.3)
    sampling.seed = UInt64(random.uniform() * 1e9)
    return sampling
  }

  @Test func drawsAreThoseOfWholeRows() throws {
    var random = RandomStream(seed: 3), drawnFromLikeliest = 0, drawn = 0
    for round in 0..<300 {
      let options = Self.settings(&random)
      var plain = Sampler(options), sampler = Sampler(options)
      // Sharp and flat distributions, so that draws fall among the likeliest tokens and behind them.
      let spread = 1 + 11 * random.uniform()
      for draw in 0..<6 {
        let logits = (0..<2000).map { _ in Float(spread * (random.uniform() + random.uniform() + random.uniform())) }
        let reads = Atomic(0)
        let temperature = try #require(sampler.temperatureOfLikeliest)
        let row = LogitRow(
          LikeliestLogits(rows: [Self.found(logits, temperature: temperature)]) { _ in
            reads.add(1, ordering: .relaxed)
            return logits
          }, row: 0)
        let modulus = [1, 1, 2, 40][round % 4]
        let allows: ((Int) -> Bool)? = modulus == 1 ? nil : { $0 % modulus == 1 }
        let wanted = try logits.withUnsafeBufferPointer { logits in
          if let allows { return try plain.sample(logits, allows: allows) }
          return try plain.sample(logits)
        }
        let got = try sampler.sample(row, allows: allows)
        #expect(got == wanted, "round \(round), draw \(draw), \(options)")
        drawn += 1
        drawnFromLikeliest += reads.load(ordering: .relaxed) == 0 ? 1 : 0
      }
    }
    // Both ways are taken often.
    #expect(
      drawnFromLikeliest * 4 > drawn && drawnFromLikeliest * 100 < drawn * 99, "\(drawnFromLikeliest) of \(drawn)")
  }

  /// A token that leads by far and is refused leaves little of 1 to the others, and less of a rounded 1.
  @Test(arguments: [Float(5), 12, 17, 25]) func refusedTokensThatLeadByFar(lead: Float) throws {
    for (topP, topK) in [(Float(1), 0), (0.9, 0), (1, 40)] {
      var counts = [[Int]](repeating: [Int](repeating: 0, count: 500), count: 2)
      for seed in 0..<400 {
        var options = Sampling()
        options.temperature = 1
        options.topP = topP
        options.topK = topK
        options.seed = UInt64(seed)
        let logits = (0..<500).map { $0 == 7 ? 3 + lead : 3 - Float($0) / 100 }
        let row = LogitRow(LikeliestLogits(rows: [Self.found(logits, temperature: 1)]) { _ in logits }, row: 0)
        var plain = Sampler(options), sampler = Sampler(options)
        let wanted = try logits.withUnsafeBufferPointer { try plain.sample($0) { $0 != 7 } }
        let got = try sampler.sample(row) { $0 != 7 }
        counts[0][wanted] += 1
        counts[1][got] += 1
      }
      #expect(counts[0] == counts[1])
      #expect(counts[1].max() ?? 400 < 40)
    }
  }

  @Test func whatNeedsAllLogitsReadsThem() throws {
    let logits = (0..<1000).map { Float(($0 * 7919) % 1000) / 200 }
    func token(_ change: (inout Sampling) -> Void, whole: [Float]?) throws -> Int {
      var options = Sampling()
      options.temperature = 0.8
      options.seed = 5
      change(&options)
      var sampler = Sampler(options)
      sampler.observe(3)
      let row = LikeliestLogits(rows: [Self.found(logits, temperature: 0.8)]) { _ in whole }
      return try sampler.sample(LogitRow(row, row: 0))
    }
    for change: (inout Sampling) -> Void in [
      { $0.logitBias = [4: 1e9] }, { $0.presencePenalty = 1 }, { $0.typicalP = 0.5 },
    ] {
      _ = try token(change, whole: logits)
      #expect(throws: SamplingError.notFinite(token: 0)) { try token(change, whole: nil) }
    }
    #expect(try token({ $0.topK = 5 }, whole: nil) >= 0)
  }

  @Test func probabilitiesAreThoseOfWholeRows() throws {
    let logits = (0..<1000).map { Float(($0 * 7919) % 1000) / 90 }, letters = Letters()
    let bytes = TokenBytes(letters)
    let device = LogitRow(
      LikeliestLogits(rows: [Self.found(logits, temperature: 1)]) { _ in logits }, row: 0)
    let whole = LogitRow(Tensor(logits, shape: [1, 1000]), row: 0)
    // A likely token, an unlikely one, and more alternatives than the device has found.
    for (chosen, alternatives) in [(logits.firstIndex(of: logits.max() ?? 0) ?? 0, 5), (0, 0), (0, 3), (1, 300)] {
      let a = TokenProbability(device, chosen: chosen, alternatives: alternatives, bytes: bytes)
      let b = TokenProbability(whole, chosen: chosen, alternatives: alternatives, bytes: bytes)
      #expect(a.alternatives.map(\.token) == b.alternatives.map(\.token))
      for (x, y) in zip([a.chosen] + a.alternatives, [b.chosen] + b.alternatives) {
        #expect(abs(x.logProbability - y.logProbability) < 1e-5)
      }
    }
  }
}
