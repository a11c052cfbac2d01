import Foundation
import MartletCheckpoints
import MartletTestSupport
import MartletTokenizers
import Testing

/// Parts of tokenizer.json against the ids and texts that `tokenizers` gives (Scripts/check_tokenizers.py --fixtures).
struct TokenizerPartTests {
  @Test func tinyTokenizersOfManyPartsGiveTheSameIds() throws {
    let root = try TestData.json(TestData.fixtures + "/tokenizers.json") as! [String: Any]
    let texts = root["texts"] as! [String]
    let scratch = try TestData.Scratch()
    let kinds = root["tokenizers"] as! [[String: Any]]
    #expect(kinds.count == 13 && texts.count == 72)
    for kind in kinds {
      let name = kind["name"] as! String
      // A text, for Foundation's dictionaries take tokens that are canonically equivalent for one.
      try (kind["file"] as! String).write(toFile: scratch.file("t.json"), atomically: true, encoding: .utf8)
      let tokenizer = try TokenizerLoading.open(scratch.file("t.json"))
      let ids = kind["ids"] as! [[Int]], plain = kind["plain"] as! [String: [Int]], decoded = kind["texts"] as! [String]
      for (index, text) in texts.enumerated() {
        #expect(tokenizer.encode(text, special: true) == ids[index], "\(name): \(text.debugDescription)")
        #expect(
          tokenizer.encode(text, special: false) == plain["\(index)"] ?? ids[index],
          "\(name), plain: \(text.debugDescription)")
        let bytes = tokenizer.decode(ids[index])
        #expect(
          String(decoding: bytes, as: UTF8.self).unicodeScalars.elementsEqual(decoded[index].unicodeScalars),
          "\(name): decoded \(text.debugDescription)")
      }
    }
  }

  /// What a token adds to a stream is what it adds to the whole text, but for a first space.
  @Test func streamsGiveTheWholeText() throws {
    let root = try TestData.json(TestData.fixtures + "/tokenizers.json") as! [String: Any]
    let scratch = try TestData.Scratch()
    for kind in root["tokenizers"] as! [[String: Any]] where kind["name"] as? String != "word ends" {
      try (kind["file"] as! String).write(toFile: scratch.file("t.json"), atomically: true, encoding: .utf8)
      let tokenizer = try TokenizerLoading.open(scratch.file("t.json"))
      for ids in kind["ids"] as! [[Int]] {
        var decoder = StreamingDecoder()
        var text = ids.map { decoder.push(tokenizer.bytes(of: $0)) }.joined() + decoder.finish()
        let whole = String(decoding: tokenizer.decode(ids), as: UTF8.self)
        if text.unicodeScalars.count == whole.unicodeScalars.count + 1 { text.unicodeScalars.removeFirst() }
        // A broken run of byte tokens is one replacement character a byte in the whole, and fewer in the stream.
        if whole.contains("\u{fffd}") { continue }
        #expect(text.unicodeScalars.elementsEqual(whole.unicodeScalars), "\(kind["name"] ?? ""): \(ids)")
      }
    }
  }

  // MARK: GGUF

  private func gguf(_ name: String?, _ root: [String: Any], more: [(String, MetadataValue)] = []) throws
    -> any Tokenizer
  {
    let scratch = try TestData.Scratch()
    let strings = { (key: String) in MetadataValue.array((root[key] as! [String]).map { .string($0) }) }
    let metadata: [(String, MetadataValue)] =
      [
        ("general.architecture", .string("llama")), ("tokenizer.ggml.model", .string("gpt2")),
        ("tokenizer.ggml.tokens", strings("tokens")), ("tokenizer.ggml.merges", strings("merges")),
      ] + (name.map { [("tokenizer.ggml.pre", .string($0))] } ?? []) + more
    let names = Set(more.map(\.0))
    let kept = metadata.enumerated().filter {
      $0.offset >= metadata.count - more.count || !names.contains($0.element.0)
    }
    try GGUF.write(to: scratch.file("t.gguf"), tensors: [], metadata: kept.map(\.element)) { _, _ in }
    return try TokenizerLoading.open(scratch.file("t.gguf"))
  }

  /// Merges of the fixture cross all boundaries, so ids show where pieces end.
  @Test func namedPreTokenizersCutAsTheirExpressionsDo() throws {
    let root = try TestData.json(TestData.fixtures + "/tokenizers.json") as! [String: Any]
    let texts = root["texts"] as! [String]
    let named = root["named"] as! [String: [[Int]]]
    #expect(named.count == 14)
    for (name, ids) in named {
      let tokenizer = try gguf(name, root)
      for (text, expected) in zip(texts[28...], ids) {
        #expect(tokenizer.encode(text, special: true) == expected, "\(name): \(text.debugDescription)")
      }
    }
    for (text, expected) in zip(texts[28...], named["default"]!) {
      #expect(try gguf(nil, root).encode(text) == expected)
    }
  }

  @Test func unknownNamesAndDamagedListsAreRefused() throws {
    let root = try TestData.json(TestData.fixtures + "/tokenizers.json") as! [String: Any]
    for name in ["kimi-k2", "afmoe", "superbpe", "whitespace", "gemma4", "", "LLAMA-BPE", "minerva-8b"] {
      #expect(performing: { try gguf(name, root) }, throws: { "\($0)".contains("tokenizer.ggml.pre) \(name)") })
    }
    let tokens = root["tokens"] as! [String]
    for (key, value, part) in [
      ("merges", MetadataValue.array([.string("a")]), "merge 1"), ("merges", .array([.string("a zz")]), "token zz"),
      ("merges", .array([]), "no merges"), ("tokens", .array((tokens + ["a"]).map { .string($0) }), "both a"),
      ("tokens", .array([.integer(1)]), "token 0"), ("token_type", .array([.integer(1)]), "1 token types"),
      ("model", .string("bert"), "bert"),
    ] {
      #expect(
        performing: { try gguf("gpt-2", root, more: [("tokenizer.ggml.\(key)", value)]) },
        throws: { "\($0)".contains(part) })
    }
  }

  /// llama.cpp begins a text of these with the token for it where the file says nothing.
  @Test func beginOfTextWhereTheFileSaysNothing() throws {
    let root = try TestData.json(TestData.fixtures + "/tokenizers.json") as! [String: Any]
    let begin = ("tokenizer.ggml.bos_token_id", MetadataValue.integer(1))
    for name in ["llama-bpe", "tekken", "falcon3", "pixtral", "lfm2"] {
      #expect(try gguf(name, root, more: [begin]).beginOfText == 1)
      #expect(try gguf(name, root, more: [begin, ("tokenizer.ggml.add_bos_token", .bool(false))]).beginOfText == nil)
    }
    for name in ["gpt-2", "qwen2", "smollm", "deepseek-llm"] {
      #expect(try gguf(name, root, more: [begin]).beginOfText == nil)
      #expect(try gguf(name, root, more: [begin, ("tokenizer.ggml.add_bos_token", .bool(true))]).beginOfText == 1)
    }
  }

  // MARK: refusals

  private func refusal(_ json: String) throws -> String {
    let scratch = try TestData.Scratch()
    try json.write(toFile: scratch.file("t.json"), atomically: true, encoding: .utf8)
    do {
      _ = try TokenizerLoading.open(scratch.file("t.json"))
      return ""
    } catch { return "\(error)" }
  }

  private func file(
    model: String = #"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}"#, added: String = "[]",
    normalizer: String = "null", pre: String = "null", post: String = "null", decoder: String = "null",
    more: String = ""
  ) -> String {
    #"{"version":"1.0","truncation":{"max_length":3},"padding":{},"added_tokens":\#(added),"normalizer":\#(normalizer),"#
      + #""pre_tokenizer":\#(pre),"post_processor":\#(post),"decoder":\#(decoder),"model":\#(model)\#(more)}"#
  }

  @Test func whatIsUnderstoodOpens() throws {
    #expect(try refusal(file()) == "")
    #expect(try refusal(file(added: #"[{"id":3,"content":"<s>","special":true}]"#)) == "")
    #expect(
      try refusal(
        file(pre: #"{"type":"Split","pattern":{"Regex":"\\p{Han}+|(?<!a)b"},"behavior":"Removed","invert":true}"#))
        == "")
  }

  /// Every part that is not understood is refused, and named.
  @Test(arguments: [
    ("normalizer", #"{"type":"Precompiled","precompiled_charsmap":"AA=="}"#, "normalizer Precompiled"),
    ("normalizer", #"{"type":"BertNormalizer","clean_text":true}"#, "normalizer BertNormalizer"),
    ("normalizer", #"{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Odd"}]}"#, "normalizer Odd"),
    ("normalizer", #"{"type":"Strip","strip_left":true}"#, "strip_right"),
    ("normalizer", #"{"type":"Prepend","prepend":1}"#, "prepend"),
    ("normalizer", #"{"type":"Replace","pattern":{"Regex":"(a)\\1"},"content":""}"#, #"\1"#),
    ("normalizer", #"{"type":"NFC","extra":1}"#, "extra"),
    ("normalizer", "3", "normalizer"),
    ("pre", #"{"type":"UnicodeScripts"}"#, "pre-tokenizer UnicodeScripts"),
    ("pre", #"{"type":"Split","pattern":{"Regex":"a("},"behavior":"Isolated","invert":false}"#, "closing"),
    ("pre", #"{"type":"Split","pattern":{"Regex":"(?<=a+)b"},"behavior":"Isolated","invert":false}"#, "behind"),
    ("pre", #"{"type":"Split","pattern":{"Regex":"(?i:ss)"},"behavior":"Isolated","invert":false}"#, "ss"),
    (
      "pre",
      #"{"type":"Split","pattern":{"Regex":"((a{1,1000}){1,1000}){1,1000}"},"behavior":"Isolated","invert":false}"#,
      "steps"
    ),
    (
      "pre",
      #"{"type":"Split","pattern":{"Regex":"(?:){10000}{10000}{10000}"},"behavior":"Isolated","invert":false}"#,
      "parts"
    ),
    (
      "pre",
      #"{"type":"Split","pattern":{"Regex":"a\#(String(repeating: "{1}", count: 6000))"},"behavior":"Isolated","invert":false}"#,
      "repeated already"
    ),
    (
      "pre",
      #"{"type":"Split","pattern":{"Regex":"a\#(String(repeating: "*", count: 19_000))"},"behavior":"Isolated","invert":false}"#,
      "repeated already"
    ),
    ("pre", #"{"type":"Split","pattern":{"String":"a"},"behavior":"Sideways","invert":false}"#, "Sideways"),
    ("pre", #"{"type":"Metaspace","replacement":"ab","prepend_scheme":"first"}"#, "replacement"),
    ("pre", #"{"type":"Metaspace","replacement":"_","prepend_scheme":"odd"}"#, "odd"),
    ("pre", #"{"type":"FixedLength","length":0}"#, "length"),
    ("decoder", #"{"type":"WordPiece","prefix":"\#u{23}\#u{23}","cleanup":true}"#, "decoder WordPiece"),
    ("decoder", #"{"type":"CTC"}"#, "decoder CTC"),
    ("decoder", #"{"type":"Strip","content":" ","start":-1,"stop":0}"#, "start"),
    ("post", #"{"type":"Odd"}"#, "post-processor Odd"),
    ("post", #"{"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}}"#, "place"),
    ("post", #"{"type":"RobertaProcessing","sep":["b",1],"cls":["z",9]}"#, "token 9"),
    ("model", #"{"type":"Unigram","vocab":[]}"#, "Unigram"),
    ("model", #"{"type":"WordPiece","vocab":{}}"#, "WordPiece"),
    ("model", #"{"type":"WordLevel","vocab":{}}"#, "WordLevel"),
    ("model", #"{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}"#, "dropout"),
    ("model", #"{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"u"}"#, "unk_token"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}"#, "same id 0"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}"#, "listed twice"),
    ("model", #"{"type":"BPE","vocab":{"a":4294967296},"merges":[]}"#, "token a"),
    ("model", #"{"type":"BPE","vocab":{"a":9223372036854775808},"merges":[]}"#, "token a"),
    ("model", #"{"type":"BPE","vocab":{"a":-9223372036854775808},"merges":[]}"#, "token a"),
    ("model", #"{"type":"BPE","vocab":{"a":0},"merges":["a b"]}"#, "needs the token b"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":1},"merges":[["a","b"]]}"#, "needs the token ab"),
    ("model", #"{"type":"BPE","vocab":{"a":0,"b":1},"merges":[["a"]]}"#, "merge 1"),
    ("model", #"{"type":"BPE","vocab":{"a":0},"merges":[],"odd":1}"#, "odd"),
    ("added", #"[{"id":7,"content":"<s>","special":true}]"#, "vocabulary has 3"),
    ("added", #"[{"id":1,"content":"a"}]"#, "vocabulary has 0"),
    ("added", #"[{"id":3,"content":"<s>","lstrip":1}]"#, "lstrip"),
    ("added", #"[{"id":3,"content":"<s>","odd":true}]"#, "odd"),
    ("added", #"[{"content":"<s>"}]"#, "no id"),
    ("more", #","version":"2.0""#, ""),
    ("more", #","extra_part":{}"#, "extra_part"),
  ])
  func whatIsNotUnderstoodIsRefusedByName(part: String, value: String, name: String) throws {
    let text =
      switch part {
      case "normalizer": file(normalizer: value)
      case "pre": file(pre: value)
      case "decoder": file(decoder: value)
      case "post": file(post: value)
      case "model": file(model: value)
      case "added": file(added: value)
      default: file(more: value)
      }
    let refusal = try refusal(text)
    if name.isEmpty { return }  // a second version is passed over, the first counts
    #expect(!refusal.isEmpty && refusal.contains(name), "\(value): \(refusal)")
    #expect(!refusal.contains("\n"), "one sentence: \(refusal)")
  }

  /// Canonically equivalent texts are different tokens, which Swift's strings do not tell apart.
  @Test func equivalentTokensAreDifferent() throws {
    let scratch = try TestData.Scratch()
    let model =
      #"{"type":"BPE","vocab":{"\u00e9":0,"e\u0301":1,"e":2,"\u0301":3,"\u212b":4,"\u00c5":5},"merges":[["e","\u0301"]]}"#
    try file(model: model).write(toFile: scratch.file("t.json"), atomically: true, encoding: .utf8)
    let tokenizer = try TokenizerLoading.open(scratch.file("t.json"))
    #expect(tokenizer.encode("\u{e9}e\u{301}\u{212b}\u{c5}e") == [0, 1, 4, 5, 2])
  }

  /// Ends of the text do not decide: many values, none may trap.
  @Test func mutatedFilesAreReadOrRefused() throws {
    let root = try TestData.json(TestData.fixtures + "/tokenizers.json") as! [String: Any]
    let scratch = try TestData.Scratch()
    let odd = [
      "null", "true", "-1", "0", "9223372036854775808", "-9223372036854775808", "1e999", "\"\"", "\"a\"", "[]", "{}",
      "[[[]]]", #"{"type":"Sequence"}"#, #"{"Regex":"("}"#, #"{"String":""}"#, #""\ud800""#,
    ]
    var state: UInt64 = 7
    func chance(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var read = 0, refused = 0
    for kind in root["tokenizers"] as! [[String: Any]] {
      let text = kind["file"] as! String
      let places =
        text.range(of: "\"vocab\"").map { end in
          text.unicodeScalars.indices.filter { $0 < end.lowerBound && text.unicodeScalars[$0] == ":" }
        } ?? []
      for _ in 0..<40 {
        // One value becomes another.
        let place = text.unicodeScalars.index(after: places[chance(places.count)])
        let rest = text.unicodeScalars[place...]
        let end = rest.firstIndex { $0 == "," || $0 == "}" } ?? rest.endIndex
        let mutated =
          String(text.unicodeScalars[..<place]) + odd[chance(odd.count)] + String(text.unicodeScalars[end...])
        try mutated.write(toFile: scratch.file("t.json"), atomically: true, encoding: .utf8)
        do {
          let tokenizer = try TokenizerLoading.open(scratch.file("t.json"))
          _ = tokenizer.decode(tokenizer.encode("Hello, wörld 123 <|a|>\r\n\u{1F600}"))
          read += 1
        } catch { refused += 1 }
      }
    }
    #expect(read + refused == 520 && read > 20 && refused > 200)
  }
}
