import Foundation
import MartletData
import MartletEngine
import MartletModels
import MartletSkeleton
import Synchronization
import Testing

/// What becomes of an answer whose skeleton and points are written by endpoints that differ a little from OpenAI's.
struct EndpointTableTests {
  typealias Request = ScriptedEndpoint.Request
  typealias Reply = ScriptedEndpoint.Reply

  /// How an endpoint dresses a text that it answers.
  struct Personality: Sendable, CustomTestStringConvertible {
    let name: String
    /// nil answers; else what is said instead.
    var refuses: @Sendable (Request) -> Reply? = { _ in nil }
    var dress: @Sendable (_ text: String, Request) -> Reply = { text, _ in Reply(Self.stream(text)) }
    var testDescription: String { name }

    /// Chunks of a streamed answer, with the line ends, last chunk and end given.
    static func stream(
      _ text: String, end: String = "\n", reason: String? = "stop", done: String = "data: [DONE]\n\n",
      wrap: (String) -> String = { "data: " + $0 + "\n\n" }
    ) -> String {
      let words = text.split(separator: " ", omittingEmptySubsequences: false).enumerated()
        .map { $0.offset == 0 ? String($0.element) : " \($0.element)" }
      let chunks = words.map { word in
        #"{"choices":[{"index":0,"delta":{"content":\#(JSONValue.string(word).text)},"finish_reason":null}]}"#
      }
      let last = reason.map { [#"{"choices":[{"index":0,"delta":{},"finish_reason":"\#($0)"}]}"#] } ?? []
      return ((chunks + last).map(wrap).joined() + done).replacing("\n", with: end)
    }

    static func whole(_ text: String, extra: String = "", reason: String? = "stop") -> Reply {
      let reason = reason.map { "\"\($0)\"" } ?? "null"
      let body =
        #"{"object":"chat.completion",\#(extra)"choices":[{"index":0,"message":{"role":"assistant","content":\#(JSONValue.string(text).text)},"finish_reason":\#(reason)}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}"#
      return Reply(body, type: "application/json", headers: ["Content-Length: \(body.utf8.count)"])
    }
  }

  /// All are answered by way of the skeleton.
  static let personalities: [Personality] =
    [
      Personality(name: "as OpenAI's"),
      Personality(
        name: "no beginnings: 400 that says so",
        refuses: {
          $0.lastRole == "assistant" ? .status("400 Bad Request", "the last message must be from the user") : nil
        }),
      Personality(
        name: "no beginnings: 422 that says nothing",
        refuses: {
          $0.lastRole == "assistant" ? Reply("{\"detail\":[]}", type: "application/json", head: "422 X") : nil
        }),
      Personality(
        name: "no beginnings: 500",
        refuses: {
          $0.lastRole == "assistant" ? .status("500 Internal Server Error", "NullPointer") : nil
        }),
      Personality(
        name: "max_completion_tokens only",
        refuses: {
          $0.body["max_tokens"] != nil
            ? .status("400 Bad Request", "Unsupported parameter: max_tokens; use max_completion_tokens") : nil
        }),
      Personality(
        name: "no stream_options",
        refuses: {
          $0.body["stream_options"] != nil ? .status("400 Bad Request", "unknown field stream_options") : nil
        }),
      Personality(
        name: "no temperature",
        refuses: {
          $0.body["temperature"] != nil ? .status("400 Bad Request", "temperature is fixed for this model") : nil
        }),
      Personality(
        name: "nothing beyond the simplest",
        refuses: {
          $0.body["stream_options"] != nil || $0.body["max_tokens"] != nil || $0.body["temperature"] != nil
            || $0.lastRole == "assistant" || $0.streams ? .status("400 Bad Request", "bad request") : nil
        }, dress: { text, _ in Personality.whole(text) }),
      Personality(
        name: "no streams: 400",
        refuses: {
          $0.streams ? .status("400 Bad Request", "streaming is not supported") : nil
        }, dress: { text, _ in Personality.whole(text) }),
      Personality(
        name: "refuses inside 200",
        refuses: {
          $0.body["stream_options"] != nil
            ? Reply(#"{"error":{"message":"stream_options?","code":400}}"#, type: "application/json") : nil
        }),
      Personality(name: "whole JSON instead of a stream", dress: { text, _ in Personality.whole(text) }),
      Personality(
        name: "whole JSON, no finish reason, BOM",
        dress: { text, _ in
          var reply = Personality.whole(text, reason: nil)
          reply.body = [0xef, 0xbb, 0xbf] + reply.body
          reply.headers.removeLast()
          return reply
        }),
      Personality(
        name: "pretty JSON",
        dress: { text, _ in
          Reply(
            "{\n  \"choices\": [\n    {\"message\":\n      {\"content\": \(JSONValue.string(text).text)}\n    }\n  ]\n}\n",
            type: "application/json")
        }),
      Personality(
        name: "content in parts",
        dress: { text, _ in
          Reply(
            #"{"choices":[{"message":{"content":[{"type":"text","text":\#(JSONValue.string(text).text)}]}}]}"#,
            type: "application/json")
        }),
      Personality(
        name: "error: null",
        dress: { text, _ in
          Reply(
            Personality.stream(text) {
              "data: " + $0.replacing("{\"choices\"", with: "{\"error\":null,\"choices\"") + "\n\n"
            })
        }),
      Personality(name: "error: {}, whole", dress: { text, _ in Personality.whole(text, extra: "\"error\":{},") }),
      Personality(name: "CR only", dress: { text, _ in Reply(Personality.stream(text, end: "\r")) }),
      Personality(name: "CR LF", dress: { text, _ in Reply(Personality.stream(text, end: "\r\n")) }),
      Personality(
        name: "the last event is not terminated",
        dress: { text, _ in
          Reply(String(Personality.stream(text, done: "").dropLast(2)))
        }),
      Personality(
        name: "[DONE] without a line end, no reasons",
        dress: { text, _ in
          Reply(Personality.stream(text, reason: nil, done: "data: [DONE]"))
        }),
      Personality(
        name: "no ends at all, but framed",
        dress: { text, _ in
          let body = Personality.stream(text, reason: nil, done: "")
          return Reply(body, headers: ["Content-Length: \(body.utf8.count)"])
        }),
      Personality(
        name: "a BOM, comments, ids, no space",
        dress: { text, _ in
          Reply("\u{feff}: hello\n\nretry: 10\n" + Personality.stream(text) { ":ping\nid: 7\ndata:\($0)\n\n" })
        }),
      Personality(
        name: "data in several lines",
        dress: { text, _ in
          Reply(
            Personality.stream(text) {
              "data: " + $0.replacing(",\"finish_reason\"", with: "\ndata: ,\"finish_reason\"") + "\n\n"
            })
        }),
      Personality(
        name: "a JSON text a line",
        dress: { text, _ in
          Reply(Personality.stream(text, done: "") { $0 + "\n" }, type: "application/x-ndjson")
        }),
      Personality(
        name: "text instead of delta",
        dress: { text, _ in
          Reply(
            Personality.stream(text) {
              "data: " + $0.replacing(/"delta":\{"content":(".*?")\}/) { #""text":\#($0.1)"# } + "\n\n"
            })
        }),
    ]
    + ["eos", "end_turn", "COMPLETE", "stop_sequence", "tool_calls", ""].map { (reason: String) in
      Personality(
        name: "finish reason \(reason)", dress: { text, _ in Reply(Personality.stream(text, reason: reason)) })
    }

  static let heads = ["Heads.", "Tails.", "Edges.", "Rims."]
  static let normal = "The normal answer is whole."

  /// What a model says behind these prompts: points, the skeleton, or a normal answer.
  static func said(_ request: Request) -> String {
    let hasBeginning = request.lastRole == "assistant"
    if request.asksForSkeleton {
      let list = heads.enumerated().map { "\($0.offset + 1). \($0.element)" }.joined(separator: "\n")
      return hasBeginning ? String(list.dropFirst(2)) : list
    }
    guard let point = request.point else { return normal }
    let text = "This is what point \(point) says."
    return request.prompt.contains("Begin your answer") ? "**\(point). \(heads[point - 1])** \(text)" : text
  }

  static func endpoint(
    _ personality: Personality, instead: @escaping @Sendable (Request) -> Reply? = { _ in nil }
  ) throws -> ScriptedEndpoint {
    try ScriptedEndpoint { request in
      personality.refuses(request) ?? instead(request) ?? personality.dress(said(request), request)
    }
  }

  static func ask(
    _ endpoint: ScriptedEndpoint, _ mode: SkeletonMode, change: (inout RemoteBackend.Options) -> Void = { _ in },
    adjust: (inout SkeletonOptions) -> Void = { _ in }
  ) async throws -> (report: SkeletonReport, text: String) {
    var options = RemoteBackend.Options(endpoint: "http://127.0.0.1:\(endpoint.port)/v1", model: "m")
    options.retries = 2
    change(&options)
    var skeleton = SkeletonOptions()
    skeleton.mode = mode
    adjust(&skeleton)
    var text = ""
    var report: SkeletonReport?
    let question = ChatMessage(.user, "What are the benefits of walking?")
    for try await event in SkeletonRun(try RemoteBackend(options), options: skeleton).answer([question]) {
      if case .text(let piece) = event { text += piece }
      if case .finished(let end) = event { report = end }
    }
    return (try #require(report), text)
  }

  static let whole = heads.enumerated().map {
    "\($0.offset + 1). \($0.element) This is what point \($0.offset + 1) says."
  }
  .joined(separator: "\n")

  @Test(arguments: personalities) func everyPersonalityIsUnderstood(_ personality: Personality) async throws {
    let endpoint = try Self.endpoint(personality)
    defer { endpoint.stop() }
    for mode in [SkeletonMode.on, .auto] {
      let (report, text) = try await Self.ask(endpoint, mode)
      #expect(
        text == Self.whole && report.usedSkeleton && report.answer == text,
        "\(text) \(String(describing: report.reason))")
    }
    let plain = try await Self.ask(endpoint, .off)
    #expect(plain.text == Self.normal && plain.report.endedByItself)
  }

  /// What happens to requests for one point, beside the three that are answered.
  enum Fate: String, CaseIterable, Sendable {
    case busyThrice = "429 three times", refused = "400", broken = "broken in a sentence", brokenLater =
      "broken after one"
    case errorInside = "an error event", empty = "empty", emoji = "an emoji", superscript = "²", fragment = "icing"
    case aboutTask = "a sentence about the task", wordless200 = "200 with an error", torn = "torn body", notJSON =
      "no JSON"
    case filtered = "content_filter"

    func reply(_ request: Request) -> Reply {
      switch self {
      case .busyThrice: .status("429 Too Many Requests", headers: ["Retry-After: 0"])
      case .refused: .status("400 Bad Request", "content policy")
      case .broken: Reply(Personality.stream("This is half", reason: nil, done: ""))
      case .brokenLater: Reply(Personality.stream("One sentence is whole. This is half", reason: nil, done: ""))
      case .errorInside:
        Reply(Personality.stream("This is", reason: nil, done: "") + "data: {\"error\":{\"message\":\"oom\"}}\n\n")
      case .empty: Reply(Personality.stream(""))
      case .emoji: Reply(Personality.stream("🚶 🚶"))
      case .superscript: Reply(Personality.stream("²"))
      case .fragment: Reply(Personality.stream("icing"))
      case .aboutTask: Reply(Personality.stream("Here is the skeleton of the answer."))
      case .wordless200: Reply(#"{"error":{"message":"bad","code":400}}"#, type: "application/json")
      case .torn: Reply("data: {\"choices\":[{\"delta\":{\"cont", headers: ["Content-Length: 5000"])
      case .notJSON: Reply("<html>gateway</html>", type: "text/html")
      case .filtered: Reply(Personality.stream("", reason: "content_filter"))
      }
    }
  }

  /// The first request for the point goes wrong, the second is answered.
  @Test(arguments: Fate.allCases, 1...4) func oneFailingPointIsAskedAgain(_ fate: Fate, point: Int) async throws {
    let endpoint = try Self.endpoint(Personality(name: "")) { request in
      request.point == point && !request.prompt.contains("about this part only") ? fate.reply(request) : nil
    }
    defer { endpoint.stop() }
    let (report, text) = try await Self.ask(endpoint, .auto)
    #expect(report.usedSkeleton)
    if fate == .brokenLater {
      #expect(
        text.contains("\(point). \(Self.heads[point - 1]) One sentence is whole.") && !text.contains("half"), "\(text)")
    } else {
      #expect(text == Self.whole, "\(text)")
    }
  }

  /// The point is never to be had: the normal answer is there, whole, whatever else was shown before it.
  @Test(arguments: Fate.allCases.filter { $0 != .brokenLater }, [1, 3])
  func oneLostPointIsNoLostAnswer(_ fate: Fate, point: Int) async throws {
    let endpoint = try Self.endpoint(Personality(name: "")) { request in
      request.point == point ? fate.reply(request) : nil
    }
    defer { endpoint.stop() }
    let (report, text) = try await Self.ask(endpoint, .auto)
    #expect(!report.usedSkeleton && text.hasSuffix(Self.normal) && report.answer == text, "\(text)")
    if point == 1 {
      #expect(text == Self.normal)
    } else {
      #expect(text.hasPrefix("1. Heads. This is what point 1 says."))
    }
    guard case .failed? = report.reason else { return #expect(Bool(false), "\(String(describing: report.reason))") }
  }

  /// A point that says nothing long after the others have ended is asked for again, and given up where that hangs too.
  @Test(.timeLimit(.minutes(10)), arguments: [false, true])
  func aPointThatHangsHoldsNoAnswer(hangsAgain: Bool) async throws {
    let isOver = Atomic(false)
    let endpoint = try Self.endpoint(Personality(name: "")) { request in
      if request.point == 2, hangsAgain || !request.prompt.contains("about this part only") {
        while !isOver.load(ordering: .relaxed) { Thread.sleep(forTimeInterval: 0.05) }
      }
      return nil
    }
    defer { endpoint.stop() }
    // The point hangs until the answer is there, so the answer is the proof.
    defer { isOver.store(true, ordering: .relaxed) }
    let (report, text) = try await Self.ask(endpoint, .on, adjust: { $0.leastPatience = 0.5 })
    #expect(report.usedSkeleton == !hangsAgain)
    #expect(hangsAgain ? text.hasSuffix(Self.normal) : text == Self.whole, "\(text)")
  }

  /// What a reasoning model thinks stays out of skeletons and points, lists in it above all.
  @Test(arguments: [
    ("<think>\nOkay.\n1. A plan.\n2. More of it.\n</think>\n\n", true), ("<think></think>\n", true),
    ("<think>\nOkay. 1. A plan.\n</think>\n", false), ("Okay.\n1. A plan.\n2. More of it.\n</think>\n\n", false),
  ]) func thoughtsAreNoPartOfPoints(thoughts: String, streams: Bool) async throws {
    let endpoint = try Self.endpoint(
      Personality(
        name: "",
        dress: { text, _ in
          streams ? Reply(Personality.stream(thoughts + text)) : Personality.whole(thoughts + text)
        }))
    defer { endpoint.stop() }
    let (report, text) = try await Self.ask(endpoint, .on)
    #expect(text == Self.whole && report.usedSkeleton, "\(text) \(String(describing: report.reason))")
    #expect(!report.skeletonText.contains("plan"), "\(report.skeletonText)")
  }

  /// A model that is cut off while it thinks has said nothing.
  @Test func thoughtsThatNeverEndAreNoPoint() async throws {
    let endpoint = try Self.endpoint(Personality(name: "")) { request in
      request.point == 1 ? Reply(Personality.stream("<think>\nI need to say more here", reason: "length")) : nil
    }
    defer { endpoint.stop() }
    let (report, text) = try await Self.ask(endpoint, .on)
    #expect(!report.usedSkeleton && text == Self.normal, "\(text)")
  }

  /// The skeleton goes wrong in all these ways: the normal answer, and nothing else.
  @Test(arguments: Fate.allCases) func aLostSkeletonIsNoLostAnswer(_ fate: Fate) async throws {
    let endpoint = try Self.endpoint(Personality(name: "")) { $0.asksForSkeleton ? fate.reply($0) : nil }
    defer { endpoint.stop() }
    for mode in [SkeletonMode.auto, .on] {
      let (report, text) = try await Self.ask(endpoint, mode)
      #expect(text == Self.normal && !report.usedSkeleton && report.endedByItself, "\(text)")
    }
  }

  /// The points and the normal answer fail, but one point: what is there is shown.
  @Test func whatIsThereIsShown() async throws {
    let endpoint = try Self.endpoint(Personality(name: "")) { request in
      request.asksForSkeleton || request.point == 3 ? nil : .status("400 Bad Request", "policy")
    }
    defer { endpoint.stop() }
    let (report, text) = try await Self.ask(endpoint, .on)
    #expect(text == "1. Edges. This is what point 3 says." && !report.endedByItself)
    let nothing = try Self.endpoint(Personality(name: "")) { _ in .status("401 Unauthorized", "wrong key") }
    defer { nothing.stop() }
    await #expect { try await Self.ask(nothing, .auto) } throws: { "\($0)".contains("401: wrong key") }
  }

  /// Waits that are asked for are kept, and those that are too long are told.
  @Test func waitsAreKept() async throws {
    let date = DateFormatter()
    date.locale = Locale(identifier: "en_US_POSIX")
    date.timeZone = TimeZone(identifier: "GMT")
    date.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    let soon = date.string(from: Date(timeIntervalSinceNow: 2))
    for (wait, seconds) in [("1", 0.9), (soon, 0.5)] {
      let endpoint = try Self.endpoint(Personality(name: "")) { request in
        request.number == 1 ? .status("429 Too Many Requests", headers: ["Retry-After: \(wait)"]) : nil
      }
      defer { endpoint.stop() }
      let started = Date()
      #expect(try await Self.ask(endpoint, .off).text == Self.normal)
      #expect(Date().timeIntervalSince(started) > seconds, "\(wait)")
    }
    let long = try Self.endpoint(Personality(name: "")) { _ in .status("429 X", headers: ["Retry-After: 3600"]) }
    defer { long.stop() }
    await #expect { try await Self.ask(long, .off) } throws: { "\($0)".contains("asks to wait 3600 s") }
    #expect(long.seen.count == 1)
  }

  /// What an endpoint has refused once is not sent again, and what it has taken is not given up.
  @Test func dialectsAreLearnt() async throws {
    let endpoint = try Self.endpoint(Self.personalities[4])
    defer { endpoint.stop() }
    _ = try await Self.ask(endpoint, .on)
    // One refused request, the skeleton, four points.
    #expect(endpoint.seen.count == 6)
    let strict = try Self.endpoint(Personality(name: "")) { $0.point == 2 ? .status("400 X", "policy") : nil }
    defer { strict.stop() }
    _ = try await Self.ask(strict, .on)
    // The point's second try and the normal answer are all that is added.
    #expect(strict.seen.count == 7 && strict.seen.allSatisfy { $0.body["max_tokens"] != nil })
  }
}
