import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletOptimization
import MartletTensor

/// The paper's first kind of edit: labels that change over time, put right one by one in a small classifier.
///
/// BANKING77's intents are sorted into 11 topics; in a second period 18 of the 77 intents move to another topic (a
/// stand-in for SCOTUS, whose data is not free). A classifier over a language model's embeddings learns the first period.
/// Queries of the second come one after the other; where its topic is wrong, a codebook around its hidden layer is edited.
public struct LabelShift: Sendable {
  public struct Report: Sendable, Codable {
    /// Accuracy on queries whose intent did not move (TRR) and on all queries that were edited (ERR), before and after.
    public var retentionBefore, retentionAfter: Double
    public var editsBefore, editsAfter: Double
    /// Edits made, and keys kept.
    public var edits, keys: Int
    public var actions: [String: Int]
    public var radius: Double
    public var seconds: Double
  }

  struct Query: Sendable {
    let text: String
    let intent: String
  }

  public var radius: Float?
  public var rules: CodebookRules = .paper
  let training: [Query], stream: [Query], retention: [Query]
  let topics: [String]
  let before: [String: String], after: [String: String]

  /// - Parameter folder: with `banking_train.jsonl.gz`, `banking_stream.jsonl.gz` and `banking_labelshift.json`.
  public init(folder: String) throws {
    func queries(_ name: String) throws -> [Query] {
      try JSONLines.read(folder + "/" + name).map { line in
        guard let text = line.value["text"]?.string, let intent = line.value["intent"]?.string else {
          throw line.failure("it has no text and intent")
        }
        return Query(text: text, intent: intent)
      }
    }
    let path = folder + "/banking_labelshift.json"
    guard let data = FileManager.default.contents(atPath: path), let file = try? JSONValue(parsing: [UInt8](data)),
      let topics = file["topics"]?.array?.compactMap(\.string), !topics.isEmpty
    else { throw EditError("\(path) is missing or no taxonomy") }
    func period(_ name: String) -> [String: String] {
      Dictionary(
        uniqueKeysWithValues: (file[name]?.object?.members ?? []).compactMap { member in
          member.value.string.map { (member.key, $0) }
        })
    }
    (self.topics, before, after) = (topics, period("period1"), period("period2"))
    let (first, second) = (before, after)
    let train = try queries("banking_train.jsonl.gz")
    stream = try queries("banking_stream.jsonl.gz")
    // Every tenth training query is kept for retention: of those, the ones whose intent does not move.
    training = train.enumerated().filter { $0.offset % 10 != 0 }.map(\.element)
    retention = train.enumerated().filter { $0.offset % 10 == 0 }.map(\.element)
      .filter { first[$0.intent] == second[$0.intent] }
    guard train.allSatisfy({ first[$0.intent].map(topics.contains) ?? false }) else {
      throw EditError("\(path) does not name the topic of every intent")
    }
  }

  private func topic(_ query: Query, _ period: [String: String]) -> Int {
    period[query.intent].flatMap(topics.firstIndex) ?? 0
  }

  public func run(_ engine: Engine, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }) async throws
    -> Report
  {
    let start = Date()
    let total = training.count + stream.count + retention.count
    var done = 0
    func features(_ queries: [Query]) async throws -> [[Float]] {
      var rows: [[Float]] = []
      for query in queries {
        rows.append(try await engine.embedding(of: PromptFormat.question(query.text, for: engine.loaded)))
        done += 1
        if done % 50 == 0 { progress(done, total) }
      }
      return rows
    }
    var train = try await features(training), later = try await features(stream), kept = try await features(retention)
    // Each number by its mean and deviation over the training queries.
    let width = train[0].count, count = Float(train.count)
    var mean = [Float](repeating: 0, count: width), square = mean
    for row in train { for i in 0..<width { mean[i] += row[i] / count } }
    for row in train { for i in 0..<width { square[i] += (row[i] - mean[i]) * (row[i] - mean[i]) / count } }
    func scaled(_ rows: [[Float]]) -> [[Float]] {
      rows.map { row in row.indices.map { (row[$0] - mean[$0]) / max(1e-6, square[$0].squareRoot()) } }
    }
    (train, later, kept) = (scaled(train), scaled(later), scaled(kept))
    let classifier = Classifier.trained(train, labels: training.map { topic($0, before) }, classes: topics.count)

    func accuracy(_ codebook: Codebook, _ values: [Tensor], _ rows: [[Float]], _ labels: [Int]) -> Double {
      if rows.isEmpty { return 1 }
      let right = zip(rows, labels).count { row, label in
        let hit = codebook.lookup(row)
        return classifier.label(row, hidden: hit.map { values[$0.entry] }) == label
      }
      return Double(right) / Double(rows.count)
    }
    let keptLabels = retention.map { topic($0, after) }
    let radius = radius ?? Self.usualRadius(Array(train.prefix(600)))
    var codebook = Codebook(rules: rules, initialRadius: radius)
    var values: [Tensor] = []
    var edited: [(row: [Float], label: Int)] = []
    var actions: [String: Int] = [:]
    for (query, row) in zip(stream, later) {
      let label = topic(query, after)
      let hit = codebook.lookup(row)
      guard classifier.label(row, hidden: hit.map { values[$0.entry] }) != label else { continue }
      let change = codebook.insert(row, label: [label], edit: edited.count)
      actions[change.action.rawValue, default: 0] += 1
      let value = classifier.learn(label, from: change.entry < values.count ? values[change.entry] : nil)
      if change.entry == values.count { values.append(value) } else { values[change.entry] = value }
      edited.append((row, label))
    }
    let none = Codebook(rules: rules, initialRadius: radius)
    return Report(
      retentionBefore: accuracy(none, [], kept, keptLabels),
      retentionAfter: accuracy(codebook, values, kept, keptLabels),
      editsBefore: accuracy(none, [], edited.map(\.row), edited.map(\.label)),
      editsAfter: accuracy(codebook, values, edited.map(\.row), edited.map(\.label)), edits: edited.count,
      keys: codebook.entries.count, actions: actions, radius: Double(radius), seconds: Date().timeIntervalSince(start))
  }

  /// Half the median distance to the nearest other query.
  private static func usualRadius(_ rows: [[Float]]) -> Float {
    let nearest = rows.indices.map { i in
      Double(rows.indices.lazy.filter { $0 != i }.map { rows[i].distance(to: rows[$0]) }.min() ?? 0)
    }
    return Float(nearest.median / 2)
  }
}

/// Two linear layers with a rectifier between them; the first is the one that is edited.
private struct Classifier: Sendable {
  var hidden: Tensor  // [units, features]
  var hiddenBias: Tensor  // [units]
  var output: Tensor  // [classes, units]
  var outputBias: Tensor  // [classes]

  private func logits(hidden x: Tensor) -> Tensor { matmul(relu(x), output.transposed()) + outputBias }

  func label(_ row: [Float], hidden given: Tensor?) -> Int {
    let x = given ?? matmul(Tensor(row, shape: [1, row.count]), hidden.transposed()) + hiddenBias
    return logits(hidden: x).rowMaxima[0]
  }

  /// A hidden row that gives `label`, by Adam.
  func learn(_ label: Int, from start: Tensor?) -> Tensor {
    var value = start ?? uniform([1, hidden.rows], from: 0, to: 1, random: RandomSource(seed: 0))
    var optimizer = Optimizer(.adam(learningRate: 1))
    for _ in 1...100 {
      let (loss, gradients) = valueAndGradient(at: [value]) { crossEntropy(logits(hidden: $0[0]), targets: [label]) }
      if loss.scalar < 0.05 { break }
      optimizer.update(&value, gradient: gradients[0])
    }
    return value
  }

  static func trained(_ rows: [[Float]], labels: [Int], classes: Int, units: Int = 256) -> Classifier {
    let width = rows[0].count, random = RandomSource(seed: 3)
    var parameters = [
      normal([units, width], deviation: (2 / Double(width)).squareRoot(), random: random.stream("hidden")),
      Tensor.zeros([units]),
      normal([classes, units], deviation: (1 / Double(units)).squareRoot(), random: random.stream("output")),
      Tensor.zeros([classes]),
    ]
    var optimizer = Optimizer(
      OptimizerSettings(method: .adamw, learningRate: 1e-3, beta2: 0.999, weightDecay: 0.01, clip: nil))
    let all = Tensor(rows.flatMap { $0 }, shape: [rows.count, width])
    for _ in 0..<12 {
      for start in stride(from: 0, to: rows.count, by: 128) {
        // Queries of one intent stand together in the file; a stride mixes them.
        let batch = (start..<min(rows.count, start + 128)).map { $0 * 7919 % rows.count }
        let x = all.gatherRows(batch), targets = batch.map { labels[$0] }
        let (_, gradients) = valueAndGradient(at: parameters) { p in
          let hidden = relu(matmul(x, p[0].transposed()) + p[1])
          return crossEntropy(matmul(hidden, p[2].transposed()) + p[3], targets: targets)
        }
        optimizer.update(&parameters, gradients: gradients)
      }
    }
    return Classifier(
      hidden: parameters[0], hiddenBias: parameters[1], output: parameters[2], outputBias: parameters[3])
  }
}
