/// Sequences of tokens as a tree in which what sequences have in common at their beginning is one path.
///
/// A radix tree: the edge to a node has one token or more. Sequences may have different roots, and share nothing then.
struct PrefixTree {
  struct Node {
    /// The tokens on the way from the parent.
    var tokens: ArraySlice<Int>
    /// How many tokens stand before them.
    var start: Int
    var parent: Int
    /// Children by their first token.
    var children: [Int: Int] = [:]
    /// When the node's path came into the tree.
    let arrival: Int
  }

  /// Nodes, roots among them, which have no tokens.
  private(set) var nodes: [Node] = []
  private(set) var roots: [Int] = []

  /// A new root.
  mutating func addRoot() -> Int {
    nodes.append(Node(tokens: [], start: 0, parent: -1, arrival: nodes.count))
    roots.append(nodes.count - 1)
    return nodes.count - 1
  }

  /// Adds a sequence of one token or more.
  /// - Returns: the node at its end, which stays that whatever is added later.
  mutating func insert(_ sequence: [Int], root: Int) -> Int {
    var node = root, place = 0
    while place < sequence.count {
      guard let child = nodes[node].children[sequence[place]] else {
        nodes.append(Node(tokens: sequence[place...], start: place, parent: node, arrival: nodes.count))
        nodes[node].children[sequence[place]] = nodes.count - 1
        return nodes.count - 1
      }
      let shared = zip(nodes[child].tokens, sequence[place...]).prefix { $0 == $1 }.count
      node = shared == nodes[child].tokens.count ? child : split(child, after: shared)
      place += shared
    }
    return node
  }

  /// Puts a node on the way to `node`; that keeps its number, and so do the sequences that end at it.
  private mutating func split(_ node: Int, after count: Int) -> Int {
    let lower = nodes[node]
    let upper = Node(
      tokens: lower.tokens.prefix(count), start: lower.start, parent: lower.parent, arrival: lower.arrival)
    nodes.append(upper)
    let number = nodes.count - 1
    nodes[node].tokens = lower.tokens.dropFirst(count)
    nodes[node].start += count
    nodes[node].parent = number
    if let first = upper.tokens.first { nodes[lower.parent].children[first] = number }
    if let first = nodes[node].tokens.first { nodes[number].children[first] = node }
    return number
  }

  /// The children of some nodes, in the order in which they came.
  func children(of parents: [Int]) -> [Int] {
    parents.flatMap { nodes[$0].children.values }.sorted { (nodes[$0].arrival, $0) < (nodes[$1].arrival, $1) }
  }
}
