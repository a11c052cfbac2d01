import Foundation
import MartletCheckpoints
import MartletTestSupport
import Testing

@testable import MartletTokenizers

/// Pre-tokenizers that GGUF names, from there to a tokenizer.json and back.
struct PreTokenizerNameTests {
  private static let names = GGUFPreTokenizer.kinds.flatMap(\.names)

  @Test func aNameStandsForOneKind() {
    #expect(Self.names.count > 70 && Set(Self.names).count == Self.names.count)
  }

  @Test func everyKindComesBackFromATokenizerFile() throws {
    let root = try TestData.json(TestData.fixtures + "/tokenizers.json") as! [String: Any]
    let texts = (root["texts"] as! [String])[28...], tokens = root["tokens"] as! [String]
    let scratch = try TestData.Scratch()
    func write(_ metadata: [(String, MetadataValue)], _ file: String) throws -> any Tokenizer {
      let metadata = [("general.architecture", MetadataValue.string("llama"))] + metadata
      try GGUF.write(to: scratch.file(file), tensors: [], metadata: metadata) { _, _ in }
      return try TokenizerLoading.open(scratch.file(file))
    }
    for name in Self.names {
      let known = try #require(try GGUFPreTokenizer(named: name))
      let own = try write(
        [
          ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string(name)),
          ("tokenizer.ggml.tokens", .array(tokens.map { .string($0) })),
          ("tokenizer.ggml.merges", .array((root["merges"] as! [String]).map { .string($0) })),
          ("tokenizer.ggml.bos_token_id", .integer(1)),
        ], "own.gguf")
      let hub = try #require(try TokenizerLoading.hubTokenizer(of: GGUF.open(scratch.file("own.gguf"))))
      try scratch.write(hub, to: "tokenizer.json")
      let metadata = try TokenizerLoading.metadataForGGUF(
        beside: scratch.file("model.safetensors"), vocabularySize: tokens.count)
      let written = try #require(metadata.first { $0.0 == "tokenizer.ggml.pre" }?.1.string)
      let again = try #require(try GGUFPreTokenizer(named: written))
      #expect(again.preTokenizer.steps == known.preTokenizer.steps, "\(name) became \(written)")
      #expect(again.ignoresMerges == known.ignoresMerges, "\(name) became \(written)")
      #expect(again.normalizer.steps == known.normalizer.steps, "\(name) became \(written)")
      let back = try write(metadata, "back.gguf")
      #expect(back.beginOfText == own.beginOfText, "\(name) became \(written)")
      for text in texts {
        #expect(back.encode(text) == own.encode(text), "\(name) became \(written): \(text.debugDescription)")
      }
    }
  }

  @Test(arguments: [("smollm", "smollm"), ("gpt2", "gpt-2"), ("llama3", "llama-bpe"), ("qwen2", "qwen2")])
  func modelsOwnFilesAreKnown(file: String, name: String) throws {
    let file = try TokenizerFile(TestData.fixtures + "/\(file).tokenizer.json")
    #expect(
      GGUFPreTokenizer.name(
        of: file.preTokenizer, ignoresMerges: file.options.ignoresMerges, normalizer: file.normalizer) == name)
  }

  private func name(of expressions: [String], normalizer: [TextNormalizer.Step] = []) throws -> String? {
    let splits = try expressions.map {
      PreTokenizer.Step.split(try SplitPattern(expression: $0), .isolated, inverted: false)
    }
    return GGUFPreTokenizer.name(
      of: PreTokenizer(splits + [.printBytes]), ignoresMerges: false, normalizer: TextNormalizer(normalizer))
  }

  @Test func otherSpellingsOfTheSameAreKnown() throws {
    let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    #expect(try name(of: [#"\p{N}"#, gpt2]) == "smollm")
    // DeepSeek's own file has the characters themselves.
    let words =
      ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"##
      + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    let characters = "[\u{4e00}-\u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+"
    #expect(try name(of: [#"\p{N}{1,3}"#, characters, words]) == "deepseek-v3")
    #expect(try name(of: [#"\p{N}{1,4}"#, characters, words]) == nil)
    #expect(try name(of: [#"\p{N}{1,3}"#, characters + "?", words]) == nil)
  }

  /// A name that normalizes must not stand for a file that does not.
  @Test func aNameIsOfOneNormalizer() throws {
    let qwen2 =
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    #expect(try name(of: [qwen2], normalizer: [.unicode(.nfc)]) == "qwen2")
    let plain = try #require(try name(of: [qwen2]))
    #expect(try #require(try GGUFPreTokenizer(named: plain)).normalizer.steps.isEmpty)
    #expect(try name(of: [qwen2], normalizer: [.lowercase]) == nil)
  }
}
