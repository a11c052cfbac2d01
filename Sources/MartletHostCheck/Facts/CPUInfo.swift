/// Reads /proc/cpuinfo: one block of `key : value` lines a logical processor. It is text that strangers wrote: keys are
/// followed by any tabs and spaces, blocks may begin at any number, and any line may be missing.
///
/// Complexity: O(bytes); equal flag lines are looked at once.
struct CPUInfo {
  private(set) var processors: [(kind: Processor, count: Int)] = []
  private(set) var architecture = HostFacts.Architecture.unknown
  private(set) var warnings: [String] = []
  /// Numbers of the processors of each kind, in order, for those who read more of them elsewhere.
  private(set) var numbers: [[Int]] = []

  /// Largest file that is read: 4,096 processors with long flags fit four times.
  static let mostBytes = 64 << 20

  /// - Throws: HostCheckError where the text is no cpuinfo at all, or too long.
  init(_ bytes: [UInt8], name: String) throws {
    guard bytes.count <= Self.mostBytes else {
      throw HostCheckError(
        "\(name) has \(bytes.count >> 20) MB, and a cpuinfo has at most \(Self.mostBytes >> 20): give the file itself")
    }
    bytes.withUnsafeBufferPointer { read($0) }
    guard !processors.isEmpty || architecture != .unknown else {
      throw HostCheckError(
        "\(name) is not a /proc/cpuinfo: no line of it describes a processor; copy the whole file with `cat /proc/cpuinfo`"
      )
    }
  }

  private mutating func read(_ text: UnsafeBufferPointer<UInt8>) {
    var block = Processor(), isEmpty = true, name: Int?
    var kinds: [Processor: Int] = [:]
    var flagLine = 0..<0, flags: Processor.Flags?
    var start = 0

    func finish() {
      guard !isEmpty else { return }
      let index = kinds[block] ?? processors.count
      if index == processors.count {
        kinds[block] = index
        processors.append((block, 0))
        numbers.append([])
      }
      processors[index].count += 1
      numbers[index].append(name ?? numbers.reduce(0) { $0 + $1.count })
      block = Processor()
      isEmpty = true
      name = nil
    }
    while start < text.count {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      defer { start = end + 1 }
      let line = start..<end
      if trimmed(text, line).isEmpty {
        finish()
        continue
      }
      guard let colon = text[line].firstIndex(of: UInt8(ascii: ":")) else { continue }
      let key = trimmed(text, line.lowerBound..<colon), value = trimmed(text, colon + 1..<end)
      if key.count > 32 { continue }
      switch String(decoding: text[key], as: UTF8.self) {
      case "processor":
        finish()
        name = Int(String(decoding: text[value].prefix(10), as: UTF8.self))
        isEmpty = false
      case "vendor_id":
        let vendor = String(decoding: text[value].prefix(64), as: UTF8.self)
        if vendor.hasPrefix("IBM/S390") {
          take(.other("s390x"))
        } else {
          set(&block.vendor, vendor, "vendor_id")
          isEmpty = false
          take(.x86)
        }
      case "cpu family": number(value, "cpu family", into: &block.family)
      case "model": number(value, "model", into: &block.model)
      case "stepping": number(value, "stepping", into: &block.stepping)
      case "microcode": number(value, "microcode", into: &block.revision)
      case "model name":
        isEmpty = false
        if !value.isEmpty {
          set(&block.modelName, String(decoding: text[value].prefix(128), as: UTF8.self), "model name")
        }
      case "flags":
        if flags == nil || text[flagLine].count != value.count || !text[flagLine].elementsEqual(text[value]) {
          flags = Self.flags(text, value)
          flagLine = value
        }
        block.flags = flags
        isEmpty = false
      case "CPU implementer": take(.other("arm64"))
      case "CPU architecture" where "1234567".utf8.contains(text[value].first ?? 0): take(.other("arm"))
      case "hart", "isa": take(.other("riscv64"))
      case "cpu" where text[value].starts(with: "POWER".utf8) || text[value].starts(with: "PPC".utf8):
        take(.other("ppc64"))
      case "system type", "cpu model": take(.other("mips"))
      case "CPU Family": take(.other("loongarch64"))
      default: continue
      }
    }
    finish()

    /// A file that speaks of x86 and of something else is judged as x86: nothing is safe for lack of a line.
    func take(_ found: HostFacts.Architecture) {
      if architecture != .unknown, (architecture == .x86) != (found == .x86) {
        warn("the file holds lines of an x86 processor and of another architecture")
        architecture = .x86
      } else {
        architecture = found
      }
    }
    func set<Value: Equatable>(_ field: inout Value?, _ value: Value, _ key: String) {
      if let old = field, old != value { warn("a processor has two lines \(key) that differ") }
      if field == nil { field = value }
    }
    func number(_ value: Range<Int>, _ key: String, into field: inout UInt32?) {
      isEmpty = false
      let digits = String(decoding: text[value].prefix(24), as: UTF8.self)
      guard let number = UInt32(number: digits) else {
        return warn("the \(key) \(quoted(digits)) is not a number of 32 bits")
      }
      if key == "microcode", let old = field, old != number {
        // The older one decides.
        warn("a processor has two lines microcode that differ")
        field = min(old, number)
      } else {
        set(&field, number, key)
      }
    }
    func warn(_ warning: String) {
      if warnings.count < 16, !warnings.contains(warning) { warnings.append(warning) }
    }
  }

  private static func flags(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Processor.Flags {
    var flags = Processor.Flags()
    var start = range.lowerBound
    while start < range.upperBound {
      let end = text[start..<range.upperBound].firstIndex(of: UInt8(ascii: " ")) ?? range.upperBound
      // A hundred and more words, of which eight matter.
      if [UInt8(ascii: "h"), UInt8(ascii: "f"), UInt8(ascii: "s"), UInt8(ascii: "t")].contains(text[start]) {
        switch String(decoding: text[start..<end].prefix(16), as: UTF8.self) {
        case "hypervisor": flags.hypervisor = true
        case "fsrm": flags.fastShortRepeatMove = true
        case "sev", "sev_es", "sev_snp": flags.sev = true
        case "svm": flags.nestedGuests = true
        // Only a guest has these, whether or not a hypervisor owns up to it.
        case "sev_guest":
          flags.sev = true
          flags.hypervisor = true
        case "tdx_guest":
          flags.tdxGuest = true
          flags.hypervisor = true
        default: break
        }
      }
      start = end + 1
    }
    return flags
  }
}

private func trimmed(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Range<Int> {
  var (low, high) = (range.lowerBound, range.upperBound)
  func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }
  while low < high, isBlank(text[low]) { low += 1 }
  while low < high, isBlank(text[high - 1]) { high -= 1 }
  return low..<high
}
