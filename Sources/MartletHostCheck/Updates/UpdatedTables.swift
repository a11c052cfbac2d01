#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The tables including the updates since this program was built (`martlet host --update-tables`). Updates are files in
/// the format of the tables in MARTLET_HOME/host, with a checksum in their first line.
public struct UpdatedTables: Sendable {
  /// The folder of the updates; nil for none.
  public let folder: String?
  private(set) var tables: [String: HostTable] = [:]
  /// The files that were ignored, with the reasons.
  public private(set) var problems: [String] = []

  static let names = ["revisions", "intel_list"]

  /// The tables of this user.
  public static let current = UpdatedTables(folder: userFolder)

  /// `host` in MARTLET_HOME, or in ~/.martlet.
  public static var userFolder: String? {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    return (variable("MARTLET_HOME") ?? variable("HOME").map { $0 + "/.martlet" }).map { $0 + "/host" }
  }

  /// The built-in tables with the updates in a folder; nil for no updates.
  public init(folder: String?) {
    self.folder = folder
    guard let folder else { return }
    for name in Self.names {
      let path = "\(folder)/\(name).tsv"
      guard access(path, F_OK) == 0 else { continue }
      guard case .success(let bytes) = HostFiles.read(path, atMost: TableUpdate.mostBytes) else {
        problems.append("\(path) cannot be read; the tables of this Martlet are used")
        continue
      }
      guard let table = Self.table(name, bytes) else {
        problems.append("\(path) is damaged; it is left out: remove it, and update the tables again")
        continue
      }
      guard table.head.date >= HostTable.Head(name).date else {
        problems.append("\(path) is of \(table.head.date), older than this Martlet's own; it is left out: remove it")
        continue
      }
      tables[name] = table
    }
  }

  /// The updates: table, date and sources.
  public var notes: [(table: String, date: String, sources: [String])] {
    Self.names.compactMap { name in
      tables[name].map { (name, $0.head.date, $0.head.sources.sorted { $0.key < $1.key }.map(\.value)) }
    }
  }

  private static func table(_ name: String, _ bytes: [UInt8]) -> HostTable? {
    guard let end = bytes.firstIndex(of: 0x0a), bytes[..<end].elementsEqual(checksumLine(bytes[(end + 1)...]).utf8)
    else {
      return nil
    }
    let table = bytes.withUnsafeBufferPointer { HostTable(name, of: $0) }
    let isWhole = table.rows.allSatisfy { $0.count == table.names.count && table.number("signature", of: $0) != nil }
    guard table.names == columns[name], isWhole, CivilDay(text: table.head.date) != nil else { return nil }
    return table
  }

  private static let columns = [
    "revisions": ["signature", "vendor", "sources", "date", "revisions"],
    "intel_list": ["signature", "variant", "status", "codename", "sources", "date"],
  ]

  /// FNV-1a: against disks and hands, not against forgers, who could change this program as well.
  private static func checksumLine(_ bytes: some Sequence<UInt8>) -> String {
    let sum = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return "# checksum \(String(sum, radix: 16))"
  }

  // MARK: Taking in

  /// The changes by an update.
  public struct Change: Sendable {
    /// The tables to write: the name of the file in the folder, and its text.
    public fileprivate(set) var files: [(name: String, text: String)] = []
    /// The number of revisions that the built-in tables did not have.
    public fileprivate(set) var newRevisions = 0
    /// The number of processors that the built-in tables did not have.
    public fileprivate(set) var newProcessors = 0
  }

  /// The changes that `update` makes to the tables.
  /// - Throws: ``HostCheckError`` if the file is older than the known data or contradicts it.
  public func adding(_ update: TableUpdate) throws -> Change {
    var change = Change()
    try refuseOlder(update)
    let known = KnownRevisions(updates: self)
    let fresh = update.revisions.filter { !known.isKnown($0.revision, of: $0.signature, vendor: $0.vendor) }
    if !fresh.isEmpty {
      let groups = Dictionary(grouping: Set(fresh)) { [$0.vendor, $0.signature.hexadecimal8] }
      change.newRevisions = Set(fresh).count
      let rows = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, entries in
        [
          key[1], key[0], "", entries.map(\.date).max() ?? "",
          entries.sorted { $0.revision < $1.revision }.map { "\($0.revision.hexadecimal8)@\($0.date)" }.joined(
            separator: " "),
        ]
      }
      change.files.append(("revisions.tsv", text("revisions", adding: rows, from: update)))
    }
    let listed = ReptarTable(updates: self).listed
    let processors = update.listings.filter {
      listed[$0.signature] == nil || $0.isAffected && listed[$0.signature] == false
    }
    if !processors.isEmpty {
      change.newProcessors = Set(processors.map(\.signature)).count
      let rows = processors.map {
        [$0.signature.hexadecimal8, "", $0.isAffected ? "affected" : "not_affected", $0.codename, "", update.date]
      }
      change.files.append(("intel_list.tsv", text("intel_list", adding: rows, from: update)))
    }
    return change
  }

  /// The updated table `name` with more rows, as text.
  private func text(_ name: String, adding rows: [[String]], from update: TableUpdate) -> String {
    let before = tables[name]
    let key = "update-\((before?.head.sources.count ?? 0) + 1)"
    let date = max(before?.head.date ?? HostTable.Head(name).date, update.date)
    var body = "# version update-\(date)\n# date \(date)\n"
    let sources = (before?.head.sources ?? [:]).merging([key: "\(update.name) of \(update.date)"]) { $1 }
    for (key, words) in sources.sorted(by: { $0.key < $1.key }) {
      body += "# source \(key) \(words.map { $0.isNewline || $0 == "\t" ? " " : String($0) }.joined())\n"
    }
    let columns = Self.columns[name] ?? []
    let source = columns.firstIndex(of: "sources")
    let added = rows.map { row in row.enumerated().map { $0.offset == source ? key : $0.element } }
    for row in [columns] + (before?.rows ?? []) + added { body += row.joined(separator: "\t") + "\n" }
    return Self.checksumLine(body.utf8) + "\n" + body
  }

  private func refuseOlder(_ update: TableUpdate) throws {
    func older(_ why: String) -> HostCheckError {
      HostCheckError("\(update.name) is older than what is known: \(why); fetch the newest, nothing was changed")
    }
    let known = HostTable("revisions", updates: self).head.date
    if update.kind == .releaseNotes, update.date < known {
      throw older("its newest release is of \(update.date), the table of \(known)")
    }
    for vendor in ["Intel", "AMD"] {
      let published = KnownRevisions(updates: self).published(by: vendor)
      let floors = vendor == "AMD" ? CacheWarpTable.shipped.floors : [:]
      // Notes tell of all releases, and only the new ones are to go beyond what is known.
      let entries = update.revisions.filter {
        $0.vendor == vendor && (update.kind != .releaseNotes || $0.date > known)
      }
      let groups = Dictionary(grouping: entries, by: \.signature)
      for (signature, entries) in groups.sorted(by: { $0.key < $1.key }) {
        // Kinds that share a signature count in ranges of their own.
        func scale(_ revision: UInt32) -> [UInt32] {
          [revision >> 24, ReptarTable.scale(of: revision, signature: signature) ?? 0]
        }
        for (range, entries) in Dictionary(grouping: entries, by: { scale($0.revision) }) {
          guard let newest = entries.map(\.revision).max() else { continue }
          let before = published[signature]?.filter { scale($0) == range }.max() ?? 0
          let least = max(before, floors[signature] ?? 0)
          if newest < least {
            throw older(
              "it has \(newest.hexadecimal8) for \(signature.hexadecimal8), and \(least.hexadecimal8) has been published"
            )
          }
        }
      }
    }
    guard update.kind == .processorList else { return }
    let table = ReptarTable(updates: self), listed = table.listed
    let affected = Set(update.listings.filter(\.isAffected).map(\.signature))
    let named = Set(update.listings.map(\.signature))
    if let lost = named.filter({ listed[$0] == true && !affected.contains($0) }).min() {
      throw HostCheckError(
        "\(update.name) calls \(lost.hexadecimal8) not affected, which Intel's list has called affected before; it is damaged, or its rows are shifted: fetch it again"
      )
    }
    let risen = affected.filter { listed[$0] == false }
    if risen.count > 3 {
      throw HostCheckError(
        "\(update.name) calls \(risen.count) processors affected that were not before; its columns are shifted: fetch it again"
      )
    }
    let missing = table.latestListed.subtracting(named)
    if let first = missing.min(), named.allSatisfy({ listed[$0] != nil }) {
      throw older("\(first.hexadecimal8) is missing from it, and it names no new processor")
    }
  }
}
