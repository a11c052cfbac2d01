// Two sequences of different lengths in one forward pass, without padding.
import MartletModels

let loaded = try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1")
let model = loaded.model
let texts = ["Once upon a time", "The capital of France is"]
let states = texts.map { _ in model.makeState() }

var batch = Batch(outputs: .last)
for (text, state) in zip(texts, states) { batch.append(loaded.tokenizer.encode(text), state: state) }
var logits = model.forward(batch)  // [2, vocabulary]: a row for the last token of each sequence

for _ in 0..<8 {
  // One token of each sequence is a batch of two rows; the states remember what came before.
  batch = Batch(outputs: .last)
  for (row, state) in states.enumerated() {
    let odds = logits.rows(row..<row + 1).values
    let token = odds.indices.max { odds[$0] < odds[$1] }!
    print(row, String(decoding: loaded.tokenizer.decode([token]), as: UTF8.self))
    batch.append([token], state: state)
  }
  logits = model.forward(batch)
}
