/// Intel's processors and the first microcode that closes Reptar.
public struct ReptarTable: Sendable {
  public struct Row: Sendable {
    public enum Class: String, Sendable {
      case affected
      /// Sources disagree: from the floor on mitigated, below it not affected, and an update is advised.
      case conflict
      case notAffected = "not_affected"
      /// A stepping that no list names.
      case unlistedStepping = "unlisted_stepping"
    }
    public var signature: UInt32
    public var platformMask: UInt32
    public var codename: String
    public var kind: Class
    public var floor: UInt32?
    /// The floor is later than the first fix, which no source names: below it the machine may yet be safe.
    public var isConservative: Bool
    public var citation: Citation
  }

  public let rows: [Row]
  public let version: String
  public let date: String
  /// Intel's own list, all its snapshots merged: signatures it calls not affected, in every variant it names.
  let listedNotAffected: [UInt32: Citation]
  public let listVersion: String

  public static let shipped = ReptarTable()

  private init() {
    let table = HostTable("reptar")
    version = table.version
    date = table.date
    rows = table.rows.compactMap { row in
      guard let signature = table.number("signature", of: row), let mask = table.number("platform_mask", of: row),
        let kind = Row.Class(rawValue: table.text("class", of: row))
      else { return nil }
      let codename = table.text("codename", of: row), products = table.text("products", of: row)
      let floor = table.number("floor", of: row), note = table.text("note", of: row)
      var words = "\(signature.hexadecimal8)/\(mask.hexadecimal) \(codename)"
      if !products.isEmpty { words += " (\(products))" }
      words += ": \(kind.rawValue)"
      if let floor { words += ", fixed from \(floor.hexadecimal8)" }
      let built = table.text("built", of: row), release = table.text("release", of: row)
      if !built.isEmpty { words += ", built \(built)" }
      if !release.isEmpty { words += ", in microcode-\(release)" }
      if !note.isEmpty { words += "; \(note)" }
      return Row(
        signature: signature, platformMask: mask, codename: codename, kind: kind, floor: floor,
        isConservative: table.text("kind", of: row) == "conservative", citation: table.citation(row, words))
    }
    let list = HostTable("intel_list")
    listVersion = list.version
    var listed: [UInt32: Citation] = [:], affected: Set<UInt32> = []
    for row in list.rows {
      guard let signature = list.number("signature", of: row) else { continue }
      if list.text("status", of: row) == "not_affected" {
        let words = "\(signature.hexadecimal8) \(list.text("codename", of: row)): Not Affected"
        listed[signature] = list.citation(row, words)
      } else {
        affected.insert(signature)
      }
    }
    listedNotAffected = listed.filter { !affected.contains($0.key) }
  }

  /// The row of `processor`. Where two kinds of processors share a signature, the platform mask decides, and without
  /// it the revision's own scale, then the brand: a missing MSR never decides a verdict.
  func row(for processor: Processor, signature: UInt32) -> Row? {
    let candidates = rows.filter { $0.signature == signature }
    guard candidates.count > 1 else { return candidates.first }
    if let mask = processor.platformMask, mask != 0,
      let row = candidates.first(where: { $0.platformMask & mask != 0 })
    {
      return row
    }
    let scale = Self.scale(of: processor.revision, signature: signature)
    if let scale, let row = candidates.first(where: { Self.scale(of: $0.floor, signature: signature) == scale }) {
      return row
    }
    // Xeon Max (HBM) and Atom C1100 (Arizona Beach) are the second kinds.
    let isSecond = processor.modelName.map { $0.contains("Xeon(R) CPU Max") || $0.contains("Atom") } ?? false
    return isSecond ? candidates.first { $0.kind != .affected } : candidates.first { $0.kind == .affected }
  }

  /// Alder Lake counts 0x4nn and Arizona Beach 0x0n; Sapphire Rapids 0x2B…, with HBM 0x2C….
  private static func scale(of revision: UInt32?, signature: UInt32) -> UInt32? {
    guard let revision, revision > 1, revision != 0xffff_ffff else { return nil }
    return signature == 0x906a4 ? min(revision >> 8, 1) : [0x2b, 0x2c].contains(revision >> 24) ? revision >> 24 : nil
  }
}
