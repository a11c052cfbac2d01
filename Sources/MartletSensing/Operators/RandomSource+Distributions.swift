import Foundation
import MartletTensor

extension RandomSource {
  /// A number of N(0, 1), after Box and Muller. It takes the uniform numbers `2 * index` and `2 * index + 1`.
  func normal(_ index: Int) -> Double {
    (-2 * log(1 - uniform(2 * index))).squareRoot() * cos(2 * .pi * uniform(2 * index + 1))
  }

  /// A number of events of a mean, exactly distributed: by products of uniform numbers, and from 10 on by transformed rejection (Hörmann, "The
  /// transformed rejection method for generating Poisson random variables", 1993, algorithm PTRS).
  func poisson(mean: Double) -> Double {
    var index = 0
    func next() -> Double {
      index += 1
      return 1 - uniform(index - 1)
    }
    guard mean >= 10 else {
      let end = exp(-mean)
      var events = 0.0, product = next()
      while product > end {
        events += 1
        product *= next()
      }
      return events
    }
    let b = 0.931 + 2.53 * mean.squareRoot(), a = -0.059 + 0.02483 * b
    let inverse = 1.1239 + 1.1328 / (b - 3.4), sure = 0.9277 - 3.6224 / (b - 2)
    while true {
      let u = next() - 0.5, v = next(), side = 0.5 - abs(u)
      let events = ((2 * a / side + b) * u + mean + 0.43).rounded(.down)
      if side >= 0.07, v <= sure { return events }
      if events < 0 || (side < 0.013 && v > side) { continue }
      if log(v) + log(inverse) - log(a / (side * side) + b) <= events * log(mean) - mean - lgamma(events + 1) {
        return events
      }
    }
  }
}
