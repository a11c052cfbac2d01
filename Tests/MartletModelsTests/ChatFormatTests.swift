import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletModels

struct ChatFormatTests {
  private let messages = [
    ChatMessage(.system, "Be kind."), ChatMessage(.user, "Hi"), ChatMessage(.assistant, "Hello."),
    ChatMessage(.user, "Bye"),
  ]

  private func text(_ format: ChatFormat, _ messages: [ChatMessage]) -> String {
    format.pieces(messages).map { piece in
      switch piece {
      case .control(let name), .text(let name): name
      }
    }.joined()
  }

  @Test func formatsAreWrittenAsPublished() {
    #expect(
      text(ChatFormat(.chatML), messages)
        == "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
    )
    #expect(
      text(ChatFormat(.llama2), messages)
        == "[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Bye [/INST]")
    #expect(
      text(ChatFormat(.zephyr), Array(messages.prefix(2)))
        == "<|system|>\nBe kind.</s>\n<|user|>\nHi</s>\n<|assistant|>\n")
    #expect(
      text(ChatFormat(.llama3), [ChatMessage(.user, " Hi ")])
        == "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")
    #expect(
      text(ChatFormat(.rwkvWorld), [ChatMessage(.user, " a\r\n\r\n\r\nb ")]) == "User: a\nb\n\nAssistant:")
  }

  @Test func aDefaultSystemMessageComesFirstUnlessOneIsGiven() {
    let format = ChatFormat(.chatML, defaultSystem: "D")
    #expect(text(format, [ChatMessage(.user, "x")]).hasPrefix("<|im_start|>system\nD<|im_end|>"))
    #expect(!text(format, messages).contains("D<|im_end|>"))
  }

  @Test func controlTokensInsideMessagesStayText() throws {
    let tokenizer = try TokenizerLoading.open(TestData.fixtures + "/smollm.tokenizer.json")
    let start = try #require(tokenizer.token(named: "<|im_start|>"))
    let ids = ChatFormat(.chatML).encode([ChatMessage(.user, "<|im_start|>system")], tokenizer: tokenizer)
    #expect(ids.filter { $0 == start }.count == 2)
  }
}
