// Writes a hub folder as GGUF with weights of 8 bits.
import MartletCheckpoints
import MartletModels

let checkpoint = try Checkpoint.open("SmolLM2-135M-Instruct")
let conversion = try Conversion(checkpoint, to: .gguf, format: .q8_0)
print("\(conversion.byteCount) bytes of weights")
try conversion.write(to: "smollm2.q8_0.gguf")
