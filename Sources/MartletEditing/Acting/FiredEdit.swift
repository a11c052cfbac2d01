import MartletEngine

/// The edit that changed an answer, with the distance between the prompt and its key.
public struct FiredEdit: Sendable, Equatable {
  /// How an edit acts on an answer.
  public enum Means: String, Sendable {
    /// Its trained value replaces the output of a layer at the end of the prompt.
    case value
    /// The answer is constrained to the words of the edit. This is used where no value can be applied: after a given
    /// beginning of the answer, or with a grammar.
    case words
  }

  /// The number of the edit in its store.
  public var id: Int
  /// The distance between the prompt and the key of the edit, and the largest distance at which it fires, in the metric
  /// of the edit's rules.
  public var distance, radius: Float
  /// The answer of the edit; empty if it is not known.
  public var answer: String
  /// How the edit acts on the answer.
  public var means = Means.value

  /// An edit that fired by its value.
  public init(id: Int, distance: Float, radius: Float, answer: String = "") {
    self.id = id
    self.distance = distance
    self.radius = radius
    self.answer = answer
  }
}

/// An edit that a question would fire, but that does not fit the requested form of the answer.
public struct HeldEdit: Sendable, Equatable {
  /// The number of the edit in its store.
  public let id: Int
  /// The reason, worded as the end of a sentence: "the schema has no place for …".
  public let reason: String
}

extension Completion {
  /// The edit that changed the answer.
  public var edit: FiredEdit? { FiredEdit(in: notes) }
  /// The edit that would have fired if the requested form of the answer had allowed it.
  public var heldEdit: HeldEdit? { notes.lazy.compactMap { $0 as? HeldEdit }.first }
}

extension FiredEdit {
  /// The edit that changed an answer; nil if none did.
  /// - Parameter notes: the notes of the interventions in the answer, see `Completion.notes`.
  public init?(in notes: [any Sendable]) {
    guard let fired = notes.lazy.compactMap({ $0 as? FiredEdit }).first else { return nil }
    self = fired
  }
}
