import MartletEngine
import MartletModels
import MartletTokenizers

/// What a model has to read to score some requests: pieces of text, each behind another one or at the beginning.
struct ScoringPlan {
  /// A token that is scored: the one at `place` of a request's continuation.
  struct Target: Sendable {
    let request: Int
    let place: Int
    let token: Int
  }

  /// Tokens that are read in one go, from the state behind the parent.
  struct Piece {
    var tokens: [Int]
    var parent: Int?
    /// Which rows are scored, in rising order, and with which tokens.
    var scored: [(row: Int, targets: [Target])]
    /// The context with interventions that the piece is or follows.
    var intervened: Int?
    /// Whether it is that context itself.
    var endsContext = false
  }

  /// A request as it is read.
  struct Reading {
    /// The context from the first token that is read.
    let context: ArraySlice<Int>
    /// The same to the end of the prompt, at which interventions act.
    let prompt: [Int]
    let continuation: [Int]
    let truncatedTokens: Int
    /// The context with interventions, by its number.
    var intervened: Int?
    /// Whether a plan would have kept an answer to words, or acted where it cannot.
    var keepsToWords = false
  }

  /// In an order in which a piece follows its parent, and rows come as they were given.
  private(set) var pieces: [Piece] = []
  /// The pieces that follow each one.
  private(set) var children: [[Int]] = []
  private(set) var readings: [Reading] = []
  /// The interventions at the contexts that have any.
  private(set) var interventions: [[Intervention]] = []

  /// A common beginning of fewer tokens costs less to read again than to copy the state behind it.
  private static let leastShared = 4

  init(_ rows: [[TokenizedRequest]], scorer: ModelScorer) throws {
    var tree = PrefixTree()
    let common = tree.addRoot()
    var ends: [Int] = []  // of each request, the node at its end
    var plans: [[Int]: Planned] = [:]  // of prompts
    var fixed: [Int: Int] = [:]  // the node at the end of a context with interventions -> its number
    var roots: [Int] = []  // of each context with interventions
    var numbers: [[Int]: Int] = [:]  // of contexts with interventions, as they are read
    for request in rows.joined() {
      var reading = try Self.reading(of: request, scorer: scorer)
      if let source = scorer.options.interventions {
        // Whether a token lies across the end of the prompt is the continuation's doing.
        let planned =
          request.promptTail == nil
          ? Planned(request, reading, source: source, scorer: scorer)
          : plans[reading.prompt] ?? Planned(request, reading, source: source, scorer: scorer)
        if request.promptTail != nil { plans[reading.prompt] = planned }
        reading.keepsToWords = planned.keepsToWords
        if !planned.interventions.isEmpty {
          // Requests share a context with interventions only whole, and as it is read.
          let number = numbers[reading.prompt] ?? interventions.count
          if number == interventions.count {
            numbers[reading.prompt] = number
            interventions.append(planned.interventions)
            roots.append(tree.addRoot())
            fixed[tree.insert(reading.prompt, root: roots[number])] = number
          }
          reading.intervened = number
        }
      }
      readings.append(reading)
      let root = reading.intervened.map { roots[$0] } ?? (scorer.options.packing ? common : tree.addRoot())
      ends.append(tree.insert(Array(reading.context + reading.continuation.dropLast()), root: root))
    }
    arrange(tree, targets: targets(in: tree, ends: ends), fixed: fixed)
  }

  /// A request without what is too long.
  private static func reading(of request: TokenizedRequest, scorer: ModelScorer) throws -> Reading {
    try scorer.check(request)
    // Of N + 1 tokens the model reads N: the last is only scored.
    let read = request.context.count + request.continuation.count - 1
    let truncated = max(0, read - (scorer.maxLength ?? read))
    let context = request.context.dropFirst(truncated)
    return Reading(
      context: context, prompt: Array(context) + request.continuation.prefix(request.promptTail ?? 0),
      continuation: request.continuation, truncatedTokens: truncated)
  }

  /// The scored tokens by the node in which the row before them lies, with the place of that row.
  private func targets(in tree: PrefixTree, ends: [Int]) -> [Int: [(row: Int, target: Target)]] {
    var found: [Int: [(row: Int, target: Target)]] = [:]
    for (request, end) in ends.enumerated() {
      let reading = readings[request]
      var node = end
      for place in reading.continuation.indices.reversed() {
        let position = reading.context.count - 1 + place
        while tree.nodes[node].start > position { node = tree.nodes[node].parent }
        let target = Target(request: request, place: place, token: reading.continuation[place])
        found[node, default: []].append((position - tree.nodes[node].start, target))
      }
    }
    return found
  }

  /// Makes pieces of nodes. What is too short to share, or has one continuation only, is read with what follows.
  private mutating func arrange(
    _ tree: PrefixTree, targets: [Int: [(row: Int, target: Target)]], fixed: [Int: Int]
  ) {
    struct Step {
      let node: Int
      var before: [Int] = []
      var scored: [(row: Int, target: Target)] = []
      var parent: Int?
    }
    var steps = Array(tree.children(of: tree.roots).map { Step(node: $0) }.reversed())
    while let step = steps.popLast() {
      let tokens = step.before + tree.nodes[step.node].tokens
      let scored = step.scored + (targets[step.node] ?? []).map { ($0.row + step.before.count, $0.target) }
      let children = tree.children(of: [step.node])
      let isShared = children.count > 1 && tokens.count >= Self.leastShared
      if !children.isEmpty, !isShared, fixed[step.node] == nil {
        for (place, child) in children.enumerated().reversed() {
          // Rows that are read several times are scored the first time.
          steps.append(
            Step(node: child, before: tokens, scored: place == 0 ? scored : [], parent: step.parent))
        }
        continue
      }
      var piece = Piece(tokens: tokens, parent: step.parent, scored: [])
      piece.intervened = fixed[step.node] ?? step.parent.flatMap { pieces[$0].intervened }
      piece.endsContext = fixed[step.node] != nil
      for (row, target) in scored.sorted(by: { $0.row < $1.row }) {
        if piece.scored.last?.row == row {
          piece.scored[piece.scored.count - 1].targets.append(target)
        } else {
          piece.scored.append((row, [target]))
        }
      }
      pieces.append(piece)
      let number = pieces.count - 1
      for child in children.reversed() { steps.append(Step(node: child, parent: number)) }
    }
    children = [[Int]](repeating: [], count: pieces.count)
    for (number, piece) in pieces.enumerated() { if let parent = piece.parent { children[parent].append(number) } }
  }
}

/// What an intervention source plans for a context.
private struct Planned {
  var interventions: [Intervention]
  var keepsToWords: Bool

  init(
    _ scored: TokenizedRequest, _ reading: ScoringPlan.Reading, source: any InterventionSource, scorer: ModelScorer
  ) {
    let length = reading.prompt.count
    var request = Request(tokens: reading.prompt)
    request.question =
      scored.question
      ?? Self.question(String(decoding: scorer.loaded.tokenizer.decode(scored.context), as: UTF8.self))
    let plan = source.plan(for: request, loaded: scorer.loaded)
    interventions = plan.interventions.filter {
      let count = $0.rows.count(ofPrompt: length)
      return count > 0 && count <= length
    }
    if scored.promptTail == nil {
      // No token ends where the prompt does, so nothing can act there.
      keepsToWords = plan.grammar != nil || !interventions.isEmpty
      interventions = []
    } else {
      keepsToWords = plan.grammar != nil && interventions.isEmpty
    }
  }

  /// A context in the form of `PromptFormat.question` is that question; any other is a raw prompt.
  private static func question(_ text: String) -> Question {
    let (begin, end) = ("Question: ", "\nAnswer:")
    guard text.hasPrefix(begin), text.hasSuffix(end), text.count >= begin.count + end.count else {
      return Question(text, format: .raw)
    }
    return Question(String(text.dropFirst(begin.count).dropLast(end.count)), format: .question)
  }
}
