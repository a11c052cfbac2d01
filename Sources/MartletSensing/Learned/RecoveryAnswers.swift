import MartletTensor

/// Several answers of a model to the same measurements, from other starts: how far they lie apart, which of them to take, and whether their
/// distance tells how wrong they are. A model without random starts gives the same answer each time.
public struct RecoveryAnswers: Sendable {
  /// The first answer, as ``RecoveryTest/recover(_:by:settings:)`` gives it.
  public let first: RecoveryTest.Outcome
  /// `||x' - x||`, the mean over images and answers.
  public let l2: Double
  /// The distance of two answers, the mean over images and pairs.
  public let spread: Double
  /// The quality of the mean of the answers.
  public let mean: RecoveryQuality
  /// The quality of the answers with the least measurement error.
  public let chosen: RecoveryQuality
  /// The quality of the answers that lie nearest to the truth, which nobody can choose without knowing it.
  public let nearest: RecoveryQuality
  /// Spearman's rank correlation over images of the distance of answers and the error of their mean.
  public let correlation: Double

  /// Recovers images several times.
  /// - Parameters:
  ///   - count: the number of answers; 1 or more.
  ///   - test: how the model is tested; its ``RecoveryTest/attempt`` counts from 0.
  ///   - images: the true images.
  ///   - model: the model.
  ///   - settings: its settings.
  /// - Throws: ``SensingError`` if the model cannot be tested so.
  public init(
    _ count: Int, to test: RecoveryTest, _ images: ImageSet, by model: RecoveryModel, settings: RecoverySettings
  ) throws {
    var test = test
    test.attempt = 0
    let first = try test.recover(images, by: model, settings: settings)
    var answers = [first]
    while answers.count < count {
      test.attempt += 1
      answers.append(try test.recover(images, by: model, settings: settings))
    }
    self.first = first
    let seconds = answers.reduce(0) { $0 + $1.quality.secondsPerImage } * Double(images.count)
    func quality(_ signals: Tensor) -> RecoveryQuality { RecoveryQuality(signals, of: images, seconds: seconds) }
    func taking(_ isBetter: (Int, _ answer: Int, _ than: Int) -> Bool) -> RecoveryQuality {
      // The rows of all answers one below the other, of which one is taken for each image.
      let rows = (0..<images.count).map { image in
        answers.indices.dropFirst().reduce(0) { isBetter(image, $1, $0) ? $1 : $0 } * images.count + image
      }
      return quality(concatenated(answers.map(\.signals)).gatherRows(rows))
    }
    l2 = answers.reduce(0) { $0 + $1.quality.l2 } / Double(answers.count)
    let average = answers.dropFirst().reduce(first.signals) { $0 + $1.signals } / Double(answers.count)
    mean = quality(average)
    chosen = taking { answers[$1].misfits[$0] < answers[$2].misfits[$0] }
    nearest = taking { answers[$1].errors[$0] < answers[$2].errors[$0] }
    var distances = [Double](repeating: 0, count: images.count), pairs = 0.0
    for one in answers.indices {
      for other in answers.indices.dropFirst(one + 1) {
        let apart = (answers[one].signals - answers[other].signals).squared.sum(axes: [1]).doubleValues
        for image in apart.indices { distances[image] += apart[image].squareRoot() }
        pairs += 1
      }
    }
    spread = distances.reduce(0, +) / max(1, pairs) / Double(max(1, images.count))
    let errors = (clamp(average, from: -1, to: 1) - images.signals).squared.sum(axes: [1]).doubleValues
    correlation = Self.rankCorrelation(distances, errors)
  }

  /// The interval of 95 % of a mean, by the standard deviation of the values.
  public static func interval(_ values: [Double]) -> (lower: Double, upper: Double) {
    let count = Double(max(1, values.count)), mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
    let half = 1.96 * (variance / count).squareRoot()
    return (mean - half, mean + half)
  }

  /// Spearman's correlation: that of the ranks, where equal values share their mean rank; 0 where all values of one list are equal.
  static func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double {
    func ranks(_ values: [Double]) -> [Double] {
      let order = values.indices.sorted { values[$0] < values[$1] }
      var ranks = [Double](repeating: 0, count: values.count), start = 0
      while start < order.count {
        var end = start
        while end < order.count, !(values[order[end]] > values[order[start]]) { end += 1 }
        for place in start..<max(end, start + 1) { ranks[order[place]] = Double(start + max(end, start + 1) - 1) / 2 }
        start = max(end, start + 1)
      }
      return ranks
    }
    let (a, b) = (ranks(a), ranks(b)), middle = Double(a.count - 1) / 2
    func product(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + ($1.0 - middle) * ($1.1 - middle) }
    }
    let scale = (product(a, a) * product(b, b)).squareRoot()
    return scale > 0 ? product(a, b) / scale : 0
  }
}
