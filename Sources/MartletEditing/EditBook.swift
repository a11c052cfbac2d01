import MartletEngine
import MartletModels
import MartletTensor
import Synchronization

/// Where edits sit and what they hold for. Edits of one place are useless in another.
public struct EditSite: Sendable, Equatable, Codable {
  /// The linear layer whose input is the key and whose output the value replaces.
  public var layer: String
  public var format: PromptFormat
  public var rules: CodebookRules

  public init(layer: String, format: PromptFormat = .chat, rules: CodebookRules = .nearest) {
    self.layer = layer
    self.format = format
    self.rules = rules
  }

  /// The output of the feed-forward part at 0.84 of the depth, where most published settings lie, but with three layers
  /// above it, which carry what the value says to the tokens behind.
  public init(_ model: any TrainableModel, format: PromptFormat = .chat, rules: CodebookRules = .nearest) {
    let layers = model.description.layers
    let index = max(0, min(Int(0.84 * Double(layers)), layers - 4))
    let names = model.linearNames
    let layer = names.first { $0.hasSuffix(".\(index).mlp.down_proj") || $0.hasSuffix(".\(index).ffn.value") }
    self.init(layer: layer ?? names.last ?? "", format: format, rules: rules)
  }
}

/// The edits in force: what the engine asks before it reads a prompt. Readers never wait for a writer: each request sees
/// one snapshot.
public final class EditBook: PromptEditor {
  public let loaded: LoadedModel
  public let site: EditSite
  let model: any TrainableModel
  private let current: Mutex<EditSnapshot>

  /// - Throws: ``EditError`` when the model cannot be edited.
  public init(_ loaded: LoadedModel, site: EditSite, snapshot: EditSnapshot) throws {
    guard let model = loaded.model as? any TrainableModel else {
      throw EditError("this model cannot be edited: it has no linear layers that Martlet can reach")
    }
    guard let linear = model.linear(named: site.layer) else {
      throw EditError(
        "the model has no layer \(site.layer); its layers are called like \(model.linearNames.dropLast().last ?? "?")")
    }
    guard snapshot.keyWidth == linear.weight.inputs, snapshot.valueWidth == linear.weight.outputs else {
      throw EditError(
        "the edits are for a layer of \(snapshot.keyWidth) inputs and \(snapshot.valueWidth) outputs and \(site.layer) has \(linear.weight.inputs) and \(linear.weight.outputs); they were made for another model"
      )
    }
    self.loaded = loaded
    self.site = site
    self.model = model
    current = Mutex(snapshot)
  }

  public internal(set) var snapshot: EditSnapshot {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  /// The key of a question by itself: what the layer receives at the end of `Question: ...\nAnswer:`, whatever format or
  /// conversation the question came in. `[inputs]`
  func canonicalKey(_ question: String) -> [Float] {
    model.key(PromptFormat.question(question, for: loaded), layer: site.layer)
  }

  public func edit(for question: Question, promptCount: Int) -> (any PromptEdit)? {
    guard question.format == site.format else { return nil }
    let snapshot = snapshot
    if let codebook = snapshot.codebook {
      if codebook.entries.isEmpty { return nil }
      return CodebookEdit(
        layer: site.layer, rowCount: min(promptCount, snapshot.mostRows), snapshot: snapshot, codebook: codebook)
    }
    return decide(question.text, in: snapshot).fired.map { snapshot.chosen($0, layer: site.layer) }
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
  var continues: Bool { false }
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
  var continues: Bool { false }
  func replacement(for input: Tensor) -> RowReplacement? {
    guard let hit = codebook.lookup(input.rows(rowCount - 1..<rowCount).values) else { return nil }
    let entry = codebook.entries[hit.entry]
    guard let value = snapshot.value(ofEdit: entry.edit), value.rows <= rowCount else { return nil }
    return RowReplacement(
      rows: rowCount - value.rows..<rowCount, values: value,
      edit: FiredEdit(id: entry.edit, distance: hit.distance, radius: entry.radius))
  }
}
