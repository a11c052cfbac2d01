import MartletData
import MartletEngine
import MartletModels
import MartletSkeleton

/// Compares two answers by a model (Zheng et al., 2023, pairwise, version 2): each pair is judged twice with the order
/// exchanged, as in Ning et al., section 3.2.
public struct SkeletonJudge: Sendable {
  public enum Verdict: Int, Sendable { case worse = -1, same, better }

  private let backend: any SkeletonBackend
  private let system: String
  private let template: String

  public init(_ backend: any SkeletonBackend) {
    self.backend = backend
    let prompt = try? JSONValue(parsing: PromptFile.bytes("judge-mtbench.jsonl"))
    system = prompt?["system_prompt"]?.string ?? ""
    template = prompt?["prompt_template"]?.string ?? ""
  }

  /// How `answer` compares to `other`: the sum of both orders. `flipped` tells that the orders contradict each other;
  /// nil where the judge gave no verdict.
  public func compare(
    _ question: String, _ answer: String, with other: String
  ) async throws -> (verdict: Verdict, flipped: Bool)? {
    guard let first = try await ask(question, answer, other), let second = try await ask(question, other, answer) else {
      return nil
    }
    let sum = first.rawValue - second.rawValue
    return (sum > 0 ? .better : sum < 0 ? .worse : .same, first.rawValue * second.rawValue > 0)
  }

  private func ask(_ question: String, _ a: String, _ b: String) async throws -> Verdict? {
    var prompt = ""
    var rest = template[...]
    // One pass, so that an answer that contains a slot stays as it is.
    let slots = ["{question}": question, "{answer_a}": a, "{answer_b}": b]
    while let character = rest.first {
      if let slot = slots.keys.first(where: rest.hasPrefix) {
        prompt += slots[slot] ?? ""
        rest = rest.dropFirst(slot.count)
      } else {
        prompt.append(character)
        rest = rest.dropFirst()
      }
    }
    var text = ""
    let request = AnswerRequest([ChatMessage(.system, system), ChatMessage(.user, prompt)], maxTokens: 1024)
    for try await piece in try backend.answer(request) { if case .text(let more) = piece { text += more } }
    return Self.parse(text)
  }

  /// The last of [[A]], [[B]] and [[C]].
  static func parse(_ text: String) -> Verdict? {
    let found = [("[[A]]", Verdict.better), ("[[B]]", .worse), ("[[C]]", .same)].compactMap { mark, verdict in
      text.ranges(of: mark).last.map { ($0.lowerBound, verdict) }
    }
    return found.max { $0.0 < $1.0 }?.1
  }

  /// What a judge must be able to do before its verdicts count.
  public struct SelfTest: Sendable {
    public var identicalTies = 0, truncatedLoses = 0, shuffledLoses = 0, flips = 0, silent = 0, pairs = 0
    /// At least four in five of each kind right, and few contradictions.
    public var isValid: Bool {
      let each = Double(pairs) / 3
      return pairs > 0 && Double(identicalTies) >= 0.8 * each && Double(truncatedLoses) >= 0.8 * each
        && Double(shuffledLoses) >= 0.8 * each && Double(flips + silent) <= 0.2 * Double(pairs)
    }
  }

  /// Judges answers against themselves, cut off after a fifth, and with their words shuffled.
  public func selfTest(_ answers: [(question: String, answer: String)]) async throws -> SelfTest {
    var result = SelfTest()
    var random = RandomStream(seed: 1)
    for (question, answer) in answers {
      let words = answer.split(separator: " ")
      let cut = words.prefix(max(1, words.count / 5)).joined(separator: " ")
      let mixed = words.shuffled(using: &random).joined(separator: " ")
      for (other, counts) in [
        (answer, \SelfTest.identicalTies), (cut, \SelfTest.truncatedLoses), (mixed, \SelfTest.shuffledLoses),
      ] {
        result.pairs += 1
        guard let (verdict, flipped) = try await compare(question, answer, with: other) else {
          result.silent += 1
          continue
        }
        if flipped { result.flips += 1 }
        if verdict == (other == answer ? .same : .better) { result[keyPath: counts] += 1 }
      }
    }
    return result
  }
}
