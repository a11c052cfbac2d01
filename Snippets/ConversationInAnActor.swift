// A conversation as a property of an actor, and of a class that a user interface observes.
import MartletEngine
import MartletModels

actor Assistant {
  private let conversation: Conversation

  init(_ engine: Engine) { conversation = Conversation(engine, instructions: "You are a helpful assistant.") }

  func answer(_ question: String) async throws -> String {
    try await conversation.reply(to: question).text()
  }
}

@MainActor
final class ConversationModel {
  private(set) var answer = ""
  private let conversation: Conversation

  init(_ engine: Engine) { conversation = Conversation(engine) }

  func ask(_ question: String) async throws {
    answer = ""
    for try await piece in conversation.reply(to: question) { answer += piece }
  }
}

// Both share the engine's batch, and what it remembers of prompts.
let engine = Engine(try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1"))
let assistant = Assistant(engine)
let model = ConversationModel(engine)
async let first = assistant.answer("Name three colours.")
try await model.ask("Name three animals.")
print(try await first, model.answer, separator: "\n")
