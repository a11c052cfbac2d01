import MartletData

/// A table of text: columns as wide as their widest cell, the first ones aligned on the left and the others on the right.
struct TextTable {
  private let rows: [[String]]
  private let leading: Int

  /// - Parameters:
  ///   - rows: the first is the heading; a column without any cell below it is left out.
  ///   - leading: how many columns are aligned on the left.
  init(_ rows: [[String]], leading: Int) {
    let width = rows.map(\.count).max() ?? 0
    let kept = (0..<width).filter { column in
      rows.dropFirst().contains { column < $0.count && !$0[column].isEmpty }
    }
    self.rows = rows.map { row in kept.map { $0 < row.count ? row[$0].printable : "" } }
    self.leading = leading
  }

  var text: String {
    let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { DisplayWidth.of($0[column]) }.max() ?? 0 }
    let lines = rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let gap = String(repeating: " ", count: max(0, cell.1 - DisplayWidth.of(cell.0)))
        return column < leading ? cell.0 + gap : gap + cell.0
      }
      var line = cells.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
    return ([lines.first.map(Terminal.bold)].compactMap(\.self) + lines.dropFirst()).joined(separator: "\n")
  }
}
