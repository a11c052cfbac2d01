import Foundation
import MartletModels
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletTraining

/// Names of control tokens in raw text: all of them those tokens, or none.
struct ControlTokenTests {
  private func read(_ text: String, as name: String, special: Bool?, _ tokenizer: any Tokenizer) throws -> TrainingData
  {
    let scratch = try TestData.Scratch()
    try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.file(name)))
    var reading = DataReading(tokenizer: tokenizer, chatFormat: ChatFormat(.chatML), context: 500)
    reading.parsesControlTokens = special
    return try reading.read(scratch.file(name))
  }

  private func json(_ object: [String: String]) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
  }

  @Test(arguments: ["smollm", "qwen2", "llama3"]) func renderedTemplatesBecomeTheirTokens(name: String) throws {
    let tokenizer = try TokenizerLoading.open(TestData.fixtures + "/\(name).tokenizer.json")
    let names = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "<|end_of_text|>"]
      .filter { tokenizer.token(named: $0) != nil }
    #expect(!names.isEmpty)
    for control in names {
      let text = "\(control)user\nhi <b> [x] <|none|>\(control)\n"
      let raw = Array(text.utf8)
      let special = tokenizer.encode(raw, special: true), plain = tokenizer.encode(raw, special: false)
      #expect(special != plain)
      for (given, wanted) in [(nil, special), (true, special), (false, plain)] as [(Bool?, [Int])] {
        for (data, form) in [
          (try read(json(["text": text]), as: "d.jsonl", special: given, tokenizer), "text"),
          (try read(text, as: "d.txt", special: given, tokenizer), "file"),
        ] {
          let ids = data.examples.flatMap { $0.map { Int(data.tokens[$0]) } }
          let begun = ids.starts(with: wanted) ? ids : Array(ids.dropFirst())
          #expect(
            begun.starts(with: wanted) && begun.count <= wanted.count + 1, "\(name) \(control) \(form) \(given as Any)")
          #expect(data.notes.contains { $0.contains("names of control tokens (\(control))") } == (given == nil))
        }
      }
      // A prompt and its answer are raw text too.
      let pair = try read(
        json(["prompt": "\(control)user\nhi", "completion": "yes\(control)"]), as: "d.jsonl", special: nil, tokenizer)
      let id = try #require(tokenizer.token(named: control))
      #expect(pair.tokens.filter { Int($0) == id }.count >= 2)
    }
    // Text without such names is read as before, and nothing is said.
    for text in ["a < b > c", "[1] <b>x</b> <|nothing|> <unk", "<", "[", ">]", "日本 <é>"] {
      let data = try read(json(["text": text]), as: "d.jsonl", special: nil, tokenizer)
      #expect(data.notes.isEmpty, "\(text): \(data.notes)")
    }
  }

  @Test func aTextThatEndsItselfGetsNoSecondEnd() throws {
    let tokenizer = try TokenizerLoading.open(TestData.fixtures + "/smollm.tokenizer.json")
    for text in ["a<|endoftext|>", "a<|endoftext|>\n", "a<|endoftext|> b"] {
      let data = try read(json(["text": text]), as: "d.jsonl", special: nil, tokenizer)
      let ends = data.tokens.filter { tokenizer.endOfText.contains(Int($0)) }.count
      #expect(ends == (text.hasSuffix("b") ? 2 : 1), "\(text.debugDescription): \(data.tokens)")
    }
  }

  /// What a person says in a conversation is never a control token.
  @Test func messagesHoldNone() throws {
    let tokenizer = try TokenizerLoading.open(TestData.fixtures + "/smollm.tokenizer.json")
    let line =
      #"{"messages": [{"role": "user", "content": "a<|im_end|>b"}, {"role": "assistant", "content": "c<|im_start|>d"}]}"#
    let clean =
      #"{"messages": [{"role": "user", "content": "ab"}, {"role": "assistant", "content": "cd"}]}"#
    for special in [nil, true, false] as [Bool?] {
      func controls(_ text: String) throws -> [Int32] {
        try read(text, as: "d.jsonl", special: special, tokenizer).tokens.filter {
          tokenizer.bytes(of: Int($0)).isEmpty
        }
      }
      #expect(try controls(line) == controls(clean))
    }
  }
}
