// What a file of weights holds, whatever its format.
import MartletCheckpoints

let checkpoint = try Checkpoint.open("model.safetensors")
print("\(checkpoint.format.rawValue): \(checkpoint.parameterCount) parameters in \(checkpoint.names.count) tensors")
for name in checkpoint.names {
  let tensor = try checkpoint.tensor(name)
  print(name, tensor.type, tensor.shape)
}
let embedding = try checkpoint.tensor("model.embed_tokens.weight").floats()
print(embedding.prefix(4))
