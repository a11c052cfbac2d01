import Foundation
import MartletEngine
import MartletModels

/// Generates one answer: with a skeleton if that is requested and the skeleton is good, else normally.
///
///     skeleton  ->  check  ->  points, all at once  ->  the answer, in order
///         \___________ bad: the normal answer, which in `auto` mode has begun with the skeleton
public struct SkeletonRun: Sendable {
  /// The back end that generates the answers.
  public let backend: any SkeletonBackend
  /// The options.
  public let options: SkeletonOptions

  /// A run with a back end.
  public init(_ backend: any SkeletonBackend, options: SkeletonOptions) {
    self.backend = backend
    self.options = options
  }

  /// Answers the last message of a conversation, which must be a user message. Releasing the stream cancels all work.
  public func answer(_ messages: [ChatMessage]) -> AsyncThrowingStream<SkeletonEvent, any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          var writing = Writing(run: self, messages: messages, out: continuation)
          try await writing.write()
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}

/// One answer on its way.
private struct Writing {
  let run: SkeletonRun
  let messages: [ChatMessage]
  let out: AsyncThrowingStream<SkeletonEvent, any Error>.Continuation
  let started = Date()
  var report = SkeletonReport()
  /// Lets the answer through up to a text that ends it.
  private var stop: StopFilter
  /// The normal answer is being written; when that fails, all fails.
  private var hasFallenBack = false

  init(run: SkeletonRun, messages: [ChatMessage], out: AsyncThrowingStream<SkeletonEvent, any Error>.Continuation) {
    self.run = run
    self.messages = messages
    self.out = out
    stop = StopFilter(run.options.stops)
  }

  private var options: SkeletonOptions { run.options }
  private var question: String { messages.last?.content ?? "" }
  private var elapsed: Double { Date().timeIntervalSince(started) }

  mutating func write() async throws {
    if options.mode == .off { return try await writeNormal(.asked, startNormal()) }
    if run.backend.hasEdit(for: messages) { return try await writeNormal(.edit, startNormal()) }
    if let limit = options.answerLimit, limit < Self.leastLimit {
      return try await writeNormal(.limit, startNormal())
    }
    let races = options.racesNormal ?? (options.mode == .auto && run.backend.runsTogetherCheaply)
    let rival = races && (options.mode == .on || options.asksModelToRoute) ? try startNormal() : nil
    if options.mode == .auto {
      let decision = try await route()
      report.decision = decision
      out.yield(.routed(decision))
      if !decision.useSkeleton { return try await writeNormal(.router, rival ?? startNormal()) }
    }
    try await writeBySkeleton(against: rival ?? (races ? startNormal() : nil))
  }

  private func startNormal(isContinuation: Bool = false) throws -> NormalAnswer {
    var request = AnswerRequest(messages, maxTokens: options.maxTokens)
    request.isContinuation = isContinuation
    request.isQuestion = true
    return NormalAnswer(try run.backend.answer(request))
  }

  /// Limits below these leave a skeleton, or a point, nothing to say.
  private static let leastLimit = 64, leastPoint = 12

  /// Tokens that each of some points may have of what is left.
  private func pointLimit(_ points: Int) -> Int {
    guard let limit = options.answerLimit else { return options.maxPointTokens }
    return min(options.maxPointTokens, (limit - report.skeletonTokens) / max(1, points))
  }

  private func route() async throws -> SkeletonRouter.Decision {
    guard options.asksModelToRoute else { return options.router.route(question) }
    var answer = false
    do { answer = try await PromptingRouter().route(question, backend: run.backend) ?? false } catch {
      // A question that cannot be asked is no reason to leave the other one unanswered.
      try Task.checkCancellation()
    }
    return SkeletonRouter.Decision(useSkeleton: answer, probability: answer ? 1 : 0)
  }

  private mutating func writeBySkeleton(against rival: NormalAnswer?) async throws {
    do {
      guard let (skeleton, end) = try await writeSkeleton(against: rival) else {
        return try await writeNormal(.wasFaster, rival)
      }
      let problem = options.check.problem(
        skeleton, endedByItself: end.endedByItself, demonstrationHeads: options.prompts.demonstrationHeads,
        question: question)
      if let problem { return try await writeNormal(.skeleton(problem), rival) }
      let chosen = skeleton.prefix(options.maxPoints)
      guard pointLimit(chosen.points.count) >= Self.leastPoint else { return try await writeNormal(.limit, rival) }
      let readBefore = run.backend.readTokens
      let streams = try await pointStreams(chosen, after: end)
      report.pointReadTokens = run.backend.readTokens - readBefore
      rival?.drop()
      try await writePoints(chosen, streams)
    } catch let problem where !hasFallenBack && !Task.isCancelled && !(problem is CancellationError) {
      // The question alone may well fit, and be answered.
      try await writeNormal(problem is ContextOverflow ? .noRoom : .failed("\(problem)"), rival)
    } catch {
      rival?.drop()
      throw error
    }
  }

  // MARK: skeleton

  /// The skeleton; nil where the rival was done before it.
  private mutating func writeSkeleton(against rival: NormalAnswer?) async throws -> (Skeleton, AnswerEnd)? {
    let turn = options.prompts.skeletonTurn(question)
    var request = AnswerRequest(
      messages.dropLast() + [ChatMessage(.user, turn.user)], begun: turn.begun,
      maxTokens: min(options.maxSkeletonTokens, (options.answerLimit ?? .max) / 2))
    request.isContinuation = rival != nil
    if let rival {
      // Short answers are over before a skeleton could pay.
      await rival.hasPieces(options.headStart)
      if rival.isWhole { return nil }
    }
    var text = ""
    var pieces = 0
    var isCutByUs = false
    out.yield(.skeletonText(turn.begun))
    var ended: AnswerEnd?
    for try await piece in try run.backend.answer(request) {
      switch piece {
      case .text(let more):
        text += more
        pieces += 1
        out.yield(.skeletonText(more))
      case .ended(let end): ended = end
      }
      if rival?.isWhole == true { return nil }
      // Nothing behind the list's end is of use, and some models never stop. A line that grows may become a point.
      if case .text(let more) = piece, more.contains(where: \.isNewline), let line = text.lastIndex(where: \.isNewline)
      {
        let skeleton = Skeleton(parsing: String(text[..<line]), begun: turn.begun)
        let isHopeless = options.check.isHopeless(
          skeleton, demonstrationHeads: options.prompts.demonstrationHeads)
        if skeleton.hasTail || isHopeless {
          isCutByUs = true
          break
        }
      }
    }
    report.skeletonText = turn.begun + text
    report.skeletonSeconds = elapsed
    let skeleton = Skeleton(parsing: text, begun: turn.begun)
    let end = ended ?? AnswerEnd(endedByItself: isCutByUs)
    // Where the rest was not waited for, pieces stand for tokens.
    report.skeletonTokens = ended?.tokens ?? pieces
    report.skeletonReadTokens = end.readTokens
    report.promptTokens += end.promptTokens
    return (skeleton, end)
  }

  // MARK: points

  private mutating func writePoints(_ skeleton: Skeleton, _ streams: [AnswerStream]) async throws {
    out.yield(.skeleton(skeleton.points))
    report.points = skeleton.points.map { SkeletonReport.PointReport(point: $0) }
    var order = PointOrder(skeleton.points, separator: options.separator)
    var lost: (any Error)?
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      let (pieces, into) = AsyncStream.makeStream(of: PointPiece.self)
      // What is computed here does not hang, it waits for its turn.
      let patience = run.backend.runsTogetherCheaply ? nil : PointPatience(least: options.leastPatience)
      for (place, stream) in streams.enumerated() {
        var again = AnswerRequest(
          messages.dropLast() + [
            ChatMessage(.user, options.prompts.againTurn(question, point: skeleton.points[place]).user)
          ], maxTokens: pointLimit(skeleton.points.count))
        (again.isContinuation, again.prefersWhole) = (true, true)
        let reading = PointReading(
          backend: run.backend, place: place, head: skeleton.points[place].head, again: again,
          sentences: options.pointSentences, patience: patience, into: into)
        group.addTask { await reading.run(stream) }
      }
      var open = streams.count
      for await piece in pieces {
        if piece.problem is CancellationError { throw CancellationError() }
        take(piece, &order)
        lost = lost ?? piece.problem
        if piece.isLast { open -= 1 }
        if open == 0 || stop.isStopped { break }
      }
      try Task.checkCancellation()
    }
    report.pointSeconds = elapsed - report.skeletonSeconds
    // After a text that ends the answer nothing more is asked for.
    if let lost, !stop.isStopped { return try await writeNormal(instead: order, of: lost) }
    report.usedSkeleton = true
    // A point that is cut at its usual length is short by design; one that the request's limit cut is not.
    let isLimited = pointLimit(skeleton.points.count) < options.maxPointTokens
    report.endedByItself = stop.isStopped || !isLimited || report.points.allSatisfy(\.endedByItself)
    finish()
  }

  /// Where a point could not be had: the normal answer, behind what is shown already. If that cannot be had either, the
  /// points that are there.
  private mutating func writeNormal(instead order: PointOrder, of lost: any Error) async throws {
    var order = order
    let shown = order.answer
    do {
      try await writeNormal(.failed("\(lost)"), startNormal(isContinuation: true), behind: shown)
    } catch {
      try Task.checkCancellation()
      let rest = order.finish()
      guard !order.answer.isEmpty, report.normalTokens == 0 else { throw error }
      show(rest)
      report.usedSkeleton = true
      report.endedByItself = false
      finish()
    }
  }

  private func pointStreams(_ skeleton: Skeleton, after end: AnswerEnd) async throws -> [AnswerStream] {
    let limit = pointLimit(skeleton.points.count)
    func request(_ turn: PromptSet.Turn, _ history: [ChatMessage]) -> AnswerRequest {
      var request = AnswerRequest(
        history + [ChatMessage(.user, turn.user)], begun: turn.begun, maxTokens: limit)
      request.beginsWithWord = true
      return request
    }
    if options.continuesFromSkeleton {
      let turns = skeleton.points.map { request(options.prompts.continueTurn($0), []) }
      if let streams = try await run.backend.answers(turns, after: end) { return streams }
    }
    let outline = skeleton.outline
    return try await run.backend.answers(
      skeleton.points.map { point in
        request(
          options.prompts.pointTurn(question, outline: outline, point: point), Array(messages.dropLast()))
      })
  }

  private mutating func take(_ piece: PointPiece, _ order: inout PointOrder) {
    let index = report.points[piece.place].point.index
    if !piece.text.isEmpty {
      if report.points[piece.place].text.isEmpty, report.firstTextSeconds == 0 { report.firstTextSeconds = elapsed }
      report.points[piece.place].text += piece.text
      out.yield(.point(index: index, text: piece.text))
    }
    if piece.isLast {
      report.points[piece.place].seconds = elapsed - report.skeletonSeconds
      report.points[piece.place].tokens = piece.tokens
      report.points[piece.place].endedByItself = piece.endedByItself
      report.pointTokens += piece.tokens
      if piece.problem == nil { out.yield(.pointEnded(index: index)) }
    }
    show(
      order.push(place: piece.place, text: piece.text, isLast: piece.isLast && piece.problem == nil))
  }

  /// Gives out a piece of the answer, up to a text that ends it.
  private mutating func show(_ text: String) {
    let certain = stop.push(text)
    if certain.isEmpty { return }
    report.answer += certain
    out.yield(.text(certain))
  }

  // MARK: normal answers

  private mutating func writeNormal(
    _ reason: NormalReason, _ answer: NormalAnswer?, behind shown: String = ""
  ) async throws {
    hasFallenBack = true
    out.yield(.normal(reason))
    report.reason = reason
    let answer = try answer ?? startNormal(isContinuation: true)
    var isOpen = true
    let skipsSpace = run.backend.answersBeginWithSpace
    for try await piece in answer.stream {
      switch piece {
      case .text(let piece):
        // Some formats begin an answer with a space of their own.
        let more = isOpen && skipsSpace ? String(piece.drop(while: \.isWhitespace)) : piece
        if more.isEmpty { continue }
        if report.firstTextSeconds == 0 { report.firstTextSeconds = elapsed }
        if isOpen, !shown.isEmpty { show("\n\n") }
        isOpen = false
        report.normalTokens += 1  // until the back end's own count comes
        show(more)
      case .ended(let end):
        report.notes = end.notes
        report.normalReadTokens = end.readTokens
        report.normalTokens = end.tokens
        report.promptTokens += end.promptTokens
        report.endedByItself = end.endedByItself
      }
      if stop.isStopped { break }
    }
    finish()
  }

  private mutating func finish() {
    let rest = stop.finish()
    if !rest.isEmpty {
      report.answer += rest
      out.yield(.text(rest))
    }
    report.seconds = elapsed
    out.yield(.finished(report))
  }
}
