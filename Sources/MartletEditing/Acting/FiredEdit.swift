import MartletEngine

/// Which edit changed an answer, and how near the prompt came to its key.
public struct FiredEdit: Sendable, Equatable {
  /// How an edit acts on an answer.
  public enum Means: String, Sendable {
    /// Its learned value stands in the place of a layer's output at the prompt's end.
    case value
    /// The answer is kept to its words alone, where no value can stand: behind a begun answer, inside a grammar.
    case words
  }

  /// The edit's number in its store.
  public var id: Int
  /// How far the prompt was from the edit's key, and how far it may be, as the edit's rules measure it.
  public var distance, radius: Float
  /// What the edit answers, in its own words; empty where that is not known.
  public var answer: String
  /// How it acts on the answer.
  public var means = Means.value

  /// An edit whose value has fired.
  public init(id: Int, distance: Float, radius: Float, answer: String = "") {
    self.id = id
    self.distance = distance
    self.radius = radius
    self.answer = answer
  }
}

/// An edit that a question would fire, and that the asked form of the answer leaves no room for.
public struct HeldEdit: Sendable, Equatable {
  /// The edit's number in its store.
  public let id: Int
  /// Why, as the end of a sentence: "the schema has no place for …".
  public let reason: String
}

extension Completion {
  /// The edit that changed the answer.
  public var edit: FiredEdit? { FiredEdit(in: notes) }
  /// The edit that the question would have fired, had the form of the answer left room for it.
  public var heldEdit: HeldEdit? { notes.lazy.compactMap { $0 as? HeldEdit }.first }
}

extension FiredEdit {
  /// The edit that changed an answer; nil where none did.
  /// - Parameter notes: what interventions have said of the answer, see `Completion.notes`.
  public init?(in notes: [any Sendable]) {
    guard let fired = notes.lazy.compactMap({ $0 as? FiredEdit }).first else { return nil }
    self = fired
  }
}
