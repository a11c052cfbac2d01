/// A binary file as a list of fields that know what they mean, in groups (a metadata entry, a tensor's record, an opcode
/// with its operand), so that a test can damage what a field says instead of single bits.
public struct FieldFile: Sendable {
  public enum Kind: Sendable, CaseIterable {
    /// A number of things that follow.
    case count
    /// Bytes of the text or data that follow.
    case length
    case offset
    /// A code that chooses among types, opcodes, methods.
    case type
    case name
    case value
    /// Data that nobody interprets.
    case payload
  }

  public struct Field: Sendable {
    public var kind: Kind
    public var bytes: [UInt8]
  }

  /// Fields of each group, in file order.
  public private(set) var groups: [[Field]] = []

  public init() {}

  public var bytes: [UInt8] { groups.joined().flatMap(\.bytes) }

  public mutating func beginGroup() { groups.append([]) }

  public mutating func put(_ kind: Kind, _ bytes: some Sequence<UInt8>) {
    if groups.isEmpty { beginGroup() }
    groups[groups.count - 1].append(Field(kind: kind, bytes: Array(bytes)))
  }

  public mutating func put(_ kind: Kind, _ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { put(kind, Array($0)) }
  }

  public mutating func append(_ other: FieldFile) { groups += other.groups }

  /// One to three kinds of damage to fields and groups.
  public func mutated(using random: inout some RandomNumberGenerator) -> FieldFile {
    var file = self
    for _ in 0..<Int.random(in: 1...3, using: &random) { file.damage(&random) }
    return file
  }

  private mutating func damage(_ random: inout some RandomNumberGenerator) {
    guard let group = groups.indices.randomElement(using: &random) else { return }
    let other = groups.indices.randomElement(using: &random) ?? group
    switch Int.random(in: 0..<16, using: &random) {
    case 0: groups.remove(at: group)
    case 1: groups.insert(groups[group], at: other)
    case 2: groups.swapAt(group, other)
    case 3: groups.removeSubrange(group...)
    case 4:
      let times = [2, 3, 40, 3000].randomElement(using: &random) ?? 2
      groups.insert(contentsOf: Array(repeating: groups[group], count: times), at: group)
    case 5:
      let noise = (0..<Int.random(in: 1...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      groups.insert([Field(kind: .payload, bytes: noise)], at: group)
    default: damageField(group, &random)
    }
  }

  private mutating func damageField(_ group: Int, _ random: inout some RandomNumberGenerator) {
    // Data is the least interesting.
    let places = groups[group].indices.filter { groups[group][$0].kind != .payload }
    guard let place = (places.isEmpty ? Array(groups[group].indices) : places).randomElement(using: &random) else {
      return
    }
    let field = groups[group][place]
    switch field.kind {
    case .count, .length, .offset, .type, .value:
      groups[group][place].bytes = number(like: field, &random)
    case .name, .payload:
      let text = name(like: field, &random)
      groups[group][place].bytes = text
      // Half of the time the length before it is put right: the fault lies in the text alone.
      if place > 0, groups[group][place - 1].kind == .length, Bool.random(using: &random) {
        let width = groups[group][place - 1].bytes.count
        groups[group][place - 1].bytes = Self.little(UInt64(text.count), width: width)
      }
    }
  }

  private func number(like field: Field, _ random: inout some RandomNumberGenerator) -> [UInt8] {
    let width = field.bytes.count
    guard width > 0, width <= 8 else { return name(like: field, &random) }
    let old = field.bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let same = groups.joined().filter { $0.kind == field.kind && $0.bytes.count == width }
    let choices: [UInt64] = [
      0, 1, 2, 3, old &+ 1, old &- 1, old &* 2, old &* 4096, 0x7f, 0xff, 0x7fff, 0xffff, 1 << 31, 1 << 32, 1 << 40,
      1 << 62,
      0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 1 << 63, .max, .max - 7,
      UInt64.random(in: 0...64, using: &random),
      UInt64.random(in: 0...UInt64.max, using: &random),
    ]
    if Int.random(in: 0..<4, using: &random) == 0, let other = same.randomElement(using: &random) { return other.bytes }
    return Self.little(choices.randomElement(using: &random) ?? 0, width: width)
  }

  private func name(like field: Field, _ random: inout some RandomNumberGenerator) -> [UInt8] {
    let same = groups.joined().filter { $0.kind == field.kind }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return []
    case 1: return Array(repeating: UInt8(ascii: "a"), count: 5000)
    case 2: return Array("\u{1b}[2J\u{7}\n\u{202e}x".utf8)
    case 3: return [0xff, 0xfe, 0xc3]
    case 4: return field.bytes + field.bytes
    case 5: return Array(field.bytes.dropLast())
    default: return same.randomElement(using: &random)?.bytes ?? []
    }
  }

  private static func little(_ value: UInt64, width: Int) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0.prefix(width)) }
  }
}

/// Reproducible random numbers (xorshift).
public struct TestRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64
  public init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
  public mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
