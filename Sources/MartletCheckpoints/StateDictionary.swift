/// Finds the weights in what torch.save was given: a dictionary of tensors, alone or in the wrappings that training
/// libraries put around it.
enum StateDictionary {
  /// Keys of training checkpoints under which the weights lie, in the order in which they are looked for.
  private static let wrappings = [
    "state_dict", "model_state_dict", "model", "module", "model_state", "weights", "params", "net", "network",
  ]
  private static let depthLimit = 8

  /// The dictionary's entries, tensors and others.
  static func entries(_ graph: PickleGraph, path: String) throws -> [(key: String, value: PickleGraph.Value)] {
    func fail(_ problem: String) -> CheckpointError { CheckpointError(file: path, problem) }
    guard var entries = graph.entries(graph.root) else {
      throw fail("it is not a dictionary of tensors; save model.state_dict() with torch.save")
    }
    // A dictionary can hold itself: the way down is bounded.
    for _ in 0..<depthLimit {
      let dictionaries = entries.filter { holdsTensors(graph, $0.value, depth: depthLimit) }
      let wrapped = wrappings.lazy.compactMap { name in dictionaries.last { $0.key == name } }.first
      if let wrapped, let inner = graph.entries(wrapped.value) {
        entries = inner
        continue
      }
      if entries.contains(where: { isTensor(graph, $0.value) }) { return entries }
      guard let only = dictionaries.first, let inner = graph.entries(only.value) else {
        throw fail("it holds no tensors; save model.state_dict() with torch.save")
      }
      guard dictionaries.count == 1 else {
        let names = dictionaries.prefix(5).map(\.key).joined(separator: ", ")
        throw fail("it holds several dictionaries of tensors (\(names)); save the one that is the model alone")
      }
      entries = inner
    }
    throw fail("its dictionaries are nested more than \(depthLimit) deep; save model.state_dict() with torch.save")
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
}
