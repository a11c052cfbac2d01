import Foundation
import Testing

@testable import MartletEditing

struct RawPromptTests {
  @Test(arguments: [
    "Who is Tom?", "Question: Who is Tom?\nAnswer:", "Q: Who is Tom?\nA: ", "Q: Who is Tom? A:",
    "Who is Tom?\n\nAnswer:",
    "Hello.\n\nWho is Tom?", "Q: x?\nA: y\n\nQ: Who is Tom?\nA:", "User: Who is Tom?\n\nAssistant:",
    "### Question: Who is Tom?\n### Answer:", "**Question:** Who is Tom?\n**Answer:**", "  Who is Tom?\n",
    "Frage: Who is Tom?\nAntwort:", "Human: Who is Tom?\r\nBot:",
  ])
  func theLastLineAsks(prompt: String) {
    let asked = RawPrompt(prompt).question
    #expect(asked.trimmingCharacters(in: .whitespaces) == "Who is Tom?")
  }

  @Test(arguments: ["", "\n", ":", "Note: this is no label", "A:", "12:30", "Answer:\n"])
  func whatAsksNothingIsLeftAsItIs(prompt: String) {
    _ = RawPrompt(prompt).question
  }
}
