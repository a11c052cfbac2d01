import ArgumentParser
import Foundation
import MartletEngine
import MartletSkeleton

struct Route: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "route",
    abstract: "Decides whether a question is suited to a skeleton.",
    discussion: """
      By default the built-in trained router decides. With --model or --endpoint the model itself is \
      asked (the prompting router of the paper).

      Example: martlet skeleton route --json "What are the benefits of walking?"
      """)

  @Argument(help: "The question (default: standard input).") var question: String?
  @Option(help: "A router that `martlet skeleton train-router` wrote.") var router: String?
  @OptionGroup var source: BackendOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    let text = try Terminal.text(question, what: "question")
    if source.isGiven {
      let (backend, _) = try await source.backend(sampling: Sampling(), prompts: nil)
      guard let answer = try await PromptingRouter().route(text, backend: backend) else {
        throw SkeletonError("the answer of the model is not A, B or C; use the trained router (leave out the model)")
      }
      if json { return try Terminal.printJSON(["use_skeleton": answer, "router": "prompt"]) }
      return print(answer ? "skeleton" : "normal")
    }
    let decision = try (router.map(SkeletonRouter.init(path:)) ?? .shared).route(text)
    if json {
      return try Terminal.printJSON(["use_skeleton": decision.useSkeleton, "probability": decision.probability])
    }
    print(String(format: "%@ (probability %.3f)", decision.useSkeleton ? "skeleton" : "normal", decision.probability))
  }
}
