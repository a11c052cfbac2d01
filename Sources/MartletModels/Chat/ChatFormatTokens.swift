import MartletTokenizers

// From written conversations to tokens: control tokens are those that the template writes, never those whose names
// stand in a message.
extension ChatFormat {
  /// A piece of a written conversation: what looks like a control token, or text in which no control token is seen.
  enum Piece: Equatable, Sendable {
    case control(String)
    case text(String)

    var text: String {
      switch self {
      case .control(let name): name
      case .text(let text): text
      }
    }
  }

  /// The text as pieces; control tokens (`<...>`, `[...]`, `<|...|>`) are looked for in the template's own parts.
  static func pieces(_ text: MarkedText, isControl: (String) -> Bool = { _ in true }) -> [Piece] {
    var pieces: [Piece] = []
    func add(_ text: ArraySlice<UInt32>) {
      guard !text.isEmpty else { return }
      let new = MarkedText.string(text)
      if case .text(let old)? = pieces.last {
        pieces[pieces.count - 1] = .text(old + new)
      } else {
        pieces.append(.text(new))
      }
    }
    for run in text.runs {
      guard run.isOwn else {
        add(run.text)
        continue
      }
      var start = run.text.startIndex
      var place = start
      while place < run.text.endIndex {
        if let end = bracketed(run.text, at: place) {
          let name = MarkedText.string(run.text[place..<end])
          if isControl(name) {
            add(run.text[start..<place])
            pieces.append(.control(name))
            (start, place) = (end, end)
            continue
          }
        }
        place += 1
      }
      add(run.text[start...])
    }
    return pieces
  }

  /// The end of a name in brackets without white space that begins at `place`.
  private static func bracketed(_ text: ArraySlice<UInt32>, at place: Int) -> Int? {
    let opening = text[place]
    guard opening == 0x3C || opening == 0x5B else { return nil }  // < or [
    let closing: UInt32 = opening == 0x3C ? 0x3E : 0x5D
    var end = place + 1
    while end < text.endIndex, end - place <= 64 {
      if text[end] == closing { return end - place > 1 ? end + 1 : nil }
      if text[end] == opening || MarkedText.isSpace(text[end]) { return nil }
      end += 1
    }
    return nil
  }

  /// Names in the text that only the template may make tokens of, even where the tokenizer calls them no special ones
  /// (DeepSeek's `<｜User｜>`): those in the form of a mark, and those that the template writes itself.
  private static func marks(_ text: MarkedText, tokenizer: any Tokenizer) -> Set<String> {
    func names(_ text: ArraySlice<UInt32>) -> Set<String> {
      Set(
        text.indices.compactMap { place in
          bracketed(text, at: place).map { MarkedText.string(text[place..<$0]) }
        })
    }
    let own = text.runs.filter(\.isOwn).reduce(into: Set<String>()) { $0.formUnion(names($1.text)) }
    return names(text.units.map(MarkedText.scalar)[...]).filter { name in
      let isMark = ["|", "｜"].contains { name.hasPrefix("<" + $0) && name.hasSuffix($0 + ">") }
      return (isMark || own.contains(name)) && tokenizer.token(named: name) != nil
    }
  }

  func encode(_ text: MarkedText, tokenizer: any Tokenizer) -> [Int] {
    let marks = Self.marks(text, tokenizer: tokenizer)
    let markIds = Set(marks.compactMap { tokenizer.token(named: $0) })
    func controls(_ ids: [Int]) -> [Int] { ids.filter { markIds.contains($0) || tokenizer.bytes(of: $0).isEmpty } }
    // As a whole, as Hugging Face's tokenizers read it, where every control token in it is the template's.
    let whole = tokenizer.encode(text.string, special: true)
    let runs = text.runs
    let own = runs.filter(\.isOwn).flatMap { controls(tokenizer.encode(MarkedText.string($0.text), special: true)) }
    if controls(whole) == own { return whole }
    return Self.pieces(text) { name in tokenizer.token(named: name) != nil }.flatMap { piece in
      switch piece {
      case .control(let name): tokenizer.token(named: name).map { [$0] } ?? tokenizer.encode(name, special: false)
      case .text(let text): tokenizer.encode(Array(text.utf8), barring: marks)
      }
    }
  }
}
