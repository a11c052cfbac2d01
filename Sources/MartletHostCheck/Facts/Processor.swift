/// A kind of logical processor: its identity, microcode revision and flags.
public struct Processor: Sendable, Hashable {
  /// The vendor as in CPUID; nil if it could not be read.
  public var vendor: String?
  /// The family including its extension; nil if it could not be read.
  public var family: UInt32?
  /// The model including its extension; nil if it could not be read.
  public var model: UInt32?
  /// The stepping; nil if it could not be read.
  public var stepping: UInt32?
  /// The product name; nil if it could not be read.
  public var modelName: String?
  /// The microcode revision as shown; a hypervisor may show any value.
  public var revision: UInt32?
  /// The platform mask from MSR 0x17 or sysfs (one bit set); nil if it cannot be read.
  public var platformMask: UInt32?
  /// The flags; nil if the source has none.
  public var flags: Flags?

  /// The CPUID flags that verdicts need.
  public struct Flags: Sendable, Hashable {
    /// Whether a hypervisor is present.
    public var hypervisor = false
    /// Whether the processor has fast short repeat moves (fsrm), which Reptar requires.
    public var fastShortRepeatMove = false
    /// Whether one of sev, sev_es and sev_snp is set.
    public var sev = false
    /// Whether tdx_guest is set, that is, Intel's TDX encrypts this guest according to the kernel.
    public var tdxGuest = false
    /// Whether svm is set, so that the guest can run nested guests.
    public var nestedGuests = false
    /// Flags that are all false.
    public init() {}
  }

  /// A processor without any known properties.
  public init() {}

  /// CPUID.1:EAX: extended family, extended model, family, model, stepping; nil if one of them is missing or out of
  /// range.
  public var signature: UInt32? {
    get {
      guard let family, let model, let stepping, family <= 0x10e, model <= 0xff, stepping <= 0xf else { return nil }
      let base = min(family, 0xf)
      return (family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 0xf) << 4 | stepping
    }
    set {
      guard let value = newValue else {
        family = nil
        model = nil
        stepping = nil
        return
      }
      let base = value >> 8 & 0xf
      family = base == 0xf ? 0xf + (value >> 20 & 0xff) : base
      model = (base == 0xf || base == 6 ? value >> 16 & 0xf : 0) << 4 | value >> 4 & 0xf
      stepping = value & 0xf
    }
  }

  /// Whether Intel made it.
  public var isIntel: Bool { vendor == "GenuineIntel" }
  /// Whether AMD made it.
  public var isAMD: Bool { vendor == "AuthenticAMD" }
}

extension UInt32 {
  /// 0x and as many digits as needed.
  var hexadecimal: String { "0x" + String(self, radix: 16) }
  /// 0x and eight digits.
  var hexadecimal8: String {
    let digits = String(self, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Reads `0x…` or decimal digits, and nothing else.
  init?(number text: some StringProtocol) {
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      let digits = text.dropFirst(2)
      guard digits.first?.isHexDigit == true else { return nil }
      self.init(digits, radix: 16)
    } else {
      guard text.first?.isNumber == true else { return nil }
      self.init(text, radix: 10)
    }
  }
}
