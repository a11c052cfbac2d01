/// The table of Intel's processors and the first microcode that fixes Reptar.
public struct ReptarTable: Sendable {
  /// The entry for one processor signature.
  public struct Row: Sendable {
    /// The status of the processors of a row.
    public enum Class: String, Sendable {
      /// Vulnerable below a microcode revision.
      case affected
      /// The sources disagree: mitigated from the floor on, not affected below it, and an update is advised.
      case conflict
      /// Not vulnerable.
      case notAffected = "not_affected"
      /// A stepping that is in no list.
      case unlistedStepping = "unlisted_stepping"
    }
    /// The processor signature: family, model and stepping as encoded by CPUID.
    public let signature: UInt32
    /// The platforms of the row, as bits.
    public let platformMask: UInt32
    /// The code name.
    public let codename: String
    /// The status of the processors.
    public let kind: Class
    /// The first microcode revision with the fix; nil if there is none.
    public let floor: UInt32?
    /// Whether the floor may be later than the first fix, which no source names; a machine below the floor may then
    /// still be safe.
    public let isConservative: Bool
    fileprivate let fields: [String]
    fileprivate let table: HostTable

    /// The first microcode release (yyyymmdd) with the fix for this processor.
    public var release: String? {
      let text = table.text("release", of: fields)
      return text.isEmpty ? nil : text
    }

    /// The source of the row.
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

  /// The rows.
  public let rows: [Row]
  private let list: HostTable
  /// Rows of Intel's own list, all its snapshots merged: signatures it calls not affected, in every variant it names.
  private let notAffected: [UInt32: [String]]
  private let affected: [UInt32: [String]]

  /// The built-in table.
  public static let shipped = ReptarTable()

  init(updates: UpdatedTables = .current) {
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
    list = HostTable("intel_list", updates: updates)
    var listed: [UInt32: [String]] = [:], affected: [UInt32: [String]] = [:]
    for row in list.rows {
      guard let signature = list.number("signature", of: row) else { continue }
      if list.text("status", of: row) == "not_affected" {
        listed[signature] = row
      } else {
        affected[signature] = row
      }
    }
    notAffected = listed.filter { affected[$0.key] == nil }
    self.affected = affected
  }

  /// What is known of Intel's list: signatures, and whether they are affected in one of their kinds.
  var listed: [UInt32: Bool] {
    Dictionary(affected.keys.map { ($0, true) } + notAffected.keys.map { ($0, false) }) { first, _ in first }
  }
  /// Signatures that the newest snapshot of the list had which this program was built with.
  var latestListed: Set<UInt32> {
    let table = HostTable("intel_list", updates: UpdatedTables(folder: nil))
    return Set(
      table.rows.filter { table.text("date", of: $0) == table.head.date }
        .compactMap { table.number("signature", of: $0) })
  }

  /// What Intel's list says of a signature that it calls affected in one of its kinds; nil for others.
  func listedAffected(_ signature: UInt32) -> Citation? {
    affected[signature].map {
      list.citation($0, "\(signature.hexadecimal8) \(list.text("codename", of: $0)): affected")
    }
  }

  /// What Intel's list says of a signature that it calls not affected; nil for others.
  func listedNotAffected(_ signature: UInt32) -> Citation? {
    notAffected[signature].map {
      list.citation($0, "\(signature.hexadecimal8) \(list.text("codename", of: $0)): Not Affected")
    }
  }

  /// Everything Intel's list calls not affected, by signature.
  var allListedNotAffected: [Citation] { notAffected.keys.sorted().compactMap(listedNotAffected) }

  /// Which row is a processor's.
  enum Match {
    case row(Row)
    /// Two kinds of processors share the signature, and what is seen of this one names both.
    case contradiction([Row], why: String)
  }

  /// The row of `processor`. Where two kinds of processors share a signature, platform mask, the revision's own scale and
  /// the product's name are asked. None of them is needed, but those that are there must agree: a revision of the
  /// other kind proves nothing about this one.
  func match(_ processor: Processor, signature: UInt32) -> Match? {
    let candidates = rows.filter { $0.signature == signature }
    guard candidates.count > 1 else { return candidates.first.map(Match.row) }
    var votes: [(witness: String, row: Row)] = []
    if let mask = processor.platformMask, mask != 0,
      let row = candidates.first(where: { $0.platformMask & mask != 0 })
    {
      votes.append(("platform \(mask.hexadecimal)", row))
    }
    if let scale = Self.scale(of: processor.revision, signature: signature), let revision = processor.revision,
      let row = candidates.first(where: { Self.scale(of: $0.floor, signature: signature) == scale })
    {
      votes.append(("revision \(revision.hexadecimal8)", row))
    }
    // Xeon Max (HBM) and Atom C1100 (Arizona Beach) are the second kinds.
    if let name = processor.modelName {
      let isSecond = name.contains("CPU Max") || name.contains("Atom")
      let isFirst = [
        "Core(TM)", "Pentium", "Celeron", "Platinum", "Gold", "Silver", "Bronze", "w3-", "w5-", "w7-", "w9-",
      ]
      .contains(where: name.contains)
      if isSecond || isFirst, let row = candidates.first(where: { ($0.kind == .affected) != isSecond }) {
        votes.append(("name \(quoted(name))", row))
      }
    }
    guard let first = votes.first else { return (candidates.first { $0.kind == .affected } ?? candidates[0]).asMatch }
    if let other = votes.first(where: { $0.row.platformMask != first.row.platformMask }) {
      return .contradiction(
        candidates,
        why: "the \(first.witness) is that of \(first.row.codename), the \(other.witness) that of \(other.row.codename)"
      )
    }
    return .row(first.row)
  }

  /// Alder Lake counts 0x4nn and Arizona Beach 0x0n; Sapphire Rapids 0x2B…, with HBM 0x2C….
  static func scale(of revision: UInt32?, signature: UInt32) -> UInt32? {
    guard let revision, revision > 1, revision != 0xffff_ffff else { return nil }
    return signature == 0x906a4 ? min(revision >> 8, 1) : [0x2b, 0x2c].contains(revision >> 24) ? revision >> 24 : nil
  }
}

extension ReptarTable.Row {
  fileprivate var asMatch: ReptarTable.Match { .row(self) }
}
