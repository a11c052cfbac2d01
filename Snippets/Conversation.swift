// Loads a model and talks with it; the reply arrives piece by piece.
import MartletEngine
import MartletModels

let loaded = try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1")
let conversation = Conversation(loaded, instructions: "Answer briefly.")
for try await piece in conversation.reply(to: "What are the benefits of walking?") {
  print(piece, terminator: "")
}
print()

let other = conversation.fork()  // goes its own way, without reading the messages again
print(try await other.reply(to: "And of running?").text())
try conversation.save(to: "walking.json")
