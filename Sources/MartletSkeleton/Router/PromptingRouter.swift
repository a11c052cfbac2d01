import MartletData
import MartletEngine
import MartletModels

/// A router that asks the model how it would answer (Ning et al., appendix C.1); the option A means a list of
/// independent points.
public struct PromptingRouter: Sendable {
  private let template: String

  /// A router with the built-in prompt.
  public init() {
    template = (try? JSONValue(parsing: PromptFile.bytes("router.json")))?["prompt"]?.string ?? "{request}"
  }

  /// Decides whether a skeleton suits a question.
  /// - Returns: nil if the model answers with none of A, B and C.
  public func route(_ question: String, backend: any SkeletonBackend) async throws -> Bool? {
    let prompt = template.replacing("{request}", with: question)
    var text = ""
    for try await piece in try backend.answer(AnswerRequest([ChatMessage(.user, prompt)], maxTokens: 10)) {
      if case .text(let more) = piece { text += more }
    }
    return Self.parse(text)
  }

  /// The first A, B or C that stands by itself.
  static func parse(_ text: String) -> Bool? {
    for word in text.split(whereSeparator: { !$0.isLetter }) where ["A", "B", "C"].contains(word) { return word == "A" }
    return nil
  }
}
