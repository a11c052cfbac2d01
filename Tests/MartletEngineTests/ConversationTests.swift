import Foundation
import MartletCheckpoints
import MartletModels
import MartletTestSupport
import Testing

@testable import MartletEngine

/// Holds a conversation as an actor's property.
private actor Correspondent {
  private let conversation: Conversation
  private(set) var shown = ""

  init(_ engine: Engine) { conversation = Conversation(engine, settings: ConversationTests.settings) }

  func ask(_ question: String) async throws -> Int {
    for try await piece in conversation.reply(to: question) { shown += piece }
    return conversation.messages.count
  }
}

/// Holds one as the model of a view does.
@MainActor private final class ChatView {
  let conversation: Conversation
  var shown = ""
  var messages: [ChatMessage] { conversation.messages }

  init(_ engine: Engine) { conversation = Conversation(engine, settings: ConversationTests.settings) }

  func ask(_ question: String) async throws {
    for try await piece in conversation.reply(to: question) { shown += piece }
  }
}

struct ConversationTests {
  fileprivate static let settings = {
    var settings = Conversation.Settings()
    settings.maxTokens = 12
    return settings
  }()

  private static func engine(_ name: String = "rwkv-5.2.pth") throws -> Engine {
    let model = try ModelLoading.load(.open(TestData.fixtures + "/" + name))
    return Engine(LoadedModel(model: model, tokenizer: Letters(), chatFormat: ChatFormat(.plain)))
  }

  private func make(_ name: String = "rwkv-5.2.pth") throws -> Conversation {
    Conversation(try Self.engine(name), settings: Self.settings)
  }

  @Test func anActorHoldsOneAndStreams() async throws {
    let correspondent = Correspondent(try Self.engine())
    #expect(try await correspondent.ask("Hello") == 2)
    #expect(await !correspondent.shown.isEmpty)
    #expect(try await correspondent.ask("Again") == 4)
  }

  @Test @MainActor func aViewModelHoldsOneAndStreams() async throws {
    let view = ChatView(try Self.engine())
    try await view.ask("Hello")
    #expect(view.messages.map(\.role) == [.user, .assistant] && view.messages[1].content == view.shown)
  }

  /// A conversation whose turns were read one by one says what one says that reads them whole.
  @Test(arguments: ["rwkv-5.2.pth", "llama"]) func turnsGoOnAsOneText(name: String) async throws {
    let conversation = try make(name)
    try await conversation.reply(to: "one").text()
    let fork = conversation.fork()
    let second = try await conversation.reply(to: "two").text()
    #expect(fork.messages == Array(conversation.messages.prefix(2)))
    #expect(try await fork.reply(to: "two").text() == second)
    let again = try make(name)
    again.messages = fork.messages
    #expect(try await again.reply().text() == second)
  }

  /// Two tasks that read one reply: one of them reads it, the other is told so, and nothing ends the program.
  @Test func oneTaskAtATimeReadsAReply() async throws {
    let conversation = try make()
    conversation.settings.maxTokens = 60
    let reply = conversation.reply(to: "one")
    let texts = await withTaskGroup(of: Result<String, any Error>.self) { group in
      for _ in 0..<4 {
        group.addTask { do { return .success(try await reply.text()) } catch { return .failure(error) } }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(texts.contains { (try? $0.get()) != nil })
    for case .failure(let error) in texts { #expect(error is EngineError, "\(error)") }
  }

  /// A reply that is still held is cancelled by the next one, and does not keep its place in the batch.
  @Test func aSupersededReplyIsCancelled() async throws {
    let conversation = try make()
    conversation.settings.maxTokens = 1_000_000
    let first = conversation.reply(to: "one")
    var pieces = first.makeAsyncIterator()
    _ = try await pieces.next()
    conversation.settings.maxTokens = 4
    try await conversation.reply(to: "two").text()
    for _ in 0..<500 where conversation.engine.statistics.running > 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(conversation.engine.statistics.running == 0)
    await #expect(throws: CancellationError.self) { while try await pieces.next() != nil {} }
    #expect(first.completion == nil && conversation.messages.map(\.role).suffix(2) == [.user, .assistant])
  }

  /// While an answer goes on, copies have it as it was; a change that is refused leaves the reply alone.
  @Test func copiesKeepTheAnswerThatGoesOn() async throws {
    let conversation = try make()
    let answer = try await conversation.reply(to: "one").text()
    let more = conversation.continueReply()
    #expect(conversation.fork().messages.map(\.content) == ["one", answer])
    #expect(throws: EngineError.self) { try conversation.replaceMessage(at: 99, with: "x") }
    #expect(conversation.isReplying)
    let rest = try await more.text()
    #expect(conversation.messages.map(\.content) == ["one", answer + rest])
  }

  /// The engine lives as long as a reply of it is held.
  @Test func aReplyHoldsItsEngine() async throws {
    func story() throws -> Reply { try Self.engine().generate("Once", maxTokens: 8) }
    #expect(try await !story().text().isEmpty)
  }

  @Test func theHistoryIsAValueThatCanBeChanged() async throws {
    let conversation = Conversation(try Self.engine(), instructions: "be brief", settings: Self.settings)
    #expect(conversation.messages == [ChatMessage(.system, "be brief")])
    try await conversation.reply(to: "one").text()
    try await conversation.reply(to: "two").text()
    #expect(conversation.messages.map(\.role) == [.system, .user, .assistant, .user, .assistant])
    try conversation.removeLastTurn()
    #expect(conversation.messages.count == 3)
    try conversation.replaceMessage(at: 1, with: "three")
    #expect(conversation.messages == [ChatMessage(.system, "be brief"), ChatMessage(.user, "three")])
    #expect(throws: EngineError.self) { try conversation.replaceMessage(at: 2, with: "") }
    try await conversation.reply().text()
    #expect(conversation.messages.count == 3)
    conversation.instructions = nil
    #expect(conversation.instructions == nil && conversation.messages.first?.content == "three")
    conversation.instructions = "long"
    conversation.reset()
    #expect(conversation.messages == [ChatMessage(.system, "long")])
    #expect(throws: EngineError.self) { try conversation.removeLastTurn() }
    await #expect(throws: EngineError.self) { try await conversation.reply().text() }
    await #expect(throws: EngineError.self) { try await conversation.continueReply().text() }
  }

  /// What was said stays, and a reply can go on from there.
  @Test func aReplyThatIsBrokenOffLeavesWhatWasSaid() async throws {
    let conversation = try make()
    conversation.settings.maxTokens = 100_000
    var said = ""
    for try await piece in conversation.reply(to: "one") {
      said += piece
      if said.count > 5 { break }
    }
    while conversation.isReplying { await Task.yield() }
    #expect(conversation.messages == [ChatMessage(.user, "one"), ChatMessage(.assistant, said)])
    conversation.settings.maxTokens = 4
    let more = try await conversation.continueReply().text()
    #expect(conversation.messages == [ChatMessage(.user, "one"), ChatMessage(.assistant, said + more)])
  }

  /// What was said is part of the history that is changed in place, and an assignment replaces it.
  @Test func aChangeInPlaceKeepsWhatWasSaid() async throws {
    let conversation = try make()
    conversation.settings.maxTokens = 100_000
    var said = ""
    let more = ChatMessage(.user, "and then?")
    for try await piece in conversation.reply(to: "one") {
      said += piece
      if said.count > 5 {
        conversation.messages.append(more)
        break
      }
    }
    let history = [ChatMessage(.user, "one"), ChatMessage(.assistant, said), more]
    #expect(!conversation.isReplying && conversation.messages == history)
    // Nothing was said yet: the question stays where it was seen, and indices stay valid.
    let reply = conversation.reply(to: "two")
    #expect(conversation.messages.count == 3)
    conversation.messages[2].content = "three"
    await #expect(throws: CancellationError.self) { try await reply.text() }
    #expect(conversation.messages == history.dropLast() + [ChatMessage(.user, "three")])
    // A reply in place of another: the answer that it was to replace comes back.
    conversation.messages = Array(history.prefix(2))
    let again = conversation.reply()
    conversation.messages.append(more)
    await #expect(throws: CancellationError.self) { try await again.text() }
    #expect(conversation.messages == history)
    let assigned = conversation.reply()
    conversation.messages = [more]
    await #expect(throws: CancellationError.self) { try await assigned.text() }
    #expect(conversation.messages == [more])
  }

  @Test func aReplyThatNobodyTakesIsTakenBack() async throws {
    let conversation = try make()
    conversation.settings.maxTokens = 100_000
    _ = conversation.reply(to: "one")
    #expect(conversation.messages.isEmpty && !conversation.isReplying)
    let reply = conversation.reply(to: "two")
    #expect(conversation.messages == [ChatMessage(.user, "two")] && conversation.isReplying)
    conversation.messages = []
    await #expect(throws: CancellationError.self) { try await reply.text() }
    #expect(conversation.messages.isEmpty)
    // The task that waits is cancelled.
    let waiting = Task { try await conversation.reply(to: "three").text() }
    while !conversation.isReplying { await Task.yield() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(!conversation.isReplying)
  }

  @Test func whatCannotBeginLeavesTheHistory() async throws {
    let conversation = try make("llama")
    conversation.settings.contextLimit = 20
    let long = conversation.reply(to: String(repeating: "a", count: 100))
    await #expect(throws: EngineError.self) { try await long.text() }
    #expect(conversation.messages.isEmpty && long.completion == nil)
    conversation.settings.sampling.topP = 2
    await #expect(throws: EngineError.self) { try await conversation.reply(to: "a").text() }
    #expect(conversation.messages.isEmpty)
  }

  @Test func conversationsAreSavedAndRestored() async throws {
    let scratch = try TestData.Scratch()
    let conversation = try make()
    try await conversation.reply(to: "one").text()
    try conversation.save(to: scratch.file("c.json"))
    let restored = try Conversation(
      conversation.engine, restoring: scratch.file("c.json"), settings: conversation.settings)
    #expect(restored.messages == conversation.messages)
    #expect(try await restored.reply(to: "two").text() == conversation.reply(to: "two").text())
    #expect(throws: (any Error).self) { try conversation.save(to: scratch.file("c.json"), replaces: false) }
  }

  @Test func aTextGoesOn() async throws {
    let engine = try Self.engine()
    let reply = engine.generate("Once", maxTokens: 9)
    var text = ""
    for try await piece in reply { text += piece }
    #expect(reply.completion?.tokens.count == 9 && text.count == 9)
    let session = Session(engine)
    session.append("Once")
    #expect(try await session.generate(maxTokens: 9).text() == text)
    await #expect(throws: EngineError.self) { try await engine.generate("").text() }
  }
}
