import Foundation
import MartletTensor

extension RandomSource {
  /// A number of N(0, 1), after Box and Muller. It takes the uniform numbers `2 * index` and `2 * index + 1`.
  func normal(_ index: Int) -> Double {
    (-2 * log(1 - uniform(2 * index))).squareRoot() * cos(2 * .pi * uniform(2 * index + 1))
  }
}
