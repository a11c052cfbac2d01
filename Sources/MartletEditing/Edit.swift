import Foundation
import MartletData

/// One correction, as it is kept: what was asked and is answered, what the model said, and how it was learned.
public struct Edit: Sendable, Codable, Equatable {
  /// Whether an edit is in force.
  public enum Status: String, Sendable, Codable, CaseIterable {
    /// The edit is in force.
    case live
    /// A newer edit of the same prompt is in force.
    case superseded
    /// The edit was taken back.
    case undone
  }

  /// Its number in the store; nil before it is kept.
  public internal(set) var id: Int?
  /// When the edit was made.
  public internal(set) var created: Date
  /// The question as it was given.
  public internal(set) var prompt: String
  /// What it is answered with.
  public internal(set) var answer: String
  /// What the model said before.
  public internal(set) var before: String
  /// What the model says now.
  public internal(set) var after: String
  /// Whether the edit is in force.
  public internal(set) var status: Status
  /// What the question is about, given by whoever made the edit; nil where it was read from the prompt.
  public internal(set) var subject: String?
  /// Who made it, as far as told.
  public internal(set) var author: String?
  /// How far the key reaches.
  public internal(set) var radius: Double
  /// What the codebook did with it: `add`, `expand`, `split`.
  public internal(set) var action: String
  /// Tokens of the answer with what ends it, separated by spaces.
  public internal(set) var label: String
  /// Rows of the value.
  public internal(set) var rows: Int
  /// Loss a token when training stopped, in nats.
  public internal(set) var loss: Double
  /// Steps of training.
  public internal(set) var iterations: Int
  /// Seconds that learning took.
  public internal(set) var seconds: Double
  /// Whether the answer came out word for word in free generation.
  public internal(set) var isVerified: Bool
  /// When that was looked at last.
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

  /// What machines get to see of it, wherever that is: the server's answers, and `--json` of the command.
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

/// Something that happened to an edit.
public struct EditEvent: Sendable, Codable, Equatable {
  /// When it happened.
  public internal(set) var time: Date
  /// The edit's number.
  public internal(set) var edit: Int
  /// `made`, `superseded`, `undone`, `restored`, `verified`, `failed`.
  public internal(set) var what: String
  /// The answer, or what replaced it.
  public internal(set) var detail: String
}
