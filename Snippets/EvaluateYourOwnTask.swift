// Reads a task of one's own from its file, and shows what a model would be asked.
import MartletEvaluation

for task in try EvaluationTask.read("capitals.json") {
  if let missing = task.missingData(in: "data") {
    print(missing)
    continue
  }
  for row in try task.rows(in: "data", limit: 3, presentation: RowPresentation(shots: 2)) {
    print(row.place, "- right is", row.gold)
    for request in row.requests { print(request.context + "|" + request.continuation) }
  }
}

// What a row is worth, without a model.
let row = try EvaluationTask.named("openbookqa")[0].rows(in: "data", limit: 1)[0]
let scores = row.requests.indices.map {
  ContinuationScore(logLikelihood: -Double($0), isGreedy: false, tokenLogLikelihoods: [])
}
let result = try row.result(scores: scores)
print(result.prediction, result.isCorrect ?? false, result.values["acc_norm"] ?? 0)
