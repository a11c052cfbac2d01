import MartletLayers
import MartletTensor

/// Changes what a model says behind certain prompts. Asked on the engine's thread before a prompt is read: whatever is
/// decided for a request comes from one consistent view.
public protocol PromptEditor: Sendable {
  /// How the prompts are written whose ends ``edit(for:promptCount:)`` can change; nil takes them all.
  var format: PromptFormat? { get }

  /// What is to happen at the end of a prompt; nil leaves it alone.
  ///
  /// - Parameter promptCount: tokens of the prompt.
  func edit(for question: Question, promptCount: Int) -> (any PromptEdit)?

  /// The edit that answers a question, with its words, decided before any prompt is read; nil where none does.
  func answer(to question: Question) -> FiredEdit?
}

extension PromptEditor {
  public var format: PromptFormat? { nil }
  public func answer(to question: Question) -> FiredEdit? { nil }
}

/// A change of what one linear layer answers to a prompt's last rows.
public protocol PromptEdit: Sendable {
  /// The layer, by its name in a checkpoint without `.weight`.
  var layer: String { get }
  /// How many of the prompt's last rows the edit must see together.
  var rowCount: Int { get }
  /// Whether generated tokens' rows are changed too, with the last of the values.
  var continues: Bool { get }
  /// What to put in place of the layer's output.
  /// - Parameter input: what the layer receives, `[rowCount, inputs]`.
  func replacement(for input: Tensor) -> RowReplacement?
}

/// New outputs of some rows.
public struct RowReplacement: Sendable {
  /// Which of the rows that the edit saw.
  public var rows: Range<Int>
  /// `[rows.count, outputs]`
  public var values: Tensor
  public var edit: FiredEdit

  public init(rows: Range<Int>, values: Tensor, edit: FiredEdit) {
    self.rows = rows
    self.values = values
    self.edit = edit
  }
}

/// Which edit changed an answer, and how near the prompt came to its key.
public struct FiredEdit: Sendable, Equatable {
  /// How an edit acts on an answer.
  public enum Means: String, Sendable {
    /// Its learned value stands in the place of a layer's output at the prompt's end.
    case value
    /// The answer is kept to its words alone, where no value can stand: behind a begun answer, inside a grammar.
    case words
  }

  public var id: Int
  public var distance: Float
  public var radius: Float
  /// What the edit answers, in its own words; empty where that is not known.
  public var answer: String
  public var means = Means.value

  public init(id: Int, distance: Float, radius: Float, answer: String = "") {
    self.id = id
    self.distance = distance
    self.radius = radius
    self.answer = answer
  }
}

/// An edit that a question would fire, and that the asked form of the answer leaves no room for.
public struct HeldEdit: Sendable, Equatable {
  public let id: Int
  /// Why, as the end of a sentence: "the schema has no place for …".
  public let reason: String
}

/// The edits of one forward pass around their layer.
struct EditWrapper: LinearWrapper {
  struct Place {
    let job: GenerationJob
    let edit: any PromptEdit
    let rows: Range<Int>
  }
  let places: [Place]

  func wrap(_ output: Tensor, input: Tensor) -> Tensor {
    var rows: [Int] = []
    var values: [Tensor] = []
    for place in places {
      if let value = place.job.continuedValue {
        rows += place.rows
        values.append(value)
      } else if let replacement = place.edit.replacement(for: input.rows(place.rows)) {
        place.job.fired = replacement.edit
        if place.edit.continues {
          place.job.continuedValue = replacement.values.rows(replacement.values.rows - 1..<replacement.values.rows)
        }
        rows += replacement.rows.map { place.rows.lowerBound + $0 }
        values.append(replacement.values)
      }
    }
    return rows.isEmpty ? output : output.replacingRows(rows, with: concatenated(values))
  }
}
