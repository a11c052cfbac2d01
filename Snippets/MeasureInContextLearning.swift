// Asks two models queries behind exemplars whose labels are right, flipped or symbols, and says what the rows carry.
import MartletData
import MartletEvaluation
import MartletModels
import MartletProbes

let path = "subj.jsonl.gz"
let task = LabelledTask(try LabelledData(JSONLines.read(path), path: path))
var design = InContextDesign()
design.shots = [4]
design.seeds = 2
let probe = try InContextProbe([task, LinearTask(dimension: 2)], design: design)
let subjects = try ["base.gguf", "tuned.gguf"].map {
  InContextSubject(EvaluatedModel(try LoadedModel.load($0), name: $0))
}
let file = try InContextRowsFile("rows.jsonl", of: probe, by: subjects, resumes: true, replaces: false)
for (subject, done) in zip(subjects, file.done) {
  try probe.checkLengths(subject)
  try await probe.run(subject, after: done) { try file.append($0) }
}
let summary = InContextSummary(try InContextRow.read("rows.jsonl"))
for sentence in summary.conclusions { print(sentence) }
try AtomicFile.write(InContextPage(summary, conditions: probe.conditions).html.utf8, to: "icl.html")
