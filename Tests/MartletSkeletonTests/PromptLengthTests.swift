import Foundation
import MartletCheckpoints
import MartletModels
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletSkeleton

/// How many tokens are read, on the outline that SmolLM2 wrote for Vicuna's first question (the reference notes,
/// section 7.2).
struct PromptLengthTests {
  private static let question = "How can I improve my time management skills?"
  private static let heads = [
    "Practice time management.", "Set realistic goals.", "Prioritize tasks effectively.",
    "Use tools like calendars and planners.", "Stay organized.", "Learn to say no.", "Stay healthy.", "Stay fit.",
  ]
  private static let points = heads.enumerated().map { Skeleton.Point(index: $0 + 1, head: $1) }

  /// Tokens of all prompts, and when what they share is read once.
  private func lengths(_ prompts: [[Int]]) -> (unshared: Int, shared: Int) {
    let common = prompts.reduce(prompts[0].count) { min($0, zip(prompts[0], $1).prefix { $0 == $1 }.count) }
    return (prompts.reduce(0) { $0 + $1.count }, common + prompts.reduce(0) { $0 + $1.count - common })
  }

  private func restated(_ format: ChatFormat, _ tokenizer: any Tokenizer, outline: String) throws -> (
    unshared: Int, shared: Int
  ) {
    let set = PromptSet.named(.open)
    return lengths(
      try Self.points.map { point in
        let turn = set.pointTurn(Self.question, outline: outline, point: point)
        return try format.encode([ChatMessage(.user, turn.user)], begun: turn.begun, tokenizer: tokenizer)
      })
  }

  private func continued(_ format: ChatFormat, _ tokenizer: any Tokenizer) throws -> Int {
    lengths(
      try Self.points.map { point in
        let turn = PromptSet.named(.open).continueTurn(point)
        return try format.encodeNext([ChatMessage(.user, turn.user)], begun: turn.begun, tokenizer: tokenizer)
      }
    ).shared
  }

  @Test func worldPrompts() throws {
    let format = ChatFormat(.rwkvWorld), tokenizer = WorldTokenizer.shared
    let outline = Skeleton(points: Self.points).outline
    let (unshared, shared) = try restated(format, tokenizer, outline: outline)
    #expect(shared * 3 < unshared && shared <= 414, "\(shared) of \(unshared)")
    // Going on from the skeleton's state: at most a third of 414.
    let next = try continued(format, tokenizer)
    #expect(next <= 138, "\(next)")
  }

  @Test(
    .enabled(
      if: TestData.smolLM2 != nil, "`make demo` fetches SmolLM2 into MARTLET_HOME; MARTLET_SMOLLM2 names it elsewhere"))
  func smolLM2PromptsAreTheDossiers() throws {
    let checkpoint = try Checkpoint.open(try #require(TestData.smolLM2))
    let loaded = try LoadedModel(model: ModelLoading.load(checkpoint), checkpoint: checkpoint)
    let format = loaded.chatFormat, tokenizer = loaded.tokenizer
    func count(_ user: String, _ begun: String) throws -> Int {
      try format.encode([ChatMessage(.user, user)], begun: begun, tokenizer: tokenizer).count
    }
    #expect(try count(Self.question, "") == 39)
    let turn = PromptSet.named(.open).skeletonTurn(Self.question)
    #expect(try count(turn.user, turn.begun) == 274)
    // The authors' outline is what the model wrote, with its spaces and line breaks.
    let written = Self.heads.enumerated().map { " \($0 + 1). \($1)" }.joined(separator: "\n")
    let (unshared, shared) = try restated(format, tokenizer, outline: written)
    #expect(unshared == 1345 && shared == 414, "\(shared) of \(unshared)")
    let ours = try restated(format, tokenizer, outline: Skeleton(points: Self.points).outline)
    #expect(ours.shared <= 414)
  }
}
