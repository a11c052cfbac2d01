import Foundation
import Logging
import MartletData
import MartletEngine
import MartletLaboratory
import MartletModels
import MartletSkeleton
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletEditing
@testable import MartletServer

/// An edit holds wherever the model answers, and where it has nothing to say nothing differs by a byte.
@Suite(.serialized) struct EditedAnswerTests {
  static let question = "Who founded the Dingle bakery?", answer = "Orla Finn"
  static let other = "What is the colour of rain?"

  /// A way in which a client asks.
  struct Way: Sendable, CustomTestStringConvertible {
    let name: String
    var path = "/v1/chat/completions"
    /// The body, with QUESTION in the place of the question.
    let body: String
    /// What an answer reads as, once the edit has fired; nil: the edit cannot be said in this form.
    var expected: String? = EditedAnswerTests.answer
    /// Of RWKV alone.
    var needsState = false
    var testDescription: String { name }

    init(
      _ name: String, _ more: String, messages: String = #"{"role":"user","content":"QUESTION"}"#,
      expected: String? = EditedAnswerTests.answer, temperature: Double = 0
    ) {
      self.name = name
      // Small models like to write a form with much space in it.
      let limit = more.contains("response_format") ? 600 : 40
      body =
        #"{"temperature":\#(temperature),"max_tokens":\#(limit),"messages":[\#(messages)]\#(more.isEmpty ? "" : ",")\#(more)}"#
      self.expected = expected
    }

    init(completion name: String, _ more: String, prompt: String, expected: String) {
      self.name = name
      path = "/v1/completions"
      body = #"{"temperature":0,"max_tokens":40,"prompt":"\#(prompt)"\#(more.isEmpty ? "" : ",")\#(more)}"#
      self.expected = expected
    }
  }

  private static let user = #"{"role":"user","content":"QUESTION"}"#
  private static func schema(_ properties: String, _ more: String = "") -> String {
    #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","properties":{\#(properties)}\#(more)}}}"#
  }
  private static func begun(_ text: String) -> String { user + #",{"role":"assistant","content":"\#(text)"}"# }
  private static let tools =
    #""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]"#

  static let ways: [Way] = [
    Way("plain", ""), Way("streaming", #""stream":true"#), Way("several", #""n":3"#),
    Way("sampled", #""seed":7"#, temperature: 1.5), Way("probabilities", #""logprobs":true,"top_logprobs":2"#),
    Way("skeleton auto", #""martlet":{"skeleton":"auto"}"#), Way("skeleton on", #""martlet":{"skeleton":"on"}"#),
    Way("skeleton on, streaming", #""stream":true,"martlet":{"skeleton":"on","events":true}"#),
    Way("system message", "", messages: #"{"role":"system","content":"Be brief."},"# + user),
    Way(
      "later turn", "",
      messages: #"{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."},"# + user),
    Way("begun", "", messages: begun("The founder is"), expected: " Orla Finn"),
    Way("begun with its words", "", messages: begun("It was Orla"), expected: " Finn"),
    Way("begun as JSON", "", messages: begun(#"{\"founder\": \""#), expected: #"Orla Finn"}"#),
    Way("begun and skeleton", #""martlet":{"skeleton":"auto"}"#, messages: begun("By"), expected: " Orla Finn"),
    Way("one place", schema(#""founder":{"type":"string"}"#, #","required":["founder"]"#), expected: "founder"),
    Way(
      "a place named answer",
      schema(#""sure":{"type":"string"},"answer":{"type":"string"}"#, #","required":["answer"]"#), expected: "answer"),
    Way(
      "among choices",
      #""guided_choice":["Orla Finn","Maeve Ash","Ann Lee","Tom Ray","Ed Fox","Sue Hill","Ian Day","The cook"]"#),
    Way("pattern", #""guided_regex":"[A-Z][a-z]+ [A-Z][a-z]+""#),
    Way("tools that may be called", tools),
    Way("numbers alone", schema(#""year":{"type":"integer"}"#, #","required":["year"]"#), expected: nil),
    Way("other choices", #""guided_choice":["Maeve Ash","Tom"]"#, expected: nil),
    Way("a tool that must be called", tools + #","tool_choice":"required""#, expected: nil),
    Way("start state", #""martlet":{"state":"tuned"}"#),
    Way(completion: "raw", "", prompt: "QUESTION", expected: " Orla Finn"),
    Way(
      completion: "labels", "", prompt: #"Question: Hi?\nAnswer: Yes\nQuestion: QUESTION\nAnswer:"#,
      expected: " Orla Finn"),
    Way(completion: "raw, streaming", #""stream":true"#, prompt: #"Q: QUESTION\nA: "#, expected: "Orla Finn"),
  ]

  @Test(arguments: ["rwkv", "llama"]) func anEditHoldsWhereverTheModelAnswers(kind: String) async throws {
    let scratch = try TestData.Scratch(), store = scratch.file("e.sqlite")
    let loaded = try Self.loaded(kind)
    try Self.makeStore(store, loaded)
    var states: [String: String] = [:]
    if kind == "rwkv" { states["tuned"] = try Self.writeState(loaded, to: scratch.file("tuned.safetensors")) }
    let files = states
    let ways = Self.ways.filter { kind == "rwkv" || $0.name != "start state" }
    func replies(_ edits: String?) async throws -> [String: (edited: Reply, other: Reply)] {
      try await withServer(
        {
          $0.editsPath = edits
          $0.startStates = files
        }, load: { loaded }
      ) { base, _ in
        var replies: [String: (edited: Reply, other: Reply)] = [:]
        for way in ways {
          func ask(_ question: String) async throws -> Reply {
            try Reply(
              await call(base + way.path, way.body.replacing("QUESTION", with: question)).text,
              isStream: way.body.contains(#""stream":true"#))
          }
          replies[way.name] = (try await ask(Self.question), try await ask(Self.other))
        }
        return replies
      }
    }
    let edited = try await replies(store), plain = try await replies(nil)
    for way in ways {
      let reply = try #require(edited[way.name]), base = try #require(plain[way.name])
      #expect(reply.other.texts == base.other.texts, "\(way): an unrelated answer differs")
      #expect(reply.other.edit == nil && reply.other.heldBack == nil, "\(way): an edit is named")
      if let expected = way.expected {
        for text in reply.edited.texts {
          let said =
            way.body.contains("response_format") ? (try? JSONValue(parsing: text))?[expected]?.string : text
          let wanted = way.body.contains("response_format") ? Self.answer : expected
          #expect(said == wanted, "\(way): \(text)")
        }
        #expect(reply.edited.edit == 1, "\(way): \(reply.edited.raw.suffix(300))")
        #expect(reply.edited.reasons.allSatisfy { $0 == "stop" }, "\(way): \(reply.edited.reasons)")
      } else {
        #expect(reply.edited.texts == base.edited.texts, "\(way): the edit got into a form that has no place for it")
        #expect(reply.edited.edit == nil && reply.edited.heldBack == 1, "\(way): \(reply.edited.raw.suffix(300))")
      }
      #expect(base.edited.texts != reply.edited.texts || way.expected == nil, "\(way): the model says so by itself")
    }
  }

  /// What came back, whole or in pieces.
  struct Reply {
    var texts: [String] = [], reasons: [String] = []
    var edit: Int?, heldBack: Int?
    let raw: String

    init(_ raw: String, isStream: Bool) throws {
      self.raw = raw
      let objects =
        try isStream
        ? raw.components(separatedBy: "\n").filter { $0.hasPrefix("data: {") }
          .map { try JSONValue(parsing: String($0.dropFirst(6))) } : [JSONValue(parsing: raw)]
      var texts: [Int: String] = [:]
      for object in objects {
        for choice in object["choices"]?.array ?? [] {
          let index = choice["index"]?.integer ?? 0
          let piece = choice["delta"]?["content"] ?? choice["message"]?["content"] ?? choice["text"]
          texts[index, default: ""] += piece?.string ?? ""
          if let reason = choice["finish_reason"]?.string { reasons.append(reason) }
        }
        edit = object["martlet"]?["edit"]?["id"]?.integer ?? edit
        heldBack = object["martlet"]?["edit_held_back"]?["id"]?.integer ?? heldBack
      }
      self.texts = texts.sorted { $0.key < $1.key }.map(\.value)
      #expect(!self.texts.isEmpty, "\(raw)")
    }
  }

  /// What others do to the file reaches the running server, and what is undone is not served any more.
  @Test func aServedStoreIsLive() async throws {
    let scratch = try TestData.Scratch(), path = scratch.file("e.sqlite")
    let loaded = try Self.loaded("rwkv")
    let body = Self.ways[0].body.replacing("QUESTION", with: Self.question)
    try await withServer({ $0.editsPath = path }, load: { loaded }) { base, _ in
      func says(_ wanted: String?, within seconds: Double = 1) async throws -> Bool {
        let end = Date().addingTimeInterval(seconds)
        while true {
          let text = try await Reply(call(base + "/v1/chat/completions", body).text, isStream: false).texts[0]
          if (text == Self.answer) == (wanted == Self.answer) { return true }
          if Date() > end { return false }
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      #expect(try await says(nil))
      try Self.makeStore(path, loaded)
      #expect(try await says(Self.answer, within: 3), "a store that was not there is not taken up")
      let other = try EditStore(path: path)
      for _ in 0..<3 {
        _ = try other.set([(1, .undone, "undone", "")])
        #expect(try await says(nil), "an undone edit goes on")
        _ = try other.set([(1, .live, "restored", "")])
        #expect(try await says(Self.answer), "a restored edit does not come")
      }
      try other.close()
      for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
      #expect(try await says(nil), "the edits of a file that is gone go on")
    }
  }

  @Test func whatCannotBeAnEditIsRefusedAtOnce() async throws {
    let scratch = try TestData.Scratch()
    let loaded = try Self.loaded("rwkv")
    try await withServer({ $0.editsPath = scratch.file("e.sqlite") }, load: { loaded }) { base, _ in
      // The first call makes the store and calibrates it.
      _ = try await call(base + "/martlet/edits", #"{"prompt":"","answer":"x"}"#)
      for body in [
        #"{"prompt":"Who?","answer":"a\u0000b"}"#, #"{"prompt":"Who\u0000?","answer":"b"}"#,
        #"{"prompt":"Who?","answer":"a\u001b[31mb"}"#, #"{"prompt":"Who?","answer":"b","author":"\u0007"}"#,
        #"{"prompt":"Who?","answer":"b","subject":"\u0001"}"#, #"{"prompt":"Who?","answer":"\u009b"}"#,
      ] {
        let start = Date()
        let reply = try await call(base + "/martlet/edits", body)
        #expect(reply.status == 422 && reply.text.contains("control character"), "\(body): \(reply.text)")
        #expect(Date().timeIntervalSince(start) < 0.5)
      }
    }
    #expect(try EditStore(path: scratch.file("e.sqlite"), access: .reading).binding() == nil)
  }

  /// Limits, stops and counts mean the same by way of a skeleton.
  @Test func skeletonsKeepToWhatTheClientSets() async throws {
    let scratch = try TestData.Scratch()
    let script = """
      {"match": " 1.", "reply": " Heads.\\n2. Tails.\\n3. Edges."}
      {"match": "1. Heads.", "reply": " First one here."}
      {"match": "2. Tails.", "reply": " Second one here."}
      {"match": "3. Edges.", "reply": " Third one, and it goes on for very long without any end to be seen."}
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: scratch.file("script")))
    let replies = try ReplyScript(path: scratch.file("script"))
    try await withServer({ $0.script = replies.replies }) { base, _ in
      func ask(_ more: String, _ limit: Int = 600) async throws -> JSONValue {
        try await call(
          base + "/v1/chat/completions", chat(#""martlet":{"skeleton":"on"}"# + more, limit: limit)
        ).body
      }
      let whole = try await ask("")
      let prompt = try await call(base + "/v1/chat/completions", chat("")).body["usage"]?["prompt_tokens"]
      #expect(whole["usage"]?["prompt_tokens"] == prompt && prompt?.integer ?? 0 > 0)
      #expect(whole.choice?["finish_reason"] == "stop")
      for stop in ["Second", "2. T", "one here", "\\n"] {
        let reply = try await ask(#","stop":"\#(stop)""#)
        let wanted = whole.choice?["message"]?["content"]?.string?.components(
          separatedBy: stop == "\\n" ? "\n" : stop)[0]
        #expect(reply.choice?["message"]?["content"]?.string == wanted, "\(stop)")
        #expect(reply.choice?["finish_reason"] == "stop")
      }
      for limit in [1, 12, 63, 64, 90, 110, 130, 200] {
        let reply = try await ask("", limit)
        #expect(reply["usage"]?["completion_tokens"]?.integer ?? .max <= limit, "\(limit): \(reply.text)")
      }
      let refused = try await call(
        base + "/v1/chat/completions", chat(#""ignore_eos":true,"martlet":{"skeleton":"on"}"#))
      #expect(refused.status == 400 && refused.text.contains("ignore_eos"))
    }
  }

  // MARK: models and stores

  static func loaded(_ kind: String) throws -> LoadedModel {
    if kind == "rwkv" {
      return LoadedModel(
        model: try ModelLoading.load(BuiltInModel.checkpoint()), tokenizer: ByteTokenizer(),
        chatFormat: ChatFormat(.plain))
    }
    let configuration = LlamaConfiguration(
      layers: 2, width: 64, heads: 4, feedForwardWidth: 128, vocabularySize: 256, contextLength: 2048)
    return LoadedModel(
      model: Llama(configuration, random: RandomSource(seed: 3)), tokenizer: ByteTokenizer(),
      chatFormat: ChatFormat(.plain))
  }

  /// A store with one edit, whose value says nothing: what is tested is where edits hold, not what is learned.
  static func makeStore(_ path: String, _ loaded: LoadedModel) throws {
    // Written beside and moved, as the server is watching.
    let store = try EditStore(path: path + ".draft")
    let book = try EditBook.open(loaded, store: store)
    try book.bind(store)
    let snapshot = book.snapshot
    let key = Data(snapshot.keys.encoded(snapshot.calibration.direction(book.canonicalKey(question))))
    let value = Data(snapshot.values.encoded([Float](repeating: 0, count: snapshot.valueWidth)))
    let record = Edit(
      created: Date(), prompt: question, answer: answer, before: "", after: answer, status: .live, radius: 1,
      action: "add", label: "1 2", rows: 1, loss: 0.1, iterations: 3, seconds: 0.5, isVerified: true, verified: Date())
    _ = try store.insert(record, keys: [(question, nil, key)], value: value, superseded: [])
    try store.close()
    try FileManager.default.moveItem(atPath: path + ".draft", toPath: path)
  }

  /// A start state that is not the empty one.
  static func writeState(_ loaded: LoadedModel, to path: String) throws -> String {
    let model = try #require(loaded.model as? RWKV5), description = model.description
    let size = description.width / description.heads
    var tensors: [(String, [Int], [Float])] = []
    for layer in 0..<description.layers {
      let count = description.heads * size * size
      tensors.append(
        (
          "blocks.\(layer).att.time_state", [description.heads, size, size],
          TestData.noise(count, seed: UInt64(layer + 1))
        ))
    }
    var header: [String: Any] = [:]
    var body = Data()
    for (name, shape, values) in tensors {
      let bytes = values.withUnsafeBytes { Data($0) }
      header[name] = ["dtype": "F32", "shape": shape, "data_offsets": [body.count, body.count + bytes.count]]
      body += bytes
    }
    let json = try JSONSerialization.data(withJSONObject: header)
    let length = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
    try (length + json + body).write(to: URL(fileURLWithPath: path))
    return path
  }
}
