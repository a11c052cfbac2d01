import MartletTensor

/// Contexts of labelled texts: class-balanced exemplars in a random order, class-balanced queries, nested flips.
public struct LabelledTask: InContextTask {
  /// The data.
  public let data: LabelledData
  private let exemplarsByClass, queriesByClass: [[LabelledData.Example]]
  /// The words of all exemplars.
  private let words: [Substring]

  /// A task of data.
  public init(_ data: LabelledData) {
    self.data = data
    exemplarsByClass = data.divided(data.exemplars)
    queriesByClass = data.divided(data.queries)
    words = data.exemplars.flatMap { $0.text.split(whereSeparator: \.isWhitespace) }
  }

  public var name: String { data.name }
  public var naturalLabels: [String]? { data.labels }
  public var classCount: Int { data.labels.count }

  public func domainTexts(_ count: Int, _ random: RandomSource) -> [String] {
    guard !words.isEmpty else { return [] }
    let length = max(1, Int((Double(words.count) / Double(data.exemplars.count)).rounded()))
    return (0..<count).map { text in
      (0..<length).map { words[random.integer(text * length + $0, below: words.count)] }.joined(separator: " ")
    }
  }

  public func allows(_ setting: InContextSetting) -> Bool {
    if case .linear = setting { false } else { true }
  }

  public func context(
    _ key: ContextKey, shots: Int, setting: InContextSetting, queries: Int
  ) throws -> InContextContext {
    let random = RandomSource(seed: UInt64(bitPattern: Int64(key.seed))).stream("contexts of " + name)
    let own = random.stream(key.block)
    let flips = try flips(of: setting, shots: shots, block: key.block)
    var exemplars: [InContextContext.Exemplar] = []
    for (gold, examples) in exemplarsByClass.enumerated() {
      guard examples.count >= shots else {
        throw ProbeError(
          "\(name): \(shots) exemplars of \"\(data.labels[gold])\" are asked for, but there are \(examples.count); lower --shots"
        )
      }
      // The first k of a random order are the exemplars for every k, and the first of those are flipped: so sets of exemplars are nested,
      // and so are flips.
      let order = own.stream("exemplars").stream(gold).permutation(examples.count)
      for place in 0..<shots {
        exemplars.append(
          .init(text: examples[order[place]].text, shown: place < flips[gold] ? (gold + 1) % classCount : gold))
      }
    }
    let order = own.stream("order").stream(shots).permutation(exemplars.count)
    return InContextContext(
      key: key, exemplars: order.map { exemplars[$0] },
      queries: try drawnQueries(queries, block: key.block, random))
  }

  /// The number of flipped exemplars of each class.
  private func flips(of setting: InContextSetting, shots: Int, block: Int) throws -> [Int] {
    guard case .flipped(let percent) = setting else { return [Int](repeating: 0, count: classCount) }
    let exemplars = shots * classCount
    guard exemplars * percent % 100 == 0 else {
      throw ProbeError(
        "\(setting.name) of \(exemplars) exemplars is no whole number; choose --shots so that \(percent) % of shots x \(classCount) classes is one, or leave the setting out"
      )
    }
    return balancedCounts(exemplars * percent / 100, classes: classCount, from: block)
  }

  /// Queries that follow those of the contexts before in a random order of each class, so that none is asked twice below a seed as long as
  /// there are others.
  private func drawnQueries(_ count: Int, block: Int, _ random: RandomSource) throws -> [InContextQuery] {
    var drawn: [InContextQuery] = []
    // As many of every class are set aside for each context as the largest share takes.
    let most = (count + classCount - 1) / classCount
    for (gold, share) in balancedCounts(count, classes: classCount, from: block).enumerated() {
      let examples = queriesByClass[gold]
      guard examples.count >= most else {
        throw ProbeError(
          "\(name): \(most) queries of \"\(data.labels[gold])\" are asked for in a context, but there are \(examples.count); lower --queries"
        )
      }
      let contextsInRound = examples.count / most
      let order = random.stream("queries").stream(gold).stream(block / contextsInRound).permutation(examples.count)
      for place in 0..<share {
        let example = examples[order[block % contextsInRound * most + place]]
        drawn.append(InContextQuery(id: example.id, text: example.text, gold: gold))
      }
    }
    let order = random.stream("order of queries").stream(block).permutation(drawn.count)
    return order.map { drawn[$0] }
  }
}
