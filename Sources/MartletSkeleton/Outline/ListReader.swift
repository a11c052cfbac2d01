/// Finds the list in a text and reads its items.
struct ListReader {
  struct List {
    var items: [(number: Int, head: String)] = []
    /// Whether something that is no part of the list came after it.
    var hasTail = false
    /// It stood below the one item of another list.
    var isInner = false
  }

  private struct Line {
    let text: Substring
    let marks: [ListMark]
    let indent: Int
    var isFence: Bool { text.hasPrefix("```") || text.hasPrefix("~~~") || ["<ol>", "<ul>"].contains(text) }
    var endsFence: Bool { isFence || ["</ol>", "</ul>"].contains(text) }
    /// A line that is drawn, not written.
    var isRule: Bool { text.allSatisfy { "-*_=|: ".contains($0) } }
  }

  private var lines: [Line] = []

  init(_ text: String) {
    let written = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
    lines = written.map(Self.line)
    // A list in one line, with or without words around that line.
    if lines.count(where: { !$0.marks.isEmpty }) <= 1,
      let place = written.firstIndex(where: { Self.parts($0) != nil }), let parts = Self.parts(written[place])
    {
      lines.replaceSubrange(place...place, with: parts.map(Self.line))
    }
  }

  private static func line(_ text: some StringProtocol) -> Line {
    let trimmed = Substring(text).drop(while: \.isWhitespace)
    let end = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
    return Line(
      text: trimmed[..<end], marks: ListMark.readings(text), indent: text.count - trimmed.count)
  }

  func read() -> List {
    guard let start = start(from: 0) else { return List() }
    let list = read(from: start.line, start.mark)
    // One item with a list of its own below it is that list's title.
    if list.items.count == 1, let inner = self.start(from: start.line + 1, deeperThan: start.mark),
      case var below = read(from: inner.line, inner.mark), below.items.count > 1
    {
      below.isInner = true
      return below
    }
    return list
  }

  /// The first line that begins a list. Words in front of it are passed over.
  private func start(from first: Int, deeperThan outer: ListMark? = nil) -> (line: Int, mark: ListMark)? {
    for place in lines.indices.dropFirst(first) {
      var best: (mark: ListMark, count: Int)?
      for mark in lines[place].marks where mark.parent == nil {
        if let outer, !isDeeper(mark, than: outer) { continue }
        if mark.series == .number, mark.isCertain { return (place, mark) }
        guard (mark.number ?? 1) == 1 else { continue }
        // Others need a second line like them; a letter is of the alphabet in which more lines follow.
        let count = followers(of: mark, behind: place)
        if count > best?.count ?? 0 { best = (mark, count) }
      }
      if let best { return (place, best.mark) }
    }
    return nil
  }

  /// How many lines go on with a mark's series.
  private func followers(of mark: ListMark, behind place: Int) -> Int {
    var count = 0
    for line in lines[(place + 1)...] {
      let marks = line.marks.filter { !isDeeper($0, than: mark, inSeries: true) && (!mark.isTitle || $0.isTitle) }
      let next = mark.number.map { $0 + count + 1 }
      if marks.contains(where: { $0.series == mark.series && $0.number == next && $0.parent == nil }) {
        count += 1
      } else if marks.contains(where: { $0.series == mark.series && $0.isCertain == mark.isCertain }) {
        break
      } else if mark.number == nil, !marks.allSatisfy(\.isBullet) {
        // Bullets around a numbered list are no list.
        break
      }
    }
    return count
  }

  /// - Parameter inSeries: only what is indented counts, not a change of the series.
  private func isDeeper(_ mark: ListMark, than outer: ListMark, inSeries: Bool = false) -> Bool {
    if case .heading(let level) = mark.series, case .heading(let above) = outer.series { return level > above }
    return mark.indent > outer.indent + 1 || (!inSeries && mark.series != outer.series)
  }

  private func read(from start: Int, _ first: ListMark) -> List {
    var list = List()
    var base = first.indent
    // Numbers that are all 1, as Markdown allows.
    var isLazy = false
    // A list inside an item goes on where it is.
    var isInside = false
    var hasBodies = false
    var isFenced = false
    let startsFenced = lines[..<start].count(where: \.endsFence) % 2 == 1
    for (place, line) in lines.enumerated().dropFirst(start) {
      if line.endsFence {
        if startsFenced {
          list.hasTail = place + 1 < lines.count
          break
        }
        isFenced.toggle()
        continue
      }
      if isFenced || line.isRule { continue }
      let last = list.items.last?.number ?? 0
      if let mark = line.marks.first(where: { $0.series == first.series && $0.parent == nil }) {
        let isLower = mark.indent > base + 1 || (first.isTitle && !mark.isTitle)
        guard let number = mark.number else {
          // Bullets and headings.
          if isLower { continue }
          base = min(base, mark.indent)
          list.items.append((last + 1, mark.head))
          continue
        }
        if isLower, isInside || number != last + 1 {
          isInside = true
          continue
        }
        if number == 1, !list.items.isEmpty {
          // Marks in another dress below a point are a list of its own.
          if mark.isCertain != first.isCertain {
            isInside = true
            continue
          }
          if list.items.count == 1, TaskTalk.isAboutTask(list.items[0].head) || list.items[0].head.isEmpty {
            list.items = [(1, mark.head)]
            continue
          }
          // A number that starts over is another list.
          guard isLazy || (list.items.count == 1 && place == start + 1) else {
            list.hasTail = true
            break
          }
          isLazy = true
          list.items.append((last + 1, mark.head))
          continue
        }
        if mark.isCertain != first.isCertain, number != last + 1 || isInside {
          isInside = true
          continue
        }
        if isLazy {
          // The first line was something else.
          guard list.items.count == 2, number == 2 else {
            list.hasTail = true
            break
          }
          isLazy = false
          list.items = [(1, list.items[1].head)]
        }
        isInside = false
        if !isLower { base = min(base, mark.indent) }
        list.items.append((isLazy ? last + 1 : number, mark.head))
        continue
      }
      // Further lists, parts of a point and indented text belong to the point before.
      let isPart = line.marks.contains {
        $0.parent == last || ($0.parent == nil && !$0.isCertain && isBelow($0, first))
      }
      if isPart || line.marks.contains(where: { $0.parent == nil && $0.indent > base + 1 }) || line.indent > base + 1 {
        continue
      }
      // Text stands below headings, if it does so from the first on.
      if first.isTitle, list.items.count == 1 || hasBodies {
        hasBodies = true
        continue
      }
      list.hasTail = true
      break
    }
    return list
  }

  /// Whether a mark of another series can count what belongs to a point of this list.
  private func isBelow(_ mark: ListMark, _ first: ListMark) -> Bool {
    if case .heading(let level) = mark.series {
      if case .heading(let own) = first.series { return level > own }
      return false
    }
    return mark.series != .bold || first.isTitle
  }

  // MARK: lists in one line

  /// The items of a list that is written in one line, each with its mark; nil where the line is none.
  private static func parts(_ line: Substring) -> [Substring]? {
    var cuts: [Substring.Index] = []
    var first: ListMark?
    var place = line.startIndex
    while place < line.endIndex {
      let before = place > line.startIndex ? line[line.index(before: place)] : " "
      let isBoundary = before.isWhitespace || ";；、，。:：,".contains(before) || isEnclosed(line[place])
      guard isBoundary, !line[place].isWhitespace, let mark = mark(line[place...], cuts.count + 1, first) else {
        place = line.index(after: place)
        continue
      }
      first = first ?? mark
      cuts.append(place)
      // Behind the mark.
      let behind = line[place...].firstRange(of: mark.head)?.lowerBound ?? line.index(after: place)
      place = max(behind, line.index(after: place))
    }
    guard let start = cuts.first, cuts.count >= 2 else { return nil }
    let isAtStart = line[..<start].allSatisfy { $0.isWhitespace || "*#>".contains($0) }
    if !isAtStart || first?.series != .number, cuts.count < 3 { return nil }
    return zip(cuts, cuts.dropFirst() + [line.endIndex]).map { cut, end in
      var part = line[cut..<end]
      while let last = part.last, last.isWhitespace || ";；、，,|".contains(last) { part.removeLast() }
      return part
    }
  }

  /// The mark that goes on with a list.
  private static func mark(_ rest: Substring, _ number: Int, _ first: ListMark?) -> ListMark? {
    ListMark.readings(rest.prefix(200)).first { mark in
      if let first, mark.series != first.series || mark.hasWord != first.hasWord { return false }
      guard mark.parent == nil else { return false }
      if case .bullet(let sign) = mark.series { return "•▪●○■◆►➢✓✔★".contains(sign) }
      if case .emoji = mark.series { return false }
      return mark.number == number
    }
  }

  private static func isEnclosed(_ character: Character) -> Bool {
    character.unicodeScalars.first.map { (0x2460...0x24ff).contains($0.value) || (0x2776...0x2793).contains($0.value) }
      ?? false
  }
}
