/// A comparison of a stored question with the given one.
public struct EditMatch: Sendable, Equatable {
  let slot: Int
  /// The number of the edit in the store.
  public let edit: Int
  /// The distance between the directions of the two keys, 0 to 2; 0 if words alone decide.
  public let distance: Float
  /// The largest distance at which the edit fires.
  public let radius: Float
  /// The share of the edit's subject that the question names.
  public let coverage: Float
  /// A combined score of cosine similarity, subject and shared words; higher is nearer.
  public let score: Float
}

/// The decision for a message, with its reasons.
public struct EditDecision: Sendable {
  /// The edit that answers; nil if none does.
  public internal(set) var fired: EditMatch?
  /// Edits whose subject the message names and whose relation it does not contradict, best first.
  public internal(set) var matches: [EditMatch] = []
  /// The largest distance between keys at which an edit may fire.
  public let radius: Float
  /// Whether the message is the question of an edit word for word.
  public internal(set) var isExact = false
  /// Whether the message contains the question of the edit, word for word or with all its content words.
  public internal(set) var isByWords = false
  /// Whether edits with different answers are equally near, so that none fires.
  public internal(set) var isAmbiguous = false
  /// The number of stored questions with the same subject, and the number of those whose words show that they ask
  /// something else.
  public internal(set) var namedSubjects = 0, neighbours = 0

  init(radius: Float) { self.radius = radius }

  /// The reason in one sentence.
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
