import MartletData
import MartletEngine

/// What one JSON text of an endpoint says: a piece of a streamed answer, or a whole one.
struct EndpointReply {
  /// What went wrong, where the endpoint says so.
  struct Problem: Error {
    var message: String
    /// A status of HTTP, where the error names one.
    var status: Int?
    /// Later it may go.
    var isPassing: Bool
  }

  var text = ""
  /// An answer in one piece.
  var isWhole = false
  /// The field `finish_reason`, whatever the endpoint calls it; nil where it says nothing.
  var finishReason: String?
  var promptTokens: Int?, cachedTokens: Int?, tokens: Int?

  init(_ object: JSONValue, isError: Bool = false) throws {
    if let problem = Self.problem(object, isError: isError) { throw problem }
    if let usage = object["usage"]?.object {
      func count(_ value: JSONValue?) -> Int? { value?.integer.map { min(max(0, $0), 1 << 40) } }
      promptTokens = count(usage["prompt_tokens"]) ?? count(usage["input_tokens"])
      tokens = count(usage["completion_tokens"]) ?? count(usage["output_tokens"])
      cachedTokens = count(usage["prompt_tokens_details"]?["cached_tokens"])
    }
    let choices = object["choices"]?.array ?? []
    guard let choice = choices.first(where: { ($0["index"]?.integer ?? 0) == 0 }) else { return }
    if let problem = Self.problem(choice, isError: false) { throw problem }
    let said = choice["delta"] ?? choice["message"] ?? choice
    isWhole = choice["delta"] == nil && choice["message"]?.object != nil
    text = Self.text(said["content"]) ?? Self.text(choice["text"]) ?? Self.text(choice["message"]?["content"]) ?? ""
    finishReason = (choice["finish_reason"]?.string ?? choice["stop_reason"]?.string).flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A text, or the texts of its parts.
  private static func text(_ value: JSONValue?) -> String? {
    if let text = value?.string { return text }
    return value?.array.map { parts in
      parts.compactMap { $0.string ?? $0["text"]?.string ?? $0["text"]?["value"]?.string }.joined()
    }
  }

  /// Whether the answer ended where the model ended it, by its finish reason: some endpoints say `stop`, others `eos`,
  /// `end_turn` or `COMPLETE`; what limits and filters are called is known better.
  static func endedByItself(_ reason: String) -> Bool {
    let reason = reason.lowercased()
    let cuts = ["length", "max", "limit", "filter", "safety", "context", "abort", "cancel", "timeout", "recitation"]
    return !cuts.contains(where: reason.contains)
  }

  // MARK: errors

  /// The error of a reply that may have any status; `"error": null` and other nothings are none.
  static func problem(_ object: JSONValue, isError: Bool) -> Problem? {
    var details: JSONValue = object
    if let error = object["error"] {
      switch error {
      case .null, .bool(false), .integer(0), .string(""): if !isError { return nil }
      default: details = error
      }
      if error.object?.isEmpty == true, !isError { return nil }
    } else if object["object"]?.string != "error", object["type"]?.string != "error", !isError {
      return nil
    }
    let message =
      details.string ?? details["message"]?.string ?? object["message"]?.string ?? object["detail"]?.string
      ?? details.text
    let status = [details["code"], details["status"], object["code"], object["status"]].lazy
      .compactMap { $0?.integer ?? $0?.string.flatMap { Int($0) } }.first { (400...599).contains($0) }
    let kind = [details["type"], details["code"], object["type"]].compactMap { $0?.string }.joined(separator: " ")
      .lowercased()
    let isPassing =
      status.map(isPassing)
      ?? ["rate", "overload", "unavailable", "timeout", "capacity"].contains(where: kind.contains)
    return Problem(message: String(message.prefix(300)), status: status, isPassing: isPassing)
  }

  static func isPassing(_ status: Int) -> Bool {
    [408, 409, 425, 429].contains(status) || status >= 500 && status != 501
  }
}
