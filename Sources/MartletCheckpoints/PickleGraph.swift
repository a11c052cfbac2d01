/// What a pickle builds. Composite values lie in one flat list and are referred to by their place in it: values that hold
/// themselves, or are nested 100,000 deep, need no recursion, neither to be built nor to be let go.
struct PickleGraph {
  enum Value {
    case none
    case bool(Bool)
    case integer(Int)
    case real(Double)
    case string(String)
    /// Bytes, or an integer of more than 64 bits: nothing that weights need.
    case other
    /// A name of Python, as `module name`.
    case global(String)
    /// Place in ``PickleGraph/nodes``.
    case node(Int)
  }

  struct Node {
    indirect enum Kind {
      case tuple, list
      /// Keys and values in turn.
      case dictionary
      case storage(Storage)
      case tensor(Tensor)
      /// A tensor without values that can be read, and why.
      case unreadable(String)
      /// An array of numpy, whose values are not read.
      case array
      /// An object of a class that no weight needs: settings, numbers of numpy.
      case object
    }
    var kind: Kind
    var items: [Value] = []
  }

  struct Storage {
    /// nil: bytes, whose type the tensor says.
    let type: FileType?
    let key: String
    let count: Int
    let location: String
  }

  struct Tensor {
    let type: FileType
    let key: String
    /// Elements of the storage.
    let storageCount: Int
    let offset: Int
    let shape, strides: [Int]
  }

  var nodes: [Node] = []
  var root = Value.none

  func node(_ value: Value) -> Node? {
    if case .node(let place) = value { nodes[place] } else { nil }
  }

  /// The entries of a dictionary under names; nil where the value is none.
  func entries(_ value: Value) -> [(key: String, value: Value)]? {
    guard let node = node(value), case .dictionary = node.kind else { return nil }
    return stride(from: 0, to: node.items.count - 1, by: 2).compactMap { index in
      if case .string(let key) = node.items[index] { (key, node.items[index + 1]) } else { nil }
    }
  }

  /// The values of a tuple; nil where the value is none.
  func tuple(_ value: Value) -> [Value]? {
    guard let node = node(value), case .tuple = node.kind else { return nil }
    return node.items
  }

  /// A tuple of at most eight numbers from 0 up.
  func sizes(_ value: Value) -> [Int]? {
    guard let node = node(value), node.items.count <= 8 else { return nil }
    switch node.kind {
    case .tuple, .list: break
    default: return nil
    }
    let sizes = node.items.compactMap { if case .integer(let size) = $0, size >= 0 { size } else { nil } }
    return sizes.count == node.items.count ? sizes : nil
  }
}
