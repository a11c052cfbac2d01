/// The changes that another process made to a store.
public struct EditChange: Sendable, Equatable {
  /// Edits that came into force: they were made, or restored because a newer edit was undone.
  public var inForce: [Int] = []
  /// Edits that are no longer in force: undone, superseded, or removed from the file.
  public var withdrawn: [Int] = []

  /// Whether nothing has changed.
  public var isEmpty: Bool { inForce.isEmpty && withdrawn.isEmpty }

  init() {}

  /// The difference between two moments.
  init(from before: EditSnapshot?, to after: EditSnapshot) {
    let old = before?.liveEdits ?? [], new = after.liveEdits
    inForce = new.subtracting(old).sorted()
    withdrawn = old.subtracting(new).sorted()
  }
}
