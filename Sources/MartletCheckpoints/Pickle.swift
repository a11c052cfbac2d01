import MartletData

/// A restricted reader of Python pickles (protocols 0 to 5): only what a dictionary of tensors needs, and the settings
/// that lie beside it. No code is ever run; names that weights do not need and all other opcodes are refused.
struct Pickle {
  typealias Value = PickleGraph.Value

  /// A file of weights needs some thousands of values; a byte of a hostile one must not take fifty in memory.
  private static let valueLimit = 1_000_000

  private var reader: ByteReader
  private var graph = PickleGraph()
  private var stack: [Value] = []
  /// Heights of the stack at its marks.
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  /// Elements of all composite values so far.
  private var itemCount = 0

  /// Reads one pickle and leaves `reader` behind its end.
  static func load(_ reader: inout ByteReader) throws -> PickleGraph {
    var pickle = Pickle(reader: reader)
    pickle.graph.root = try pickle.run()
    reader = pickle.reader
    return pickle.graph
  }

  private init(reader: ByteReader) { self.reader = reader }

  private func damaged(_ what: String) -> FileError {
    reader.fail("its pickle is damaged (\(what) at byte \(reader.position)); fetch it again")
  }

  // MARK: The machine

  private mutating func run() throws -> Value {
    while true {
      guard stack.count + graph.nodes.count + itemCount + marks.count + memo.count <= Self.valueLimit else {
        throw reader.fail(
          "its pickle builds more than \(Self.valueLimit) values, which is more than weights need; save only model.state_dict()"
        )
      }
      let opcode = try reader.integer(UInt8.self, "the pickle")
      if opcode == UInt8(ascii: ".") { return try pop() }
      if try pushScalar(opcode) { continue }
      if try pushText(opcode) { continue }
      if try build(opcode) { continue }
      switch opcode {
      case 0x80: _ = try reader.integer(UInt8.self, "PROTO")
      case 0x95: _ = try reader.integer(UInt64.self, "FRAME")
      case UInt8(ascii: "("): marks.append(stack.count)
      case UInt8(ascii: "0"): _ = try pop()
      case UInt8(ascii: "1"): _ = try popToMark()
      case UInt8(ascii: "2"): stack.append(try top())
      case UInt8(ascii: "p"): memo[try decimal()] = try top()
      case UInt8(ascii: "q"): memo[Int(try reader.integer(UInt8.self, "BINPUT"))] = try top()
      case UInt8(ascii: "r"): memo[Int(try reader.integer(UInt32.self, "LONG_BINPUT"))] = try top()
      case 0x94: memo[memo.count] = try top()
      case UInt8(ascii: "g"): try recall(try decimal())
      case UInt8(ascii: "h"): try recall(Int(try reader.integer(UInt8.self, "BINGET")))
      case UInt8(ascii: "j"): try recall(Int(try reader.integer(UInt32.self, "LONG_BINGET")))
      case UInt8(ascii: "c"): stack.append(try global("\(try line()) \(try line())"))
      case 0x93:
        guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
          throw damaged("STACK_GLOBAL")
        }
        stack.append(try global("\(module) \(name)"))
      default:
        throw reader.fail(
          "its pickle uses opcode 0x\(String(opcode, radix: 16)) at byte \(reader.position - 1), which a file of weights does not need; it is refused"
        )
      }
    }
  }

  private func top() throws -> Value {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw damaged("a value is missing") }
    return value
  }

  private mutating func pop() throws -> Value {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popToMark() throws -> [Value] {
    guard let height = marks.popLast() else { throw damaged("a mark is missing") }
    let values = Array(stack[height...])
    stack.removeSubrange(height...)
    return values
  }

  private mutating func recall(_ key: Int) throws {
    guard let value = memo[key] else { throw damaged("memo \(key) is not set") }
    stack.append(value)
  }

  private mutating func push(_ kind: PickleGraph.Node.Kind, _ items: [Value] = []) {
    itemCount += items.count
    stack.append(.node(graph.nodes.count))
    graph.nodes.append(PickleGraph.Node(kind: kind, items: items))
  }

  // MARK: Numbers and text

  /// Pushes a number; false where `opcode` is none.
  private mutating func pushScalar(_ opcode: UInt8) throws -> Bool {
    switch opcode {
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.integer(Int(try reader.integer(UInt8.self, "BININT1"))))
    case UInt8(ascii: "M"): stack.append(.integer(Int(try reader.integer(UInt16.self, "BININT2"))))
    case UInt8(ascii: "J"): stack.append(.integer(Int(try reader.integer(Int32.self, "BININT"))))
    case 0x8a: stack.append(try longInteger(Int(try reader.integer(UInt8.self, "LONG1"))))
    case 0x8b: stack.append(try longInteger(Int(try reader.integer(Int32.self, "LONG4"))))
    case UInt8(ascii: "G"):
      stack.append(.real(Double(bitPattern: try reader.integer(UInt64.self, "BINFLOAT").byteSwapped)))
    case UInt8(ascii: "I"):
      switch try line() {
      case "00": stack.append(.bool(false))
      case "01": stack.append(.bool(true))
      case let text: stack.append(Int(text).map(Value.integer) ?? .other)
      }
    case UInt8(ascii: "L"):
      let text = try line()
      stack.append(Int(text.hasSuffix("L") ? String(text.dropLast()) : text).map(Value.integer) ?? .other)
    case UInt8(ascii: "F"): stack.append(.real(Double(try line()) ?? .nan))
    default: return false
    }
    return true
  }

  /// Pushes text or bytes; false where `opcode` is none of them.
  private mutating func pushText(_ opcode: UInt8) throws -> Bool {
    switch opcode {
    case UInt8(ascii: "X"):
      stack.append(.string(try reader.string(Int(try reader.integer(UInt32.self, "BINUNICODE")), "a string")))
    case 0x8c:
      stack.append(.string(try reader.string(Int(try reader.integer(UInt8.self, "SHORT_BINUNICODE")), "a string")))
    case 0x8d: stack.append(.string(try reader.string(try reader.size("a string's length"), "a string")))
    case UInt8(ascii: "V"): stack.append(.string(try line()))
    case UInt8(ascii: "S"): stack.append(.string(try line().trimming("'\"")))
    case UInt8(ascii: "U"): try pushOldText(Int(try reader.integer(UInt8.self, "SHORT_BINSTRING")))
    case UInt8(ascii: "T"): try pushOldText(Int(try reader.integer(Int32.self, "BINSTRING")))
    case UInt8(ascii: "C"): try pushBytes(Int(try reader.integer(UInt8.self, "SHORT_BINBYTES")))
    case UInt8(ascii: "B"): try pushBytes(Int(try reader.integer(UInt32.self, "BINBYTES")))
    case 0x8e, 0x96: try pushBytes(try reader.size("a length of bytes"))
    default: return false
    }
    return true
  }

  private mutating func pushBytes(_ count: Int) throws {
    _ = try reader.take(count, "bytes")
    stack.append(.other)
  }

  /// Text of Python 2, which may as well be bytes.
  private mutating func pushOldText(_ count: Int) throws {
    stack.append(String(validating: try reader.take(count, "a string"), as: UTF8.self).map(Value.string) ?? .other)
  }

  private mutating func line() throws -> String {
    var text: [UInt8] = []
    while true {
      let byte = try reader.integer(UInt8.self, "a line")
      if byte == 10 { break }
      guard text.count < 1024 else { throw damaged("a line has no end") }
      text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func decimal() throws -> Int {
    guard let value = Int(try line()), value >= 0 else { throw damaged("a number") }
    return value
  }

  private mutating func longInteger(_ length: Int) throws -> Value {
    let bytes = try reader.take(length, "LONG")
    guard length <= 8 else { return .other }
    var value: UInt64 = length > 0 && bytes[length - 1] >= 0x80 ? .max : 0
    for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
    return .integer(Int(Int64(bitPattern: value)))
  }

  // MARK: Composite values

  /// Makes or fills a composite value; false where `opcode` does neither.
  private mutating func build(_ opcode: UInt8) throws -> Bool {
    switch opcode {
    case UInt8(ascii: ")"): push(.tuple)
    case 0x85: push(.tuple, [try pop()])
    case 0x86:
      let second = try pop()
      push(.tuple, [try pop(), second])
    case 0x87:
      let third = try pop(), second = try pop()
      push(.tuple, [try pop(), second, third])
    case UInt8(ascii: "t"): push(.tuple, try popToMark())
    case UInt8(ascii: "]"): push(.list)
    case UInt8(ascii: "l"): push(.list, try popToMark())
    case UInt8(ascii: "}"): push(.dictionary)
    case UInt8(ascii: "d"): push(.dictionary, try pairs(try popToMark()))
    case 0x8f: push(.object)  // a set
    case 0x90: _ = try popToMark()  // its elements
    case 0x91:
      _ = try popToMark()
      push(.object)
    case UInt8(ascii: "a"): try add([try pop()], as: .list)
    case UInt8(ascii: "e"): try add(try popToMark(), as: .list)
    case UInt8(ascii: "s"):
      let value = try pop()
      try add([try pop(), value], as: .dictionary)
    case UInt8(ascii: "u"): try add(try pairs(try popToMark()), as: .dictionary)
    case UInt8(ascii: "Q"): try pushStorage(try pop())
    case UInt8(ascii: "R"): try reduce()
    case 0x81: try reduce()  // NEWOBJ: a class and its arguments
    case 0x92:  // NEWOBJ_EX: with arguments by name
      _ = try pop()
      try reduce()
    case UInt8(ascii: "b"):  // BUILD: attributes, e.g. _metadata of an OrderedDict
      _ = try pop()
      _ = try top()
    default: return false
    }
    return true
  }

  private func pairs(_ values: [Value]) throws -> [Value] {
    guard values.count % 2 == 0 else { throw damaged("a key without a value") }
    return values
  }

  /// Adds to the list or dictionary on top of the stack. An object of a class of its own becomes what it is filled as.
  private mutating func add(_ values: [Value], as kind: PickleGraph.Node.Kind) throws {
    guard case .node(let place) = try top() else { throw damaged("nothing to add to") }
    switch (graph.nodes[place].kind, kind) {
    case (.list, .list), (.dictionary, .dictionary): break
    case (.object, _): graph.nodes[place].kind = kind
    default: throw damaged("nothing to add to")
    }
    itemCount += values.count
    graph.nodes[place].items += values
  }

  private func global(_ name: String) throws -> Value {
    guard PickleNames.isKnown(name) else {
      throw reader.fail(
        "its pickle requests the Python object \"\(name.replacing(" ", with: "."))\", which could run code; it is refused. Use a file that holds tensors only (torch.save of model.state_dict(), or safetensors)"
      )
    }
    return .global(name)
  }

  /// ('storage', storage type, key, location, count), in old files with a view, which is none.
  private mutating func pushStorage(_ identifier: Value) throws {
    guard let parts = graph.tuple(identifier), parts.count >= 5, case .string("storage") = parts[0],
      case .global(let typeName) = parts[1], case .string(let key) = parts[2], case .integer(let count) = parts[4],
      count >= 0
    else { throw damaged("a storage") }
    guard PickleNames.storages[typeName] != nil || PickleNames.untypedStorages.contains(typeName) else {
      throw damaged("a storage of \(typeName)")
    }
    if parts.count > 5 {
      guard case .none = parts[5] else {
        throw reader.fail("its storages are views, as before PyTorch 0.4; load it there and save it again")
      }
    }
    var location = ""
    if case .string(let text) = parts[3] { location = text }
    push(
      .storage(
        PickleGraph.Storage(type: PickleNames.storages[typeName], key: key, count: count, location: location)))
  }

  // MARK: Calls

  private mutating func reduce() throws {
    guard let arguments = graph.tuple(try pop()), case .global(let name) = try pop() else { throw damaged("REDUCE") }
    try call(name, arguments)
  }

  private mutating func call(_ name: String, _ arguments: [Value]) throws {
    switch name {
    case "torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3":
      push(try tensor(arguments, typeAt: name.hasSuffix("_v3") ? 6 : nil))
    case "torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state", "torch Size":
      guard let first = arguments.first else { throw damaged("a call of \(name)") }
      stack.append(first)
    case "torch._tensor _rebuild_from_type_v2":
      // (function, class, its arguments, state): a tensor with attributes. The function builds the tensor.
      guard arguments.count >= 3, case .global(let inner) = arguments[0], inner != name,
        let innerArguments = graph.tuple(arguments[2])
      else { throw damaged("a tensor with attributes") }
      try call(inner, innerArguments)
    case _ where PickleNames.dictionaries.contains(name): push(.dictionary, orderedPairs(arguments))
    case _ where PickleNames.arrays.contains(name): push(.array)
    case _ where PickleNames.isInert(name): push(.object)
    default:
      guard let reason = PickleNames.unreadable[name] else { throw damaged("a call of \(name)") }
      push(.unreadable(reason))
    }
  }

  /// The pairs that an OrderedDict of Python 2 is made of.
  private func orderedPairs(_ arguments: [Value]) -> [Value] {
    guard let list = arguments.first.flatMap({ graph.node($0) }), case .list = list.kind else { return [] }
    return list.items.flatMap { pair in
      let items = graph.node(pair)?.items ?? []
      return items.count == 2 ? items : []
    }
  }

  /// (storage, offset, shape, strides, ...): `typeAt` is the argument that says the type of a storage of bytes.
  private func tensor(_ arguments: [Value], typeAt: Int?) throws -> PickleGraph.Node.Kind {
    guard arguments.count >= 4, case .storage(let storage)? = graph.node(arguments[0])?.kind,
      case .integer(let offset) = arguments[1], let shape = graph.sizes(arguments[2]),
      let strides = graph.sizes(arguments[3]), shape.count == strides.count, offset >= 0
    else { throw damaged("a tensor") }
    if storage.location == "meta" {
      return .unreadable(PickleNames.unreadable["torch._utils _rebuild_meta_tensor_no_storage"] ?? "")
    }
    var type = storage.type, count = storage.count
    if let typeAt {
      guard arguments.count > typeAt, case .global(let name) = arguments[typeAt], let told = PickleNames.types[name]
      else { throw damaged("a tensor's type") }
      if type == nil { count /= told.blockByteCount }
      type = told
    }
    guard let type else { throw damaged("a tensor without a type") }
    return .tensor(
      PickleGraph.Tensor(
        type: type, key: storage.key, storageCount: count, offset: offset, shape: shape, strides: strides))
  }
}

extension String {
  fileprivate func trimming(_ characters: String) -> String {
    guard count >= 2, let first, first == last, characters.contains(first) else { return self }
    return String(dropFirst().dropLast())
  }
}
