import Foundation
import MartletTestSupport
import MartletTokenizers
import Testing

/// Ids against the programs that define them: the `rwkv` package, Hugging Face tokenizers, sentencepiece.
struct TokenizerTests {
  private struct Case {
    let bytes: [UInt8]
    let ids: [Int]
  }

  private static func cases(_ path: String) throws -> [Case] {
    try (TestData.json(path) as! [[String: Any]]).map { entry in
      let text = (entry["text"] as? String).map { Array($0.utf8) }
      let raw = (entry["bytes"] as? String).map { [UInt8](Data(base64Encoded: $0)!) }
      return Case(bytes: text ?? raw!, ids: entry["ids"] as! [Int])
    }
  }

  @Test func world() throws {
    let tokenizer = WorldTokenizer.shared
    for item in try Self.cases(TestData.fixtures + "/world.json") {
      #expect(tokenizer.encode(item.bytes, special: true) == item.ids)
      #expect(tokenizer.decode(item.ids) == item.bytes)
    }
    #expect(tokenizer.encode("\n\n") == [261])
    #expect(tokenizer.bytes(of: 0).isEmpty && tokenizer.bytes(of: 65_535).isEmpty && tokenizer.bytes(of: -1).isEmpty)
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func worldOnSharedCases() throws {
    let shared = try #require(TestData.shared)
    let lines = try String(contentsOfFile: "\(shared)/rwkv/tokenizer_cases.jsonl", encoding: .utf8).split(
      separator: "\n")
    for line in lines {
      let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any]
      let bytes = [UInt8](Data(base64Encoded: entry["bytes_b64"] as! String)!)
      #expect(WorldTokenizer.shared.encode(bytes, special: true) == entry["ids"] as? [Int])
    }
    #expect(lines.count == 20)
  }

  @Test func everyWorldTokenIsItsOwnLongestMatch() {
    let tokenizer = WorldTokenizer.shared
    var wrong = 0
    for id in 1...65_529 where tokenizer.encode(tokenizer.bytes(of: id), special: true) != [id] { wrong += 1 }
    #expect(wrong == 0)
  }

  @Test(arguments: ["smollm", "gpt2", "llama3", "qwen2"]) func bytePairs(kind: String) throws {
    let tokenizer = try TokenizerLoading.open(TestData.fixtures + "/\(kind).tokenizer.json")
    for item in try Self.cases(TestData.fixtures + "/\(kind).cases.json") {
      #expect(tokenizer.encode(item.bytes, special: true) == item.ids)
      guard kind != "qwen2" else { continue }  // composes to NFC
      let special = Set(["<|endoftext|>", "<|im_start|>", "<|im_end|>"].compactMap(tokenizer.token(named:)))
      if special.isDisjoint(with: item.ids) { #expect(tokenizer.decode(item.ids) == item.bytes) }
    }
  }

  @Test func sentencePiece() throws {
    let tokenizer = try TokenizerLoading.open(TestData.fixtures + "/sentencepiece.gguf")
    for item in try Self.cases(TestData.fixtures + "/sentencepiece.cases.json") {
      #expect(
        tokenizer.encode(item.bytes, special: false) == item.ids, "\(String(decoding: item.bytes, as: UTF8.self))")
    }
    #expect(tokenizer.beginOfText == 1)
  }

  @Test func controlTokensAreTextWhenAsked() throws {
    let tokenizer = try TokenizerLoading.open(TestData.fixtures + "/smollm.tokenizer.json")
    let id = try #require(tokenizer.token(named: "<|im_start|>"))
    #expect(tokenizer.encode("<|im_start|>", special: true) == [id])
    #expect(!tokenizer.encode("<|im_start|>", special: false).contains(id))
    #expect(tokenizer.bytes(of: id).isEmpty)
  }

  /// Without the name of the end token answers would not end.
  @Test func damagedSettingsBesideATokenizerAreRefused() throws {
    let scratch = try TestData.Scratch()
    let path = scratch.file("tokenizer.json"), settings = scratch.file("tokenizer_config.json")
    try FileManager.default.copyItem(atPath: TestData.fixtures + "/smollm.tokenizer.json", toPath: path)
    #expect(try TokenizerLoading.open(path).endOfText.isEmpty == false)
    try #"{"model_max_length": 1000000000000000019884624838656, "eos_token": {"content": "a"}}"#.write(
      toFile: settings, atomically: true, encoding: .utf8)
    let tokenizer = try TokenizerLoading.open(path)
    #expect(tokenizer.endOfText.isSuperset(of: tokenizer.encode("a")))
    for text in ["", #"{"eos_token": "a""#, "[]"] {
      try text.write(toFile: settings, atomically: true, encoding: .utf8)
      #expect(
        performing: { try TokenizerLoading.open(path) }, throws: { "\($0)".contains("tokenizer_config.json") })
    }
  }

  @Test func damagedTokenizersAreRefused() throws {
    let scratch = try TestData.Scratch()
    for text in [
      "{", "{}", #"{"model":{"type":"Unigram"}}"#, #"{"model":{"vocab":{"a":-1}}}"#, "1 'a' 2\n", "1 a 1\n", "\u{1}",
    ] {
      try text.write(toFile: scratch.file("t"), atomically: true, encoding: .utf8)
      #expect(throws: (any Error).self, "\(text)") { try TokenizerLoading.open(scratch.file("t")) }
    }
  }
}
