/// A restricted reader of Python pickles: only what a dictionary of tensors needs. No code is ever run; any
/// other global or opcode is refused.
struct Pickle {
  indirect enum Value {
    case none
    case bool(Bool)
    case integer(Int)
    case real(Double)
    case string(String)
    case tuple([Value])
    case list(Box<[Value]>)
    case dictionary(Box<[(Value, Value)]>)
    case global(String)
    case storage(type: FileType, key: String, count: Int)
    case tensor(Tensor)
    case mark
  }
  /// Lists and dictionaries are shared by reference in a pickle.
  final class Box<Contents> {
    var contents: Contents
    init(_ contents: Contents) { self.contents = contents }
  }
  struct Tensor {
    let type: FileType
    let key: String
    let storageCount, offset: Int
    let shape, strides: [Int]
  }

  private static let storages: [String: FileType] = [
    "torch FloatStorage": .f32, "torch HalfStorage": .f16, "torch BFloat16Storage": .bf16, "torch DoubleStorage": .f64,
    "torch LongStorage": .i64, "torch IntStorage": .i32, "torch ShortStorage": .i16, "torch CharStorage": .i8,
    "torch ByteStorage": .u8, "torch BoolStorage": .bool,
  ]
  private static let functions: Set<String> = [
    "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "collections OrderedDict",
  ]

  private var reader: ByteReader
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]

  static func load(_ bytes: UnsafeRawBufferPointer, file: String) throws -> Value {
    var pickle = Pickle(reader: ByteReader(bytes, file: file))
    return try pickle.run()
  }

  private init(reader: ByteReader) { self.reader = reader }

  private func damaged(_ what: String) -> CheckpointError {
    reader.fail("its pickle is damaged (\(what) at byte \(reader.position)); fetch it again")
  }

  private mutating func pop() throws -> Value {
    guard let value = stack.popLast() else { throw damaged("a value is missing") }
    return value
  }

  private mutating func popToMark() throws -> [Value] {
    guard let at = stack.lastIndex(where: { if case .mark = $0 { true } else { false } }) else {
      throw damaged("a mark is missing")
    }
    let values = Array(stack[(at + 1)...])
    stack.removeSubrange(at...)
    return values
  }

  private mutating func remember(_ key: Int) throws {
    guard let top = stack.last else { throw damaged("nothing to remember") }
    memo[key] = top
  }

  private mutating func recall(_ key: Int) throws {
    guard let value = memo[key] else { throw damaged("memo \(key) is not set") }
    stack.append(value)
  }

  private mutating func line() throws -> String {
    var text: [UInt8] = []
    while true {
      let byte = try reader.integer(UInt8.self, "a name")
      if byte == 10 { break }
      guard text.count < 1024 else { throw damaged("a name has no end") }
      text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func run() throws -> Value {
    while true {
      let opcode = try reader.integer(UInt8.self, "the pickle")
      switch opcode {
      case 0x80: _ = try reader.integer(UInt8.self, "PROTO")
      case 0x95: _ = try reader.integer(UInt64.self, "FRAME")
      case UInt8(ascii: "."): return try pop()
      case UInt8(ascii: "("): stack.append(.mark)
      case UInt8(ascii: "N"): stack.append(.none)
      case 0x88: stack.append(.bool(true))
      case 0x89: stack.append(.bool(false))
      case UInt8(ascii: "K"): stack.append(.integer(Int(try reader.integer(UInt8.self, "BININT1"))))
      case UInt8(ascii: "M"): stack.append(.integer(Int(try reader.integer(UInt16.self, "BININT2"))))
      case UInt8(ascii: "J"): stack.append(.integer(Int(try reader.integer(Int32.self, "BININT"))))
      case 0x8a: stack.append(.integer(try longInteger()))
      case UInt8(ascii: "G"):
        stack.append(.real(Double(bitPattern: try reader.integer(UInt64.self, "BINFLOAT").byteSwapped)))
      case UInt8(ascii: "X"):
        let length = Int(try reader.integer(UInt32.self, "BINUNICODE"))
        stack.append(.string(try reader.string(length, "a string")))
      case 0x8c:
        let length = Int(try reader.integer(UInt8.self, "SHORT_BINUNICODE"))
        stack.append(.string(try reader.string(length, "a string")))
      case UInt8(ascii: "q"): try remember(Int(try reader.integer(UInt8.self, "BINPUT")))
      case UInt8(ascii: "r"): try remember(Int(try reader.integer(UInt32.self, "LONG_BINPUT")))
      case 0x94: try remember(memo.count)
      case UInt8(ascii: "h"): try recall(Int(try reader.integer(UInt8.self, "BINGET")))
      case UInt8(ascii: "j"): try recall(Int(try reader.integer(UInt32.self, "LONG_BINGET")))
      case UInt8(ascii: "c"): stack.append(try global("\(try line()) \(try line())"))
      case 0x93:
        guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
          throw damaged("STACK_GLOBAL")
        }
        stack.append(try global("\(module) \(name)"))
      case UInt8(ascii: ")"): stack.append(.tuple([]))
      case 0x85: stack.append(.tuple([try pop()]))
      case 0x86:
        let second = try pop()
        stack.append(.tuple([try pop(), second]))
      case 0x87:
        let third = try pop(), second = try pop()
        stack.append(.tuple([try pop(), second, third]))
      case UInt8(ascii: "t"): stack.append(.tuple(try popToMark()))
      case UInt8(ascii: "]"): stack.append(.list(Box([])))
      case UInt8(ascii: "}"): stack.append(.dictionary(Box([])))
      case UInt8(ascii: "a"):
        let value = try pop()
        guard case .list(let list)? = stack.last else { throw damaged("APPEND") }
        list.contents.append(value)
      case UInt8(ascii: "e"):
        let values = try popToMark()
        guard case .list(let list)? = stack.last else { throw damaged("APPENDS") }
        list.contents += values
      case UInt8(ascii: "s"):
        let value = try pop(), key = try pop()
        guard case .dictionary(let dictionary)? = stack.last else { throw damaged("SETITEM") }
        dictionary.contents.append((key, value))
      case UInt8(ascii: "u"):
        let values = try popToMark()
        guard values.count % 2 == 0, case .dictionary(let dictionary)? = stack.last else { throw damaged("SETITEMS") }
        for index in stride(from: 0, to: values.count, by: 2) {
          dictionary.contents.append((values[index], values[index + 1]))
        }
      case UInt8(ascii: "Q"): stack.append(try persistent(try pop()))
      case UInt8(ascii: "R"):
        let arguments = try pop()
        guard case .tuple(let values) = arguments, case .global(let name) = try pop() else { throw damaged("REDUCE") }
        stack.append(try call(name, values))
      case UInt8(ascii: "b"): _ = try pop()  // BUILD: attributes of an OrderedDict, e.g. _metadata
      default:
        throw reader.fail(
          "its pickle uses opcode 0x\(String(opcode, radix: 16)) at byte \(reader.position - 1), which a file of weights does not need; it is refused"
        )
      }
    }
  }

  private mutating func longInteger() throws -> Int {
    let length = Int(try reader.integer(UInt8.self, "LONG1"))
    let bytes = try reader.take(length, "LONG1")
    guard length <= 8 else { throw damaged("an integer of \(length) bytes") }
    var value: UInt64 = length > 0 && bytes[length - 1] >= 0x80 ? .max : 0
    for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
    return Int(Int64(bitPattern: value))
  }

  private func global(_ name: String) throws -> Value {
    guard Self.storages[name] != nil || Self.functions.contains(name) else {
      throw reader.fail(
        "its pickle asks for the Python object \"\(name.replacing(" ", with: "."))\", which could run code; it is refused. Use a file that holds tensors only"
      )
    }
    return .global(name)
  }

  /// ('storage', storage type, key, location, count)
  private func persistent(_ identifier: Value) throws -> Value {
    guard case .tuple(let parts) = identifier, parts.count == 5, case .string("storage") = parts[0],
      case .global(let typeName) = parts[1], let type = Self.storages[typeName], case .string(let key) = parts[2],
      case .integer(let count) = parts[4], count >= 0
    else { throw damaged("a storage") }
    return .storage(type: type, key: key, count: count)
  }

  private func call(_ name: String, _ arguments: [Value]) throws -> Value {
    switch name {
    case "collections OrderedDict": return .dictionary(Box([]))
    case "torch._utils _rebuild_parameter":
      guard let first = arguments.first, case .tensor = first else { throw damaged("a parameter") }
      return first
    case "torch._utils _rebuild_tensor_v2":
      guard arguments.count >= 4, case .storage(let type, let key, let count) = arguments[0],
        case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
        let strides = integers(arguments[3]),
        shape.count == strides.count, offset >= 0, shape.count <= 8
      else { throw damaged("a tensor") }
      return .tensor(
        Tensor(type: type, key: key, storageCount: count, offset: offset, shape: shape, strides: strides))
    default: throw damaged("a call of \(name)")
    }
  }

  private func integers(_ value: Value) -> [Int]? {
    guard case .tuple(let parts) = value else { return nil }
    var result: [Int] = []
    for part in parts {
      guard case .integer(let number) = part, number >= 0 else { return nil }
      result.append(number)
    }
    return result
  }
}
