import Foundation
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletModels

struct ChatFormatTests {
  private let messages = [
    ChatMessage(.system, "Be kind."), ChatMessage(.user, "Hi"), ChatMessage(.assistant, "Hello."),
    ChatMessage(.user, "Bye"),
  ]

  @Test(arguments: [
    (
      ChatFormat.Kind.chatML,
      "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
      "<|im_end|>"
    ),
    (.llama2, "[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Bye [/INST]", "</s>"),
    (
      .llama3,
      "<|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      "<|eot_id|>"
    ),
    (
      .zephyr,
      "<|system|>\nBe kind.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello.</s>\n<|user|>\nBye</s>\n<|assistant|>\n",
      "</s>"
    ),
    (.mistralV1, "[INST] Be kind.\n\nHi [/INST]Hello.</s>[INST] Bye [/INST]", "</s>"),
    (.mistralV3, "[INST] Hi[/INST] Hello.</s>[INST] Be kind.\n\nBye[/INST]", "</s>"),
    (.mistralV7, "[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]Hi[/INST]Hello.</s>[INST]Bye[/INST]", "</s>"),
    (
      .phi3,
      "<|system|>\nBe kind.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
      "<|end|>"
    ),
    (
      .gemma,
      "<start_of_turn>user\nBe kind.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
      "<end_of_turn>"
    ),
    (
      .granite,
      "<|start_of_role|>system<|end_of_role|>Be kind.<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>Hello.<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Bye<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
      "<|end_of_text|>"
    ),
    (
      .falcon3,
      "<|system|>\nBe kind.\n<|user|>\nHi\n<|assistant|>\nHello.<|endoftext|>\n<|user|>\nBye\n<|assistant|>\n",
      "<|endoftext|>"
    ),
    (
      .deepSeek, "Be kind.\n\nUser: Hi\n\nAssistant: Hello.<｜end▁of▁sentence｜>User: Bye\n\nAssistant:",
      "<｜end▁of▁sentence｜>"
    ),
    (
      .deepSeekR1,
      "Be kind.<｜User｜>Hi<｜Assistant｜>Hello.<｜end▁of▁sentence｜><｜User｜>Bye<｜Assistant｜><think>\n",
      "<｜end▁of▁sentence｜>"
    ),
    (.vicuna, "Be kind. USER: Hi ASSISTANT: Hello.</s>USER: Bye ASSISTANT:", "</s>"),
    (
      .alpaca,
      "Be kind.\n\n### Instruction:\nHi\n\n### Response:\nHello.\n\n### Instruction:\nBye\n\n### Response:\n",
      "### Instruction:"
    ),
    (.rwkvWorld, "Be kind.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: Bye\n\nAssistant:", "\n\nUser:"),
    (.plain, "Be kind.\n\nHi\n\nHello.\n\nBye", ""),
  ])
  func formatsAreWrittenAsPublished(_ kind: ChatFormat.Kind, _ text: String, _ stop: String) throws {
    #expect(try ChatFormat(kind).text(messages) == text)
    #expect(ChatFormat(kind).stops.first ?? "" == stop)
  }

  @Test func everyFormatByNameIsTested() {
    // Of 17 kinds, each once above.
    #expect(ChatFormat.Kind.allCases.count == 17)
    for kind in ChatFormat.Kind.allCases { #expect(ChatFormat(kind).kind == kind) }
  }

  @Test func contentsAreTrimmedWhereTheFormatDoes() throws {
    #expect(
      try ChatFormat(.llama3).text([ChatMessage(.user, " Hi ")])
        == "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")
    #expect(try ChatFormat(.rwkvWorld).text([ChatMessage(.user, " a\r\n\r\n\r\nb ")]) == "User: a\nb\n\nAssistant:")
    #expect(try ChatFormat(.mistralV3).text([ChatMessage(.user, " a ")]) == "[INST]  a [/INST]")
  }

  @Test func whatCannotBeWrittenIsRefused() {
    let user = ChatMessage(.user, "a"), answer = ChatMessage(.assistant, "b"), system = ChatMessage(.system, "c")
    for kind in [ChatFormat.Kind.llama2, .mistralV1, .mistralV3, .gemma] {
      for wrong in [[user, user], [answer], [user, answer, answer], [user, system], [system, system, user]] {
        #expect(throws: ModelError.self) { try ChatFormat(kind).text(wrong) }
      }
      #expect(throws: Never.self) { try ChatFormat(kind).text([system, user, answer, user]) }
    }
  }

  // MARK: Tokens

  private func tokenizer(_ name: String) throws -> any Tokenizer {
    try TokenizerLoading.open(TestData.fixtures + "/" + name)
  }

  @Test func controlTokensInsideMessagesStayText() throws {
    let tokenizer = try tokenizer("smollm.tokenizer.json")
    let start = try #require(tokenizer.token(named: "<|im_start|>"))
    for text in ["<|im_start|>system", "a <|im_start|><|im_end|> b", "<|im_start|>"] {
      let ids = try ChatFormat(.chatML).encode([ChatMessage(.user, text)], tokenizer: tokenizer)
      #expect(ids.filter { $0 == start }.count == 2)
      #expect(String(decoding: tokenizer.decode(ids), as: UTF8.self) == "user\n\(text)\nassistant\n")
    }
    // Not even where the template's text and a message's make the name together.
    let format = ChatFormat.own(
      "{% for m in messages %}{{ '<|' + m.content + '\n' }}{% endfor %}", specialTokens: [:])
    let ids = try format.encode([ChatMessage(.user, "im_start|>")], tokenizer: tokenizer)
    #expect(format.source == .template && !ids.contains(start))
  }

  /// Such as DeepSeek's `<｜User｜>`, which its tokenizer.json does not call special.
  @Test func addedTokensThatAreNotSpecialAreTheTemplatesToo() throws {
    let scratch = try TestData.Scratch(), path = scratch.file("tokenizer.json")
    let file = try String(contentsOfFile: TestData.fixtures + "/smollm.tokenizer.json", encoding: .utf8)
    let changed = file.replacing(/"special":(\s*)true/) { "\"special\":\($0.1)false" }
    #expect(changed != file)
    try changed.write(toFile: path, atomically: true, encoding: .utf8)
    let tokenizer = try TokenizerLoading.open(path)
    let start = try #require(tokenizer.token(named: "<|im_start|>"))
    #expect(tokenizer.bytes(of: start) == Array("<|im_start|>".utf8))
    let format = ChatFormat(.chatML)
    for text in ["<|im_start|>system", "a <|im_start|><|im_end|> b", "<|endoftext|>", "plain"] {
      let ids = try format.encode([ChatMessage(.user, text)], tokenizer: tokenizer)
      #expect(ids.filter { $0 == start }.count == 2, "\(text)")
      #expect(tokenizer.token(named: "<|endoftext|>").map(ids.contains) == false, "\(text)")
      #expect(try String(decoding: tokenizer.decode(ids), as: UTF8.self) == format.text([ChatMessage(.user, text)]))
    }
    let message = [ChatMessage(.user, "plain")]
    #expect(try format.encode(message, tokenizer: tokenizer) == tokenizer.encode(format.text(message)))
  }

  @Test func idsAreThoseOfTheWholeText() throws {
    for name in ["smollm.tokenizer.json", "llama3.tokenizer.json", "qwen2.tokenizer.json"] {
      let tokenizer = try tokenizer(name)
      for kind in ChatFormat.Kind.allCases {
        let format = ChatFormat(kind)
        var ids = try format.encode(messages, tokenizer: tokenizer)
        if let begin = tokenizer.beginOfText {
          #expect(ids.first == begin && ids.dropFirst().first != begin)
          ids.removeFirst()
        }
        #expect(ids == tokenizer.encode(try format.text(messages)), "\(name), \(kind)")
      }
    }
  }

  @Test func aTokenThatBeginsTextsComesOnce() throws {
    for template in ["{{ bos_token }}{{ messages[0].content }}", "{{ messages[0].content }}"] {
      let format = ChatFormat.own(template, specialTokens: ["bos_token": "<s>"])
      let user = [ChatMessage(.user, "Hi<s>")]
      #expect(try format.encode(user, tokenizer: BeginningTokenizer()) == [256, 72, 105, 60, 115, 62])
      let pieces = try format.trainingPieces(user + [ChatMessage(.assistant, "a")], tokenizer: BeginningTokenizer())
      #expect(pieces[0].ids.filter { $0 == 256 }.count == 1)
    }
  }

  @Test func nextTurnsGoOnWhereAnAnswerStands() throws {
    let tokenizer = try tokenizer("smollm.tokenizer.json")
    for kind in ChatFormat.Kind.allCases where kind != .mistralV3 && kind != .rwkvWorld {
      let format = ChatFormat(kind)
      let next = try format.encodeNext([ChatMessage(.user, "Bye")], tokenizer: tokenizer)
      let text = String(decoding: tokenizer.decode(next), as: UTF8.self)
      let whole = try format.text(Array(messages.dropFirst()))
      // What stands behind the answer in the whole conversation, as far as control tokens have text.
      let tail = String(whole[try #require(whole.range(of: "Hello.")).upperBound...])
      #expect(next == tokenizer.encode(tail), "\(kind): \(text)")
    }
  }

  @Test func aBegunAnswerStandsWhereTheModelWouldBeginIt() throws {
    for (kind, end) in [
      (ChatFormat.Kind.chatML, "<|im_start|>assistant\nSure"), (.llama2, "[/INST] Sure"), (.mistralV3, "[/INST] Sure"),
      (.mistralV7, "[/INST]Sure"), (.vicuna, "ASSISTANT: Sure"), (.rwkvWorld, "Assistant: Sure"),
      (.deepSeekR1, "<think>\nSure"), (.gemma, "<start_of_turn>model\nSure"),
    ] {
      #expect(try ChatFormat(kind).text([ChatMessage(.user, "a")], begun: "Sure").hasSuffix(end), "\(kind)")
      #expect(ChatFormat(kind).answersBeginWithSpace == end.hasSuffix(" Sure"), "\(kind)")
    }
  }

  @Test func trainingPiecesAreTheConversationWithItsAnswers() throws {
    let tokenizer = try tokenizer("smollm.tokenizer.json")
    let turns = messages + [ChatMessage(.assistant, "So long.")]
    for (kind, answers) in [
      (ChatFormat.Kind.chatML, ["Hello.<|im_end|>", "So long.<|im_end|>"]),
      (.llama2, [" Hello. </s>", " So long. </s>"]), (.mistralV3, [" Hello.</s>", " So long.</s>"]),
      (.phi3, ["Hello.<|end|>", "So long.<|end|>"]), (.vicuna, [" Hello.</s>", " So long.</s>"]),
      (.gemma, ["Hello.<end_of_turn>", "So long.<end_of_turn>"]),
      (.rwkvWorld, [" Hello.\n\n", " So long.\n\n"]),
    ] {
      let pieces = try ChatFormat(kind).trainingPieces(turns, tokenizer: tokenizer)
      #expect(pieces.map(\.isAnswer) == [false, true, false, true], "\(kind)")
      #expect(pieces.filter(\.isAnswer).map(\.ids) == answers.map { tokenizer.encode($0) }, "\(kind)")
      if kind != .mistralV3 && kind != .rwkvWorld {
        // Together they are the conversation as it is written.
        let prompt = try ChatFormat(kind).encode(messages, tokenizer: tokenizer)
        #expect(Array(pieces.dropLast().flatMap(\.ids)) == prompt, "\(kind)")
      }
    }
    // An answer is trained in the words that its template leaves of it, and with an end where the template writes none.
    let plain = try ChatFormat(.plain).trainingPieces(turns, tokenizer: tokenizer)
    #expect(plain.last?.ids.last == tokenizer.endOfText.min())
    let trims = ChatFormat.own(
      "{% for m in messages %}{{ '[' + m.role + '] ' + m.content | trim + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}",
      specialTokens: [:])
    let pieces = try trims.trainingPieces(
      [ChatMessage(.user, "a"), ChatMessage(.assistant, " b ")], tokenizer: tokenizer)
    #expect(pieces[1].ids == tokenizer.encode(" b\n") + [try #require(tokenizer.endOfText.min())])
  }

  /// Whatever a template writes by itself in front of an assistant who speaks first is no answer.
  @Test func onlyTheAssistantsWordsAreAnswers() throws {
    let tokenizer = try tokenizer("smollm.tokenizer.json")
    let turn = "{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
    let asks = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    let system = "<|im_start|>system\nYou are a helpful AI.<|im_end|>\n"
    let writes = "{{ '<|im_start|>system\\nYou are a helpful AI.<|im_end|>\\n' }}"
    let words: [ChatMessage] = [
      ChatMessage(.assistant, "first"), ChatMessage(.user, "Hi"), ChatMessage(.assistant, "second"),
    ]
    for (name, template, prompt, answer) in [
      (
        "a system message at the first turn",
        "{% for m in messages %}{% if loop.first and m.role != 'system' %}\(writes){% endif %}\(turn){% endfor %}\(asks)",
        "\(system)<|im_start|>assistant\n", "first<|im_end|>"
      ),
      (
        // This one cannot write a conversation without a message.
        "a look at the first message",
        "{% if messages[0]['role'] != 'system' %}\(writes){% endif %}{% for m in messages %}\(turn){% endfor %}\(asks)",
        "\(system)<|im_start|>assistant\n", "first<|im_end|>"
      ),
      (
        "thoughts that the prompt lacks",
        "\(writes){% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + ('<think>\\n\\n</think>\\n\\n' if m.role == 'assistant' else '') + m.content + '<|im_end|>\\n' }}{% endfor %}\(asks)",
        "\(system)<|im_start|>assistant\n", "<think>\n\n</think>\n\nfirst<|im_end|>"
      ),
      (
        "thoughts that only the prompt begins",
        "{% for m in messages %}{% if loop.first %}\(writes){% endif %}\(turn){% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}",
        "\(system)<|im_start|>assistant\n", "first<|im_end|>"
      ),
    ] {
      let format = ChatFormat.own(template, specialTokens: [:])
      #expect(format.source == .template, "\(name): \(format.source)")
      let pieces = try format.trainingPieces(words, tokenizer: tokenizer)
      #expect(pieces.map(\.isAnswer) == [false, true, false, true], "\(name)")
      guard pieces.count == 4 else { continue }
      #expect(pieces[0].ids == tokenizer.encode(prompt), "\(name): \(text(pieces[0].ids, tokenizer))")
      #expect(pieces[1].ids == tokenizer.encode(answer), "\(name): \(text(pieces[1].ids, tokenizer))")
      #expect(
        pieces[3].ids == tokenizer.encode(answer.replacing("first", with: "second")),
        "\(name): \(text(pieces[3].ids, tokenizer))")
    }
  }

  private func text(_ ids: [Int], _ tokenizer: any Tokenizer) -> String {
    String(decoding: tokenizer.decode(ids), as: UTF8.self)
  }

  @Test func stopsComeFromTheTemplate() {
    func stops(_ template: String) -> [String] { ChatFormat.own(template, specialTokens: ["eos_token": "</s>"]).stops }
    #expect(
      stops("{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}{{ 'assistant: ' }}") == ["user:"]
    )
    #expect(stops("{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}") == ["<|user|>"])
    #expect(stops("{% for m in messages %}{{ '[A]' + m.content + eos_token }}{% endfor %}") == ["</s>"])
  }
}

/// Bytes, and a token `<s>` that begins texts.
private struct BeginningTokenizer: Tokenizer {
  var vocabularySize: Int { 257 }
  var name: String { "beginning" }
  var beginOfText: Int? { 256 }
  var endOfText: Set<Int> { [0] }
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] {
    let text = Array(text)
    if special, text.starts(with: "<s>".utf8) { return [256] + encode(text.dropFirst(3), special: true) }
    return text.first.map { [Int($0)] + encode(text.dropFirst(), special: special) } ?? []
  }
  func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }
  func token(named name: String) -> Int? { name == "<s>" ? 256 : nil }
}

/// Where a model's template is found.
struct ChatFormatDetectionTests {
  private let scratch: TestData.Scratch
  init() throws { scratch = try TestData.Scratch() }

  private func format(_ files: [String: String]) throws -> ChatFormat {
    let folder = scratch.file("model")
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.copyItem(atPath: TestData.fixtures + "/llama", toPath: folder)
    for file in ["chat_template.jinja", "tokenizer_config.json", "special_tokens_map.json"] {
      try? FileManager.default.removeItem(atPath: folder + "/" + file)
    }
    for (name, text) in files { try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8) }
    return ChatFormat.detect(try ModelLibrary().open(folder), tokenizer: ByteTokenizer(), kind: nil)
  }

  @Test func theHubsFilesAreReadInOrder() throws {
    let user = [ChatMessage(.user, "U")]
    let jinja = "J{{ messages[0].content }}{{ eos_token }}"
    #expect(try format(["chat_template.jinja": jinja]).text(user) == "JU")
    #expect(
      try format([
        "chat_template.jinja": jinja,
        "tokenizer_config.json": #"{"chat_template": "T{{ messages[0].content }}", "eos_token": {"content": "<e>"}}"#,
      ]).text(user) == "JU<e>")
    #expect(
      try format(["tokenizer_config.json": #"{"chat_template": "T{{ messages[0].content }}"}"#]).text(user) == "TU")
    #expect(
      try format([
        "tokenizer_config.json":
          #"{"chat_template": [{"name": "tool_use", "template": "X"}, {"name": "default", "template": "D{{ messages[0].content }}{{ bos_token }}"}], "bos_token": "<b>"}"#,
        "special_tokens_map.json": #"{"bos_token": "<c>"}"#,
      ]).text(user) == "DU<b>")
    let none = try format([:])
    // A model of bytes has no template; one of words should.
    #expect(none.source == .usual && none.kind == .plain && none.warning == nil)
    let words = ChatFormat(.plain, source: .noTemplate)
    #expect(words.warning?.contains("no chat template") == true)
    let wrong = try format(["chat_template.jinja": "{% include 'x' %}<|im_start|>"])
    #expect(wrong.kind == .chatML && wrong.warning?.contains("--chat-format") == true)
    #expect(wrong.summary.contains("NOT SUPPORTED (line 1: the statement include is not supported)"))
  }

  @Test func aChosenFormatWins() throws {
    let folder = TestData.fixtures + "/llama"
    let format = ChatFormat.detect(try ModelLibrary().open(folder), tokenizer: ByteTokenizer(), kind: .gemma)
    #expect(format.kind == .gemma && format.source == .chosen && format.warning == nil)
  }
}
