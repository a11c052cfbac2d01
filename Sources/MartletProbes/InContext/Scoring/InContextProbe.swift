import MartletData
import MartletEvaluation
import MartletTensor

/// Asks models the queries of a design, context by context. All that is asked behind the same exemplars is read in one go, the exemplars
/// once.
public struct InContextProbe: Sendable {
  /// What is asked.
  public let tasks: [any InContextTask]
  /// How it is asked.
  public let design: InContextDesign
  private let cells: [InContextDesign.Cell]

  /// A probe of some tasks.
  /// - Throws: ``ProbeError`` if a task cannot be put as designed.
  public init(_ tasks: [any InContextTask], design: InContextDesign) throws {
    self.tasks = tasks
    self.design = design
    cells = try design.cells(tasks)
    var names: Set<String> = []
    for task in tasks where !names.insert(task.name).inserted {
      throw ProbeError("two tasks are called \(task.name); rename one of the files")
    }
    // What cannot be drawn is said before anything is asked.
    for cell in cells { for key in design.contextKeys.prefix(2) { _ = try context(cell, key) } }
  }

  /// The number of contexts of each model.
  public var contextCount: Int { cells.count * design.contextKeys.count }
  /// The number of queries in a context.
  public var queriesPerContext: Int { design.queries }

  /// How it is asked, for the head of a page.
  public var conditions: [String] {
    let tasks = tasks.map(\.name).joined(separator: ", ")
    let scoring =
      switch design.scoring {
      case .ranking: "Labels are ranked by their log-likelihoods."
      case .generation: "Answers are generated and compared with the labels."
      case .both: "Labels are ranked by their log-likelihoods, and answers are generated and compared with the labels."
      }
    return [
      "Tasks: \(tasks). \(design.seeds) x \(design.contexts) contexts (seeds x contexts of each) with \(design.queries) queries: \(design.seeds * design.contexts * design.queries) queries a cell; the same contexts, order and queries in every setting and for every model.",
      "Exemplars are written as \(design.format.name.replacing("\n", with: "\\n")). \(scoring)",
    ]
  }

  /// The rows of an earlier run of the same models, divided among them. The rows of a context that is not complete are left out.
  /// - Throws: ``ProbeError`` if they are of other models, ask something else, or are in another order.
  public func resumed(_ rows: [InContextRow], by subjects: [InContextSubject]) throws -> [[InContextRow]] {
    let perModel = contextCount * queriesPerContext
    guard rows.count <= perModel * subjects.count else {
      throw ProbeError(
        "the rows file holds \(rows.count) rows, more than this run asks; resume with the same options, or choose another --rows"
      )
    }
    var rest = rows[...]
    return try subjects.map { subject in
      var done: [InContextRow] = []
      for cell in cells {
        for key in design.contextKeys where !rest.isEmpty {
          let context = try context(cell, key)
          let planned = planned(cell, context, prompt(context, cell), subject)
          try check(rest.prefix(planned.count), against: planned)
          if rest.count >= planned.count { done += rest.prefix(planned.count) }
          rest = rest.dropFirst(planned.count)
        }
      }
      return done
    }
  }

  private func context(_ cell: InContextDesign.Cell, _ key: ContextKey) throws -> InContextContext {
    try cell.task.context(key, shots: cell.shots, setting: cell.setting, queries: design.queries)
  }

  private func prompt(_ context: InContextContext, _ cell: InContextDesign.Cell) -> String {
    context.exemplars.map { design.format.exemplar($0.text, cell.labels[$0.shown]) }.joined()
  }

  /// Checks that the longest prompts fit the context window of a model: the queries behind the most exemplars.
  /// - Throws: ``ProbeError`` that names the prompt that does not fit and what helps.
  public func checkLengths(_ subject: InContextSubject) throws {
    guard subject.contextLength != nil, let most = design.shots.max() else { return }
    for cell in cells where cell.shots == most {
      for key in design.contextKeys {
        let context = try context(cell, key), prompt = prompt(context, cell)
        guard let longest = context.queries.max(by: { $0.text.utf8.count < $1.text.utf8.count }) else { continue }
        _ = try encode(prompt + design.format.query(longest.text), cell.labels, cell, subject)
      }
    }
  }

  /// Asks a model everything.
  ///
  /// - Parameters:
  ///   - subject: the model.
  ///   - done: rows of an earlier run of the same probe, which are not asked again: those of whole contexts, in their order.
  ///   - finished: called with the rows of each context, in order, as soon as they are known.
  /// - Throws: ``ProbeError`` if a prompt does not fit the context window, or a row of `done` is of another probe.
  public func run(
    _ subject: InContextSubject, after done: [InContextRow] = [], finished: ([InContextRow]) throws -> Void
  ) async throws {
    var beliefs: [String: [Double]] = [:]
    var place = 0
    for cell in cells {
      for key in design.contextKeys {
        let context = try context(cell, key), prompt = prompt(context, cell)
        var rows = planned(cell, context, prompt, subject)
        if place < done.count {
          guard done.count - place >= rows.count else {
            throw ProbeError("the rows of the earlier run end inside a context; keep those of whole contexts")
          }
          try check(done[place...].prefix(rows.count), against: rows)
          for row in done[place...].prefix(rows.count) where !row.zeroShotScores.isEmpty {
            beliefs[row.task + "\n" + row.query] = row.zeroShotScores
          }
          place += rows.count
          continue
        }
        try await ask(&rows, cell, context, prompt, subject, beliefs: &beliefs)
        try finished(rows)
      }
    }
  }

  /// The rows of a context before they are asked.
  private func planned(
    _ cell: InContextDesign.Cell, _ context: InContextContext, _ prompt: String, _ subject: InContextSubject
  ) -> [InContextRow] {
    context.queries.map { query in
      var row = InContextRow(
        task: cell.task.name, shots: cell.shots, setting: cell.setting.name, context: context.key, query: query.id,
        gold: query.gold, scores: [])
      row.model = subject.model.name
      row.labels = cell.labels
      var digest = SHA256()
      digest.update(
        Array(
          ([subject.model.fingerprint, design.asked, prompt + design.format.query(query.text)] + cell.labels)
            .joined(separator: "\0").utf8))
      row.digest = String(digest.finalize().prefix(16))
      return row
    }
  }

  private func check(_ done: ArraySlice<InContextRow>, against rows: [InContextRow]) throws {
    for (old, new) in zip(done, rows) {
      let isSame =
        old.cell == new.cell && old.context == new.context && old.query == new.query && old.gold == new.gold
        && old.labels == new.labels && old.digest == new.digest
        && old.scores.isEmpty == (design.scoring == .generation) && (old.answer == nil) == (design.scoring == .ranking)
      guard isSame else {
        throw ProbeError(
          "the rows file holds \(old.task), \(old.setting), seed \(old.context.seed), block \(old.context.block), query \(old.query) of another run, whose model, prompt, labels or calibration are not those that are asked now; resume with the same options, or choose another --rows"
        )
      }
    }
  }

  /// Fills rows with what the model says.
  private func ask(
    _ rows: inout [InContextRow], _ cell: InContextDesign.Cell, _ context: InContextContext, _ prompt: String,
    _ subject: InContextSubject, beliefs: inout [String: [Double]]
  ) async throws {
    let questions = try context.queries.map { query in
      try encode(prompt + design.format.query(query.text), cell.labels, cell, subject)
    }
    if design.scoring != .generation {
      try await rank(&rows, questions, cell, context, prompt, subject, beliefs: &beliefs)
    }
    guard design.scoring != .ranking else { return }
    let most = questions.flatMap { $0.map(\.continuation.count) }.max() ?? 1
    let requests = context.queries.map { query in
      GenerationRequest(
        context: prompt + design.format.query(query.text), stops: [design.format.stop],
        maxTokens: most + Self.tokensBeyondLabels)
    }
    var answered = rows
    try await subject.model.generator.generate(requests) { place, answer in
      answered[place].generated = answer.text
      answered[place].answer = InContextRow.Answer(answer.text, among: cell.labels)
    }
    rows = answered
  }

  /// How many more tokens than the longest label an answer may have: enough to see that it is none.
  private static let tokensBeyondLabels = 4

  private func rank(
    _ rows: inout [InContextRow], _ questions: [[TokenizedRequest]], _ cell: InContextDesign.Cell,
    _ context: InContextContext, _ prompt: String, _ subject: InContextSubject, beliefs: inout [String: [Double]]
  ) async throws {
    let contentFree = design.usesContentFreeQueries ? InContextDesign.contentFreeTexts : []
    let random = RandomSource(seed: UInt64(bitPattern: Int64(context.key.seed))).stream("domain").stream(
      context.key.block)
    let domain = design.domainQueries > 0 ? cell.task.domainTexts(design.domainQueries, random) : []
    let references = try (contentFree + domain).map {
      try encode(prompt + design.format.query($0), cell.labels, cell, subject)
    }
    // What the model believes does not depend on exemplars, so it is asked once.
    var unknown: [InContextQuery] = []
    if design.usesZeroShotQueries, cell.task.naturalLabels != nil {
      unknown = context.queries.filter { beliefs[cell.task.name + "\n" + $0.id] == nil }
    }
    let natural = cell.task.naturalLabels ?? []
    let plain = try unknown.map { try encode(design.format.query($0.text), natural, cell, subject) }
    let scores = try await subject.model.scorer.scores(questions + references + plain).map { $0.map(\.logLikelihood) }
    for (query, scores) in zip(unknown, scores.suffix(unknown.count)) {
      beliefs[cell.task.name + "\n" + query.id] = scores
    }
    for place in rows.indices {
      rows[place].scores = scores[place]
      rows[place].tokenCounts = questions[place].map(\.continuation.count)
      let reference = scores[rows.count...]
      rows[place].contentFreeScores = Array(reference.prefix(contentFree.count))
      rows[place].domainScores = Array(reference.dropFirst(contentFree.count).prefix(domain.count))
      rows[place].zeroShotScores = beliefs[cell.task.name + "\n" + context.queries[place].id] ?? []
    }
  }

  /// A prompt with each label behind it.
  /// - Throws: ``ProbeError`` if it does not fit the context window: exemplars are never left out silently.
  private func encode(
    _ prompt: String, _ labels: [String], _ cell: InContextDesign.Cell, _ subject: InContextSubject
  ) throws -> [TokenizedRequest] {
    try labels.map { label in
      let request = try subject.model.scorer.encode(
        ContinuationRequest(context: prompt, continuation: design.format.continuation(label)))
      let count = request.context.count + request.continuation.count
      if let limit = subject.contextLength, count > limit {
        throw ProbeError(
          "\(cell.task.name), \(cell.setting.name): a prompt with \(cell.shots) exemplars a class has \(count) tokens, but the context window of \(subject.model.name) holds \(limit); lower --shots, or use a shorter --template"
        )
      }
      return request
    }
  }
}
