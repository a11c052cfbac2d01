// Grokfast against the best of a small grid of AdamW, two seeds each, in a folder that can be resumed.
import MartletProbes

var plan = GrokkingSweepPlan()
plan.common.modulus = 23
plan.common.steps = 1000
plan.variants = [.grokfast]
plan.seedCount = 2
let sweep = try GrokkingSweep("sweep", plan: plan)
_ = try sweep.run(jobs: 2, isInterrupted: { false }) { event in
  if case .finished(let configuration, let outcome, _) = event { print(configuration.title, outcome.steps) }
}
for sentence in sweep.results.conclusions { print(sentence) }
