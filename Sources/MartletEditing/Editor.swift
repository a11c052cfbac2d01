import Foundation
import MartletData
import MartletEngine
import MartletModels
import MartletTensor
import MartletTokenizers

/// Makes, undoes and verifies edits. It is the only writer of an ``EditBook``, which may have many readers.
public actor Editor {
  /// The engine that runs the model.
  public nonisolated let engine: Engine
  /// The edits in force.
  public nonisolated let book: EditBook
  /// The file of the edits.
  public nonisolated let store: EditStore
  /// The attempts to train a value, which are made in order until the model generates the answer.
  private var attempts = ValueAttempt.standard
  private var trainer: (any TrainableModel)?
  /// Whether a value is kept that does not produce the answer word for word, for experiments that measure likelihood.
  private var toleratesErrors = false
  /// The last change, for which the next one waits.
  private var last: Task<Void, Never>?

  /// The largest number of tokens of an answer: a value of a few rows cannot encode more.
  static let longestAnswer = 96

  /// - Parameters:
  ///   - engine: the engine that runs the edited model.
  ///   - book: the edits in force, which the editor changes.
  ///   - store: the file in which the edits are kept.
  public init(engine: Engine, book: EditBook, store: EditStore) {
    self.engine = engine
    self.book = book
    self.store = store
  }

  private nonisolated var loaded: LoadedModel { book.loaded }
  private nonisolated var site: EditSite { book.site }

  /// Runs changes one at a time, also if they come from different tasks.
  private func exclusively<Result: Sendable>(
    _ body: @escaping @Sendable (isolated Editor) async throws -> Result
  ) async throws -> Result {
    let previous = last
    let task = Task {
      await previous?.value
      return try await body(self)
    }
    last = Task { _ = try? await task.value }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// Sets the attempts that are made to train a value.
  public func set(_ attempts: [ValueAttempt]) { self.attempts = attempts }

  /// Takes what one attempt gives, right or not: for experiments that score likelihood.
  package func tolerate(_ attempt: ValueAttempt) {
    attempts = [attempt]
    toleratesErrors = true
  }

  // MARK: making edits

  /// Makes the model answer a prompt as given. When this method returns, the edit is on disk and in force.
  /// - Throws: ``EditError`` with the reason if the edit cannot be made; in this case nothing has changed.
  public func add(_ correction: Correction) async throws -> EditOutcome { try await add(correction, origin: nil) }

  /// - Parameter origin: where the edit was made before.
  func add(_ correction: Correction, origin: EditOrigin?) async throws -> EditOutcome {
    try await exclusively { try await $0.make(correction, origin) }
  }

  private func make(_ correction: Correction, _ origin: EditOrigin?) async throws -> EditOutcome {
    let start = Date()
    guard !store.isReadOnly else {
      throw EditError("\(store.path) cannot be written, so no edit can be made; check its permissions")
    }
    _ = try book.catchUp(with: store)
    let answer = correction.answer.trimmingCharacters(in: .whitespacesAndNewlines)
    let label = try check(correction, answer)
    let prompt = try site.format.encode(correction.prompt, for: loaded)
    let words = self.words(correction.prompt, subject: correction.subject)
    if let same = try liveEdit(of: words, saying: answer, in: book.snapshot) { return .duplicate(same) }
    let before = try await self.answer(prompt, question: correction.prompt, limit: label.count + 16)
    if before.edit == nil, before.text == answer { return .alreadyRight }

    let learned = try await learn(
      prompt: prompt, label: label, answer: answer, first: origin?.value.flatMap(rows))
    let value = learned.value
    var correction = correction
    correction.rewordings += try await ownRewordings(
      of: correction.prompt, words: words, count: correction.ownRewordings)
    let calibration = book.snapshot.calibration
    let keys = try questions(of: correction, words: words, in: book.snapshot)
    let table = book.snapshot.values
    let value16 = (0..<value.rows).map { table.encoded(value.rows($0..<$0 + 1).values) }
    var record = Edit(
      created: origin?.created ?? start, prompt: correction.prompt, answer: answer, before: before.text,
      after: learned.after, status: .live, subject: correction.subject, author: correction.author, radius: 0,
      action: Codebook.Action.add.rawValue, label: label.map(String.init).joined(separator: " "), rows: value.rows,
      loss: learned.loss, iterations: learned.iterations, seconds: Date().timeIntervalSince(start),
      isVerified: learned.after == answer, verified: Date())
    // An edit that was learned elsewhere and works here unchanged keeps its measurements.
    if let origin, learned.iterations == 0 {
      record.loss = origin.loss ?? record.loss
      record.iterations = origin.iterations ?? record.iterations
    }
    let draft = record, change = correction
    return try book.change(store) { snapshot, version, binding in
      // Another process may have made edits or a calibration while this edit was learned.
      if let same = try liveEdit(of: words, saying: answer, in: snapshot) { return (.duplicate(same), nil) }
      let keys =
        snapshot.calibration == calibration ? keys : try questions(of: change, words: words, in: snapshot)
      let made = try keep(draft, keys, value16, label, in: &snapshot, version, binding)
      return (.made(made.record), made.version)
    }
  }

  private typealias Key = (prompt: String, subject: String?, words: QuestionWords, key: [UInt8])

  /// Stores an edit and puts it into force.
  private func keep(
    _ draft: Edit, _ keys: [Key], _ value: [[UInt8]], _ label: [Int], in snapshot: inout EditSnapshot,
    _ version: EditStore.Version?, _ binding: EditStore.Binding?
  ) throws -> (record: Edit, version: EditStore.Version) {
    var record = draft
    record.radius = Double(snapshot.calibration.radius)
    // The codebook uses the vectors as they are stored, in 16 bits.
    var kept = snapshot.keys
    kept.append(keys[0].key)
    let key = kept.vector(kept.count - 1)
    if var codebook = snapshot.codebook {
      let change = codebook.insert(key, label: label, edit: 0)
      record.action = change.action.rawValue
      record.radius = Double(codebook.entries[change.entry].radius)
    }
    let superseded = try sameQuestion(keys[0].words, in: snapshot).filter { $0.status == .live }.compactMap(\.id)
    let made = try store.insert(
      record, keys: keys.map { ($0.prompt, $0.subject, Data($0.key)) }, value: Data(value.flatMap { $0 }),
      superseded: superseded, binding: binding.map { ($0, snapshot.calibration) }, after: version)
    guard let id = made.record.id else { throw EditError("the store did not assign a number to the edit") }
    for old in superseded { snapshot.set(edit: old, isLive: false) }
    snapshot.add(
      LoadedEdit(
        edit: id, questions: keys.map { ($0.words, $0.key) }, value: value, answer: record.answer, isLive: true))
    snapshot.codebook?.insert(key, label: label, edit: id)
    return made
  }

  private func check(_ correction: Correction, _ answer: String) throws -> [Int] {
    guard correction.prompt.contains(where: { !$0.isWhitespace }) else {
      throw EditError("the prompt is empty; give the question that gets a wrong answer")
    }
    guard !answer.isEmpty else { throw EditError("the answer is empty; give the answer that the model should give") }
    try correction.checkCharacters()
    let label = try site.format.encode(answer: answer, for: loaded)
    guard label.count <= Self.longestAnswer else {
      throw EditError(
        "the answer has \(label.count) tokens, but an edit can have at most \(Self.longestAnswer); give a shorter answer"
      )
    }
    try checkCanBeSaid(answer, label)
    let prompt = try site.format.encode(correction.prompt, for: loaded).count
    if let limit = loaded.model.description.contextLength, prompt + label.count >= limit {
      throw EditError("prompt and answer have \(prompt + label.count) tokens, but the model's context ends at \(limit)")
    }
    if let subject = correction.subject, QuestionWords(subject).items.isEmpty {
      throw EditError("the subject \"\(subject)\" contains no word")
    }
    return label
  }

  private func words(_ question: String, subject: String?) -> QuestionWords {
    QuestionWords(question, subject: subject, continues: site.format == .raw)
  }

  /// Rejects an answer that the model cannot generate, because learning it would take time and fail.
  private func checkCanBeSaid(_ answer: String, _ label: [Int]) throws {
    let tokenizer = loaded.tokenizer
    guard tokenizer.encode(answer, special: true) == tokenizer.encode(answer, special: false) else {
      throw EditError("the answer contains the name of a control token, which answers never show; leave it out")
    }
    if site.format == .chat, let stop = loaded.chatFormat.stops.first(where: answer.contains) {
      throw EditError(
        "the answer contains \(JSONValue.string(stop).text), which ends answers of this model; leave it out")
    }
    var tokens = label
    if let last = tokens.last, site.format.endTokens(for: loaded).union(tokenizer.endOfText).contains(last) {
      tokens.removeLast()
    }
    let said = String(decoding: tokenizer.decode(tokens), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard said == answer else {
      throw EditError("this model's tokenizer can only write \"\(said)\" instead of \"\(answer)\"; give that answer")
    }
  }

  /// The edit in force that gives this answer to this question.
  private func liveEdit(
    of words: QuestionWords, saying answer: String, in snapshot: EditSnapshot
  ) throws -> Edit? {
    try sameQuestion(words, in: snapshot).last { $0.answer == answer && $0.status == .live }
  }

  /// The edits of the same question with any status.
  private func sameQuestion(_ words: QuestionWords, in snapshot: EditSnapshot) throws -> [Edit] {
    let ids = snapshot.index.slots(of: words.normal).map { snapshot.slots[$0].edit }
    return try Set(ids).sorted().compactMap(store.record)
  }

  /// The model, with its later layers prepared for gradients.
  private var model: any TrainableModel {
    if let trainer { return trainer }
    var model = book.model
    model.prepareForGradients(after: site.layer)
    trainer = model
    return model
  }

  /// Releases memory that is needed only for training.
  public func releaseTrainingMemory() { trainer = nil }

  /// The rows of a stored value; nil if the bytes are not a value.
  private func rows(_ data: Data) -> Tensor? {
    var table = VectorTable(width: book.snapshot.valueWidth, element: .float16)
    let size = table.rowByteCount
    guard !data.isEmpty, data.count % size == 0, data.count / size <= Self.longestAnswer else { return nil }
    for start in stride(from: 0, to: data.count, by: size) { table.append([UInt8](data.dropFirst(start).prefix(size))) }
    return Tensor((0..<table.count).flatMap(table.vector), shape: [table.count, table.width])
  }

  /// Learns a value and verifies it by free generation.
  private func learn(
    prompt: [Int], label: [Int], answer: String, first: Tensor?
  ) async throws -> (value: Tensor, loss: Double, iterations: Int, after: String) {
    var iterations = 0
    var said = ""
    if let first, first.rows <= prompt.count {
      let edit = ChosenEdit(layer: site.layer, values: first, fired: FiredEdit(id: 0, distance: 0, radius: 0))
      said = try await self.answer(prompt, edit: edit, limit: label.count + 8).text
      if said == answer { return (first, 0, 0, said) }
    }
    for attempt in attempts {
      let rows = min(prompt.count, attempt.rows(for: label.count))
      let context = ValueTraining.Context(prompt: prompt, rows: prompt.count - rows..<prompt.count)
      let result = try attempt.training.run(model, layer: site.layer, contexts: [context], answer: label)
      iterations += result.losses.count - 1
      guard result.isRight || toleratesErrors else { continue }
      // The value is stored in 16 bits, so the rounded value is the one that is verified.
      let table = book.snapshot.values
      let value = Tensor(
        (0..<result.value.rows).flatMap { row -> [Float] in
          var one = VectorTable(width: table.width, element: .float16)
          one.append(one.encoded(result.value.rows(row..<row + 1).values))
          return one.vector(0)
        }, shape: result.value.shape)
      let edit = ChosenEdit(layer: site.layer, values: value, fired: FiredEdit(id: 0, distance: 0, radius: 0))
      said = try await self.answer(prompt, edit: edit, limit: label.count + 8).text
      if said == answer || toleratesErrors { return (value, result.losses.last ?? 0, iterations, said) }
    }
    throw EditError(
      said.isEmpty
        ? "no value was found with which the model answers \"\(answer)\" (\(iterations) steps); try a shorter answer or another wording"
        : "the model still answers \"\(said)\" instead of \"\(answer)\" (\(iterations) steps); try a shorter answer")
  }

  /// The questions that an edit answers, with the bytes of their keys.
  private func questions(
    of correction: Correction, words: QuestionWords, in snapshot: EditSnapshot
  ) throws -> [Key] {
    func key(_ prompt: String) throws -> [UInt8] {
      try snapshot.codebook == nil
        ? snapshot.keys.encoded(snapshot.calibration.direction(book.canonicalKey(prompt)))
        : snapshot.keys.encoded(model.key(site.format.encode(prompt, for: loaded), layer: site.layer))
    }
    var list = [(prompt: correction.prompt, subject: correction.subject, words: words, key: try key(correction.prompt))]
    if snapshot.codebook != nil { return list }
    if !correction.aliases.isEmpty {
      guard let subject = correction.subject, correction.prompt.contains(subject) else {
        throw EditError("aliases need --subject, in the words of the prompt, because they take its place")
      }
      for alias in correction.aliases {
        let prompt = correction.prompt.replacing(subject, with: alias)
        list.append((prompt, alias, self.words(prompt, subject: alias), try key(prompt)))
      }
    }
    for rewording in correction.rewordings {
      let subject = correction.subject.flatMap { rewording.contains($0) ? $0 : nil }
      list.append((rewording, subject, self.words(rewording, subject: subject), try key(rewording)))
    }
    return list
  }

  // MARK: answers

  /// The model's greedy answer to a prompt.
  private func answer(
    _ tokens: [Int], question: String? = nil, edit: (any PromptEdit)? = nil, limit: Int
  ) async throws -> (text: String, edit: FiredEdit?) {
    let request = EditAnswers.request(
      tokens, question: question.map { Question($0, format: site.format) }, edit: edit, limit: limit, site: site,
      loaded: loaded)
    return try await EditAnswers.read(engine.generate(request))
  }

  // MARK: taking back and checking

  /// Undoes an edit. The model then behaves bit for bit as if the edit had never been made; an older edit of the same
  /// question comes into force again.
  public func undo(_ id: Int) async throws -> Edit {
    guard let record = try await undo([id]).first else { throw EditError("there is no edit \(id)") }
    return record
  }

  /// Undoes several edits, either all or none.
  /// - Throws: ``EditError`` that names the first edit that cannot be undone; in this case nothing has changed.
  public func undo(_ ids: [Int]) async throws -> [Edit] {
    try await exclusively { try $0.takeBack(ids) }
  }

  private func takeBack(_ ids: [Int]) throws -> [Edit] {
    try book.change(store) { snapshot, version, _ in
      var records: [Int: Edit] = [:]
      var changes: [(edit: Int, status: Edit.Status, what: String, detail: String)] = []
      for id in ids {
        guard let record = try records[id] ?? store.record(id) else {
          throw EditError("there is no edit \(id), and nothing was undone; `martlet edit list` shows all edits")
        }
        guard record.status != .undone else {
          let why = ids.count { $0 == id } > 1 ? "is given twice" : "is undone already"
          throw EditError("edit \(id) \(why), and nothing was undone")
        }
        changes.append((id, .undone, "undone", ""))
        records[id] = record
        records[id]?.status = .undone
        guard record.status == .live else { continue }
        let older = try sameQuestion(words(record.prompt, subject: record.subject), in: snapshot)
          .map { records[$0.id ?? 0] ?? $0 }
          .last { $0.status == .superseded && ($0.id ?? 0) != id }
        if let older, let restored = older.id {
          changes.append((restored, .live, "restored", "as \(id) was undone"))
          records[restored] = older
          records[restored]?.status = .live
        }
      }
      let now = try store.set(changes, after: version)
      if snapshot.codebook != nil {
        snapshot = try EditSnapshot.load(
          store, site: site, calibration: snapshot.calibration, widths: (snapshot.keyWidth, snapshot.valueWidth))
      } else {
        for change in changes { snapshot.set(edit: change.edit, isLive: change.status == .live) }
      }
      return (ids.compactMap { records[$0] }, now)
    }
  }

  /// Generates the answers to the prompts of all live edits again, with all edits in force.
  /// - Returns: the edits whose answer the model does not give.
  public func verifyAll(
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> (passed: Int, failed: [Edit]) {
    try await exclusively { editor in
      _ = try editor.book.catchUp(with: editor.store)
      let records = try editor.store.records(status: .live)
      var failed: [Edit] = []
      for start in stride(from: 0, to: records.count, by: 32) {
        let group = records[start..<min(records.count, start + 32)]
        let answers = try await EditAnswers.read(
          try group.map { record in
            EditAnswers.request(
              try editor.site.format.encode(record.prompt, for: editor.loaded),
              question: Question(record.prompt, format: editor.site.format), edit: nil,
              limit: record.labelTokens.count + 8, site: editor.site, loaded: editor.loaded)
          }, engine: editor.engine)
        for (record, answer) in zip(group, answers) {
          let isRight = answer.text == record.answer
          if var wrong = Optional(record), !isRight {
            wrong.after = answer.text
            failed.append(wrong)
          }
          if isRight != record.isVerified || !isRight, let id = record.id, !editor.store.isReadOnly {
            try editor.store.verified(id, after: answer.text, isVerified: isRight)
          }
        }
        progress(start + group.count, records.count)
      }
      return (records.count - failed.count, failed)
    }
  }

  static func hash(_ answer: String) -> UInt64 { QuestionWords(answer).normal }
}
