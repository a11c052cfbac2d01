import MartletEngine
import MartletLayers
import MartletModels
import MartletTensor
import Synchronization

/// The site of edits: the layer, the prompt format and the rules. Edits of one site cannot be used at another.
public struct EditSite: Sendable, Equatable, Codable {
  /// The linear layer whose input is the key and whose output the value replaces.
  public var layer: String
  /// How a question becomes the prompt whose key is taken.
  public var format: PromptFormat
  /// The rules of the codebook.
  public var rules: CodebookRules

  /// A site at a named layer.
  public init(layer: String, format: PromptFormat = .chat, rules: CodebookRules = .nearest) {
    self.layer = layer
    self.format = format
    self.rules = rules
  }

  /// The default site: the output of the feed-forward part at 0.84 of the depth, where most published settings lie,
  /// with at least three layers above it, which transfer the information of the value to later tokens.
  public init(_ model: any TrainableModel, format: PromptFormat = .chat, rules: CodebookRules = .nearest) {
    let layers = model.description.layers
    let index = max(0, min(Int(0.84 * Double(layers)), layers - 4))
    let names = model.linearNames
    let layer = model.description.defaults.editLayer.flatMap { part in
      names.first { $0.hasSuffix(".\(index).\(part)") }
    }
    self.init(layer: layer ?? names.last ?? "", format: format, rules: rules)
  }
}

extension LoadedModel {
  /// The model as a trainable model, for editing.
  ///
  /// - Throws: ``EditError`` if the model does not support access to its layers.
  public var editable: any TrainableModel {
    get throws(EditError) {
      do { return try model.trainable() } catch { throw EditError("\(error)") }
    }
  }
}

/// The edits in force, which the engine consults before it reads a prompt. Readers never wait for a writer, because
/// each request uses one snapshot.
public final class EditBook: PromptEditor {
  /// The model that is edited.
  public let loaded: LoadedModel
  /// The layer and the format of the edits.
  public let site: EditSite
  let model: any TrainableModel
  private let current: Mutex<EditSnapshot>
  /// What is known of the store that ``snapshot`` was read from; held while the two change together.
  private let known: Mutex<Known>

  private struct Known: Sendable {
    var version: EditStore.Version?
    /// What a store that is new will hold for, once it gets its first edit.
    var binding: EditStore.Binding?
  }

  /// - Parameters:
  ///   - loaded: the model that is edited.
  ///   - site: the layer and the format of its edits.
  ///   - snapshot: the edits in force.
  /// - Throws: ``EditError`` if the model cannot be edited.
  public convenience init(_ loaded: LoadedModel, site: EditSite, snapshot: EditSnapshot) throws {
    try self.init(loaded, site: site, snapshot: snapshot, version: nil, binding: nil)
  }

  /// - Parameters:
  ///   - version: of the store that the snapshot was read from; nil reads it again before a change.
  ///   - binding: what a new store is to hold for; nil where it says so already.
  init(
    _ loaded: LoadedModel, site: EditSite, snapshot: EditSnapshot, version: EditStore.Version?,
    binding: EditStore.Binding?
  ) throws {
    let model = try loaded.editable
    guard let linear = model.linear(named: site.layer) else {
      throw EditError(
        "the model has no layer \(site.layer); its layers have names like \(model.linearNames.dropLast().last ?? "?")")
    }
    guard snapshot.keyWidth == linear.weight.inputs, snapshot.valueWidth == linear.weight.outputs else {
      throw EditError(
        "the edits are for a layer of \(snapshot.keyWidth) inputs and \(snapshot.valueWidth) outputs, but \(site.layer) has \(linear.weight.inputs) and \(linear.weight.outputs); they were made for another model"
      )
    }
    self.loaded = loaded
    self.site = site
    self.model = model
    current = Mutex(snapshot)
    known = Mutex(Known(version: version, binding: binding))
  }

  /// The edits in force at this moment.
  public package(set) var snapshot: EditSnapshot {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  /// The key of a question by itself: what the layer receives at the end of `Question: ...\nAnswer:`, whatever format or
  /// conversation the question came in. `[inputs]`
  package func canonicalKey(_ question: String) -> [Float] {
    model.key(PromptFormat.question(question, for: loaded), layer: site.layer)
  }

  public var format: PromptFormat? { site.format }

  public func answer(to question: Question) -> FiredEdit? {
    let snapshot = snapshot, text = asked(question)
    guard let codebook = snapshot.codebook else {
      return decide(text, earlier: question.earlier, in: snapshot).fired.map(snapshot.fired)
    }
    guard !codebook.entries.isEmpty, let prompt = try? site.format.encode(text, for: loaded),
      let hit = codebook.lookup(model.key(prompt, layer: site.layer))
    else { return nil }
    let entry = codebook.entries[hit.entry]
    return FiredEdit(
      id: entry.edit, distance: hit.distance, radius: entry.radius, answer: snapshot.answers[entry.edit] ?? "")
  }

  /// The question, in the form in which edits of this book are asked: a raw prompt asks with its last line, unless edits
  /// go on with raw prompts themselves.
  private func asked(_ question: Question) -> String {
    guard question.format == .raw, site.format != .raw else { return question.text }
    return RawPrompt(question.text).question
  }

  public func edit(for question: Question, promptCount: Int) -> (any PromptEdit)? {
    guard question.format == site.format else { return nil }
    let snapshot = snapshot
    if let codebook = snapshot.codebook {
      if codebook.entries.isEmpty { return nil }
      return CodebookEdit(
        layer: site.layer, rowCount: min(promptCount, snapshot.mostRows), snapshot: snapshot, codebook: codebook)
    }
    return decide(question.text, earlier: question.earlier, in: snapshot).fired.map {
      snapshot.chosen($0, layer: site.layer)
    }
  }

  // MARK: changes

  /// Takes over what other processes have changed in the store.
  ///
  /// - Parameter isThorough: looks at every edit, also where no event tells of a change. O(edits).
  /// - Throws: ``EditError`` when the store cannot be read or is of another model by now.
  func catchUp(with store: EditStore, isThorough: Bool = false) throws -> EditChange {
    try known.withLock { known in try catchUp(store, &known, isThorough) }
  }

  /// Changes the store and what is in force as one. `body` starts from what the store holds at the moment, changes the
  /// snapshot, and hands the version and the binding on to the store; where another process was faster it is called
  /// again. It must not wait for anything.
  ///
  /// - Parameter body: gives back the store's new version, nil where it has changed nothing.
  func change<Result>(
    _ store: EditStore,
    _ body: (inout EditSnapshot, _ version: EditStore.Version?, _ binding: EditStore.Binding?) throws -> (
      Result, EditStore.Version?
    )
  ) throws -> Result {
    try known.withLock { known in
      while true {
        _ = try catchUp(store, &known, false)
        var next = snapshot
        do {
          let (result, version) = try body(&next, known.version, known.binding)
          if let version {
            snapshot = next
            known.version = version
            known.binding = nil
          }
          return result
        } catch is EditStore.ChangedMeanwhile { continue }
      }
    }
  }

  /// Says in a new store what it holds for, before it has an edit.
  package func bind(_ store: EditStore) throws {
    try known.withLock { known in
      guard let binding = known.binding else { return }
      try store.bind(binding, calibration: snapshot.calibration)
      known = Known(version: try store.version(), binding: nil)
    }
  }

  /// What the store holds for, or will from its first edit on.
  func binding(in store: EditStore) throws -> EditStore.Binding? {
    try store.binding()?.binding ?? known.withLock { $0.binding }
  }

  private func catchUp(_ store: EditStore, _ known: inout Known, _ isThorough: Bool) throws -> EditChange {
    if !isThorough, try store.version() == known.version { return EditChange() }
    let (version, statuses) = try store.statuses()
    var next = snapshot
    let isSame = version.calibration == known.version?.calibration
    if known.version != nil, !isSame || known.binding != nil && version.calibration != nil {
      // Keys were made anew, or another process has made the first edit.
      guard let (binding, calibration) = try store.binding() else {
        throw EditError("\(store.path) no longer states for which model its edits are; restore a copy")
      }
      try binding.check(model, wanted: site, store: store)
      next = try reloaded(store, calibration)
    } else if next.codebook != nil || next.slotsOfEdit.count > statuses.count {
      // The order of edits counts, or some were taken out of the file by hand.
      next = try reloaded(store, next.calibration)
    } else {
      for (edit, status) in statuses {
        if let isLive = next.isLive(edit: edit) {
          if isLive != (status == .live) { next.set(edit: edit, isLive: !isLive) }
        } else if let stored = try store.stored(edit) {
          next.add(try next.loaded(stored, site: site, path: store.path))
        }
      }
    }
    let change = EditChange(from: snapshot, to: next)
    if !change.isEmpty || !isSame || next.version != snapshot.version { snapshot = next }
    if version.calibration != nil { known.binding = nil }
    known.version = version
    return change
  }

  private func reloaded(_ store: EditStore, _ calibration: KeyCalibration) throws -> EditSnapshot {
    let widths = (key: snapshot.keyWidth, value: snapshot.valueWidth)
    return try EditSnapshot.load(store, site: site, calibration: calibration, widths: widths)
  }

  /// Which edit answers a message, and why.
  ///
  /// - Parameter earlier: what the same person said before, the oldest first: where a message only insists ("Are you
  ///   sure?"), the last one that asked something decides.
  func decide(_ question: String, earlier: [String] = [], in snapshot: EditSnapshot) -> EditDecision {
    var asked = question
    if !earlier.isEmpty, site.format != .raw, Self.onlyInsists(question) {
      asked = earlier.last { !Self.onlyInsists($0) } ?? question
    }
    return snapshot.decide(MessageParts(asked, continues: site.format == .raw)) {
      snapshot.calibration.direction(self.canonicalKey($0))
    }
  }

  private static func onlyInsists(_ message: String) -> Bool {
    message.utf8.count < 400 && QuestionWords(message).onlyInsists
  }
}

/// An edit that was decided on before the prompt was read.
struct ChosenEdit: PromptEdit {
  let layer: String
  let values: Tensor
  let fired: FiredEdit
  var rowCount: Int { values.rows }
  func replacement(for input: Tensor) -> RowReplacement? {
    RowReplacement(rows: 0..<values.rows, values: values, edit: fired)
  }
}

/// Plain GRACE: the codebook is asked with the last prompt token's own activation.
struct CodebookEdit: PromptEdit {
  let layer: String
  /// As many as the longest value has.
  let rowCount: Int
  let snapshot: EditSnapshot
  let codebook: Codebook
  func replacement(for input: Tensor) -> RowReplacement? {
    guard let hit = codebook.lookup(input.rows(rowCount - 1..<rowCount).values) else { return nil }
    let entry = codebook.entries[hit.entry]
    guard let value = snapshot.value(ofEdit: entry.edit), value.rows <= rowCount else { return nil }
    return RowReplacement(
      rows: rowCount - value.rows..<rowCount, values: value,
      edit: FiredEdit(
        id: entry.edit, distance: hit.distance, radius: entry.radius, answer: snapshot.answers[entry.edit] ?? ""))
  }
}
