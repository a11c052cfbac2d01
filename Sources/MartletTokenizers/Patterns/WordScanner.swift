/// Matches the two regular expressions of most models by hand, many times as fast as ``RegularExpression``. Every
/// scalar of a text belongs to some match of them.
enum WordScanner: Sendable, Equatable {
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  case gpt2
  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  /// (Llama 3: 3 digits, Qwen2: 1)
  case llama3(digits: Int)

  /// The scanner for a regular expression as it is written in a tokenizer.json, where there is one.
  init?(expression: String) {
    let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    let start = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"#
    let end = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    switch expression {
    case gpt2: self = .gpt2
    case start + "{1,3}" + end: self = .llama3(digits: 3)
    case start + end: self = .llama3(digits: 1)
    default: return nil
    }
  }

  /// Ranges of `text` in order, covering `range`.
  func words(
    in text: [Unicode.Scalar], classes: [CharacterClass], _ range: Range<Int>, into words: inout [Range<Int>]
  ) {
    let run = ScannerRun(text: text, classes: classes)
    switch self {
    case .gpt2: run.gpt2(range, &words)
    case .llama3(let digits): run.llama3(range, digits: digits, &words)
    }
  }
}

private struct ScannerRun {
  let text: [Unicode.Scalar]
  let classes: [CharacterClass]

  private func run(_ kind: CharacterClass, from start: Int, to end: Int) -> Int {
    var at = start
    while at < end, classes[at] == kind { at += 1 }
    return at
  }

  /// Length of `'s`, `'re` ... at `at`, or 0.
  private func contraction(_ at: Int, _ end: Int, anyCase: Bool) -> Int {
    guard text[at] == "'", at + 1 < end else { return 0 }
    func letter(_ index: Int) -> Unicode.Scalar {
      let scalar = text[index]
      if anyCase, scalar.value >= 65, scalar.value <= 90 { return Unicode.Scalar(scalar.value + 32) ?? scalar }
      // Case-insensitive matching folds the long s (U+017F) to s.
      return anyCase && scalar.value == 0x17f ? "s" : scalar
    }
    let first = letter(at + 1)
    if first == "s" || first == "t" || first == "m" || first == "d" { return 2 }
    guard at + 2 < end else { return 0 }
    let second = letter(at + 2)
    return (first == "r" && second == "e") || (first == "v" && second == "e") || (first == "l" && second == "l") ? 3 : 0
  }

  /// End of the white space at `start`: all of it at the end of the text, else all but the last character.
  private func spaces(_ start: Int, _ end: Int) -> Int {
    let stop = run(.space, from: start, to: end)
    return stop == end || stop - start == 1 ? stop : stop - 1
  }

  func gpt2(_ range: Range<Int>, _ words: inout [Range<Int>]) {
    var at = range.lowerBound
    let end = range.upperBound
    while at < end {
      let start = at
      let suffix = contraction(at, end, anyCase: false)
      if suffix > 0 {
        at += suffix
      } else {
        let body = text[at] == " " && at + 1 < end && classes[at + 1] != .space ? at + 1 : at
        at = classes[body] == .space ? spaces(at, end) : run(classes[body], from: body, to: end)
      }
      words.append(start..<at)
    }
  }

  func llama3(_ range: Range<Int>, digits: Int, _ words: inout [Range<Int>]) {
    var at = range.lowerBound
    let end = range.upperBound
    while at < end {
      let start = at
      let kind = classes[at]
      let suffix = contraction(at, end, anyCase: true)
      let isBreak = text[at] == "\r" || text[at] == "\n"
      if suffix > 0 {
        at += suffix
      } else if kind == .letter {
        at = run(.letter, from: at, to: end)
      } else if kind != .number, !isBreak, at + 1 < end, classes[at + 1] == .letter {
        at = run(.letter, from: at + 1, to: end)
      } else if kind == .number {
        at = min(run(.number, from: at, to: end), at + digits)
      } else if kind == .other || (text[at] == " " && at + 1 < end && classes[at + 1] == .other) {
        at = run(.other, from: kind == .other ? at : at + 1, to: end)
        while at < end, text[at] == "\r" || text[at] == "\n" { at += 1 }
      } else {
        // White space: up to its last line break if it has one (\s*[\r\n]+), else as in GPT-2.
        let stop = run(.space, from: at, to: end)
        var lastBreak = stop
        while lastBreak > at, text[lastBreak - 1] != "\r", text[lastBreak - 1] != "\n" { lastBreak -= 1 }
        at = lastBreak > at ? lastBreak : spaces(at, end)
      }
      words.append(start..<at)
    }
  }
}
