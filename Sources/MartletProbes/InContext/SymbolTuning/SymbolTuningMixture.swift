import MartletTensor
import MartletTokenizers
import MartletTraining

/// Draws prompts of symbol tuning from some data: a random source, of many classes a random pair, 2 to 10 exemplars a class, a random format,
/// random symbols. Every prompt depends on the seed and its number alone.
public struct SymbolTuningMixture: Sendable {
  /// What is drawn.
  public struct Settings: Sendable, Equatable {
    /// The smallest and the largest number of exemplars of each class.
    public var shots = 2...10
    /// The share of prompts with natural labels instead of symbols, which keeps ordinary in-context learning.
    public var naturalShare = 0.2
    /// Whether only the label of the last text counts in the loss, as in the paper; otherwise every label counts behind which each class
    /// has been shown.
    public var countsLastLabelOnly = false
    /// The largest number of tokens of a prompt; prompts get fewer exemplars until they fit.
    public var context = 768
    /// The seed of everything drawn.
    public var seed: UInt64 = 1

    /// The defaults.
    public init() {}
  }

  /// The data.
  public let sources: [SymbolTuningSource]
  /// The symbols.
  public let vocabulary: SymbolVocabulary
  /// What is drawn.
  public let settings: Settings
  private let formats: [ExemplarFormat]

  /// A mixture of data.
  /// - Throws: ``ProbeError`` without data.
  public init(_ sources: [SymbolTuningSource], vocabulary: SymbolVocabulary, settings: Settings) throws {
    guard !sources.isEmpty else { throw ProbeError("symbol tuning needs data; name files with --data") }
    self.sources = sources
    self.vocabulary = vocabulary
    self.settings = settings
    formats = try ExemplarFormat.patterns.map { try ExemplarFormat($0.name) }
  }

  /// A prompt to tune on, with one query.
  public func trainingPrompt(_ number: Int) -> SymbolPrompt {
    let random = RandomSource(seed: settings.seed).stream("symbol tuning").stream(number)
    let isNatural = random.uniform(0) < settings.naturalShare
    return prompt(random, purpose: .training, isNatural: isNatural, queries: 1, format: nil, shots: nil)
  }

  /// A prompt to evaluate with: evaluation symbols, queries that are held out, the paper's format.
  public func evaluationPrompt(_ number: Int, shots: Int, queries: Int) -> SymbolPrompt {
    let random = RandomSource(seed: settings.seed).stream("symbol evaluation").stream(number)
    return prompt(random, purpose: .evaluation, isNatural: false, queries: queries, format: .standard, shots: shots)
  }

  private func prompt(
    _ random: RandomSource, purpose: SymbolVocabulary.Purpose, isNatural: Bool, queries: Int, format: ExemplarFormat?,
    shots: Int?
  ) -> SymbolPrompt {
    let source = sources[random.integer(1, below: sources.count)]
    let classes = Array(random.stream("classes").permutation(source.data.labels.count).prefix(2))
    let wanted = shots ?? settings.shots.lowerBound + random.integer(2, below: settings.shots.count)
    let labels =
      isNatural
      ? classes.map { source.data.labels[$0] }
      : vocabulary.symbols(classes.count, for: purpose, random.stream("symbols"))
    var exemplars: [(text: String, shown: Int)] = [], asked: [InContextQuery] = []
    let perClass = balancedCounts(queries, classes: classes.count, from: random.integer(3, below: classes.count))
    for (place, gold) in classes.enumerated() {
      let examples = source.training[gold]
      let order = random.stream("exemplars").stream(place).permutation(examples.count)
      let held = purpose == .training || source.heldOut[gold].isEmpty ? [] : source.heldOut[gold]
      // A text is never both an exemplar and a query: of few texts less is asked.
      let reserved = held.isEmpty ? min(perClass[place], examples.count / 2) : 0
      let shown = min(wanted, examples.count - reserved)
      exemplars += order.prefix(shown).map { (examples[$0].text, place) }
      let heldOrder = random.stream("queries").stream(place).permutation(held.count)
      let drawn = held.isEmpty ? order.dropFirst(shown).map { examples[$0] } : heldOrder.map { held[$0] }
      asked += drawn.prefix(perClass[place]).map { InContextQuery(id: $0.id, text: $0.text, gold: place) }
    }
    let order = random.stream("order").permutation(exemplars.count)
    return SymbolPrompt(
      source: source.data.name, labels: labels, isNatural: isNatural,
      format: format ?? formats[random.integer(4, below: formats.count)], exemplars: order.map { exemplars[$0] },
      queries: asked)
  }

  // MARK: Training data

  /// Prompts as tokens, with the labels that count.
  /// - Throws: ``ProbeError`` if not even one exemplar of each class fits the context.
  public func trainingData(_ count: Int, tokenizer: any Tokenizer) throws -> TrainingData {
    var data = TrainingData()
    for number in 0..<count {
      var prompt = trainingPrompt(number)
      while true {
        let (tokens, counts) = tokens(of: prompt, tokenizer)
        if tokens.count <= settings.context + 1 {
          if counts.contains(true) { data.append(tokens, counts: counts) }
          break
        }
        // One exemplar of the class with the most goes, the last of it.
        let sizes = prompt.labels.indices.map { label in prompt.exemplars.count { $0.shown == label } }
        guard let most = sizes.max(), most > 1, let label = sizes.firstIndex(of: most),
          let last = prompt.exemplars.lastIndex(where: { $0.shown == label })
        else { break }
        prompt.exemplars.remove(at: last)
      }
    }
    guard !data.examples.isEmpty else {
      throw ProbeError(
        "no prompt fits \(settings.context) tokens; raise --context, or take data with shorter texts")
    }
    return data
  }

  /// The tokens of a prompt with the label of its query, and which of them count.
  func tokens(of prompt: SymbolPrompt, _ tokenizer: any Tokenizer) -> (tokens: [Int], counts: [Bool]) {
    func encode(_ text: String) -> [Int] {
      let ids = tokenizer.encode(text, special: false)
      guard let begin = tokenizer.beginOfText, ids.first != begin else { return ids }
      return [begin] + ids
    }
    var text = "", seen: Set<Int> = []
    var spans: [(start: Int, end: Int)] = []
    let pairs = prompt.exemplars + prompt.queries.prefix(1).map { ($0.text, $0.gold) }
    for (place, pair) in pairs.enumerated() {
      let isLast = place == pairs.count - 1
      let question = text + prompt.format.query(pair.0)
      let answered = question + prompt.format.continuation(prompt.labels[pair.1])
      if isLast || !settings.countsLastLabelOnly && seen.count == prompt.labels.count {
        spans.append((encode(question).count, encode(answered).count))
      }
      seen.insert(pair.1)
      text += prompt.format.exemplar(pair.0, prompt.labels[pair.1])
    }
    // The end of the last label is learnt as well: what stands behind labels begins there.
    let tokens = encode(text)
    var counts = [Bool](repeating: false, count: tokens.count)
    for span in spans {
      for place in span.start..<min(span.end + 1, tokens.count) where place > 0 { counts[place] = true }
    }
    return (tokens, counts)
  }
}
