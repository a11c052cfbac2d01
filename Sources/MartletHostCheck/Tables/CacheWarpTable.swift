/// AMD's generations and what CacheWarp means for each.
public struct CacheWarpTable: Sendable {
  /// What is known of a family and a range of models.
  public struct Row: Sendable {
    /// What a row says.
    public enum Class: String, Sendable {
      /// Open below a revision of the microcode.
      case affected
      /// Open, and no microcode closes it.
      case affectedNoFix = "affected_no_fix"
      /// Open, and it is not known which microcode closes it.
      case affectedUnknownFix = "affected_unknown_fix"
      /// Not open.
      case notAffected = "not_affected"
      /// AMD's list does not name it.
      case notListed = "not_listed"
      /// Not known.
      case unknown
    }
    /// Family with its extension.
    public let family: UInt32
    /// The models it holds for.
    public let models: ClosedRange<UInt32>
    /// nil for every stepping.
    public let stepping: UInt32?
    /// What the model name must contain, for a die that is sold under two names.
    public let brand: String?
    /// AMD's name for them.
    public let codename: String
    /// What the row says.
    public let kind: Class
    /// The first revision that closes the flaw; nil where there is none.
    public let floor: UInt32?
    /// The floor as the security version of a signed report counts: the low byte of the revision.
    public let reportedFloor: UInt8?
    fileprivate let fields: [String]
    fileprivate let table: HostTable

    /// Where the row is from.
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

  /// All rows.
  public let rows: [Row]
  /// The table that Martlet was built with.
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
