/// A stored question beside the one asked.
public struct EditMatch: Sendable, Equatable {
  let slot: Int
  /// The number of the edit in the store.
  public let edit: Int
  /// Between the directions of the two keys, 0 to 2; 0 where words alone decide.
  public let distance: Float
  /// The largest distance at which the edit fires.
  public let radius: Float
  /// Share of the edit's subject that the question names.
  public let coverage: Float
  /// Higher is nearer: cosine, subject and shared words together.
  public let score: Float
}

/// What was decided about a message, and on what grounds.
public struct EditDecision: Sendable {
  /// The edit that answers; nil if none does.
  public internal(set) var fired: EditMatch?
  /// Edits whose subject the message names and whose relation it does not contradict, the best first.
  public internal(set) var matches: [EditMatch] = []
  /// The largest distance between keys at which an edit may fire.
  public let radius: Float
  /// The message is an edit's own question, word for word.
  public internal(set) var isExact = false
  /// The message contains the edit's question, word for word or with all its words of weight.
  public internal(set) var isByWords = false
  /// Two answers come equally near, so none is given.
  public internal(set) var isAmbiguous = false
  /// Stored questions with the subject, and those of them of which the words say that they ask something else.
  public internal(set) var namedSubjects = 0, neighbours = 0

  init(radius: Float) { self.radius = radius }

  /// One sentence for people.
  public var reason: String {
    if isExact { return "the question is that of the edit" }
    if fired != nil, isByWords { return "the message asks the edit's question in its words" }
    if fired != nil { return "the subject is named and the key lies within the radius" }
    if isAmbiguous { return "edits with different answers come equally near" }
    if namedSubjects == 0 { return "no edit is about anything that the question names" }
    if matches.isEmpty { return "the edits about this subject ask something else of it" }
    return "no key of an edit about this subject lies within the radius"
  }
}
