/// What another process has changed in a store.
public struct EditChange: Sendable, Equatable {
  /// Edits that came into force: made, or restored as a newer one was taken back.
  public var inForce: [Int] = []
  /// Edits that went out of force: undone, superseded, or taken out of the file.
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
