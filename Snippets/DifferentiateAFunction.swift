// Fits a small network to a sine, by gradients that are functions of the same operations.
import MartletOptimization
import MartletTensor

let random = RandomSource(seed: 1)
let x = Tensor((0..<64).map { Float($0) / 32 - 1 }, shape: [64, 1])  // 64 rows of one feature
let y = sin(x * 3)
var parameters = [
  normal([1, 32], random: random.stream("first")), Tensor.zeros([32]),
  normal([32, 1], random: random.stream("second")) * 0.2, Tensor.zeros([1]),
]
var optimizer = Optimizer(OptimizerSettings(learningRate: 0.02))
for step in 1...200 {
  let (loss, gradients) = valueAndGradient(at: parameters) { parameters in
    let hidden = tanh(matmul(x, parameters[0]) + parameters[1])
    let error = matmul(hidden, parameters[2]) + parameters[3] - y
    return (error * error).mean()
  }
  optimizer.update(&parameters, gradients: gradients)
  if step % 50 == 0 { print(step, loss.scalar) }
}
