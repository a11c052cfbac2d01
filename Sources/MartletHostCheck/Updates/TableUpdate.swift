/// The additions to the built-in tables from a file of Intel or AMD.
///
/// The supported files are Intel's release notes of microcode, its microcode files, its list of affected processors
/// (CSV), and AMD's list of patches (amd-ucode/README of linux-firmware) and containers. Every number is checked for
/// plausibility. A file that is damaged, dated in the future, or older than the known data is rejected.
public struct TableUpdate: Sendable, Equatable {
  /// A microcode revision that exists.
  public struct Revision: Sendable, Hashable {
    /// The vendor as in CPUID.
    public var vendor: String
    /// The processor signature: family, model and stepping as encoded by CPUID.
    public var signature: UInt32
    /// The revision of the microcode.
    public var revision: UInt32
    /// The date of the build, or of the release if only that is known (year-month-day).
    public var date: String
  }

  /// The entry of Intel's list for a processor.
  public struct Listing: Sendable, Hashable {
    /// The processor signature: family, model and stepping as encoded by CPUID.
    public var signature: UInt32
    /// Whether the list names it as affected.
    public var isAffected: Bool
    /// The code name.
    public var codename: String
  }

  /// The kind of file.
  public enum Kind: Sendable {
    /// A kind, detected from the contents of the file.
    case releaseNotes, microcode, firmwareListing, processorList
  }

  /// The name of the file.
  public var name: String
  /// The kind of the file.
  public var kind = Kind.microcode
  /// The date of the newest entry in the file (year-month-day).
  public var date: String
  /// The microcode revisions in the file.
  public var revisions: [Revision] = []
  /// The processors in the file.
  public var listings: [Listing] = []

  static let mostBytes = 64 << 20
  static let mostRows = 200_000

  /// - Parameters:
  ///   - bytes: the contents of the file.
  ///   - name: the name of the file, without its folder.
  ///   - fileDate: the modification date of the file, for kinds of files without a date.
  ///   - today: the current date; later dates in the file are rejected.
  /// - Throws: ``HostCheckError`` that names the file, the position and the remedy.
  public init(_ bytes: [UInt8], name: String, fileDate: String, today: String) throws {
    guard !bytes.isEmpty else { throw HostCheckError("\(name) is empty; fetch it again") }
    guard bytes.count <= Self.mostBytes else {
      throw HostCheckError("\(name) has \(bytes.count >> 20) MB, and no list has more than \(Self.mostBytes >> 20)")
    }
    self.name = name
    date = fileDate
    if bytes.number32(at: 0) == 0x0041_4d44 || bytes.number32(at: 0) == 1 && bytes.count >= 48 {
      try readMicrocode(bytes)
    } else if bytes.starts(with: [0x1f, 0x8b]) || bytes.starts(with: [0xfd, 0x37, 0x7a])
      || bytes.starts(with: [0x50, 0x4b])
      || bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
      || bytes.count > 262 && bytes[257..<262].elementsEqual("ustar".utf8)
    {
      throw HostCheckError(
        "\(name) is an archive; unpack it, and give its folder, its releasenote.md or a file of its intel-ucode")
    } else {
      guard let text = String(validating: bytes, as: UTF8.self), !text.contains("\0") else {
        throw HostCheckError("\(name) is neither text nor microcode; give a file as Intel or AMD publishes it")
      }
      try read(text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text)
    }
    guard !revisions.isEmpty || !listings.isEmpty else {
      throw HostCheckError(
        "\(name) is not a supported file: give Intel's releasenote.md, microcode or affected-processor list (CSV), or amd-ucode/README or containers of linux-firmware"
      )
    }
    guard revisions.count + listings.count <= Self.mostRows else {
      throw HostCheckError("\(name) names more processors than there are; fetch it again")
    }
    guard CivilDay(text: date) != nil, date >= "2018-01-01" else {
      throw HostCheckError("\(name) is dated \(date), before any of these lists; fetch it again")
    }
    guard date <= today else { throw HostCheckError("\(name) is dated \(date), in the future; fetch it again") }
  }

  /// An update that combines several microcode files.
  public init(microcode parts: [TableUpdate], name: String) {
    self.name = name
    date = parts.map(\.date).max() ?? ""
    revisions = parts.flatMap(\.revisions)
  }

  private mutating func read(_ text: String) throws {
    let start = text.prefix(4096)
    if start.contains("CPUID"), start.contains("Family_Model") || text.contains("Reptar") {
      kind = .processorList
      listings = try AffectedProcessorList.read(text, name: name)
    } else if text.contains("Patch=0x") {
      kind = .firmwareListing
      revisions = try FirmwareListing.read(text, name: name, date: date)
    } else if text.contains("[microcode-") {
      kind = .releaseNotes
      (revisions, date) = try ReleaseNotes.read(text, name: name)
    }
  }

  private mutating func readMicrocode(_ bytes: [UInt8]) throws {
    let isIntel = bytes.number32(at: 0) == 1
    let found = try isIntel ? IntelMicrocode.read(bytes, path: name) : AMDMicrocode.read(bytes, path: name)
    revisions = try found.map { entry in
      let revision = Revision(
        vendor: isIntel ? "Intel" : "AMD", signature: entry.signature, revision: entry.revision, date: entry.date)
      try Self.check(revision, place: name)
      guard CivilDay(text: entry.date) != nil else {
        throw HostCheckError("\(name) is damaged: its date \(quoted(entry.date)) is not valid; fetch it again")
      }
      return revision
    }
    date = revisions.map(\.date).max() ?? date
  }

  /// - Throws: HostCheckError for a revision that its processor cannot have.
  static func check(_ entry: Revision, place: String) throws {
    func damaged(_ why: String) -> HostCheckError {
      HostCheckError("\(place): \(why); the file is damaged, fetch it again")
    }
    guard entry.revision != 0, entry.revision != 0xffff_ffff else {
      throw damaged("\(entry.revision.hexadecimal8) is not a revision")
    }
    guard entry.revision < 0x8000_0000 else {
      throw damaged("\(entry.revision.hexadecimal8) is the revision of pre-production microcode")
    }
    var processor = Processor()
    processor.signature = entry.signature
    guard let family = processor.family, let model = processor.model, let stepping = processor.stepping else {
      throw damaged("\(entry.signature.hexadecimal8) is not a signature")
    }
    // From Zen on AMD writes family, model and stepping into the revision.
    guard entry.vendor == "AMD", family >= 0x17 else { return }
    let revision = entry.revision
    guard revision >> 24 == family - 0xf, revision >> 20 & 0xf == model >> 4, revision >> 12 & 0xf == model & 0xf,
      revision >> 8 & 0xf == stepping
    else { throw damaged("\(revision.hexadecimal8) cannot be a revision of \(entry.signature.hexadecimal8)") }
  }
}
