/// AMD's generations and what CacheWarp means for each.
public struct CacheWarpTable: Sendable {
  public struct Row: Sendable {
    public enum Class: String, Sendable {
      case affected
      case affectedNoFix = "affected_no_fix"
      case affectedUnknownFix = "affected_unknown_fix"
      case notAffected = "not_affected"
      case notListed = "not_listed"
      case unknown
    }
    public var family: UInt32
    public var models: ClosedRange<UInt32>
    /// nil for every stepping.
    public var stepping: UInt32?
    /// What the model name must contain, for a die that is sold under two names.
    public var brand: String?
    public var codename: String
    public var kind: Class
    public var floor: UInt32?
    /// The floor as the security version of a signed report counts: the low byte of the revision.
    public var reportedFloor: UInt8?
    public var citation: Citation
  }

  public let rows: [Row]
  public let version: String
  public let date: String

  public static let shipped = CacheWarpTable()

  private init() {
    let table = HostTable("cachewarp")
    version = table.version
    date = table.date
    rows = table.rows.compactMap { row in
      guard let family = table.number("family", of: row), let kind = Row.Class(rawValue: table.text("status", of: row)),
        let first = table.number("first_model", of: row), let last = table.number("last_model", of: row), first <= last
      else { return nil }
      let codename = table.text("codename", of: row), brand = table.text("brand", of: row)
      let generation = table.text("generation", of: row), note = table.text("note", of: row)
      let floor = table.number("floor", of: row)
      var words = "family \(family.hexadecimal), model \(first.hexadecimal)"
      if last > first { words += "-\(last.hexadecimal)" }
      let stepping = table.number("stepping", of: row)
      if let stepping { words += ", stepping \(stepping)" }
      words += ", \(codename)"
      if !generation.isEmpty { words += " (\(generation))" }
      words += ": \(kind.rawValue)"
      if let floor { words += ", fixed from \(floor.hexadecimal8), built \(table.text("built", of: row))" }
      if !note.isEmpty { words += "; \(note)" }
      return Row(
        family: family, models: first...last, stepping: stepping, brand: brand.isEmpty ? nil : brand,
        codename: codename, kind: kind, floor: floor,
        reportedFloor: table.number("snp_microcode_floor", of: row).flatMap { UInt8(exactly: $0) },
        citation: table.citation(row, words))
    }
  }

  /// The row of a family, model and stepping, whatever the brand. Families above the last row count as that row: the
  /// flaw was closed in hardware before them.
  func row(family: UInt32, model: UInt32, stepping: UInt32?) -> Row? {
    let family = min(family, rows.map(\.family).max() ?? family)
    return rows.first {
      $0.family == family && $0.models.contains(model) && ($0.stepping == nil || $0.stepping == stepping)
    }
  }

  /// The row of a code name.
  func row(codename: String) -> Row? { rows.first { $0.codename == codename } }
}
