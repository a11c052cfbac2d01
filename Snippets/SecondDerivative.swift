// A derivative of a derivative.
import MartletTensor

let x = Tensor([0.5, 1, 2]).variable()
let first = gradients(of: (x * x * x).sum(), withRespectTo: [x], createGraph: true)[0]
let second = gradients(of: first.sum(), withRespectTo: [x])[0]
print(first.values)  // 3x²
print(second.values)  // 6x
