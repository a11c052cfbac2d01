// Looks at what a layer gives out at the end of a prompt, and steers another answer along a direction.
import MartletEngine
import MartletModels
import MartletTensor

let engine = Engine(try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1"))
let layer = "model.layers.20.mlp.down_proj"
var request = Request(tokens: engine.loaded.tokenizer.encode("The weather today is"))
request.maxTokens = 20

// A probe changes nothing; its note comes with the completion.
request.interventions = [
  Intervention(layer: layer, rows: .endOfPrompt(1)) { pass in Intervention.Effect(note: pass.output) }
]
for try await event in try engine.generate(request) {
  guard case .finished(let completion) = event, let output = completion.notes.first as? Tensor else { continue }
  print("the layer gives out", output.columns, "numbers")
}

// Steering acts on every row, those of generated tokens too.
let width = engine.loaded.model.description.width
let direction = Tensor([Float](repeating: 0.05, count: width), shape: [width])
request.interventions = [
  Intervention(layer: layer, rows: .all) { pass in
    Intervention.Effect(replacing: 0..<pass.count, with: pass.output.adding(bias: direction))
  }
]
for try await event in try engine.generate(request) {
  if case .text(let piece) = event { print(piece, terminator: "") }
}
print()
