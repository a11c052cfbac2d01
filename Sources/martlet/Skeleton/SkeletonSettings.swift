import ArgumentParser
import MartletSkeleton

extension SkeletonMode: ExpressibleByArgument {}

/// How Skeleton-of-Thought is done.
struct SkeletonSettings: ParsableArguments {
  @Option(help: "Use of skeletons: auto (the router decides), on or off.") var mode = SkeletonMode.auto
  @Option(help: "Prompt set: open, chatgpt, claude, gpt4, small, chinese, or a JSON file.") var prompts = "open"
  @Option(help: "Maximum number of tokens of a normal answer.") var maxTokens = 512
  @Option(help: "Maximum number of tokens of the skeleton.") var skeletonTokens = 128
  @Option(help: "Maximum number of tokens of a point.") var pointTokens = 96
  @Option(help: "Maximum number of points.") var maxPoints = 10
  @Option(help: "Maximum number of sentences of a point; 0 sets no limit.") var sentences = 2
  @Flag(
    name: .customLong("continue"),
    help: "Continue each point from the model state after the skeleton instead of reading question and outline again.")
  var continues = false
  @Option(help: "A router that `martlet skeleton train-router` wrote, or `prompt` to ask the model itself.") var router:
    String?

  func validate() throws {
    if maxTokens < 1 || skeletonTokens < 1 || pointTokens < 1 { throw ValidationError("limits must be at least 1") }
    if !(1...16).contains(maxPoints) { throw ValidationError("--max-points must be from 1 to 16") }
    if sentences < 0 { throw ValidationError("--sentences must be 0 or more") }
  }

  func options() throws -> SkeletonOptions {
    var options = SkeletonOptions(prompts: try PromptSet.load(prompts))
    options.mode = mode
    options.maxTokens = maxTokens
    options.maxSkeletonTokens = skeletonTokens
    options.maxPointTokens = pointTokens
    options.maxPoints = maxPoints
    options.pointSentences = sentences == 0 ? nil : sentences
    options.continuesFromSkeleton = continues
    try options.takeRouter(router)
    return options
  }
}

extension SkeletonOptions {
  /// - Parameter router: a file, or `prompt`.
  mutating func takeRouter(_ router: String?) throws {
    guard let router else { return }
    if router == "prompt" { asksModelToRoute = true } else { self.router = try SkeletonRouter(path: router) }
  }
}
