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
    public let signature: UInt32
    public let platformMask: UInt32
    public let codename: String
    public let kind: Class
    public let floor: UInt32?
    /// The floor is later than the first fix, which no source names: below it the machine may yet be safe.
    public let isConservative: Bool
    fileprivate let fields: [String]
    fileprivate let table: HostTable

    public var citation: Citation {
      func text(_ column: String) -> String { table.text(column, of: fields) }
      var words = "\(signature.hexadecimal8)/\(platformMask.hexadecimal) \(codename)"
      if !text("products").isEmpty { words += " (\(text("products")))" }
      words += ": \(kind.rawValue)"
      if let floor { words += ", fixed from \(floor.hexadecimal8)" }
      if !text("built").isEmpty { words += ", built \(text("built"))" }
      if !text("release").isEmpty { words += ", in microcode-\(text("release"))" }
      if !text("note").isEmpty { words += "; \(text("note"))" }
      return table.citation(fields, words)
    }
  }

  public let rows: [Row]
  private let list: HostTable
  /// Rows of Intel's own list, all its snapshots merged: signatures it calls not affected, in every variant it names.
  private let notAffected: [UInt32: [String]]

  public static let shipped = ReptarTable()

  private init() {
    let table = HostTable("reptar")
    rows = table.rows.compactMap { row in
      guard let signature = table.number("signature", of: row), let mask = table.number("platform_mask", of: row),
        let kind = Row.Class(rawValue: table.text("class", of: row))
      else { return nil }
      return Row(
        signature: signature, platformMask: mask, codename: table.text("codename", of: row), kind: kind,
        floor: table.number("floor", of: row), isConservative: table.text("kind", of: row) == "conservative",
        fields: row, table: table)
    }
    list = HostTable("intel_list")
    var listed: [UInt32: [String]] = [:], affected: Set<UInt32> = []
    for row in list.rows {
      guard let signature = list.number("signature", of: row) else { continue }
      if list.text("status", of: row) == "not_affected" {
        listed[signature] = row
      } else {
        affected.insert(signature)
      }
    }
    notAffected = listed.filter { !affected.contains($0.key) }
  }

  /// What Intel's list says of a signature that it calls not affected; nil for others.
  func listedNotAffected(_ signature: UInt32) -> Citation? {
    notAffected[signature].map {
      list.citation($0, "\(signature.hexadecimal8) \(list.text("codename", of: $0)): Not Affected")
    }
  }

  /// Everything Intel's list calls not affected, by signature.
  var allListedNotAffected: [Citation] { notAffected.keys.sorted().compactMap(listedNotAffected) }

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
