/// Intel's releasenote.md: sections `## [microcode-YYYYMMDD](…)`, in them tables with a row a processor:
///
///     | Processor | Stepping | F-M-S/PI    | Old Ver  | New Ver  | Products |
///     | ICL-D     | B0       | 06-6c-01/10 | 010002f1 | 010002f9 | Xeon D   |
enum ReleaseNotes {
  /// - Returns: the revisions of all releases, and the date of the newest.
  /// - Throws: HostCheckError naming the line of a number that is none, or of a row that goes back in the newest release.
  static func read(_ text: String, name: String) throws -> ([TableUpdate.Revision], String) {
    var found: [TableUpdate.Revision] = [], seen: Set<TableUpdate.Revision> = []
    var release = "", newest = ""
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let place = "\(name), line \(index + 1)"
      if line.hasPrefix("#"), let start = line.firstRange(of: "[microcode-") {
        let digits = line[start.upperBound...].prefix { $0 != "]" }
        // A release that was put right carries a word behind its date.
        guard let day = day(digits.prefix(8)) else {
          // Intel's own notes have a heading with a day too short; what stands below it is left out.
          if !newest.isEmpty {
            release = ""
            continue
          }
          throw HostCheckError("\(place): \(quoted(String(digits))) is not the date of a release; fetch the file again")
        }
        release = day
        newest = max(newest, day)
        continue
      }
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { String($0).trimmingBlanks }
      guard let column = cells.firstIndex(where: isProcessor), !release.isEmpty else { continue }
      guard let signature = signature(cells[column]) else {
        if release < newest { continue }
        throw HostCheckError(
          "\(place): \(quoted(cells[column])) does not give family, model, stepping and platform; fetch the file again")
      }
      // "Old Ver" and "New Ver"; the first is empty for a new platform, the second "N/A" where only a notice is new.
      let columns = cells[(column + 1)...].prefix(2)
      // A revision that came before, of which only a notice is new.
      if columns.last?.uppercased() == "N/A" { continue }
      let versions = columns.filter { !["", "-", "N/A"].contains($0) }
      let numbers = versions.compactMap { $0.utf8.count <= 8 ? UInt32($0, radix: 16) : nil }
      guard let revision = numbers.last, numbers.count == versions.count else {
        // Tables of old releases had other columns.
        if release < newest { continue }
        throw HostCheckError(
          "\(place): \(quoted(versions.joined(separator: " "))) is not a revision; fetch the file again")
      }
      if numbers.count == 2, numbers[0] > revision, numbers[0] >> 24 == revision >> 24, release == newest {
        throw HostCheckError(
          "\(place): the new revision \(revision.hexadecimal8) is older than the old one; the file is damaged, fetch it again"
        )
      }
      let entry = TableUpdate.Revision(vendor: "Intel", signature: signature, revision: revision, date: release)
      try TableUpdate.check(entry, place: place)
      if seen.insert(entry).inserted { found.append(entry) }
    }
    return (found, newest)
  }

  private static func day(_ digits: some StringProtocol) -> String? {
    guard digits.utf8.count == 8, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    let text = "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
    return CivilDay(text: text) == nil ? nil : text
  }

  /// Whether a cell looks like `06-6c-01/10`.
  private static func isProcessor(_ cell: String) -> Bool {
    let parts = cell.split(separator: "/", omittingEmptySubsequences: false)
    let numbers = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 2 && numbers.map(\.utf8.count) == [2, 2, 2] && numbers[0].allSatisfy(\.isHexDigit)
  }

  private static func signature(_ cell: String) -> UInt32? {
    let parts = cell.split(separator: "/")
    guard parts.count == 2, let mask = UInt32(parts[1], radix: 16), (1...0xff).contains(mask) else { return nil }
    let numbers = parts[0].split(separator: "-").compactMap { UInt32($0, radix: 16) }
    guard numbers.count == 3 else { return nil }
    var processor = Processor()
    (processor.family, processor.model, processor.stepping) = (numbers[0], numbers[1], numbers[2])
    return processor.signature
  }
}
