import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletEvaluation
import MartletLayers
import MartletModels
import MartletTensor
import Synchronization

/// A way to edit a model, as the lifelong benchmark runs it.
public protocol EditMethod: AnyObject, Sendable {
  var name: String { get }
  /// Answers with every edit so far in place.
  var engine: Engine { get }
  /// The request that asks a question.
  func request(_ question: String, limit: Int) throws -> Request
  /// Makes an edit. - Returns: nil when it could not be made.
  func edit(_ row: EditRow, label: [Int]) async throws -> EditCost?
  /// Keys or other things kept; 0 where weights change.
  var keyCount: Int { get }
}

/// What an edit took.
public struct EditCost: Sendable {
  public var iterations: Int
  public var seconds: Double
  /// The process's processor time, all threads.
  public var processorSeconds: Double
  public var action: String

  /// Runs `body`, which returns iterations and an action, and times it.
  static func measure(_ body: () async throws -> (Int, String)) async rethrows -> EditCost {
    let start = Date(), processor = ProcessorTime.seconds
    let (iterations, action) = try await body()
    return EditCost(
      iterations: iterations, seconds: Date().timeIntervalSince(start),
      processorSeconds: ProcessorTime.seconds - processor,
      action: action)
  }
}

/// What every method starts from.
public struct MethodSetting: Sendable {
  public var loaded: LoadedModel
  public var site: EditSite
  /// Whether a label ends with what ends an answer, so that stopping counts.
  public var endsAnswers: Bool

  public init(_ loaded: LoadedModel, site: EditSite, endsAnswers: Bool = true) {
    self.loaded = loaded
    self.site = site
    self.endsAnswers = endsAnswers
  }

  var model: any TrainableModel {
    get throws { try loaded.editable }
  }

  /// The model, ready for gradients behind the edited layer, and that layer.
  func prepared() throws -> (model: any TrainableModel, linear: Linear) {
    var model = try model
    model.prepareForGradients(after: site.layer)
    guard let linear = model.linear(named: site.layer) else { throw EditError("there is no such layer") }
    return (model, linear)
  }

  func label(_ answer: String) throws -> [Int] {
    let label = try site.format.encode(answer: answer, for: loaded)
    return endsAnswers ? label : label.dropLast()
  }

  func request(_ question: String, limit: Int, edit: (any PromptEdit)? = nil) throws -> Request {
    EditAnswers.request(
      try site.format.encode(question, for: loaded), question: Question(question, format: site.format), edit: edit,
      limit: limit, site: site, loaded: loaded)
  }

  func engine(editor: (any PromptEditor)? = nil, model: (any LanguageModel)? = nil) -> Engine {
    var options = Engine.Options()
    options.interventions = editor
    options.maxSequences = 24
    options.promptCacheBytes = 32 << 20
    guard let model else { return Engine(loaded, options: options) }
    return Engine(
      LoadedModel(model: model, tokenizer: loaded.tokenizer, chatFormat: loaded.chatFormat), options: options)
  }
}

/// Martlet's own mode, as `martlet edit add` makes edits.
public final class MartletMethod: EditMethod {
  public let name = "martlet"
  public let engine: Engine
  public let editor: Editor
  private let setting: MethodSetting
  private let ownRewordings: Int

  /// - Parameters:
  ///   - setting: the model and its format of prompts.
  ///   - path: of a new store.
  ///   - ownRewordings: how often the model may reword each question itself.
  public init(_ setting: MethodSetting, store path: String, ownRewordings: Int = 0) throws {
    self.setting = setting
    self.ownRewordings = ownRewordings
    let store = try EditStore(path: path)
    let book = try EditBook.open(setting.loaded, store: store, site: setting.site)
    engine = setting.engine(editor: book)
    editor = Editor(engine: engine, book: book, store: store)
  }

  public var keyCount: Int { editor.book.snapshot.keyCount }
  public func request(_ question: String, limit: Int) throws -> Request { try setting.request(question, limit: limit) }

  public func edit(_ row: EditRow, label: [Int]) async throws -> EditCost? {
    var correction = Correction(prompt: row.prompt, answer: row.answer)
    correction.ownRewordings = ownRewordings
    do {
      return try await EditCost.measure {
        switch try await editor.add(correction) {
        case .made(let record): (record.iterations, record.action)
        case .alreadyRight: (0, "none")
        case .duplicate: (0, "none")
        }
      }
    } catch is EditError { return nil }
  }
}

/// Plain GRACE in one of its sets of rules.
///
/// `@unchecked Sendable`: `engine` is set twice while it is made, as the second engine asks this object, and never again.
public final class GraceMethod: EditMethod, PromptEditor, @unchecked Sendable {
  public let name: String
  public private(set) var engine: Engine
  private let setting: MethodSetting
  private let training: ValueTraining
  private let model: any TrainableModel
  private let replacesPrompt: Bool
  private let learned: Mutex<Learned>

  private struct Learned: Sendable {
    var codebook: Codebook
    var values: [Tensor] = []
  }

  /// - Parameters:
  ///   - setting: the model and its format of prompts.
  ///   - rules: those of the paper or of one of the codes.
  ///   - radius: of a new key.
  ///   - training: how values are learned.
  ///   - replacesPrompt: the outputs of all prompt tokens but the last are replaced instead of the last one's.
  public init(
    _ setting: MethodSetting, rules: CodebookRules, radius: Float, training: ValueTraining, replacesPrompt: Bool = false
  ) throws {
    self.setting = setting
    self.training = training
    self.replacesPrompt = replacesPrompt
    name = "grace-\(rules.rawValue)"
    learned = Mutex(Learned(codebook: Codebook(rules: rules, initialRadius: radius)))
    var model = try setting.model
    model.prepareForGradients(after: setting.site.layer)
    self.model = model
    engine = setting.engine()
    engine = setting.engine(editor: self)
  }

  public var keyCount: Int { learned.withLock { $0.codebook.entries.count } }
  public func request(_ question: String, limit: Int) throws -> Request { try setting.request(question, limit: limit) }

  public func edit(for question: Question, promptCount: Int) -> (any PromptEdit)? {
    let (codebook, values) = learned.withLock { ($0.codebook, $0.values) }
    return GraceEdit(
      layer: setting.site.layer, rowCount: replacesPrompt ? promptCount : 1, codebook: codebook, values: values)
  }

  public func edit(_ row: EditRow, label: [Int]) async throws -> EditCost? {
    try await EditCost.measure {
      let prompt = try setting.site.format.encode(row.prompt, for: setting.loaded)
      let key = model.key(prompt, layer: setting.site.layer)
      let (change, initial) = learned.withLock { learned in
        let change = learned.codebook.insert(key, label: label, edit: 0)
        return (change, change.entry == learned.values.count ? nil : learned.values[change.entry])
      }
      let rows = replacesPrompt ? 0..<prompt.count - 1 : prompt.count - 1..<prompt.count
      let result = try training.run(
        model, layer: setting.site.layer, contexts: [ValueTraining.Context(prompt: prompt, rows: rows)], answer: label,
        isShared: true, initial: initial)
      learned.withLock { learned in
        if initial == nil { learned.values.append(result.value) } else { learned.values[change.entry] = result.value }
      }
      return (result.losses.count - 1, change.action.rawValue)
    }
  }
}

/// A lookup in a codebook as the codes of GRACE do it.
private struct GraceEdit: PromptEdit {
  let layer: String
  let rowCount: Int
  let codebook: Codebook
  let values: [Tensor]

  func replacement(for input: Tensor) -> RowReplacement? {
    guard let hit = codebook.lookup(input.rows(input.rows - 1..<input.rows).values), values.indices.contains(hit.entry)
    else { return nil }
    let rows = rowCount == 1 ? 0..<1 : 0..<rowCount - 1
    let value = values[hit.entry]
    return RowReplacement(
      rows: rows, values: value.broadcast(to: [rows.count, value.columns]).contiguous(),
      edit: FiredEdit(id: hit.entry, distance: hit.distance, radius: codebook.entries[hit.entry].radius))
  }
}
