import ArgumentParser
import MartletSkeleton

struct SkeletonCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skeleton",
    abstract: "Generates long answers faster: a skeleton first, then all its points in parallel (Skeleton-of-Thought).",
    discussion: """
      The model is a local one or any OpenAI-compatible endpoint.

      Example: martlet skeleton ask "How can I improve my time management skills?" --model model.gguf
      """,
    subcommands: [Ask.self, SkeletonBench.self, Route.self, TrainRouter.self])
}
