import ArgumentParser
import Foundation
import MartletEditing
import MartletEngine
import MartletModels
import MartletSkeleton

struct Ask: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ask",
    abstract: "Answers a question with a skeleton and shows times and tokens.",
    discussion: """
      The skeleton is printed first, then the answer in its order. With --compare the normal answer is timed as well.

      Example: martlet skeleton ask "What are the benefits of walking?" --model model.gguf --compare
      """)

  @Argument(help: "The question (default: standard input).") var question: String?
  @OptionGroup var source: BackendOptions
  @OptionGroup var settings: SkeletonSettings
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var edits: AppliedEdits
  @Option(help: "The system message of the conversation.") var system: String?
  @Flag(help: "Also time the normal answer.") var compare = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    let text = try Terminal.text(question, what: "question")
    let options = try settings.options()
    let (backend, engine) = try await source.backend(
      sampling: sampling.sampling(), prompts: options.prompts, edits: edits)
    let messages = (system.map { [ChatMessage(.system, $0)] } ?? []) + [ChatMessage(.user, text)]
    Terminal.catchInterrupts()
    let report = try await answer(messages, backend, options, shows: !json)
    var normal: SkeletonReport?
    if compare {
      engine?.clearPromptCache()
      var off = options
      off.mode = .off
      normal = try await answer(messages, backend, off, shows: false)
    }
    if json { return try Terminal.printJSON(report.json(normal: normal)) }
    Terminal.write("\n")
    Terminal.note(report.summary(normal: normal))
  }

  private func answer(
    _ messages: [ChatMessage], _ backend: any SkeletonBackend, _ options: SkeletonOptions, shows: Bool
  ) async throws -> SkeletonReport {
    var result = SkeletonReport()
    var sawSkeleton = false
    for try await event in SkeletonRun(backend, options: options).answer(messages) {
      if Terminal.isInterrupted { Foundation.exit(130) }
      if case .finished(let report) = event { result = report }
      guard shows else { continue }
      switch event {
      case .skeletonText(let text):
        Terminal.write(Terminal.dim(sawSkeleton ? text : String(text.drop(while: \.isWhitespace))))
        sawSkeleton = true
      case .skeleton: Terminal.write("\n\n")
      case .normal(let reason):
        if sawSkeleton { Terminal.write("\n\n") }
        Terminal.note(Terminal.dim("(\(reason))"))
      case .text(let text): Terminal.write(text)
      case .routed, .point, .pointEnded, .finished: break
      }
    }
    return result
  }
}

extension SkeletonReport {
  /// One line for people.
  func summary(normal: SkeletonReport?) -> String {
    var line =
      usedSkeleton
      ? String(
        format: "%d points in %.2f s: skeleton %.2f s (%d tokens), points %.2f s (%d tokens together)", points.count,
        seconds, skeletonSeconds, skeletonTokens, pointSeconds, pointTokens)
      : String(format: "normal answer in %.2f s, %d tokens", seconds, normalTokens)
    if let normal {
      line += String(
        format: "; normally %.2f s (%d tokens): %.2fx", normal.seconds, normal.normalTokens, normal.seconds / seconds)
    }
    return line
  }

  func json(normal: SkeletonReport?) -> [String: Any] {
    var object: [String: Any] = [
      "answer": answer, "used_skeleton": usedSkeleton, "seconds": seconds, "first_text_seconds": firstTextSeconds,
      "skeleton_seconds": skeletonSeconds, "point_seconds": pointSeconds, "skeleton_tokens": skeletonTokens,
      "point_tokens": pointTokens, "normal_tokens": normalTokens, "skeleton": skeletonText,
      "skeleton_read_tokens": skeletonReadTokens, "point_read_tokens": pointReadTokens,
      "points": points.map {
        [
          "index": $0.point.index, "head": $0.point.head, "text": $0.text, "tokens": $0.tokens, "seconds": $0.seconds,
        ] as [String: Any]
      },
    ]
    if let reason { object["reason"] = "\(reason)" }
    if let edit = FiredEdit(in: notes) { object["edit"] = edit.json }
    if let decision { object["probability"] = decision.probability }
    if let normal {
      object["normal"] =
        [
          "answer": normal.answer, "seconds": normal.seconds, "tokens": normal.normalTokens,
        ] as [String: Any]
      object["speedup"] = normal.seconds / seconds
    }
    return object
  }
}
