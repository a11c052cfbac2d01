/// The table of AMD's processor generations and their status for CacheWarp.
public struct CacheWarpTable: Sendable {
  /// The entry for a family and a range of models.
  public struct Row: Sendable {
    /// The status of the processors of a row.
    public enum Class: String, Sendable {
      /// Vulnerable below a microcode revision.
      case affected
      /// Vulnerable, and there is no microcode with a fix.
      case affectedNoFix = "affected_no_fix"
      /// Vulnerable, and the microcode with the fix is not known.
      case affectedUnknownFix = "affected_unknown_fix"
      /// Not vulnerable.
      case notAffected = "not_affected"
      /// Not named in AMD's list.
      case notListed = "not_listed"
      /// Unknown.
      case unknown
    }
    /// The family including its extension.
    public let family: UInt32
    /// The models of the row.
    public let models: ClosedRange<UInt32>
    /// The stepping; nil for all steppings.
    public let stepping: UInt32?
    /// A text that the product name must contain, for dies that are sold under two names; nil for all names.
    public let brand: String?
    /// The code name.
    public let codename: String
    /// The status of the processors.
    public let kind: Class
    /// The first microcode revision with the fix; nil if there is none.
    public let floor: UInt32?
    /// The floor as a security version in a signed report, which is the low byte of the revision.
    public let reportedFloor: UInt8?
    fileprivate let fields: [String]
    fileprivate let table: HostTable

    /// The source of the row.
    public var citation: Citation {
      func text(_ column: String) -> String { table.text(column, of: fields) }
      var words = "family \(family.hexadecimal), model \(models.lowerBound.hexadecimal)"
      if models.count > 1 { words += "-\(models.upperBound.hexadecimal)" }
      if let stepping { words += ", stepping \(stepping)" }
      words += ", \(codename)"
      if !text("generation").isEmpty { words += " (\(text("generation")))" }
      words += ": \(kind.rawValue)"
      if let floor { words += ", fixed from \(floor.hexadecimal8), built \(text("built"))" }
      if !text("note").isEmpty { words += "; \(text("note"))" }
      return table.citation(fields, words)
    }
  }

  /// The rows.
  public let rows: [Row]
  /// The built-in table.
  public static let shipped = CacheWarpTable()

  private init() {
    let table = HostTable("cachewarp")
    rows = table.rows.compactMap { row in
      guard let family = table.number("family", of: row), let kind = Row.Class(rawValue: table.text("status", of: row)),
        let first = table.number("first_model", of: row), let last = table.number("last_model", of: row), first <= last
      else { return nil }
      let brand = table.text("brand", of: row)
      return Row(
        family: family, models: first...last, stepping: table.number("stepping", of: row),
        brand: brand.isEmpty ? nil : brand, codename: table.text("codename", of: row), kind: kind,
        floor: table.number("floor", of: row),
        reportedFloor: table.number("snp_microcode_floor", of: row).flatMap { UInt8(exactly: $0) }, fields: row,
        table: table)
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

  /// Fixed revisions by signature.
  var floors: [UInt32: UInt32] {
    var floors: [UInt32: UInt32] = [:]
    for row in rows {
      guard let floor = row.floor, let stepping = row.stepping, row.models.count == 1 else { continue }
      var processor = Processor()
      (processor.family, processor.model, processor.stepping) = (row.family, row.models.lowerBound, stepping)
      if let signature = processor.signature { floors[signature] = floor }
    }
    return floors
  }

  /// The row of a code name.
  func row(codename: String) -> Row? { rows.first { $0.codename == codename } }
}
