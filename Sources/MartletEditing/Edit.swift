import Foundation
import MartletData

/// A stored edit: the question and its new answer, the model's previous answer, and how the edit was learned.
public struct Edit: Sendable, Equatable {
  /// Whether an edit is in force.
  public enum Status: String, Sendable, CaseIterable {
    /// The edit is in force.
    case live
    /// A newer edit of the same prompt is in force.
    case superseded
    /// The edit was taken back.
    case undone
  }

  /// The number in the store; nil before the edit is stored.
  public internal(set) var id: Int?
  /// When the edit was made.
  public internal(set) var created: Date
  /// The question as given.
  public internal(set) var prompt: String
  /// The new answer.
  public internal(set) var answer: String
  /// The model's answer before the edit.
  public internal(set) var before: String
  /// The model's answer with the edit.
  public internal(set) var after: String
  /// Whether the edit is in force.
  public internal(set) var status: Status
  /// The subject of the question as given by the author of the edit; nil if it was determined from the prompt.
  public internal(set) var subject: String?
  /// The author; nil if not recorded.
  public internal(set) var author: String?
  /// The largest distance from the key at which the edit fires.
  public internal(set) var radius: Double
  /// What the codebook did with it: `add`, `expand`, `split`.
  public internal(set) var action: String
  /// The tokens of the answer with its end token, separated by spaces.
  public internal(set) var label: String
  /// The number of rows of the value.
  public internal(set) var rows: Int
  /// The loss per token at the end of training, in nats.
  public internal(set) var loss: Double
  /// The number of training steps.
  public internal(set) var iterations: Int
  /// The duration of training in seconds.
  public internal(set) var seconds: Double
  /// Whether free generation gave the answer word for word.
  public internal(set) var isVerified: Bool
  /// When the answer was last verified.
  public internal(set) var verified: Date

  package init(
    created: Date, prompt: String, answer: String, before: String, after: String, status: Status,
    subject: String? = nil, author: String? = nil, radius: Double, action: String, label: String, rows: Int,
    loss: Double, iterations: Int, seconds: Double, isVerified: Bool, verified: Date
  ) {
    self.created = created
    self.prompt = prompt
    self.answer = answer
    self.before = before
    self.after = after
    self.status = status
    self.subject = subject
    self.author = author
    self.radius = radius
    self.action = action
    self.label = label
    self.rows = rows
    self.loss = loss
    self.iterations = iterations
    self.seconds = seconds
    self.isVerified = isVerified
    self.verified = verified
  }

  /// The tokens of ``label``.
  var labelTokens: [Int] { label.split(separator: " ").compactMap { Int($0) } }

  /// The edit as JSON, as returned by the server and by `--json` on the command line.
  public var json: JSONValue {
    [
      "id": .integer(id ?? 0), "created": .string(created.ISO8601Format()), "prompt": .string(prompt),
      "answer": .string(answer), "before": .string(before), "after": .string(after),
      "status": .string(status.rawValue), "subject": subject.map(JSONValue.string) ?? .null,
      "author": author.map(JSONValue.string) ?? .null, "radius": .number(radius), "action": .string(action),
      "rows": .integer(rows), "loss": .number(loss), "iterations": .integer(iterations), "seconds": .number(seconds),
      "verified": .bool(isVerified), "verified_at": .string(verified.ISO8601Format()),
    ]
  }
}

/// An event in the history of an edit.
public struct EditEvent: Sendable, Equatable {
  /// When it happened.
  public internal(set) var time: Date
  /// The number of the edit.
  public internal(set) var edit: Int
  /// What happened: `made`, `superseded`, `undone`, `restored`, `verified` or `failed`.
  public internal(set) var what: String
  /// The answer, or the edit that replaced it, such as `by 12`.
  public internal(set) var detail: String
}
