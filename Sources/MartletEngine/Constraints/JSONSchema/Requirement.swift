/// What a value must be: all of some parts of a schema at once, each as it stands or denied. Which parts these are is
/// known without looking into them, so that schemas that contain themselves can be intersected.
struct Requirement: Hashable, Sendable {
  struct Part: Hashable, Comparable, Sendable {
    /// A number of ``SchemaDocument``.
    let node: Int
    let isDenied: Bool

    static func < (left: Part, right: Part) -> Bool {
      (left.node, left.isDenied ? 1 : 0) < (right.node, right.isDenied ? 1 : 0)
    }
  }

  /// Sorted, each once; none: any value will do.
  private(set) var parts: [Part]
  /// No value will do.
  private(set) var isNever = false

  static let anything = Requirement(parts: [])
  static let never = Requirement(parts: [], isNever: true)

  private init(parts: [Part], isNever: Bool = false) {
    self.parts = parts
    self.isNever = isNever
  }

  init(_ node: Int) { self.init(parts: [Part(node: node, isDenied: false)]) }

  var isAnything: Bool { parts.isEmpty && !isNever }

  func intersection(_ other: Requirement) -> Requirement {
    if isNever || other.isNever { return .never }
    if parts.isEmpty || self == other { return other }
    if other.parts.isEmpty { return self }
    let all = Set(parts).union(other.parts)
    if all.contains(where: { !$0.isDenied && all.contains(Part(node: $0.node, isDenied: true)) }) { return .never }
    return Requirement(parts: all.sorted())
  }

  /// Requirements of which a value meets at least one exactly where it does not meet this one.
  var denials: [Requirement] {
    if isNever { return [.anything] }
    return parts.map { Requirement(parts: [Part(node: $0.node, isDenied: !$0.isDenied)]) }
  }
}
