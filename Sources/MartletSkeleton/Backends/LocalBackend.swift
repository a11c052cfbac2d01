import MartletEngine
import MartletModels
import MartletTokenizers
import Synchronization

/// Generates answers with a model in this process.
///
/// The common prefix of all prompts of a kind is read only once (``TemplateStates``). The common prefix of the points
/// of one answer is read once and its state copied. The points run as one batch, which each leaves when it ends.
public final class LocalBackend: SkeletonBackend {
  /// The engine that runs the model.
  public let engine: Engine
  /// How tokens are chosen.
  public let sampling: Sampling
  private let templates: TemplateStates?
  private let question: Request?
  private let read = Atomic(0)

  /// - Parameters:
  ///   - engine: the engine that runs the model.
  ///   - sampling: how tokens are chosen.
  ///   - templates: states of the common prefixes of prompts; nil reads every prompt completely.
  ///   - question: the user's request as it would run without a skeleton, with all options of the client; nil makes one
  ///     with the defaults.
  public init(_ engine: Engine, sampling: Sampling, templates: TemplateStates? = nil, question: Request? = nil) {
    self.engine = engine
    self.sampling = sampling
    self.templates = templates
    self.question = question
  }

  public var runsTogetherCheaply: Bool { true }
  public var readTokens: Int { read.load(ordering: .relaxed) }

  /// A space, a character that begins a word, then anything. Small models like to go on with the next number, or an emoji,
  /// instead of writing the point. In UTF-8, characters that begin with the bytes C2 (`²`), E2 (bullets, arrows), EE, EF
  /// (private and variant forms) and F0 to F4 (emoji) begin few words; of them `¡`, `«` and `¿` are let through.
  private static let wordFirst = try? Grammar { _ in
    let more = Grammar.Expression.range(0x80...0xbf)
    let signs = ByteSet(of: "#$%&)*+,-./0123456789:;<=>?@[\\]^_`{|}~\u{7f}")
    return .sequence([
      .optional(.literal(" ")),
      .choice([
        .bytes(ByteSet(0x22...0x7f).subtracting(signs)),
        .sequence([.range(0xc3...0xdf), more]),
        .sequence([.range(0xe0...0xe0), .range(0xa0...0xbf), more]),
        .sequence([.bytes(ByteSet(0xe1...0xe1).union(ByteSet(0xe3...0xec))), more, more]),
        .sequence([.range(0xed...0xed), .range(0x80...0x9f), more]),
        .literal("¡"), .literal("«"), .literal("¿"),
      ]),
      .repeated(.range(0...255), minimum: 0, maximum: nil),
    ])
  }

  private var format: ChatFormat { engine.loaded.chatFormat }
  private var tokenizer: any Tokenizer { engine.loaded.tokenizer }

  public var answersBeginWithSpace: Bool { format.answersBeginWithSpace }

  public func hasEdit(for messages: [ChatMessage]) -> Bool {
    Question(messages).map(engine.intervenes(in:)) ?? false
  }

  public func answer(_ request: AnswerRequest) throws -> AnswerStream {
    let asked = request.isQuestion ? question : nil
    let tokens =
      try asked?.tokens ?? format.encode(request.messages, begun: request.begun, tokenizer: tokenizer)
    let known = templates?.longest(beginning: tokens)
    let rest = Array(tokens[(known?.count ?? 0)...])
    var made = make(rest, state: known?.state, request, saved: known?.count ?? 0)
    if var asked {
      asked.tokens = rest
      asked.state = known?.state
      asked.landmarks = []
      asked.isContinuation = request.isContinuation
      made = asked
    } else if request.isQuestion {
      made.question = Question(request.messages, begun: request.begun)
    }
    return stream(try engine.generate(made), of: made, saved: known?.count ?? 0)
  }

  public func answers(_ requests: [AnswerRequest]) async throws -> [AnswerStream] {
    let prompts = try requests.map { try format.encode($0.messages, begun: $0.begun, tokenizer: tokenizer) }
    guard let first = prompts.first else { return [] }
    // Every prompt keeps at least one token of its own.
    var shared = prompts.dropFirst().reduce(first.count) { min($0, zip(first, $1).prefix { $0 == $1 }.count) }
    shared = min(shared, (prompts.map(\.count).min() ?? 1) - 1)
    let known = templates?.longest(beginning: Array(first[..<shared]))
    var state = known?.state
    let start = known?.count ?? 0
    if requests.count > 1, start < shared {
      state = try await engine.read(Array(first[start..<shared]), after: state, isContinuation: true).state
      read.add(shared - start, ordering: .relaxed)
    } else {
      shared = start
    }
    return try run(prompts.map { Array($0[shared...]) }, requests, after: state, saved: shared)
  }

  public func answers(_ requests: [AnswerRequest], after end: AnswerEnd) async throws -> [AnswerStream]? {
    guard let place = end.continuation as? Continuation else { return nil }
    let turns = try requests.map {
      place.unread + (try format.encodeNext($0.messages, begun: $0.begun, tokenizer: tokenizer))
    }
    guard let first = turns.first else { return [] }
    var shared = turns.dropFirst().reduce(first.count) { min($0, zip(first, $1).prefix { $0 == $1 }.count) }
    shared = min(shared, (turns.map(\.count).min() ?? 1) - 1)
    var state = place.state
    if shared > 0 {
      state = try await engine.read(Array(first[..<shared]), after: state, isContinuation: true).state
      read.add(shared, ordering: .relaxed)
    }
    return try run(turns.map { Array($0[shared...]) }, requests, after: state, saved: state.position)
  }

  private func run(
    _ tails: [[Int]], _ requests: [AnswerRequest], after state: (any SequenceState)?, saved: Int
  ) throws -> [AnswerStream] {
    let made = zip(tails, requests).map { tail, request in
      var made = make(tail, state: state, request, saved: saved)
      made.isContinuation = true
      return made
    }
    read.add(tails.reduce(0) { $0 + $1.count }, ordering: .relaxed)
    return zip(try engine.generate(made), made).map { stream($0, of: $1, saved: saved) }
  }

  private func make(_ tokens: [Int], state: (any SequenceState)?, _ request: AnswerRequest, saved: Int) -> Request {
    var made = Request(tokens: tokens, state: state)
    made.sampling = sampling
    made.maxTokens = request.maxTokens
    made.stops = format.stops
    made.isContinuation = request.isContinuation
    if request.beginsWithWord { made.grammar = Self.wordFirst }
    return made
  }

  /// The engine's events as they are asked for; no task stands between, as every token would wake it.
  private func stream(_ events: GenerationStream, of request: Request, saved: Int) -> AnswerStream {
    let start = request.state?.position ?? 0
    let source = EventSource(events)
    return AnswerStream {
      while let event = try await source.next() {
        switch event {
        case .text(let text): return .text(text)
        case .token: continue
        case .finished(let completion):
          if completion.reason == .cancelled { throw CancellationError() }
          return .ended(AnswerEnd(completion, after: start, saved: saved))
        }
      }
      return nil
    }
  }
}

/// An iterator that a closure can hold.
///
/// `@unchecked Sendable`: it is asked by one task at a time, that which iterates over the answer.
private final class EventSource: @unchecked Sendable {
  private var iterator: GenerationStream.Iterator
  init(_ events: GenerationStream) { iterator = events.makeAsyncIterator() }
  func next() async throws -> GenerationEvent? { try await iterator.next() }
}

/// Where a written answer stands.
private struct Continuation: Sendable {
  let state: any SequenceState
  /// Generated tokens that the state has not seen.
  let unread: [Int]
}

extension AnswerEnd {
  /// - Parameters:
  ///   - start: position of the state from which the request went on.
  ///   - saved: tokens that state had seen.
  fileprivate init(_ completion: Completion, after start: Int, saved: Int) {
    self.init(endedByItself: completion.reason == .stop)
    promptTokens = saved + completion.promptTokens
    readTokens = completion.promptTokens - completion.cachedTokens
    tokens = completion.tokens.count
    promptSeconds = completion.promptSeconds
    seconds = completion.generationSeconds
    notes = completion.notes
    let seen = completion.state.position - start - completion.promptTokens
    let unread = Array(completion.tokens.dropFirst(max(0, seen)))
    // Where a stop string ended the answer, what is unread belongs to it.
    continuation = Continuation(state: completion.state, unread: completion.reason == .stop ? [] : unread)
  }
}
