// A long answer whose points are written side by side.
import MartletEngine
import MartletModels
import MartletSkeleton

let engine = Engine(try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1"))
var options = SkeletonOptions()
options.mode = .on
let run = SkeletonRun(LocalBackend(engine, sampling: Sampling()), options: options)
for try await event in run.answer([ChatMessage(.user, "What are the most effective ways to deal with stress?")]) {
  switch event {
  case .skeleton(let points): print("\(points.count) points")
  case .text(let piece): print(piece, terminator: "")
  case .finished(let report): print("\n\(report.tokens) tokens in \(report.seconds) s")
  default: break
  }
}
