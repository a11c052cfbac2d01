import Foundation
import MartletEngine
import MartletModels
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Synchronization
import Testing

@testable import MartletSkeleton

/// A back end whose answers are given.
private final class GivenBackend: SkeletonBackend {
  let runsTogetherCheaply = true
  let readTokens = 0
  let skeleton: [String], normal: [String], point: @Sendable (Int) -> [String]
  let skeletonEnds: Bool
  /// Milliseconds between pieces.
  let pace: (skeleton: Int, normal: Int)
  let failsAt: Int?
  private let counts = Mutex((begun: 0, ended: 0))
  var open: Int { counts.withLock { $0.begun - $0.ended } }

  init(
    skeleton: String, normal: String = "The normal answer.", ends: Bool = true,
    pace: (skeleton: Int, normal: Int) = (0, 0),
    failsAt: Int? = nil, point: @escaping @Sendable (Int) -> [String] = { ["Text of ", "\($0). ", "More. ", "Third."] }
  ) {
    self.skeleton = skeleton.map(String.init)
    self.normal = normal.split(separator: " ", omittingEmptySubsequences: false).map { "\($0) " }
    self.point = point
    self.pace = pace
    self.failsAt = failsAt
    skeletonEnds = ends
  }

  private func stream(_ pieces: [String], ends: Bool, pace: Int, fails: Bool = false) -> AnswerStream {
    counts.withLock { $0.begun += 1 }
    return AnswerStream { continuation in
      let task = Task { [self] in
        defer { counts.withLock { $0.ended += 1 } }
        for piece in pieces {
          if pace > 0 { try? await Task.sleep(for: .milliseconds(pace)) }
          if Task.isCancelled { return continuation.finish(throwing: CancellationError()) }
          continuation.yield(.text(piece))
        }
        if fails { return continuation.finish(throwing: SkeletonError("broken")) }
        var end = AnswerEnd(endedByItself: ends)
        end.tokens = pieces.count
        continuation.yield(.ended(end))
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  func answer(_ request: AnswerRequest) throws -> AnswerStream {
    let isSkeleton = request.begun == " 1."
    return stream(
      isSkeleton ? skeleton : normal, ends: isSkeleton ? skeletonEnds : true,
      pace: isSkeleton ? pace.skeleton : pace.normal)
  }

  func answers(_ requests: [AnswerRequest]) async throws -> [AnswerStream] {
    requests.indices.map { stream(point($0 + 1), ends: true, pace: 0, fails: $0 + 1 == failsAt) }
  }

  func answers(_ requests: [AnswerRequest], after end: AnswerEnd) async throws -> [AnswerStream]? { nil }
}

struct SkeletonRunTests {
  private static let good = " Heads.\n2. Tails.\n3. Edges."

  private func run(
    _ backend: any SkeletonBackend, _ mode: SkeletonMode, question: String = "What are the benefits of walking?",
    change: (inout SkeletonOptions) -> Void = { _ in }
  ) async throws -> (report: SkeletonReport, text: String, events: [SkeletonEvent]) {
    var options = SkeletonOptions()
    options.mode = mode
    change(&options)
    var events: [SkeletonEvent] = []
    var text = ""
    var report: SkeletonReport?
    for try await event in SkeletonRun(backend, options: options).answer([ChatMessage(.user, question)]) {
      events.append(event)
      if case .text(let piece) = event { text += piece }
      if case .finished(let end) = event { report = end }
    }
    return (try #require(report), text, events)
  }

  @Test func aGoodSkeletonIsFilledIn() async throws {
    let backend = GivenBackend(skeleton: Self.good)
    let (report, text, _) = try await run(backend, .on)
    #expect(report.usedSkeleton && report.points.map(\.point.head) == ["Heads.", "Tails.", "Edges."])
    // Two sentences of each.
    #expect(
      text == "1. Heads. Text of 1. More.\n2. Tails. Text of 2. More.\n3. Edges. Text of 3. More.", "\(text)")
    #expect(report.answer == text && report.skeletonText == " 1." + Self.good)
    let whole = try await run(backend, .on) { $0.pointSentences = nil }
    #expect(whole.text.contains("Text of 3. More. Third."))
    #expect(try await run(backend, .on, change: { $0.maxPoints = 2 }).report.points.count == 2)
  }

  @Test(arguments: ["I don't know.", " A.", " A.\n2. A.\n3. A.\n4. A.", ""])
  func aBadOneFallsBack(skeleton: String) async throws {
    let (report, text, events) = try await run(GivenBackend(skeleton: skeleton), .on)
    #expect(!report.usedSkeleton && text == "The normal answer. ")
    guard case .skeleton? = report.reason else { return #expect(Bool(false), "\(String(describing: report.reason))") }
    #expect(events.contains { if case .normal = $0 { true } else { false } })
  }

  @Test func aCutOneFallsBack() async throws {
    let (report, _, _) = try await run(GivenBackend(skeleton: Self.good, ends: false), .on)
    #expect(report.reason == .skeleton(.cut))
    // What follows the list is not waited for, and does no harm.
    let tail = GivenBackend(skeleton: Self.good + "\n\nNow another question\n1. X", ends: false)
    #expect(try await run(tail, .on).report.usedSkeleton)
  }

  @Test func theRouterDecidesInAuto() async throws {
    let backend = GivenBackend(skeleton: Self.good, pace: (0, 5))
    #expect(try await run(backend, .auto) { $0.racesNormal = false }.report.usedSkeleton)
    let poem = try await run(backend, .auto, question: "Write a poem about the sea")
    #expect(poem.report.reason == .router && poem.text == "The normal answer. ")
    #expect(try await run(backend, .off).report.reason == .asked)
  }

  @Test func theLoserIsDropped() async throws {
    let slow = GivenBackend(
      skeleton: Self.good, normal: String(repeating: "word ", count: 500), pace: (0, 20))
    #expect(try await run(slow, .auto) { $0.headStart = 3 }.report.usedSkeleton)
    let fast = GivenBackend(skeleton: Self.good, pace: (20, 0))
    let (report, text, _) = try await run(fast, .auto) { $0.headStart = 1 }
    #expect(report.reason == .wasFaster && text == "The normal answer. ")
    for backend in [slow, fast] {
      for _ in 0..<200 where backend.open > 0 { try await Task.sleep(for: .milliseconds(10)) }
      #expect(backend.open == 0)
    }
  }

  /// A point that breaks off is asked for once more; here the plain question answers like a normal one.
  @Test func aBrokenPointIsAskedAgain() async throws {
    let backend = GivenBackend(skeleton: Self.good, failsAt: 2) { $0 == 2 ? [] : ["Text of ", "\($0). "] }
    let (report, text, _) = try await run(backend, .on)
    #expect(report.usedSkeleton && text == "1. Heads. Text of 1.\n2. Tails. The normal answer.\n3. Edges. Text of 3.")
  }

  /// What says nothing is no point, whether in the skeleton or in a point's text.
  @Test(arguments: ["²", "icing", "🚶", "Here is the skeleton.", "", "4", "—", "Sure!", "The answer is", "以下是骨架。"])
  func pointsThatSayNothingAreAskedAgain(nothing: String) async throws {
    let backend = GivenBackend(skeleton: Self.good) { $0 == 3 ? [nothing] : ["Text of ", "\($0). "] }
    let (report, text, _) = try await run(backend, .on)
    #expect(report.usedSkeleton && text.hasSuffix("2. Tails. Text of 2.\n3. Edges. The normal answer."), "\(text)")
    // Neither try says anything: the normal answer, which is that nothing here.
    let silent = GivenBackend(skeleton: Self.good, normal: "²") { $0 == 1 ? [nothing] : ["Text of ", "\($0). "] }
    let lost = try await run(silent, .on)
    #expect(!lost.report.usedSkeleton && lost.text == "² ")
  }

  @Test func talkInFrontOfAPointIsDropped() async throws {
    let backend = GivenBackend(skeleton: Self.good) {
      ["Sure, here is ", "the point: ", "Text of ", "\($0). ", "More."]
    }
    #expect(try await run(backend, .on) { $0.pointSentences = nil }.text.hasPrefix("1. Heads. Text of 1. More.\n2. "))
    let honest = GivenBackend(skeleton: Self.good) { _ in ["Of course it ", "rains here. ", "More."] }
    #expect(try await run(honest, .on).text.hasPrefix("1. Heads. Of course it rains here. More."))
  }

  @Test func aDroppedRunEndsItsWork() async throws {
    let backend = GivenBackend(
      skeleton: Self.good, normal: String(repeating: "word ", count: 10_000), pace: (50, 5))
    var options = SkeletonOptions()
    options.mode = .auto
    let events = SkeletonRun(backend, options: options).answer([ChatMessage(.user, "What are the benefits of walking?")]
    )
    let task = Task { for try await _ in events {} }
    try await Task.sleep(for: .milliseconds(120))
    task.cancel()
    _ = await task.result
    for _ in 0..<200 where backend.open > 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(backend.open == 0)
  }
}

/// Points on real models.
struct LocalBackendTests {
  private static func engine(_ kind: String) throws -> Engine {
    if kind == "rwkv" {
      return Engine(
        try LoadedModel(model: ModelLoading.load(BuiltInModel.checkpoint()), checkpoint: BuiltInModel.checkpoint()))
    }
    let configuration = LlamaConfiguration(
      layers: 2, width: 64, heads: 4, feedForwardWidth: 128, vocabularySize: 256, contextLength: 2048)
    return Engine(
      LoadedModel(
        model: Llama(configuration, random: RandomSource(seed: 3)), tokenizer: ByteTokenizer(),
        chatFormat: ChatFormat(.plain)))
  }

  private func text(_ stream: AnswerStream) async throws -> (String, AnswerEnd) {
    var text = ""
    for try await piece in stream {
      switch piece {
      case .text(let more): text += more
      case .ended(let end): return (text, end)
      }
    }
    throw SkeletonError("no end")
  }

  private let points = (1...6).map { Skeleton.Point(index: $0, head: "Head number \($0 * 7).") }

  private func requests(_ set: PromptSet) -> [AnswerRequest] {
    points.map { point in
      let turn = set.pointTurn("Why do rivers bend?", outline: Skeleton(points: points).outline, point: point)
      return AnswerRequest([ChatMessage(.user, turn.user)], begun: turn.begun, maxTokens: 8 + point.index * 5)
    }
  }

  @Test(arguments: ["rwkv", "llama"]) func batchedPointsEqualSingleOnes(kind: String) async throws {
    let engine = try Self.engine(kind)
    let requests = requests(.named(.open))
    let alone = LocalBackend(engine, sampling: Sampling())
    var single: [String] = []
    for request in requests {
      engine.clearPromptCache()
      single.append(try await text(alone.answer(request)).0)
    }
    let scratch = try TestData.Scratch()
    for templates in [
      nil, try await TemplateStates(engine, prompts: .named(.open), folder: scratch.path),
      // The second time from disk.
      try await TemplateStates(engine, prompts: .named(.open), folder: scratch.path),
    ] {
      engine.clearPromptCache()
      let together = LocalBackend(engine, sampling: Sampling(), templates: templates)
      var texts: [String] = []
      for stream in try await together.answers(requests) { texts.append(try await text(stream).0) }
      #expect(texts == single)
      // What the points share is read once, and what all prompts share not at all.
      let format = engine.loaded.chatFormat, tokenizer = engine.loaded.tokenizer
      let prompts = try requests.map { try format.encode($0.messages, begun: $0.begun, tokenizer: tokenizer) }
      let shared = prompts.reduce(prompts[0].count) { min($0, zip(prompts[0], $1).prefix { $0 == $1 }.count) }
      let known = templates?.longest(beginning: prompts[0])?.count ?? 0
      #expect(together.readTokens == shared - known + prompts.reduce(0) { $0 + $1.count - shared })
      #expect(templates == nil || known > 80)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count >= 2)
  }

  /// Going on from the skeleton's state is reading the whole conversation.
  @Test(arguments: ["rwkv", "llama"]) func continuingEqualsReadingAll(kind: String) async throws {
    let engine = try Self.engine(kind)
    let format = engine.loaded.chatFormat, tokenizer = engine.loaded.tokenizer
    let backend = LocalBackend(engine, sampling: Sampling())
    let set = PromptSet.named(.small)
    let turn = set.skeletonTurn("Why do rivers bend?")
    let skeleton = AnswerRequest([ChatMessage(.user, turn.user)], begun: turn.begun, maxTokens: 20)
    let (_, end) = try await text(backend.answer(skeleton))
    var generated: [Int] = []
    var request = Request(
      tokens: try format.encode(skeleton.messages, begun: skeleton.begun, tokenizer: tokenizer))
    request.maxTokens = 20
    request.stops = format.stops
    for try await event in try engine.generate(request) {
      if case .finished(let done) = event { generated = done.tokens }
    }
    let turns = points.map { point in
      let turn = set.continueTurn(point)
      return AnswerRequest([ChatMessage(.user, turn.user)], begun: turn.begun, maxTokens: 12)
    }
    let streams = try #require(try await backend.answers(turns, after: end))
    for (stream, one) in zip(streams, turns) {
      let tail = try format.encodeNext(one.messages, begun: one.begun, tokenizer: tokenizer)
      engine.clearPromptCache()
      var whole = Request(tokens: request.tokens + generated.prefix(end.endedByItself ? 0 : 20) + tail)
      if end.endedByItself { whole.tokens = request.tokens + generated + tail }
      whole.maxTokens = 12
      whole.stops = format.stops
      var expected = ""
      for try await event in try engine.generate(whole) { if case .text(let piece) = event { expected += piece } }
      #expect(try await text(stream).0 == expected)
    }
  }

  @Test func damagedStatesAreMadeAnew() async throws {
    let engine = try Self.engine("rwkv")
    let scratch = try TestData.Scratch()
    let first = try await TemplateStates(engine, prompts: .named(.open), folder: scratch.path)
    for file in try FileManager.default.contentsOfDirectory(atPath: scratch.path) {
      try Data("junk".utf8).write(to: URL(fileURLWithPath: scratch.file(file)))
    }
    let second = try await TemplateStates(engine, prompts: .named(.open), folder: scratch.path)
    #expect(first.lengths == second.lengths)
    // A folder that cannot be written costs time only.
    _ = try await TemplateStates(engine, prompts: .named(.small), folder: "/proc/none")
  }
}

extension LocalBackendTests {
  /// A conversation that fits only without a skeleton is answered without one.
  @Test func noRoomForASkeletonIsNoError() async throws {
    let configuration = LlamaConfiguration(
      layers: 1, width: 32, heads: 2, feedForwardWidth: 64, vocabularySize: 256, contextLength: 200)
    let engine = Engine(
      LoadedModel(
        model: Llama(configuration, random: RandomSource(seed: 3)), tokenizer: ByteTokenizer(),
        chatFormat: ChatFormat(.plain)))
    for mode in [SkeletonMode.on, .auto] {
      var options = SkeletonOptions()
      options.mode = mode
      options.maxTokens = 60
      options.racesNormal = false
      let backend = LocalBackend(engine, sampling: Sampling())
      var report: SkeletonReport?
      let question = ChatMessage(.user, "What are the benefits of walking?")
      for try await event in SkeletonRun(backend, options: options).answer([question]) {
        if case .finished(let end) = event { report = end }
      }
      #expect(report?.reason == .noRoom && report?.normalTokens ?? 0 > 0)
    }
  }
}

extension SkeletonRunTests {
  @Test func theModelCanBeAskedToRoute() async throws {
    let list = GivenBackend(skeleton: Self.good, normal: "A. It is a list.")
    let routed = try await run(list, .auto) {
      $0.asksModelToRoute = true
      $0.racesNormal = false
    }
    #expect(routed.report.usedSkeleton && routed.report.decision?.useSkeleton == true)
    let other = GivenBackend(skeleton: Self.good, normal: "C. It is none.")
    let plain = try await run(other, .auto) { $0.asksModelToRoute = true }
    #expect(plain.report.reason == .router && plain.text == "C. It is none. ")
  }
}
