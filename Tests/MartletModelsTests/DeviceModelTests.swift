import Foundation
import MartletCheckpoints
import MartletDevice
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// Models on a device against the same models on the processor.
@Suite(.serialized, .enabled(if: TestDevice.isWanted, Comment(rawValue: TestDevice.absence)))
struct DeviceModelTests {
  /// Commands between barriers run backwards, and memory is filled with NaN first: what a barrier is missing for shows.
  private static func device() throws -> Device {
    var checks = Device.Checks()
    checks.reversesGroups = true
    checks.poisonsMemory = true
    checks.canaryBytes = 1024
    let index = try #require(TestDevice.index, "\(TestDevice.absence)")
    return try Device(try #require(DeviceDescription.all().first { $0.index == index }), checks: checks)
  }

  private static func load(_ path: String, format: WeightFormat?, on device: Device?) throws -> any LanguageModel {
    var options = LoadedModel.Options(format: format)
    options.device = device
    return try ModelLoading.load(ModelLibrary().open(path), options: options)
  }

  private static func run(
    _ model: any LanguageModel, _ tokens: [Int], from state: (any SequenceState)? = nil, step: Int
  ) -> (logits: [Float], state: any SequenceState) {
    let state = state ?? model.makeState()
    var logits: [Float] = []
    for start in stride(from: 0, to: tokens.count, by: step) {
      let chunk = Array(tokens[start..<min(tokens.count, start + step)])
      logits += model.forward(Batch(chunk, state: state, outputs: .all)).values
    }
    return (logits, state)
  }

  /// The largest difference, as a part of the largest logit.
  private static func difference(_ some: [Float], _ others: [Float]) -> Float {
    guard some.count == others.count, !some.contains(where: \.isNaN) else { return .infinity }
    return zip(some, others).reduce(0) { max($0, abs($1.0 - $1.1)) } / others.reduce(1e-9) { max($0, abs($1)) }
  }

  @Test(arguments: RoundTripTests.fixtures) func everyFixtureHasTheLogitsOfTheProcessor(_ name: String) throws {
    let path = TestData.fixtures + "/" + name, device = try Self.device()
    let processor = try Self.load(path, format: .f32, on: nil), card = try Self.load(path, format: .f32, on: device)
    let truth = Self.run(processor, RWKV5Tests.tokens, step: 24)
    for step in [1, 5, 24] {
      let (logits, state) = Self.run(card, RWKV5Tests.tokens, step: step)
      #expect(Self.difference(logits, truth.logits) < 2e-5, "\(name), \(step) rows at once")
      #expect(state.position == truth.state.position)
    }
    #expect(card.takeFailure() == nil)
  }

  @Test func theBuiltInModelHasTheLogitsOfTheProcessor() throws {
    let device = try Self.device(), tokens = (0..<70).map { 40 + ($0 * 37) % 90 }
    let processor = try Self.load("box", format: .f32, on: nil), card = try Self.load("box", format: .f32, on: device)
    let truth = Self.run(processor, tokens, step: 70)
    for step in [1, 9, 70] {
      let (logits, state) = Self.run(card, tokens, step: step)
      #expect(Self.difference(logits, truth.logits) < 2e-5, "\(step) rows at once")
      let (own, its) = (try #require(state.numbers), try #require(truth.state.numbers))
      #expect(Self.difference(own, its) < 2e-5)
    }
  }
}
