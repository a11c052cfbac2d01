import MartletData

/// Finds the weights in what torch.save was given: a dictionary of tensors, alone or in the wrappings that training
/// libraries put around it.
struct StateDictionary {
  /// The dictionary's entries, tensors and others.
  private(set) var entries: [(key: String, value: PickleGraph.Value)]
  /// What else holds tensors or arrays, in the dictionary or around it, by name and kind.
  private(set) var beside: [String] = []

  /// Keys of training checkpoints under which the weights lie, in the order in which they are looked for.
  private static let wrappings = [
    "state_dict", "model_state_dict", "model", "module", "model_state", "weights", "params", "net", "network",
  ]
  private static let depthLimit = 8

  init(_ graph: PickleGraph, path: String) throws {
    func fail(_ problem: String) -> FileError { FileError(file: path, problem) }
    guard let root = graph.entries(graph.root) else {
      throw fail("it is not a dictionary of tensors; save model.state_dict() with torch.save")
    }
    entries = root
    // A dictionary can hold itself: the way down is bounded.
    for _ in 0..<Self.depthLimit {
      let dictionaries = entries.filter { Self.holdsTensors(graph, $0.value, depth: Self.depthLimit) }
      let wrapped = Self.wrappings.lazy.compactMap { name in dictionaries.last { $0.key == name } }.first
      if let wrapped, let inner = graph.entries(wrapped.value) {
        notice(entries.filter { $0.key != wrapped.key }, graph, tensors: true)
        entries = inner
        continue
      }
      if entries.contains(where: { Self.isTensor(graph, $0.value) }) {
        notice(entries, graph, tensors: false)
        return
      }
      guard let only = dictionaries.first, let inner = graph.entries(only.value) else {
        throw fail("it contains no tensors; save model.state_dict() with torch.save")
      }
      guard dictionaries.count == 1 else {
        let names = dictionaries.prefix(5).map(\.key).joined(separator: ", ")
        throw fail("it contains several dictionaries of tensors (\(names)); save only that of the model")
      }
      notice(entries.filter { $0.key != only.key }, graph, tensors: true)
      entries = inner
    }
    throw fail(
      "its dictionaries are nested more than \(Self.depthLimit) deep; save model.state_dict() with torch.save")
  }

  private static func isTensor(_ graph: PickleGraph, _ value: PickleGraph.Value) -> Bool {
    switch graph.node(value)?.kind {
    case .tensor, .unreadable: true
    default: false
    }
  }

  /// Whether a dictionary, or one in it, holds a tensor under a name.
  private static func holdsTensors(_ graph: PickleGraph, _ value: PickleGraph.Value, depth: Int) -> Bool {
    guard depth > 0, let entries = graph.entries(value) else { return false }
    return entries.contains { isTensor(graph, $0.value) }
      || entries.contains { wrappings.contains($0.key) && holdsTensors(graph, $0.value, depth: depth - 1) }
  }

  /// Remembers the entries that hold tensors or arrays in something; with `tensors`, those that are one too.
  private mutating func notice(
    _ others: [(key: String, value: PickleGraph.Value)], _ graph: PickleGraph, tensors: Bool
  ) {
    // A value that is shared counts where it is met first, so that all the looking takes one pass over the file.
    var seen: Set<Int> = []
    for (key, value) in others {
      guard case .node(let place) = value else { continue }
      switch graph.nodes[place].kind {
      case .tensor, .unreadable: if tensors { beside.append("\(key) (a tensor)") }
      case .array: if tensors { beside.append("\(key) (an array of numpy)") }
      case .dictionary, .list, .tuple:
        let (count, arrays) = Self.contents(graph, place, &seen)
        guard count + arrays > 0 else { continue }
        let isDictionary = if case .dictionary = graph.nodes[place].kind { true } else { false }
        let what = count > 0 ? "\(count) tensor\(count == 1 ? "" : "s")" : "arrays of numpy"
        beside.append("\(key) (a \(isDictionary ? "dictionary" : "list") with \(what))")
      case .storage, .object: break
      }
    }
  }

  /// How many tensors and arrays a composite value holds, however deep. Nothing recurses with the file.
  private static func contents(
    _ graph: PickleGraph, _ start: Int, _ seen: inout Set<Int>
  ) -> (tensors: Int, arrays: Int) {
    var tensors = 0, arrays = 0
    var waiting = [start]
    while let place = waiting.popLast() {
      guard seen.insert(place).inserted else { continue }
      switch graph.nodes[place].kind {
      case .tensor, .unreadable: tensors += 1
      case .array: arrays += 1
      case .dictionary, .list, .tuple:
        for case .node(let next) in graph.nodes[place].items { waiting.append(next) }
      case .storage, .object: break
      }
    }
    return (tensors, arrays)
  }
}
