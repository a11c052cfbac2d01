/// The microcode revisions that are known to exist, to check whether a revision shown by a hypervisor is plausible.
public struct KnownRevisions: Sendable {
  private let table: HostTable

  /// The built-in list.
  public static let shipped = KnownRevisions()

  init(updates: UpdatedTables = .current) { table = HostTable("revisions", updates: updates) }

  /// All revisions of one maker's processors that were read from its own files, and in what the table is newer than
  /// those it came with.
  func published(by vendor: String) -> [UInt32: Set<UInt32>] {
    var found: [UInt32: Set<UInt32>] = [:]
    for row in table.rows
    where table.text("vendor", of: row) == vendor && table.text("sources", of: row) != "history" {
      guard let signature = table.number("signature", of: row) else { continue }
      for entry in table.text("revisions", of: row).split(separator: " ") {
        guard let revision = entry.split(separator: "@").first.flatMap({ UInt32(number: $0) }) else { continue }
        found[signature, default: []].insert(revision)
      }
    }
    return found
  }

  /// Every known revision from all sources.
  func isKnown(_ revision: UInt32, of signature: UInt32, vendor: String) -> Bool {
    signatures(of: revision, vendor: vendor)[signature] != nil
  }

  /// Signatures of `vendor` for which `revision` exists, each with its build date and where that was read.
  func signatures(of revision: UInt32, vendor: String) -> [UInt32: (date: String, citation: Citation)] {
    let word = revision.hexadecimal8 + "@"
    var found: [UInt32: (date: String, citation: Citation)] = [:]
    for row in table.rows where table.text("vendor", of: row) == vendor {
      let text = table.text("revisions", of: row)
      guard text.contains(word), let signature = table.number("signature", of: row) else { continue }
      let date = text.split(separator: " ").first { $0.hasPrefix(word) }.map { String($0.dropFirst(word.count)) } ?? ""
      found[signature] = (
        date, table.citation(row, "\(signature.hexadecimal8): \(revision.hexadecimal8) built \(date)")
      )
    }
    return found
  }

  /// The newest revision known for `signature` on the scale of `floor` (kinds that share a signature count in ranges of
  /// their own), with its build date.
  func newest(for signature: UInt32, like floor: UInt32) -> (revision: UInt32, date: String, citation: Citation)? {
    var newest: (revision: UInt32, date: String, citation: Citation)?
    for row in table.rows where table.number("signature", of: row) == signature {
      for entry in table.text("revisions", of: row).split(separator: " ") {
        let parts = entry.split(separator: "@")
        guard parts.count == 2, let revision = UInt32(number: parts[0]), revision >= floor,
          revision >> 24 == floor >> 24
        else { continue }
        if newest.map({ String(parts[1]) > $0.date }) ?? true {
          newest = (
            revision, String(parts[1]),
            table.citation(row, "\(signature.hexadecimal8): newest known \(revision.hexadecimal8) built \(parts[1])")
          )
        }
      }
    }
    return newest
  }
}
