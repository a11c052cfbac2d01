/// Intel's machine-readable list of processors and flaws: comma-separated values with a column a flaw, one of them Reptar's.
enum AffectedProcessorList {
  /// - Throws: HostCheckError naming the row that cannot be read.
  static func read(_ text: String, name: String) throws -> [TableUpdate.Listing] {
    let rows = try rows(of: text, name: name)
    guard let head = rows.first, let reptar = head.firstIndex(where: { $0.contains("CVE-2023-23583") }),
      let signature = head.firstIndex(where: { $0.trimmingBlanks == "CPUID" })
    else {
      throw HostCheckError(
        "\(name) has no columns CPUID and CVE-2023-23583 (Reptar); fetch Intel's affected-processor list again")
    }
    let codename = head.firstIndex { $0.contains("Code Name") }
    var found: [TableUpdate.Listing] = [], seen: Set<TableUpdate.Listing> = []
    for (index, row) in rows.enumerated().dropFirst() where row.contains(where: { !$0.isEmpty }) {
      let place = "\(name), row \(index + 1)"
      // Snapshots of 2024 had rows that were shifted by a column.
      guard row.count == head.count else {
        throw HostCheckError(
          "\(place) has \(row.count) columns and the head \(head.count); the file is damaged, fetch it again")
      }
      // A row may be about several: "806F5 - 806F6".
      let digits = row[signature].split { !$0.isLetter && !$0.isNumber }
      let signatures = digits.compactMap { (4...8).contains($0.utf8.count) ? UInt32($0, radix: 16) : nil }
      guard signatures.count == digits.count, !signatures.isEmpty else {
        throw HostCheckError("\(place): \(quoted(row[signature])) is not a signature; fetch the file again")
      }
      let status = row[reptar].trimmingBlanks.lowercased()
      guard status.hasPrefix("not affected") || status.hasPrefix("mcu") || status.hasPrefix("affected") else {
        throw HostCheckError(
          "\(place): \(quoted(row[reptar])) does not tell whether \(quoted(row[signature])) is affected; fetch the file again"
        )
      }
      let words = codename.map { row[$0] } ?? ""
      for signature in signatures {
        let entry = TableUpdate.Listing(
          signature: signature, isAffected: !status.hasPrefix("not"),
          codename: String(words.map { $0.isNewline || $0 == "\t" ? " " : $0 }.prefix(120)))
        if seen.insert(entry).inserted { found.append(entry) }
      }
    }
    guard found.count >= 20 else {
      throw HostCheckError(
        "\(name) names \(found.count) processors, and Intel's list has more than sixty; fetch it again")
    }
    return found
  }

  /// Comma-separated values (RFC 4180): fields in quotation marks may hold commas, line breaks and doubled marks.
  private static func rows(of text: String, name: String) throws -> [[String]] {
    var rows: [[String]] = [], row: [String] = [], field = "", isQuoted = false
    var rest = Array(text)[...]
    while let character = rest.popFirst() {
      if isQuoted {
        if character != "\"" {
          field.append(character)
        } else if rest.first == "\"" {
          field.append("\"")
          rest.removeFirst()
        } else {
          isQuoted = false
        }
      } else if character == "\"", field.isEmpty {
        isQuoted = true
      } else if character == "," {
        row.append(field)
        field = ""
      } else if character.isNewline {
        rows.append(row + [field])
        (row, field) = ([], "")
        guard rows.count <= TableUpdate.mostRows else {
          throw HostCheckError("\(name) has too many rows; fetch it again")
        }
      } else {
        field.append(character)
      }
    }
    guard !isQuoted else { throw HostCheckError("\(name) ends within quotation marks: it is cut off; fetch it again") }
    if !row.isEmpty || !field.isEmpty { rows.append(row + [field]) }
    return rows
  }
}
