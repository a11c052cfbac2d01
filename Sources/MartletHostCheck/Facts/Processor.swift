/// Logical processors that look the same: identity, microcode revision and what their flags say.
public struct Processor: Sendable, Hashable {
  /// As CPUID spells it; nil where it could not be read.
  public var vendor: String?
  /// Family with its extension; nil where it could not be read.
  public var family: UInt32?
  /// Model with its extension; nil where it could not be read.
  public var model: UInt32?
  /// Stepping; nil where it could not be read.
  public var stepping: UInt32?
  /// The name that is sold; nil where it could not be read.
  public var modelName: String?
  /// As shown; a hypervisor may show anything.
  public var revision: UInt32?
  /// Platform mask of MSR 0x17 or sysfs (one bit set); nil where it cannot be read.
  public var platformMask: UInt32?
  /// nil where the source has no flags at all.
  public var flags: Flags?

  /// What CPUID says the processor can do, as far as verdicts ask.
  public struct Flags: Sendable, Hashable {
    /// Whether it says that a hypervisor runs it.
    public var hypervisor = false
    /// Whether it has fast short repeat moves (fsrm), which Reptar needs.
    public var fastShortRepeatMove = false
    /// sev, sev_es or sev_snp.
    public var sev = false
    /// tdx_guest: the kernel's word that Intel's TDX encrypts this guest.
    public var tdxGuest = false
    /// svm: the guest may itself have guests.
    public var nestedGuests = false
    /// None of them.
    public init() {}
  }

  /// A processor of which nothing is known.
  public init() {}

  /// CPUID.1:EAX: extended family, extended model, family, model, stepping; nil where one of them is missing or does
  /// not fit.
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
