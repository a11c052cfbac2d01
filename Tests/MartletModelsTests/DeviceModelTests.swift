import Foundation
import MartletCheckpoints
import MartletDevice
import MartletLayers
import MartletTensor
import MartletTestSupport
import Synchronization
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
    #expect(try (card as? DeviceModel)?.runtime.isIntact() == true)
  }

  /// A row's bits are those that it has alone, whatever else is in its pass and however a prompt is cut.
  @Test(arguments: ["rwkv-5.2.pth", "llama3"], [WeightFormat.f32, .bf16])
  func exactRowsDoNotDependOnTheirNeighbours(_ name: String, _ format: WeightFormat) throws {
    let device = try Self.device()
    let card = try Self.load(TestData.fixtures + "/" + name, format: format, on: device)
    device.isExact = true
    let prompts = (0..<12).map { p in (0..<(1 + p * 7)).map { ($0 * 5 + p * 11) % 64 } }
    let alone = prompts.map { Self.run(card, $0, step: 1).logits }
    for (prompt, wanted) in zip(prompts, alone) where prompt.count > 20 {
      #expect(Self.run(card, prompt, step: 20).logits == wanted)
    }
    var together = Batch(outputs: .all)
    for prompt in prompts { together.append(prompt, state: card.makeState()) }
    #expect(card.forward(together).values == alone.flatMap { $0 })
    // The fast kernels do differ, or the option would be for nothing.
    device.isExact = false
    var again = Batch(outputs: .all)
    for prompt in prompts { again.append(prompt, state: card.makeState()) }
    #expect(card.forward(again).values != alone.flatMap { $0 })
  }

  /// Keys and values in halves, in more pages than one workgroup reads.
  @Test(arguments: [WeightFormat.f32, .f16]) func longContextsHaveTheLogitsOfTheProcessor(_ format: WeightFormat) throws
  {
    let device = try Self.device(), path = TestData.fixtures + "/llama3", tokens = (0..<330).map { ($0 * 7 + 3) % 64 }
    let processor = try Self.load(path, format: format, on: nil), card = try Self.load(path, format: format, on: device)
    // Halves that fall on either side of a boundary differ by a unit in the last place.
    let tolerance: Float = format == .f32 ? 2e-5 : 2e-3
    let (its, own) = (processor.makeState(), card.makeState())
    let truth = processor.forward(Batch(tokens, state: its)).values
    #expect(Self.difference(card.forward(Batch(tokens, state: own)).values, truth) < tolerance)
    let next = processor.forward(Batch([5], state: its)).values
    #expect(Self.difference(card.forward(Batch([5], state: own)).values, next) < tolerance)
    #expect(try (card as? DeviceModel)?.runtime.isIntact() == true)
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

  /// The processor rounds activations where weights are quantised, and the device does not: so the same weights in single precision.
  @Test(arguments: [WeightFormat.q8_0, .q4_0, .q4_1, .f16, .bf16])
  func roundedWeightsHaveTheLogitsOfTheirValues(_ format: WeightFormat) throws {
    let device = try Self.device(), tokens = (0..<20).map { 40 + ($0 * 37) % 90 }, scratch = try TestData.Scratch()
    let path = scratch.file("rounded.gguf")
    try Conversion(try ModelLibrary().open("box"), to: .gguf, format: format).write(to: path)
    let truth = Self.run(try Self.load(path, format: .f32, on: nil), tokens, step: tokens.count)
    let card = try Self.load(path, format: nil, on: device)
    for step in [1, tokens.count] {
      #expect(Self.difference(Self.run(card, tokens, step: step).logits, truth.logits) < 2e-4, "\(format), \(step)")
    }
  }

  @Test func formatsThatShadersDoNotReadAreHeldInEightBits() throws {
    let device = try Self.device(), tokens = [50, 60, 70]
    let eight = Self.run(try Self.load("box", format: .q8_0, on: device), tokens, step: 3).logits
    let card = try Self.load("box", format: .q4_K, on: device)
    #expect(Self.run(card, tokens, step: 3).logits == eight)
    #expect(card.description.remarks.contains { $0.contains("held as q8_0") })
  }

  @Test(arguments: ["box", "llama3"]) func raggedBatchesEqualSingleRuns(_ name: String) throws {
    let path = name == "box" ? name : TestData.fixtures + "/" + name
    let device = try Self.device(), card = try Self.load(path, format: .f32, on: device)
    let lengths = [70, 1, 3, 2, 1, 1, 9, 1, 1, 1, 4, 1, 1, 1, 1, 5]
    let sequences = lengths.enumerated().map { index, count in (0..<count).map { ($0 * 5 + index * 11 + 1) % 64 } }
    var batch = Batch(outputs: .all)
    for sequence in sequences { batch.append(sequence, state: card.makeState()) }
    let together = card.forward(batch)
    let states = batch.states
    let alone = sequences.map { Self.run(card, $0, step: $0.count) }
    #expect(Self.difference(together.values, alone.flatMap(\.logits)) < 2e-5)
    // A second step of all, one row each: from the states that the first has left.
    var next = Batch()
    for (index, state) in states.enumerated() { next.append([index], state: state) }
    let after = card.forward(next).values
    let afterAlone = alone.enumerated().flatMap { index, run in
      card.forward(Batch([index], state: run.state)).values
    }
    #expect(Self.difference(after, afterAlone) < 2e-5)
    #expect(card.takeFailure() == nil)
  }

  @Test(arguments: ["box", "llama3", "qwen2"]) func statesAreForkedCutAndMovedBetweenDevices(_ name: String) throws {
    let path = name == "box" ? name : TestData.fixtures + "/" + name, device = try Self.device()
    let processor = try Self.load(path, format: .f32, on: nil), card = try Self.load(path, format: .f32, on: device)
    let tokens = (0..<70).map { ($0 * 7 + 3) % 64 }, rest = [5, 9, 12]
    let (_, its) = Self.run(processor, tokens, step: 70)
    let (_, own) = Self.run(card, tokens, step: 70)
    let truth = Self.run(processor, rest, from: its.copy(), step: 1).logits
    // A fork does not disturb what it was taken from.
    let fork = own.copy()
    _ = Self.run(card, [1, 2, 3], from: own.copy(), step: 1)
    #expect(Self.difference(Self.run(card, rest, from: fork, step: 1).logits, truth) < 2e-5)
    #expect(Self.difference(Self.run(card, rest, from: own.copy(), step: 3).logits, truth) < 2e-5)
    // Saved on one, continued on the other.
    let there = try processor.restoreState(own.serialized()[...]), here = try card.restoreState(its.serialized()[...])
    #expect(there.position == 70 && here.position == 70)
    #expect(Self.difference(Self.run(processor, rest, from: there, step: 1).logits, truth) < 2e-5)
    #expect(Self.difference(Self.run(card, rest, from: here, step: 1).logits, truth) < 2e-5)
    // A copy of a state that has not been on the device yet.
    let waiting = try card.restoreState(its.serialized()[...])
    #expect(Self.difference(Self.run(card, rest, from: waiting.copy(), step: 1).logits, truth) < 2e-5)
    if own.canBeCut {
      for count in [1, 63, 64, 69] {
        let cut = try #require(own.prefix(count)), truth = try #require(its.prefix(count))
        #expect(cut.position == count)
        #expect(
          Self.difference(
            Self.run(card, rest, from: cut, step: 3).logits, Self.run(processor, rest, from: truth, step: 3).logits)
            < 2e-5)
      }
    } else {
      #expect(own.prefix(69) == nil)
    }
    #expect(throws: (any Error).self) { try card.restoreState(its.serialized().dropLast(3)) }
    #expect(card.takeFailure() == nil)
  }

  /// Adds a pattern to a layer's outputs, and remembers what it saw.
  private final class Change: LinearWrapper {
    let seen = Mutex<[(input: [Float], output: [Float])]>([])
    let scale: Float

    init(scale: Float) { self.scale = scale }

    func wrap(_ output: Tensor, input: Tensor) -> Tensor {
      seen.withLock { $0.append((input.values, output.values)) }
      return Tensor(
        output.values.enumerated().map { $1 + scale * Float($0 % 5) }, shape: [output.rows, output.columns])
    }
  }

  @Test(arguments: ["rwkv-5.2.pth", "rwkv-5.0.pth", "llama3", "qwen2"])
  func everyLayerCanBeWrapped(_ name: String) throws {
    let path = TestData.fixtures + "/" + name, device = try Self.device(), tokens = [3, 1, 4, 1, 5]
    let processor = try #require(try Self.load(path, format: .f32, on: nil) as? any TrainableModel)
    let card = try #require(try Self.load(path, format: .f32, on: device) as? DeviceModel)
    #expect(Set(card.linearNames).isSuperset(of: processor.linearNames.dropLast()))
    let plain = Self.run(card, tokens, step: 5).logits
    for layer in processor.linearNames where layer != card.description.defaults.headName {
      let its = Change(scale: 0.05), own = Change(scale: 0.05)
      let truth = Self.run(processor.wrapping(layer, with: its), tokens, step: 5).logits
      let logits = Self.run(card.wrapping(layer, with: own), tokens, step: 5).logits
      #expect(Self.difference(logits, truth) < 2e-5, "\(layer)")
      let (wanted, got) = (its.seen.withLock { $0 }, own.seen.withLock { $0 })
      try #require(wanted.count == 1 && got.count == 1)
      #expect(Self.difference(got[0].input, wanted[0].input) < 2e-5, "\(layer)")
      #expect(Self.difference(got[0].output, wanted[0].output) < 2e-5, "\(layer)")
    }
    // Passes without a wrapper are what they were.
    #expect(Self.run(card, tokens, step: 5).logits == plain)
  }

  @Test func aLostDeviceFailsItsPassAndLeavesTheRestToTheProcessor() throws {
    var checks = Device.Checks()
    let index = try #require(TestDevice.index, "\(TestDevice.absence)")
    let description = try #require(DeviceDescription.all().first { $0.index == index })
    let counting = try Device(description)
    _ = Self.run(try Self.load("box", format: .f32, on: counting), [1, 2, 3], step: 1)
    checks.lostAtSubmission = counting.submissionCount
    let log = Mutex<[String]>([]), device = try Device(description, checks: checks)
    var options = LoadedModel.Options(format: .f32)
    options.device = device
    options.note = { sentence in log.withLock { $0.append(sentence) } }
    let card = try ModelLoading.load(ModelLibrary().open("box"), options: options)
    let state = card.makeState(), waiting = card.makeState()
    #expect(card.forward(Batch([1], state: state)).values.allSatisfy { $0.isFinite })
    _ = card.forward(Batch([2], state: state))
    #expect(card.takeFailure() == nil)
    #expect(card.forward(Batch([3], state: state)).values.allSatisfy { $0.isNaN })
    #expect(card.takeFailure()?.message.contains("stopped working") == true)
    let sentences = log.withLock { $0 }
    #expect(sentences.contains { $0.contains("runs on the processor") })
    // The old state stays lost, and new ones are the processor's.
    _ = card.forward(Batch([4], state: state))
    #expect(card.takeFailure() != nil)
    let truth = Self.run(try Self.load("box", format: .f32, on: nil), [1, 2, 3], step: 1).logits
    #expect(Self.run(card, [1, 2, 3], step: 1).logits == truth)
    #expect(card.takeFailure() == nil)
    // States that lay in the processor's memory go on there.
    #expect(state.failure != nil && waiting.failure != nil)
    #expect(waiting.copy().failure == nil)
    #expect(Self.run(card, [1, 2, 3], from: waiting.copy(), step: 1).logits == truth)
  }

  @Test func aFullDeviceGivesBackWhatNobodyUsesAndThenFails() throws {
    let index = try #require(TestDevice.index, "\(TestDevice.absence)")
    let description = try #require(DeviceDescription.all().first { $0.index == index })
    let measuring = try Device(description)
    let roomy = try Self.load("box", format: .f32, on: measuring)
    let truth = Self.run(roomy, [1, 2, 3], step: 3).logits
    var checks = Device.Checks()
    // Room for the model, a pass, and a block of states.
    checks.memoryLimit = measuring.allocatedByteCount
    let card = try Self.load("box", format: .f32, on: try Device(description, checks: checks))
    var states: [any SequenceState] = []
    while states.count < 1000 {
      let state = card.makeState()
      _ = card.forward(Batch([1, 2, 3], state: state))
      if let failure = card.takeFailure() {
        #expect(failure.leavesStates && failure.message.contains("no memory left"))
        break
      }
      states.append(state)
    }
    #expect(states.count > 1 && states.count < 1000)
    // A copy that has no room waits in the host's memory.
    let copy = try #require(states.last).copy()
    #expect(copy.position == 3)
    states = [copy]
    #expect(Self.difference(Self.run(card, [1, 2, 3], step: 3).logits, truth) < 1e-6)
    _ = Self.run(card, [4], from: copy, step: 1)
    #expect(card.takeFailure() == nil)
  }

  @Test func savedStatesHoldNothingOfOthers() throws {
    let device = try Self.device(), card = try Self.load(TestData.fixtures + "/llama3", format: .f32, on: device)
    let tokens = [3, 1, 4]
    let first = Self.run(card, tokens, step: 3).state.serialized()
    do { _ = Self.run(card, (0..<60).map { $0 }, step: 60) }
    // In the page that the other sequence has left.
    #expect(Self.run(card, tokens, step: 3).state.serialized() == first)
  }

  @Test func whatDoesNotFitIsRefusedInASentence() throws {
    let device = try Self.device(), scratch = try TestData.Scratch()
    var options = LoadedModel.Options(adapters: [scratch.file("adapter")])
    options.device = device
    #expect(throws: ModelError.self) { try ModelLoading.load(ModelLibrary().open("box"), options: options) }
  }
}
