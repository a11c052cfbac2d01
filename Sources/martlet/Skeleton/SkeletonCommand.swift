import ArgumentParser
import MartletSkeleton

struct SkeletonCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skeleton",
    abstract: "Writes long answers faster: a skeleton first, then all its points at once (Skeleton-of-Thought).",
    discussion: """
      Works with a local model or with any OpenAI-compatible endpoint.

      Example: martlet skeleton ask "How can I improve my time management skills?" --model model.gguf
      """,
    subcommands: [Ask.self, SkeletonBench.self, Route.self, TrainRouter.self])
}
