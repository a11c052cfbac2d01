import Foundation
import MartletTensor

/// Measures of a model's progress towards the Fourier circuit for addition (Nanda et al., 2023).
///
/// With w_k = 2 pi k / p, the circuit works on cos and sin of w_k(a + b), for a few key frequencies k (a - b for
/// subtraction). Restricted logits keep only those directions; excluded logits lack them.
public struct ProgressMeasures: Sendable, Codable, Equatable {
  /// The step after which they were measured.
  public var step: Int
  /// The cross entropy of the restricted logits over all pairs.
  public var restrictedLoss: Double
  /// The accuracy on all pairs with the key frequencies only.
  public var restrictedAccuracy: Double
  /// The cross entropy of the excluded logits over the training pairs.
  public var excludedLoss: Double
  /// The Gini coefficients of the Fourier norms of the embedding and of W_out W_U, which are near 1 if few frequencies
  /// dominate.
  public var embeddingGini, unembeddingGini: Double
}

/// The share of the squared norm at each frequency 1...(p - 1) / 2.
public struct FourierSpectrum: Sendable, Codable, Equatable {
  /// The energy of each frequency.
  public var energy: [Double]

  /// Of the rows of a matrix `[p, columns]`, along its first axis.
  init(_ rows: Tensor) {
    let p = rows.shape[0], columns = rows.shape[1], values = rows.doubleValues
    var energy: [Double] = []
    for k in 1...max(1, (p - 1) / 2) {
      var total = 0.0
      for column in 0..<columns {
        var (c, s) = (0.0, 0.0)
        for a in 0..<p {
          let angle = 2 * Double.pi * Double(k * a % p) / Double(p)
          c += values[a * columns + column] * cos(angle)
          s += values[a * columns + column] * sin(angle)
        }
        total += c * c + s * s
      }
      energy.append(total)
    }
    let sum = energy.reduce(0, +)
    self.energy = energy.map { sum > 0 ? $0 / sum : 0 }
  }

  /// Frequencies that hold more than 5 % (no published threshold; this one finds the visible peaks).
  var keyFrequencies: [Int] { energy.indices.filter { energy[$0] > 0.05 }.map { $0 + 1 } }

  var gini: Double {
    let sorted = energy.sorted(), n = Double(sorted.count), sum = sorted.reduce(0, +)
    guard sum > 0 else { return 0 }
    let weighted = sorted.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) * $1.element }
    return 2 * weighted / (n * sum) - (n + 1) / n
  }
}

extension GrokkingModel {
  /// The spectrum of the embeddings of the residues.
  public var embeddingSpectrum: FourierSpectrum { FourierSpectrum(embedding.rows(0..<modulus)) }

  /// The spectrum, along the answers, of the neurons' effect on the logits, `W_L = W_out W_U`.
  public var unembeddingSpectrum: FourierSpectrum {
    guard let last = layers.last else { return FourierSpectrum(embedding) }
    let effect = matmul(last.down, unembedding)  // [4 width, modulus + 1]
    return FourierSpectrum(effect.transposed().rows(0..<modulus).contiguous())
  }

  /// - Parameter keys: the key frequencies, of the finished model.
  func progress(step: Int, task: ModularTask, keys: [Int]) -> ProgressMeasures {
    let p = modulus, logits = logits(task.pairs).slice(axis: 1, 0..<p).doubleValues
    let count = task.pairs.count
    let phases = task.pairs.map { task.operation == .subtract ? ($0.a - $0.b + p) % p : ($0.a + $0.b) % p }
    var kept = [Double](repeating: 0, count: count * p)
    for k in keys {
      for part in [cos, sin] as [(Double) -> Double] {
        let direction = phases.map { part(2 * Double.pi * Double(k * $0 % p) / Double(p)) }
        let square = direction.reduce(0) { $0 + $1 * $1 }
        var dots = [Double](repeating: 0, count: p)
        for row in 0..<count { for c in 0..<p { dots[c] += direction[row] * logits[row * p + c] } }
        for row in 0..<count { for c in 0..<p { kept[row * p + c] += direction[row] * dots[c] / square } }
      }
    }
    var means = [Double](repeating: 0, count: p)
    for row in 0..<count { for c in 0..<p { means[c] += (logits[row * p + c] - kept[row * p + c]) / Double(count) } }
    let restricted = (0..<count * p).map { kept[$0] + means[$0 % p] }
    let excluded = (0..<count * p).map { logits[$0] - kept[$0] }
    func loss(_ values: [Double], _ places: [Int]) -> (loss: Double, accuracy: Double) {
      var total = 0.0, right = 0
      for place in places {
        let row = values[place * p..<(place + 1) * p], answer = task.pairs[place].answer
        let peak = row.max() ?? 0
        total += peak + log(row.reduce(0) { $0 + exp($1 - peak) }) - row[row.startIndex + answer]
        if row[row.startIndex + answer] == peak { right += 1 }
      }
      return (total / Double(places.count), Double(right) / Double(places.count))
    }
    let all = loss(restricted, Array(0..<count))
    return ProgressMeasures(
      step: step, restrictedLoss: all.loss, restrictedAccuracy: all.accuracy,
      excludedLoss: loss(excluded, task.training).loss, embeddingGini: embeddingSpectrum.gini,
      unembeddingGini: unembeddingSpectrum.gini)
  }
}
