import Foundation

/// The length of a run and the size of its steps: the user's choices, and defaults that depend on the amount of data.
///
/// Small data gets small batches and several epochs, so that the optimiser makes at least some tens of steps. Large
/// data is read once in batches of ``mostBatch`` windows.
public struct TrainingPlan: Sendable, Equatable {
  /// The user's choices; nil uses a default that depends on the data.
  public struct Request: Sendable, Equatable {
    /// The number of steps; nil derives it from the epochs.
    public var steps: Int?
    /// The number of epochs; nil uses one, or more if that gives too few steps.
    public var epochs: Double?
    /// The number of examples of a step; nil derives it from the data.
    public var batch: Int?
    /// The number of warm-up steps; nil derives it from the steps.
    public var warmup: Int?
    /// The largest number of tokens of an example.
    public var context: Int
    /// The number of batches whose gradients are accumulated in a step.
    public var accumulation: Int

    /// The user's choices.
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

  /// The number of windows of a step if there is enough data.
  public static let mostBatch = 16
  /// The number of steps below which a run makes further epochs, at most ``mostEpochs``.
  public static let fewestSteps = 60
  /// The largest number of epochs that is chosen for small data.
  public static let mostEpochs = 30.0

  /// The number of examples of a step.
  public private(set) var batch: Int
  /// The number of steps.
  public private(set) var steps: Int
  /// The number of warm-up steps.
  public private(set) var warmup: Int
  /// The number of epochs.
  public private(set) var epochs: Double

  /// A plan for the given data.
  public init(_ request: Request, for data: TrainingData) {
    let lengths = data.groups.map { $0.reduce(0) { $0 + data.examples[$1].count - 1 } }
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

  /// Warnings about a plan that will train too little.
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
