import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletSkeleton

/// What the writing of an answer says to the route that sends it.
enum AnswerEvent: Sendable {
  case text(choice: Int, String, [TokenLedger.Entry])
  case toolCall(choice: Int, call: Int, name: String)
  case toolArguments(choice: Int, call: Int, String)
  /// `endToken` is the token that ended the answer, where probabilities are asked for.
  case ended(choice: Int, reason: String, endToken: TokenProbability?)
  /// An edit changed the choice's answer. Comes before its end.
  case edited(choice: Int, FiredEdit)
  /// An edit would have answered, and the form asked for left no room for it. Comes before the choice's end.
  case heldBack(choice: Int, HeldEdit)
  /// Something for the page: how a skeleton comes along.
  case skeleton(JSONValue)
  case finished(Usage)
}

/// Tokens of all choices of an answer.
struct Usage: Sendable {
  var promptTokens = 0, completionTokens = 0, cachedTokens = 0

  var json: JSONValue {
    [
      "prompt_tokens": .integer(promptTokens), "completion_tokens": .integer(completionTokens),
      "total_tokens": .integer(promptTokens + completionTokens),
      "prompt_tokens_details": ["cached_tokens": .integer(cachedTokens)],
    ]
  }
}

typealias AnswerEvents = AsyncThrowingStream<AnswerEvent, any Error>
