// Scores a model on a task, keeps every row, and compares two models on the same rows.
import MartletEvaluation
import MartletModels

let models = try ["base.gguf", "tuned.gguf"].map { EvaluatedModel(try LoadedModel.load($0), name: $0) }
let options = EvaluationRun.Options(limit: 200, file: "rows.jsonl", resumes: true)
let run = try EvaluationRun(EvaluationTask.named("arc_easy"), models: models, data: "eval", options: options)
try await run.run { done, task in
  if done % 50 == 0 { print("\(done) of \(run.total): \(task.name)") }
}
for model in models.indices {
  for score in run.results.scores(of: model) {
    for (metric, estimate) in score.values.sorted(by: { $0.key < $1.key }) {
      print(models[model].name, score.name, metric, estimate.value, "±", estimate.standardError)
    }
  }
}
for comparison in run.results.comparisons() {
  print(comparison.task, comparison.difference, comparison.interval, comparison.test?.pValue ?? 1)
}
