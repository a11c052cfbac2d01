import MartletData
import MartletTensor

/// The questions that a policy learns from, as the tokens of its prompts, and the order in which they are asked.
public struct PolicyQuestions: Sendable {
  /// The questions.
  public let rows: [TeachingRow]
  /// How questions are put to the policy.
  public let prompt: StudentPrompt
  private let prompts: [[Int]]
  private let random: RandomSource

  /// Encodes questions.
  /// - Parameters:
  ///   - rows: the questions; dropped ones are left out.
  ///   - prompt: how questions are put to the policy.
  ///   - seed: the seed of the order.
  /// - Throws: ``TeachingError`` if there is no question; `ModelError` if the chat template refuses one.
  public init(_ rows: [TeachingRow], prompt: StudentPrompt, seed: UInt64) throws {
    self.rows = rows.filter { $0.dropped == nil }
    guard !self.rows.isEmpty else { throw TeachingError("there is no question to learn from; give at least one") }
    self.prompt = prompt
    prompts = try self.rows.map { try prompt.tokens(asking: $0, system: $0.system) }
    random = RandomSource(seed: seed).stream("order of questions")
  }

  /// The tokens of a question's prompt.
  func tokens(_ index: Int) -> [Int] { prompts[index] }

  /// The questions of a step, counted from 0: all are asked once before one is asked again.
  func asked(step: Int, count: Int) -> [Int] {
    var order: [Int] = [], epoch = -1
    return (step * count..<(step + 1) * count).map { place in
      if place / rows.count != epoch {
        epoch = place / rows.count
        order = random.stream(epoch).permutation(rows.count)
      }
      return order[place % rows.count]
    }
  }

  /// A given answer to a question as tokens, with those that end it.
  /// - Throws: ``TeachingError`` if it has no token.
  func completion(_ index: Int, _ text: String) throws -> (prompt: [Int], completion: [Int]) {
    let row = rows[index]
    let (tokens, counts) = try prompt.example(asking: row, system: row.system, answer: text)
    guard let first = counts.firstIndex(of: true), first > 0, let last = counts.lastIndex(of: true) else {
      throw TeachingError("the answer to question \(row.id) is empty; give another, or leave the row out")
    }
    return (Array(tokens[..<first]), Array(tokens[first...last]))
  }

  /// The chosen and the rejected answer that come with a question; nil where it has none.
  func givenPair(_ index: Int) throws -> PolicyPair? {
    let row = rows[index]
    guard let chosen = row.others["chosen"]?.string, let rejected = row.others["rejected"]?.string else { return nil }
    let better = try completion(index, chosen), worse = try completion(index, rejected)
    return PolicyPair(prompt: better.prompt, chosen: better.completion, rejected: worse.completion)
  }

  /// A digest of everything that is asked and of the answers that come with it.
  public var fingerprint: String {
    var digest = SHA256()
    for (row, tokens) in zip(rows, prompts) { digest.update(Array("\(row.json.text) \(tokens)\n".utf8)) }
    return digest.finalize()
  }
}
