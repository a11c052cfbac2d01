import MartletEditing
import MartletEngine

/// Runs the choices of one request and merges what they say. Dropping the stream ends their work.
struct AnswerWriting: Sendable {
  /// What is taken off the front of an answer, and how it is taken apart.
  var skipsSpace = false
  var readsTools = false
  /// How the answer begins for the reader of tool calls.
  var toolsBegun = ""
  /// Why an answer with calls has ended.
  var reasonOfCalls = "tool_calls"
  /// How many streams, one behind the other, answer the same prompt. It is counted once.
  var choicesPerPrompt = 1

  /// Tells the events of all streams as they come, and the usage of all at the end.
  func run(_ streams: [GenerationStream]) -> AnswerEvents {
    AnswerEvents { continuation in
      let task = Task {
        var usage = Usage()
        do {
          try await withThrowingTaskGroup(of: (Int, Completion).self) { group in
            for (choice, stream) in streams.enumerated() {
              group.addTask { (choice, try await write(stream, choice: choice, to: continuation)) }
            }
            for try await (choice, completion) in group {
              if choice % choicesPerPrompt == 0 {
                usage.promptTokens += completion.promptTokens
                usage.cachedTokens += completion.cachedTokens
              }
              usage.completionTokens += completion.tokens.count
            }
          }
          try Task.checkCancellation()
        } catch {
          return continuation.finish(throwing: error)
        }
        continuation.yield(.finished(usage))
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// - Throws: what the engine throws where an answer cannot go on, and CancellationError where it was given up. An
  ///   answer that has not ended never gets a reason why it has.
  private func write(
    _ stream: GenerationStream, choice: Int, to continuation: AnswerEvents.Continuation
  ) async throws -> Completion {
    var ledger = TokenLedger(skipsSpace: skipsSpace)
    var start = LeadingSpace(isOpen: skipsSpace)
    var tools = ToolCallReader()
    func give(_ pieces: [ToolCallReader.Piece], isWritten: Bool = true) {
      for piece in pieces {
        if case .text(let text) = piece.content {
          continuation.yield(.text(choice: choice, text, ledger.take(piece.length)))
          continue
        }
        // Where the answer is a call from its start, that start is of no token.
        let tokens = isWritten ? ledger.take(piece.length, isShown: false) : []
        if !tokens.isEmpty { continuation.yield(.text(choice: choice, "", tokens)) }
        switch piece.content {
        case .begin(let call, let name): continuation.yield(.toolCall(choice: choice, call: call, name: name))
        case .arguments(let call, let text):
          continuation.yield(.toolArguments(choice: choice, call: call, text))
        case .text, .layout: break
        }
      }
    }
    if readsTools { give(tools.push(toolsBegun), isWritten: false) }
    for try await event in stream {
      switch event {
      case .token(let probability): ledger.add(probability)
      case .text(let text):
        let text = start.push(text)
        if text.isEmpty { continue }
        if readsTools {
          give(tools.push(text))
        } else {
          continuation.yield(.text(choice: choice, text, ledger.take(text.utf8.count)))
        }
      case .finished(let completion):
        if completion.reason == .cancelled { throw CancellationError() }
        if readsTools { give(tools.finish(isCut: completion.reason == .length)) }
        let rest = ledger.finish()
        if !rest.isEmpty { continuation.yield(.text(choice: choice, "", rest)) }
        if let edit = completion.edit { continuation.yield(.edited(choice: choice, edit)) }
        if let edit = completion.heldEdit { continuation.yield(.heldBack(choice: choice, edit)) }
        let reason = completion.reason == .stop && tools.calls > 0 ? reasonOfCalls : completion.reason.rawValue
        continuation.yield(.ended(choice: choice, reason: reason, endToken: completion.endToken))
        return completion
      }
    }
    throw CancellationError()
  }
}

/// Drops white space in front of an answer.
struct LeadingSpace {
  var isOpen: Bool

  mutating func push(_ text: String) -> String {
    guard isOpen else { return text }
    let rest = text.drop(while: \.isWhitespace)
    if !rest.isEmpty { isOpen = false }
    return String(rest)
  }
}
