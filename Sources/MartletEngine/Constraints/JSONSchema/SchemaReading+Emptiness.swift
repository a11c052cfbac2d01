/// What is known of requirements that no value meets.
struct SchemaEmptiness {
  /// The answer depends on a node that is still being read.
  struct Unknown: Error {}

  fileprivate var known: [Requirement: Bool] = [:]
  /// The same where what is missing from a narrowed set may be there.
  fileprivate var carefullyKnown: [Requirement: Bool] = [:]
  fileprivate var isCareful = false
  /// Requirements that are being asked for, by depth.
  fileprivate var path: [Requirement: Int] = [:]
  /// The lowest depth that an answer so far has assumed to be empty.
  fileprivate var assumed = Int.max
  fileprivate var isGuessing = false
  /// How deep questions lie in each other, those asked while reading included.
  fileprivate var level = 0
  private var suspended: [Int: Int] = [:]

  func isSuspended(_ node: Int) -> Bool { suspended[node] != nil }

  fileprivate mutating func suspend(_ nodes: Set<Int>) { for node in nodes { suspended[node, default: 0] += 1 } }

  fileprivate mutating func resume(_ nodes: Set<Int>) {
    for node in nodes {
      let count = (suspended[node] ?? 1) - 1
      suspended[node] = count == 0 ? nil : count
    }
  }
}

extension SchemaReading {
  /// Whether no value at all meets a requirement. A value is finite: what can only contain itself is empty.
  mutating func isEmpty(_ requirement: Requirement) throws -> Bool {
    if requirement.isAnything { return false }
    if requirement.isNever { return true }
    let known = emptiness.isCareful ? emptiness.carefullyKnown[requirement] : emptiness.known[requirement]
    if let known { return known }
    // The smallest value that meets a requirement does not contain another that is to meet it.
    if let depth = emptiness.path[requirement] {
      emptiness.assumed = min(emptiness.assumed, depth)
      return true
    }
    let depth = emptiness.path.count
    guard emptiness.level < 128 else {
      throw EngineError("the schema needs values that are nested more than 128 levels deep; make it flatter")
    }
    emptiness.level += 1
    let outer = emptiness.assumed
    emptiness.assumed = .max
    emptiness.path[requirement] = depth
    defer {
      emptiness.level -= 1
      emptiness.path[requirement] = nil
      emptiness.assumed = min(outer, emptiness.assumed < depth ? emptiness.assumed : .max)
      if emptiness.path.isEmpty { emptiness.isGuessing = false }
    }
    do {
      let result = try isEmpty(values(of: requirement))
      // An empty answer that rests on an assumption further out is none yet.
      if !result || emptiness.assumed >= depth, !emptiness.isGuessing {
        if emptiness.isCareful {
          emptiness.carefullyKnown[requirement] = result
        } else {
          emptiness.known[requirement] = result
        }
      }
      if !result { emptiness.assumed = .max }
      return result
    } catch is SchemaEmptiness.Unknown {
      emptiness.isGuessing = true
      return false
    }
  }

  mutating func isEmpty(_ values: ValueSet) throws -> Bool {
    if values.isNarrowed, emptiness.isCareful { return false }
    guard !values.hasNull, !values.hasFalse, !values.hasTrue, values.numbers.isEmpty, values.strings.isEmpty else {
      return false
    }
    for shape in values.arrays where try !isEmpty(shape) { return false }
    for shape in values.objects where try !isEmpty(shape) { return false }
    return true
  }

  mutating func isEmpty(_ shape: ArrayShape) throws -> Bool {
    try GrammarWork.spend(100 + 20 * shape.prefix.count)
    if shape.isEvidentlyEmpty { return true }
    for index in 0..<min(shape.minimum, shape.prefix.count) where try isEmpty(shape.prefix[index]) { return true }
    if shape.minimum > shape.prefix.count, try isEmpty(shape.rest) { return true }
    for count in shape.counts where count.minimum > 0 {
      var isMet = try !isEmpty(shape.rest.intersection(count.value))
      for index in shape.prefix.indices where !isMet && index >= count.from {
        isMet = try !isEmpty(shape.prefix[index].intersection(count.value))
      }
      if !isMet { return true }
    }
    return false
  }

  mutating func isEmpty(_ shape: ObjectShape) throws -> Bool {
    try GrammarWork.spend(100 + 20 * shape.members.count)
    if shape.isEvidentlyEmpty { return true }
    var required = 0
    for member in shape.members where member.isRequired {
      required += 1
      if try isEmpty(member.value) { return true }
    }
    if let maximum = shape.maximum, maximum < required { return true }
    guard required < shape.minimum else { return false }
    for free in shape.free where free.names?.isEmpty != true {
      if try !isEmpty(free.value) { return false }
    }
    for member in shape.members where !member.isRequired {
      if try !isEmpty(member.value) { required += 1 }
    }
    return required < shape.minimum
  }

  /// Asks whether something is surely empty, while nodes are being read: what depends on them counts as not empty.
  mutating func whileReading(_ question: (inout SchemaReading) throws -> Bool) throws -> Bool {
    let outer = exchangeOpen([])
    let (path, assumed, isGuessing) = (emptiness.path, emptiness.assumed, emptiness.isGuessing)
    let isCareful = emptiness.isCareful
    emptiness.isCareful = true
    // What an outer question assumes to be empty must not make two choices look disjoint.
    (emptiness.path, emptiness.assumed, emptiness.isGuessing) = ([:], .max, false)
    emptiness.suspend(outer)
    defer {
      _ = exchangeOpen(outer)
      emptiness.resume(outer)
      emptiness.isCareful = isCareful
      (emptiness.path, emptiness.assumed, emptiness.isGuessing) = (path, assumed, isGuessing)
    }
    do { return try question(&self) } catch is SchemaEmptiness.Unknown { return false }
  }
}
