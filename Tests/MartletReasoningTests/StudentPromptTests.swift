import MartletData
import MartletModels
import MartletReasoning
import MartletTokenizers
import Testing

@Suite struct StudentPromptTests {
  /// Earlier turns of a conversation are put to the student, and only the last answer is learnt.
  @Test(arguments: [true, false]) func earlierTurnsAreReadAndNotLearnt(isChat: Bool) throws {
    let loaded = try LoadedModel.load("box")
    let prompt = StudentPrompt(loaded, isChat: isChat)
    var row = TeachingRow(id: "1", task: "talk", split: "train", question: "And of two?")
    row.others["history"] = [
      ["role": "user", "content": "What is the square of three?"], ["role": "assistant", "content": "It is nine."],
    ]
    let (tokens, counts) = try prompt.example(asking: row, system: nil, answer: "It is four.")
    let read = String(decoding: loaded.tokenizer.decode(tokens), as: UTF8.self)
    #expect(read.contains("square of three") && read.contains("nine") && read.contains("four"))
    let learnt = String(decoding: loaded.tokenizer.decode(zip(tokens, counts).filter(\.1).map(\.0)), as: UTF8.self)
    #expect(learnt.contains("four") && !learnt.contains("nine"))
    row.others["history"] = "nothing"
    #expect(throws: TeachingError.self) { try prompt.tokens(asking: row, system: nil) }
  }
}
