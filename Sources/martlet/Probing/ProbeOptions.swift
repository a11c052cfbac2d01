import ArgumentParser
import MartletData
import MartletProbes

extension InContextDesign.Scoring: ExpressibleByArgument {}

/// What an in-context-learning probe asks.
struct ProbeOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: """
      Files of JSON lines {"text" or "premise" and "hypothesis", "label", "split"}, or of linear problems {"N", \
      "exemplars", "x", "label"}; without one, linear problems are drawn.
      """)
  var data: [String] = []
  @Option(help: "Numbers of exemplars of each class, separated by commas.") var shots = "4,16"
  @Option(
    help: """
      Settings, separated by commas: regular, flipped25, flipped50, flipped75, flipped100 (share of wrong labels), sul, \
      sul-swapped (symbols), linear, linear-swapped (default: all that the data allow).
      """)
  var settings: String?
  @Option(help: "Number of seeds of contexts.") var seeds = 5
  @Option(help: "Number of contexts of each seed.") var contexts = 10
  @Option(help: "Number of queries behind each context.") var queries = 10
  @Option(
    help: """
      Names of the labels, in the order of the classes: negative="Negative Sentiment",positive="Positive Sentiment"; \
      labels of one name are one class, labels not named are left out (default: the paper's names, or the labels).
      """)
  var labels: String?
  @Option(help: "Key of the label in a JSON line.") var labelKey = "label"
  @Option(help: "Symbols for sul and linear, in the order of the classes, separated by commas.")
  var symbols = "Foo,Bar,Iff,Roc,Ket,Dal"
  @Option(help: "Numbers of coordinates of drawn linear problems, separated by commas.") var dimensions: String?
  @Option(
    help: """
      How exemplars are written: \(ExemplarFormat.patterns.map(\.name).joined(separator: ", ")), or a pattern with \
      {text} and {label}.
      """)
  var template = "input-output"
  @Option(name: [.long, .customLong("scoring")], help: "How answers are found: ranking, generation or both.")
  var score = InContextDesign.Scoring.ranking
  @Option(help: "Number of random-word queries behind each context, for domain-context calibration; 0 for none.")
  var domainTexts = 20
  @Flag(
    inversion: .prefixedNo,
    help: "Ask N/A, an empty text and [MASK] behind each context too, for contextual calibration.")
  var contentFree = true
  @Flag(inversion: .prefixedNo, help: "Ask every query without exemplars too: what the model believes beforehand.")
  var zeroShot = true

  func validate() throws {
    for (name, value, range) in [
      ("--seeds", seeds, 1...1000), ("--contexts", contexts, 1...10_000), ("--queries", queries, 1...1000),
      ("--domain-texts", domainTexts, 0...1000),
    ] where !range.contains(value) {
      throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
    }
    _ = try Self.numbers(shots, "--shots", 1...10_000)
    _ = try dimensions.map { try Self.numbers($0, "--dimensions", 1...4096) }
    _ = try chosenSettings
  }

  static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
  }

  static func numbers(_ text: String, _ name: String, _ range: ClosedRange<Int>) throws -> [Int] {
    let numbers = try list(text).map {
      guard let number = Int($0), range.contains(number) else {
        throw ValidationError("\(name) \($0) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    guard !numbers.isEmpty, Set(numbers).count == numbers.count else {
      throw ValidationError("\(name) needs at least one number, each once, separated by commas")
    }
    return numbers
  }

  private var chosenSettings: [InContextSetting]? {
    get throws {
      guard let settings else { return nil }
      let chosen = try Self.list(settings).map { name in
        guard let setting = InContextSetting(name) else {
          throw ValidationError(
            "--settings \(name) is none of regular, flipped25, flipped50, flipped75, flipped100, sul, sul-swapped, linear and linear-swapped"
          )
        }
        return setting
      }
      guard !chosen.isEmpty, Set(chosen).count == chosen.count else {
        throw ValidationError("--settings needs at least one setting, each once, separated by commas")
      }
      return chosen
    }
  }

  /// The tasks that are asked, with remarks on their data.
  func tasks() throws -> [any InContextTask] {
    var tasks: [any InContextTask] = []
    let names = try labels.map { try NaturalLabels(parsing: $0) }
    let wanted = try dimensions.map { try Self.numbers($0, "--dimensions", 1...4096) }
    var labelled = 0, hasLinear = false
    for path in data {
      let lines = try JSONLines.read(path)
      if lines.first?.value["exemplars"] != nil {
        hasLinear = true
        let found = try LinearTask.read(lines, path: path)
        for dimension in wanted ?? [] where !found.contains(where: { $0.dimension == dimension }) {
          throw ValidationError("\(path): it has no problems of \(dimension) coordinates, which --dimensions asks for")
        }
        tasks += found.filter { wanted?.contains($0.dimension) ?? true }
        continue
      }
      labelled += 1
      let read = try LabelledData(lines, path: path, labels: names, labelKey: labelKey)
      for note in read.notes { Terminal.note("Note: \(note)".printable) }
      tasks.append(LabelledTask(read))
    }
    if names != nil, labelled != 1 {
      throw ValidationError("--labels names the labels of one file of texts; give one such --data")
    }
    let asksLinear =
      try data.isEmpty || (chosenSettings ?? []).contains { if case .linear = $0 { true } else { false } }
    if asksLinear, !hasLinear { tasks += (wanted ?? [2, 4, 8, 16, 32, 64]).map { LinearTask(dimension: $0) } }
    return tasks
  }

  /// The design for these tasks.
  func design(for tasks: [any InContextTask]) throws -> InContextDesign {
    var design = InContextDesign()
    design.shots = try Self.numbers(shots, "--shots", 1...10_000)
    let all = InContextSetting.standard + [.linear(isSwapped: false), .linear(isSwapped: true)]
    design.settings = try chosenSettings ?? all.filter { setting in tasks.contains { $0.allows(setting) } }
    design.seeds = seeds
    design.contexts = contexts
    design.queries = queries
    design.symbols = Self.list(symbols)
    design.format = try ExemplarFormat(template)
    design.scoring = score
    design.usesContentFreeQueries = contentFree
    design.domainQueries = domainTexts
    design.usesZeroShotQueries = zeroShot
    guard Set(design.symbols).count == design.symbols.count else { throw ValidationError("--symbols names one twice") }
    return design
  }
}
