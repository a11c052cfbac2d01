import Foundation

/// How long a run is and how large its steps are: what was asked for, and for the rest what suits the data.
///
/// A small set of data gets small steps and is read several times, so that the optimiser makes some tens of steps; a large
/// one is read once in steps of ``mostBatch`` windows.
public struct TrainingPlan: Sendable, Equatable {
  /// What a person asked for; nil leaves it to the data.
  public struct Request: Sendable, Equatable {
    /// Steps; nil follows from the epochs.
    public var steps: Int?
    /// Times the data is read; nil once, or as often as gives enough steps.
    public var epochs: Double?
    /// Examples of a step; nil follows from the data.
    public var batch: Int?
    /// Steps of warm-up; nil follows from the steps.
    public var warmup: Int?
    /// Most tokens of an example.
    public var context: Int
    /// Batches whose gradients are added up in a step.
    public var accumulation: Int

    /// What was asked for.
    public init(
      steps: Int? = nil, epochs: Double? = nil, batch: Int? = nil, warmup: Int? = nil, context: Int,
      accumulation: Int = 1
    ) {
      self.steps = steps
      self.epochs = epochs
      self.batch = batch
      self.warmup = warmup
      self.context = context
      self.accumulation = accumulation
    }
  }

  /// Windows of a step where there is plenty of data.
  public static let mostBatch = 16
  /// Steps below which a run reads its data again, at most ``mostEpochs`` times.
  public static let fewestSteps = 60
  /// Times that little data is read at most.
  public static let mostEpochs = 30.0

  /// Examples of a step.
  public private(set) var batch: Int
  /// Steps of the run.
  public private(set) var steps: Int
  /// Steps over which the rate grows.
  public private(set) var warmup: Int
  /// Times the data is read.
  public private(set) var epochs: Double

  /// A plan for some data.
  public init(_ request: Request, for data: TrainingData) {
    let lengths = data.examples.map { $0.count - 1 }
    func stepsInEpoch(_ batch: Int) -> Double {
      Double(Self.batches(lengths, rows: batch * request.context)) / Double(request.accumulation)
    }
    let wanted = Double(Self.fewestSteps)
    if let batch = request.batch {
      self.batch = batch
    } else if request.steps != nil {
      let rows = lengths.reduce(0, +), step = request.context * request.accumulation
      batch = min(Self.mostBatch, max(1, (rows + step - 1) / step))
    } else {
      let reading = request.epochs ?? 1
      batch = (1...Self.mostBatch).last { stepsInEpoch($0) * reading >= wanted } ?? 1
    }
    let once = max(stepsInEpoch(batch), 1e-9)
    if let steps = request.steps {
      self.steps = steps
      epochs = Double(steps) / once
    } else {
      epochs = request.epochs ?? min(Self.mostEpochs, max(1, (wanted / once).rounded(.up)))
      steps = max(1, Int(min(1e9, (epochs * once).rounded())))
    }
    warmup = min(steps, request.warmup ?? min(20, steps / 10))
  }

  /// Batches of at most `rows` rows that the examples make, packed in their order.
  private static func batches(_ lengths: [Int], rows: Int) -> Int {
    var count = 0, filled = rows
    for length in lengths {
      if count == 0 || filled + length > rows {
        count += 1
        filled = 0
      }
      filled += length
    }
    return count
  }

  /// What should be said of a plan that will teach little.
  public var warnings: [String] {
    var warnings: [String] = []
    if steps == 0 { warnings.append("no step is made, so the result is an untrained model") }
    if steps > 0, steps < 10 {
      warnings.append(
        "\(steps) \(steps == 1 ? "step" : "steps") of the optimiser will change little; raise --epochs or --steps, or lower --batch"
      )
    }
    if steps > 1, warmup * 2 > steps {
      warnings.append(
        "the warm-up of the learning rate takes \(warmup) of the \(steps) steps; lower --warmup to a tenth of them or less"
      )
    }
    return warnings
  }
}
