import Foundation
import MartletTensor

/// How good and how varied generated images are, judged by a classifier that was trained on images of their kind.
public struct SampleQuality: Sendable, Codable, Equatable {
  /// The Fréchet distance between the classifier's features of generated and of real images; 0 is best. It is computed as FID is, with
  /// other features, so it can only be compared under the same classifier.
  public var frechetDistance: Double
  /// `exp(mean KL(p(y|x) || p(y)))`, computed as the Inception score is, with this classifier: from 1 to the number of classes.
  public var classifierScore: Double
  /// The number of classes that at least 1 % of the images belong to with a probability above 1/2.
  public var modeCount: Int
  /// The share of images that belong to some class with a probability above 1/2.
  public var confidentShare: Double
  /// The mean distance between two generated images of the same class over that of real images; well below 1 says that a class is drawn in
  /// few ways.
  public var diversity: Double

  /// Judges images.
  /// - Parameters:
  ///   - samples: generated images `[rows, pixels]`, values from -1 to 1.
  ///   - reference: real images that the generator was not trained on, `[rows, pixels]`.
  ///   - classifier: a classifier of such images.
  /// - Throws: ``SensingError`` if there are fewer than two images of either kind or their sizes differ.
  public init(of samples: Tensor, against reference: Tensor, by classifier: ImageClassifier) throws {
    guard samples.rows > 1, reference.rows > 1, samples.columns == reference.columns,
      samples.columns == classifier.network.inputCount
    else {
      throw SensingError(
        "Quality needs two or more generated and real images of the \(classifier.network.inputCount) pixels that the classifier takes, "
          + "not \(samples.rows) of \(samples.columns) and \(reference.rows) of \(reference.columns).")
    }
    frechetDistance = FrechetDistance.between(classifier.features(samples), classifier.features(reference))
    let probabilities = classifier.probabilities(samples), classes = probabilities.columns
    let mean = probabilities.mean(axes: [0], keepingAxes: true)
    let divergence = probabilities * (log(probabilities + 1e-12) - log(mean + 1e-12))
    classifierScore = Foundation.exp(divergence.sum(axes: [1]).mean().scalar)
    let chosen = probabilities.argmax(axis: 1)
    let highest = probabilities.maximum(axis: 1).values
    var counts = [Int](repeating: 0, count: classes)
    for (place, label) in chosen.enumerated() where highest[place] > 0.5 { counts[label] += 1 }
    modeCount = counts.count { Double($0) >= 0.01 * Double(samples.rows) }
    confidentShare = Double(counts.reduce(0, +)) / Double(samples.rows)
    let real = classifier.probabilities(reference).argmax(axis: 1)
    let spread = Self.spread(reference, real)
    diversity = spread > 0 ? Self.spread(samples, chosen) / spread : 0
  }

  /// The mean distance between an image and the next one of its class.
  private static func spread(_ images: Tensor, _ labels: [Int]) -> Double {
    var last: [Int: Int] = [:], firsts: [Int] = [], seconds: [Int] = []
    for (place, label) in labels.enumerated() {
      if let before = last.updateValue(place, forKey: label) {
        firsts.append(before)
        seconds.append(place)
      }
    }
    guard !firsts.isEmpty else { return 0 }
    return (images.gatherRows(firsts) - images.gatherRows(seconds)).norm().mean().scalar
  }
}
