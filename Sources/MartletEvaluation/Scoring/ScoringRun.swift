import MartletEngine
import MartletModels

/// The way from requests to scores: which pieces a pass reads, which states are kept until all that follows them is read,
/// and what is known so far.
///
/// Pieces are read in the order of ``ScoringPlan``, children before what comes later, so that few states are kept and rows
/// become complete about in their order.
struct ScoringRun {
  /// `[row][request]`; a row is complete once ``takeFinished()`` has named it.
  private(set) var scores: [[ContinuationScore]]

  private let scorer: ModelScorer
  private let plan: ScoringPlan
  /// Of each request, its row and its place in it.
  private let places: [(row: Int, place: Int)]
  /// The tokens of each row that are not scored yet.
  private var missing: [Int]
  private var finished: [Int]

  /// Pieces of which something is to be read and whose parent has been read, in rising order; those without a parent come
  /// into it one by one.
  private var waiting: [Int] = []
  private var roots: ArraySlice<Int>
  /// How much of a piece has been read.
  private var read: [Int: Int] = [:]
  /// States behind pieces: those that are read in part, and those that others go on from.
  private var states: [Int: any SequenceState] = [:]
  /// How many children of a piece have not begun.
  private var unbegun: [Int]
  /// The pieces of the pass that runs, with the rows that it reads of each.
  private var running: [(piece: Int, rows: Range<Int>)] = []
  /// Contexts at which interventions have changed a pass.
  private var changed: Set<Int> = []

  /// The memory that the states of a pass may take beyond what they share.
  private static let stateByteCount = 1 << 30

  init(_ rows: [[TokenizedRequest]], scorer: ModelScorer) throws {
    self.scorer = scorer
    plan = try ScoringPlan(rows, scorer: scorer)
    places = rows.enumerated().flatMap { row, requests in requests.indices.map { (row, $0) } }
    let plan = plan
    var number = 0
    scores = rows.map { requests in
      requests.map { request in
        var score = ContinuationScore(
          logLikelihood: 0, isGreedy: true,
          tokenLogLikelihoods: [Float](repeating: 0, count: request.continuation.count))
        score.truncatedTokens = plan.readings[number].truncatedTokens
        if plan.readings[number].keepsToWords { score.influence = .wordsOnly }
        number += 1
        return score
      }
    }
    missing = rows.map { $0.reduce(0) { $0 + $1.continuation.count } }
    finished = missing.indices.filter { rows[$0].isEmpty }
    roots = plan.pieces.indices.filter { plan.pieces[$0].parent == nil }[...]
    unbegun = plan.children.map(\.count)
  }

  /// The rows that have become complete since the last call.
  mutating func takeFinished() -> [Int] {
    defer { finished = [] }
    return finished
  }

  /// The next pass; nil when all has been read. Its results have to be taken before the next one is asked for.
  mutating func nextPass() -> ScoringPass? {
    var sequences: [ScoringPass.Sequence] = []
    var room = max(1, scorer.options.tokensPerPass), memory = Self.stateByteCount
    running = []
    var left: [Int] = []
    while room > 0, memory > 0 || sequences.isEmpty, scorer.options.packing || sequences.isEmpty {
      guard let piece = waiting.popFirst() ?? roots.popFirst() else { break }
      let rows = nextRows(of: piece, room: room, isAlone: sequences.isEmpty)
      guard !rows.isEmpty else {
        left.append(piece)
        break
      }
      let sequence = sequence(piece, rows)
      room -= rows.count
      memory -= sequence.state?.copyByteCount ?? 0
      sequences.append(sequence)
      running.append((piece, rows))
    }
    waiting = left + waiting
    return sequences.isEmpty ? nil : ScoringPass(model: scorer.loaded.model, sequences: sequences)
  }

  /// The rows of a piece that a pass with `room` for so many reads; none where the pass has to begin with it.
  private func nextRows(of piece: Int, room: Int, isAlone: Bool) -> Range<Int> {
    let start = read[piece] ?? 0, end = plan.pieces[piece].tokens.count
    guard end - start > room else { return start..<end }
    // An intervention sees the last rows of a context in one pass.
    let together = plan.pieces[piece].endsContext ? rowsTogether(plan.pieces[piece]) : 1
    let count = min(room, end - start - together)
    if count > 0 { return start..<start + count }
    return isAlone ? start..<end : start..<start
  }

  private func rowsTogether(_ piece: ScoringPlan.Piece) -> Int {
    interventions(of: piece).reduce(1) { most, intervention in
      if case .endOfPrompt(let count) = intervention.rows { max(most, count) } else { most }
    }
  }

  private func interventions(of piece: ScoringPlan.Piece) -> [Intervention] {
    piece.intervened.map { plan.interventions[$0] } ?? []
  }

  private mutating func sequence(_ number: Int, _ rows: Range<Int>) -> ScoringPass.Sequence {
    let piece = plan.pieces[number]
    var sequence = ScoringPass.Sequence(tokens: piece.tokens[rows])
    if rows.lowerBound > 0 {
      sequence.state = states.removeValue(forKey: number)
    } else if let parent = piece.parent {
      unbegun[parent] -= 1
      sequence.state = states[parent]
      sequence.copiesState = unbegun[parent] > 0
      if unbegun[parent] == 0 { states[parent] = nil }
    }
    for intervention in interventions(of: piece) {
      switch intervention.rows {
      case .all: sequence.interventions.append((intervention, 0..<rows.count))
      case .endOfPrompt(let count):
        guard piece.endsContext, rows.upperBound == piece.tokens.count else { continue }
        sequence.interventions.append((intervention, rows.count - count..<rows.count))
      }
    }
    sequence.scored = piece.scored.filter { rows.contains($0.row) }.map { ($0.row - rows.lowerBound, $0.targets) }
    return sequence
  }

  /// Takes in what the pass has found that ``nextPass()`` returned last.
  /// - Throws: `ModelOutputError` where the model computes NaN.
  mutating func take(_ results: [ScoringPass.Result]) throws {
    var ready: [Int] = []
    for (result, (number, rows)) in zip(results, running) {
      let piece = plan.pieces[number]
      if result.isChanged, let context = piece.intervened { changed.insert(context) }
      let targets = piece.scored.filter { rows.contains($0.row) }.map(\.targets)
      for (targets, scores) in zip(targets, result.scores) {
        for (target, score) in zip(targets, scores) { try take(score, target) }
      }
      if rows.upperBound < piece.tokens.count {
        read[number] = rows.upperBound
        states[number] = result.state
        ready.append(number)
      } else if !plan.children[number].isEmpty {
        states[number] = result.state
        ready += plan.children[number]
      }
    }
    waiting = (waiting + ready).sorted()
  }

  private mutating func take(_ score: (logProbability: Float, isBest: Bool), _ target: ScoringPlan.Target) throws {
    guard !score.logProbability.isNaN else { throw ModelOutputError() }
    let (row, place) = places[target.request]
    scores[row][place].tokenLogLikelihoods[target.place] = score.logProbability
    scores[row][place].isGreedy = scores[row][place].isGreedy && score.isBest
    missing[row] -= 1
    guard missing[row] == 0 else { return }
    finished.append(row)
    let first = target.request - place
    for place in scores[row].indices {
      scores[row][place].logLikelihood = scores[row][place].tokenLogLikelihoods.reduce(0.0) { $0 + Double($1) }
      if let context = plan.readings[first + place].intervened, changed.contains(context) {
        scores[row][place].influence = .acted
      }
    }
  }
}

extension Array {
  fileprivate mutating func popFirst() -> Element? { isEmpty ? nil : removeFirst() }
}
