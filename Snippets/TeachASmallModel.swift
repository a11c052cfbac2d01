// Trains a student on questions with chains of thought, and keeps the run in a folder that is resumed after any end.
import MartletReasoning

let rows = try QuestionReader(seed: 1).rows(of: QuestionSource("symbolic.jsonl.gz"))
let student = StudentSettings(model: "SmolLM2-135M-Instruct.Q4_1")
let arm = ArmSettings(name: "thoughts", method: .cot)
let result = try ArmTraining(arm, student: student, seed: 1, folder: "runs/thoughts-seed-1").run(rows)
print(result?.tokens ?? 0)
