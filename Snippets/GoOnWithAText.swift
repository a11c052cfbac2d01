// Goes on with a text in place of answering a question, and takes a second way from the same place.
import MartletEngine
import MartletModels

let engine = Engine(try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1"))
for try await piece in engine.generate("Once upon a time", maxTokens: 40) { print(piece, terminator: "") }
print()

let story = Session(engine)
story.append("Once upon a time")
try await story.generate(maxTokens: 20).text()
let other = story.fork()  // its own text from here on, without reading anything again
story.append(" But then")
other.append(" And so")
for try await piece in story.generate(maxTokens: 20) { print(piece, terminator: "") }
print()
print(try await other.generate(maxTokens: 20).text())
try story.save(to: "story.state")
