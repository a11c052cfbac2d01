/// What an in-context-learning probe measures: the protocol of paired contexts.
public struct InContextDesign: Sendable, Equatable {
  /// How answers are found.
  public enum Scoring: String, Sendable, CaseIterable {
    /// The labels are ranked by their log-likelihoods.
    case ranking
    /// The model generates, as in the paper, and what it says is compared with the labels.
    case generation
    /// Both.
    case both
  }

  /// The numbers of exemplars of each class.
  public var shots = [4, 16]
  /// The settings.
  public var settings = InContextSetting.standard
  /// The number of seeds, counted from 1.
  public var seeds = 5
  /// The number of contexts of a seed.
  public var contexts = 10
  /// The number of queries of a context.
  public var queries = 10
  /// The symbols in the settings that have no natural labels.
  public var symbols = ["Foo", "Bar", "Iff", "Roc", "Ket", "Dal"]
  /// How exemplars are written.
  public var format = ExemplarFormat.standard
  /// How answers are found.
  public var scoring = Scoring.ranking
  /// Whether queries without content are asked too, for contextual calibration.
  public var usesContentFreeQueries = true
  /// The number of random-word queries for domain-context calibration; 0 for none.
  public var domainQueries = 20
  /// Whether queries are asked without exemplars too, for what the model believes beforehand.
  public var usesZeroShotQueries = true

  /// The protocol with its usual numbers: 500 queries a cell.
  public init() {}

  /// The queries without content (Zhao et al., 2021).
  public static let contentFreeTexts = ["N/A", "", "[MASK]"]

  /// The texts that stand for the classes of a task in a setting.
  /// - Throws: ``ProbeError`` if there are fewer symbols than classes.
  public func labels(of task: any InContextTask, in setting: InContextSetting) throws -> [String] {
    switch setting {
    case .regular, .flipped: return task.naturalLabels ?? Array(symbols.prefix(task.classCount))
    case .symbols(let isSwapped), .linear(let isSwapped):
      guard symbols.count >= task.classCount else {
        throw ProbeError(
          "\(task.name) has \(task.classCount) classes, but there are \(symbols.count) symbols; give more with --symbols"
        )
      }
      let names = Array(symbols.prefix(task.classCount))
      return isSwapped ? names.reversed() : names
    }
  }

  /// What is asked behind each context and of each query beside the labels, for digests of rows.
  var asked: String { "\(scoring.rawValue) \(usesContentFreeQueries) \(domainQueries) \(usesZeroShotQueries)" }

  /// A cell of a run: rows of one task, number of exemplars and setting.
  struct Cell: Sendable {
    let task: any InContextTask
    let shots: Int
    let setting: InContextSetting
    let labels: [String]
  }

  /// The cells of a run in their order.
  /// - Throws: ``ProbeError`` if a task allows none of the settings.
  func cells(_ tasks: [any InContextTask]) throws -> [Cell] {
    try tasks.flatMap { task in
      let allowed = settings.filter(task.allows)
      guard !allowed.isEmpty else {
        throw ProbeError(
          "\(task.name) can be put in none of the settings \(settings.map(\.name).joined(separator: ", ")); name \(task.naturalLabels == nil ? "linear" : "regular, flipped100 or sul") with --settings"
        )
      }
      return try shots.flatMap { shots in
        try allowed.map { setting in
          Cell(task: task, shots: shots, setting: setting, labels: try labels(of: task, in: setting))
        }
      }
    }
  }

  /// The contexts of a cell in their order.
  var contextKeys: [ContextKey] {
    (1...max(1, seeds)).flatMap { seed in (0..<max(1, contexts)).map { ContextKey(seed: seed, block: $0) } }
  }
}
