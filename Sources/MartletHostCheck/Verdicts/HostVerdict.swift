/// The findings for both vulnerabilities on one machine.
public struct HostVerdict: Sendable {
  /// The facts about the machine.
  public let facts: HostFacts
  /// One finding for each vulnerability, in the order of `Flaw`.
  public private(set) var findings: [Finding]

  /// Checks every kind of processor; the worst one determines the result.
  public init(_ facts: HostFacts) {
    var facts = facts
    facts.warnings += UpdatedTables.current.problems
    self.facts = facts
    let kinds = facts.processors.isEmpty ? [Processor()] : facts.processors.map(\.kind)
    findings = [
      Self.worst(kinds.map { Reptar.judge($0, in: facts) }), Self.worst(kinds.map { CacheWarp.judge($0, in: facts) }),
    ].compactMap { $0 }
    if facts.revisions.count > 1 {
      let words = facts.revisions.map { $0?.hexadecimal8 ?? "none" }.joined(separator: ", ")
      for index in findings.indices {
        findings[index].warnings.append("mixed: the processors run different microcode revisions (\(words))")
      }
    }
  }

  private static func worst(_ findings: [Finding]) -> Finding? {
    findings.max {
      ($0.status, $0.severity, $1.confidence) < ($1.status, $1.severity, $0.confidence)
    }
  }

  /// The finding for one vulnerability; nil if it was not checked.
  public subscript(flaw: Flaw) -> Finding? { findings.first { $0.flaw == flaw } }

  /// The verdict under `--strict`, where low confidence counts as unknown.
  public var strict: HostVerdict {
    var copy = self
    copy.findings = findings.map(\.strict)
    return copy
  }

  /// The exit code: 0 fine, 1 warning, 2 vulnerable, 3 unknown. Vulnerable takes precedence over unknown, and unknown
  /// over a warning.
  public var exitCode: Int { findings.max { $0.severity < $1.severity }?.exitCode ?? 3 }

  /// The heads alone: an AMD machine never reads Intel's rows.
  private static let tables = [HostTable.Head("reptar"), HostTable.Head("cachewarp")]
  /// The versions of the tables, in one line.
  public static var dataVersion: String {
    (tables.map { "\($0.name) \($0.version)" } + updates).joined(separator: "; ")
  }
  /// The date of the oldest table (year-month-day), including updates.
  public static var dataDate: String {
    let newest = UpdatedTables.current.notes.map(\.date).max() ?? ""
    return tables.map { $0.name == "reptar" ? max($0.date, newest) : $0.date }.min() ?? ""
  }
  /// The updates of the tables since this program was built, one line for each table.
  public static var updates: [String] {
    UpdatedTables.current.notes.map { "\($0.table) updated to \($0.date) from \($0.sources.joined(separator: ", "))" }
  }

  /// All rows of the tables with their sources.
  public static var allCitations: [Citation] {
    ReptarTable.shipped.rows.map(\.citation)
      + ReptarTable.shipped.allListedNotAffected
      + CacheWarpTable.shipped.rows.map(\.citation)
  }
}

extension Finding {
  /// How exit codes outrank each other.
  var severity: Int { [0: 0, 1: 1, 3: 2, 2: 3][exitCode] ?? 2 }
}

extension HostFacts {
  /// Different revisions of processors that are otherwise alike, in order.
  var revisions: [UInt32?] { Set(processors.map(\.kind.revision)).sorted { ($0 ?? 0) < ($1 ?? 0) } }

  /// One line for each kind of processor, at most eight.
  public var processorLines: [String] {
    let lines = processors.prefix(8).map { kind, count in
      var words = "\(count) x \(kind.vendor.map(quoted) ?? "vendor missing")"
      if let name = kind.modelName { words += " \(quoted(name))" }
      words += ", signature \(kind.signature?.hexadecimal8 ?? "missing")"
      if let mask = kind.platformMask { words += ", platform \(mask.hexadecimal)" }
      return words + ", microcode \(kind.revision?.hexadecimal8 ?? "not shown")"
    }
    return lines + (processors.count > 8 ? ["and \(processors.count - 8) more kinds"] : [])
  }
}
