import Foundation
import MartletTestSupport
import Testing

@testable import martlet

/// The line editor without a terminal: bytes go in, keys, texts and rows come out.
struct LineEditingTests {
  /// Widths as PyPI's wcwidth 0.9.4 gives them.
  @Test(arguments: [
    ("abc", 3), ("\u{65e5}\u{672c}\u{8a9e}", 6), ("\u{d55c}\u{ad6d}\u{c5b4}", 6), ("e\u{301}", 1),
    ("\u{1f44d}\u{1f3fd}", 2), ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", 2), ("\u{2764}\u{fe0f}", 2),
    ("\u{2764}", 1), ("\u{1f1e9}\u{1f1ea}", 2), ("\u{ff76}\u{ff85}", 2), ("\u{ff21}", 2),
    ("\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}", 4), ("\u{e44}\u{e17}\u{e22}", 3), ("\u{201c}q\u{201d}", 3),
    ("\u{4e2d}a", 3), ("\u{2460}", 1), ("\u{231a}", 2),
    ("\u{5e9}\u{5b8}\u{5c1}\u{5dc}\u{5d5}\u{5b9}\u{5dd}", 4), ("1\u{fe0f}\u{20e3}", 2), ("\u{20000}", 2),
    ("\u{2026}", 1), ("\u{f1}", 1), ("\u{3a9}", 1), ("\u{304b}\u{309a}", 2), ("\u{ac01}", 2),
    ("\u{1112}\u{1161}\u{11ab}", 2), ("\u{645}\u{64e}\u{631}\u{652}\u{62d}\u{64e}\u{628}\u{64b}\u{627}", 5),
    ("\u{2500}\u{2502}", 2), ("\u{2603}", 1), ("\u{26a1}", 2),
  ])
  func widths(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width, "\(text)")
  }

  // MARK: Keys

  private func keys(_ text: String) -> [Key] {
    var decoder = KeyDecoder()
    return decoder.feed(text.utf8) + decoder.flush()
  }

  @Test func sequencesAreKeys() {
    let cases: [(String, [Key])] = [
      ("a", [.text("a")]), ("ab", [.text("ab")]), ("\r", [.enter]), ("\n", [.enter]), ("\t", [.tab]),
      ("\u{7f}", [.backspace]), ("\u{8}", [.backspace]), ("\u{1b}[A", [.up]), ("\u{1b}OA", [.up]),
      ("\u{1b}[B\u{1b}[C\u{1b}[D", [.down, .right, .left]), ("\u{1b}[H", [.home]), ("\u{1b}[1~", [.home]),
      ("\u{1b}[7~", [.home]), ("\u{1b}OF", [.end]), ("\u{1b}[4~", [.end]), ("\u{1b}[3~", [.delete]),
      ("\u{1b}[1;5C", [.wordRight]), ("\u{1b}[1;3D", [.wordLeft]), ("\u{1b}[5D", [.wordLeft]),
      ("\u{1b}[1;2C", [.right]), ("\u{1b}b", [.wordLeft]), ("\u{1b}f", [.wordRight]), ("\u{1b}d", [.deleteWordRight]),
      ("\u{1b}\u{7f}", [.deleteWordLeft]), ("\u{17}", [.deleteWordLeft]), ("\u{1b}\r", [.newline]),
      ("\u{1b}[13;2u", [.newline]), ("\u{1b}", [.escape]), ("\u{1b}\u{1b}[A", [.escape, .up]),
      ("\u{1}", [.control("a")]), ("\u{3}", [.control("c")]), ("\u{4}", [.control("d")]),
      ("\u{0}", [.unknown]), ("\u{1c}", [.unknown]), ("\u{1b}[[A", [.unknown]), ("\u{1b}[15~", [.unknown]),
      ("\u{1b}]0;title\u{7}x", [.unknown, .text("x")]), ("\u{1b}]11;rgb:1/2/3\u{1b}\\x", [.unknown, .text("x")]),
      ("\u{1b}[?1;2c", [.unknown]), ("\u{1b}[12;34R", [.unknown]), ("日本e\u{301}👍", [.text("日本e\u{301}👍")]),
      ("\u{9b}", [.unknown]),
      ("\u{1b}[200~two\r\nlines\tand \u{1b}[A\r\u{1b}[201~x", [.paste("two\nlines\tand \u{1b}[A\n"), .text("x")]),
    ]
    for (bytes, wanted) in cases { #expect(keys(bytes) == wanted, "\(bytes.debugDescription)") }
  }

  /// However the bytes are cut, the same keys come out.
  @Test func sequencesMayArriveInPieces() {
    let text = "a日\u{1b}[1;5C\u{1b}[200~p\u{1b}[20\r\n€\u{1b}[201~\u{1b}OA👨\u{200d}👩\u{1b}[3~é\u{1b}]0;t\u{1b}\\z\r"
    let bytes = Array(text.utf8)
    func merged(_ keys: [Key]) -> [Key] {
      keys.reduce(into: []) { list, key in
        if case .text(let more) = key, case .text(let text) = list.last {
          list[list.count - 1] = .text(text + more)
        } else {
          list.append(key)
        }
      }
    }
    let whole = keys(text)
    for cut in 1..<bytes.count {
      var decoder = KeyDecoder()
      #expect(merged(decoder.feed(bytes[..<cut]) + decoder.feed(bytes[cut...])) == whole, "cut at \(cut)")
    }
    var decoder = KeyDecoder()
    #expect(merged(bytes.flatMap { decoder.feed([$0]) }) == whole)
  }

  @Test func bytesThatAreNotUTF8AreSeen() {
    for (bytes, wanted) in [
      ([0xff], "\u{fffd}"), ([0x61, 0xc3, 0x28], "a\u{fffd}("), ([0xe2, 0x82], "\u{fffd}"),
      ([0xc0, 0xaf], "\u{fffd}\u{fffd}"), ([0xed, 0xa0, 0x80, 0x62], nil), ([0xf5, 0x62], "\u{fffd}b"),
    ] as [([UInt8], String?)] {
      var decoder = KeyDecoder()
      let text = (decoder.feed(bytes) + decoder.flush()).map { if case .text(let text) = $0 { text } else { "?" } }
      if let wanted { #expect(text.joined() == wanted, "\(bytes)") }
      #expect(!decoder.isWaiting && text.joined().contains("\u{fffd}"))
    }
  }

  /// Random bytes end in keys, and in no trap.
  @Test func anyBytesAreRead() {
    var random = SystemRandomNumberGenerator()
    let likely: [UInt8] = [0x1b, 0x5b, 0x4f, 0x5d, 0x3b, 0x32, 0x30, 0x31, 0x7e, 0x0d, 0x41, 0xc3, 0xa9, 0xf0]
    for _ in 0..<2000 {
      var decoder = KeyDecoder()
      var editor = LineEditor(history: ["one", "two\nlines"], killed: "k", completions: ["/help", "/history"])
      for _ in 0..<40 {
        let byte = Bool.random(using: &random) ? likely.randomElement()! : UInt8.random(in: 0...255)
        for key in decoder.feed([byte]) { _ = editor.handle(key) }
        let layout = LineLayout(prompt: "> ", continuation: ". ", buffer: editor.buffer, columns: 12)
        #expect(layout.rows.allSatisfy { $0.width <= 11 } && layout.rows.indices.contains(layout.cursorRow))
      }
    }
  }

  // MARK: Editing

  /// The text after some keys, the cursor as `|`.
  private func edited(_ bytes: String, history: [String] = [], completions: [String] = []) -> String {
    var decoder = KeyDecoder(), editor = LineEditor(history: history, completions: completions)
    for key in decoder.feed(bytes.utf8) + decoder.flush() { _ = editor.handle(key) }
    return String(editor.buffer.before) + "|" + String(editor.buffer.after)
  }

  @Test func keysEdit() {
    for (bytes, wanted) in [
      ("abc\u{1b}[Dx", "abx|c"), ("abc\u{1}x\u{5}y", "xabcy|"), ("abc\u{7f}", "ab|"), ("abc\u{1}\u{1b}[3~", "|bc"),
      ("abc\u{1}\u{4}", "|bc"), ("one two\u{17}", "one |"), ("one two \u{17}", "one |"),
      ("one two\u{1b}b\u{1b}b", "|one two"),
      ("one two\u{1}\u{1b}f", "one| two"), ("one two\u{15}x\u{19}", "xone two|"),
      ("one two\u{1}\u{b}x\u{19}", "xone two|"),
      ("abcd\u{1b}[D\u{1b}[D\u{14}", "acb|d"), ("ab\u{14}", "ba|"), ("a\u{1b}\rb", "a\nb|"), ("a\\\rb", "a\nb|"),
      ("e\u{301}\u{7f}", "|"), ("日本\u{1b}[D\u{7f}", "|本"), ("👨\u{200d}👩\u{200d}👧x\u{1b}[D\u{7f}", "|x"),
      ("ab\u{1b}[200~1\r2\u{1b}[201~", "ab1\n2|"), ("a\u{1b}\rbc\u{1b}[A", "a|\nbc"),
      ("ab\u{1b}\rc\u{1b}[A\u{1b}[B", "ab\nc|"),
      ("ab\u{1b}\rcd\u{1}x", "ab\nxcd|".replacing("cd|", with: "|cd")),
      ("one\u{1b}\r\u{1b}[A\u{b}", "|one\n".replacing("|one\n", with: "|\n")),
      ("x\u{7f}\u{7f}", "|"),
    ] { #expect(edited(bytes) == wanted, "\(bytes.debugDescription)") }
  }

  /// A mark that is typed after its letter joins it.
  @Test func marksJoinTheirLetters() {
    var buffer = LineBuffer()
    buffer.insert("e")
    buffer.insert("\u{301}")
    #expect(buffer.cursor == 1 && buffer.text == "e\u{301}")
    buffer = LineBuffer("\u{301}")
    buffer.moveToLineStart()
    buffer.insert("a")
    #expect(buffer.characters.count == 1 && buffer.cursor == 1)
  }

  @Test func historyIsWalkedAndSearched() {
    let lines = ["first", "second one", "third"]
    for (bytes, wanted) in [
      ("\u{1b}[A", "third|"), ("\u{1b}[A\u{1b}[A", "second one|"), ("\u{1b}[A\u{1b}[A\u{1b}[A\u{1b}[A", "first|"),
      ("draft\u{1b}[A\u{1b}[B", "draft|"), ("\u{10}\u{10}\u{e}", "third|"), ("\u{12}on", "second one|"),
      ("\u{12}ir\u{12}", "first|"), ("\u{12}ir\u{12}\u{12}", "first|"), ("\u{12}zzz", "|"), ("x\u{12}on\u{7}", "x|"),
      ("\u{12}on\u{1}X", "X|second one"),
    ] { #expect(edited(bytes, history: lines) == wanted, "\(bytes.debugDescription)") }
  }

  @Test func tabCompletesCommands() {
    let names = ["/help", "/history", "/save"]
    #expect(edited("/s\t", completions: names) == "/save |")
    #expect(edited("/h\t", completions: names) == "/h|")
    #expect(edited("/hi\t", completions: names) == "/history |")
    #expect(edited("x\t", completions: names) == "x|")
    #expect(edited("\t", completions: names) == "|")
  }

  @Test func linesEnd() {
    func outcome(_ bytes: String) -> LineEditor.Outcome? {
      var decoder = KeyDecoder(), editor = LineEditor()
      return (decoder.feed(bytes.utf8) + decoder.flush()).compactMap { editor.handle($0) }.first
    }
    #expect(outcome("hello\r") == .line("hello") && outcome("\r") == .line(""))
    #expect(outcome("a\u{3}") == .interrupted && outcome("\u{4}") == .endOfInput && outcome("a\u{4}") == nil)
    #expect(outcome("\u{1a}") == .suspend && outcome("\u{c}") == .clearScreen)
    #expect(outcome("a\u{1b}[200~b\r\nc\u{1b}[201~\r") == .line("ab\nc"))
    let long = String(repeating: "0123456789", count: 20_000)
    #expect(outcome(long + "\r") == .line(long))
  }

  // MARK: Drawing

  @Test func rowsAreNoWiderThanTheTerminal() {
    func layout(_ text: String, columns: Int) -> LineLayout {
      LineLayout(prompt: "> ", continuation: ". ", buffer: LineBuffer(text), columns: columns)
    }
    #expect(layout("abc", columns: 10).rows.map(\.text) == ["> abc"])
    #expect(layout("abcdefgh", columns: 6).rows.map(\.text) == ["> abc", "defgh", ""])
    // A wide sign that does not fit stands whole in the next row.
    #expect(layout("ab日本", columns: 6).rows.map(\.text) == ["> ab", "日本"])
    #expect(layout("a\nb", columns: 10).rows.map(\.text) == ["> a", ". b"])
    #expect(layout("a\tb\u{1b}", columns: 40).rows.map(\.text) == ["> a     b^["])
    #expect(layout("日", columns: 1).cursorRow == 2)
    let end = layout("abcdefgh", columns: 6)
    #expect(end.cursorRow == 2 && end.cursorColumn == 0)
  }

  @Test func aTextHigherThanTheScreenIsSeenAroundTheCursor() {
    var view = LineView(prompt: "> ")
    let text = (0..<50).map { "line \($0)" }.joined(separator: "\n")
    let size = LineView.Size(columns: 40, rows: 10)
    let end = view.draw(LineBuffer(text), size: size)
    #expect(end.contains("line 49") && end.contains("line 40") && !end.contains("line 39"))
    var start = LineBuffer(text)
    start.move(to: 0)
    let moved = view.draw(start, size: size)
    #expect(moved.hasPrefix("\r\u{1b}[9A\u{1b}[J") && moved.contains("line 9") && !moved.contains("line 10"))
    #expect(view.draw(start, size: size, isLast: true).contains("line 49"))
  }

  @Test func aNarrowerWindowHasMoreRowsToErase() {
    var view = LineView(prompt: "> ")
    _ = view.draw(LineBuffer(String(repeating: "x", count: 50)), size: .init(columns: 80, rows: 24))
    let narrow = view.draw(LineBuffer(String(repeating: "x", count: 50)), size: .init(columns: 20, rows: 24))
    #expect(narrow.hasPrefix("\r\u{1b}[2A\u{1b}[J"))
  }

  @Test func dumbTerminalsGetNoEscapes() {
    var view = DumbLineView(prompt: "> ")
    #expect(view.draw(LineBuffer("ab")) == "> ab" && view.draw(LineBuffer("abc")) == "c")
    #expect(view.draw(LineBuffer("ab")) == "\u{8} \u{8}")
    #expect(view.draw(LineBuffer("a日b")) == "\r\n> a日b")
    #expect(view.draw(LineBuffer("a")) == "\u{8} \u{8}\u{8} \u{8}\u{8} \u{8}")
    #expect(view.draw(LineBuffer("a"), isLast: true) == "\r\n")
  }

  // MARK: History

  @Test func historyIsKeptAndBounded() throws {
    let scratch = try TestData.Scratch(), path = scratch.file("chat/history")
    var history = LineHistory(path: path)
    for line in ["one", "one", "", "two\nlines", "日本", "\u{1b}[A"] { try history.add(line) }
    #expect(history.lines == ["one", "two\nlines", "日本", "\u{1b}[A"])
    #expect(LineHistory(path: path).lines == history.lines)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    for number in 0..<1500 { try history.add("line \(number)") }
    #expect(history.lines.count == 1000 && history.lines.last == "line 1499")
    #expect(LineHistory(path: path).lines == history.lines)
    // The file was shortened when it was read.
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.split(separator: "\n").count == 1000)
    try history.add(String(repeating: "x", count: 1 << 17))
    #expect(LineHistory(path: path).lines.last == "line 1499")
    for _ in 0..<40 { try history.add(String((0..<60_000).map { _ in "abcdefgh".randomElement()! })) }
    #expect(LineHistory(path: path).lines.reduce(0) { $0 + $1.utf8.count } <= 1 << 20)
    try Data([0xff, 10, 0x22, 0x61, 0x22, 10, 0x7b]).write(to: URL(fileURLWithPath: path))
    #expect(LineHistory(path: path).lines == ["a"])
  }

  @Test func plainLinesAreReadWhole() throws {
    let scratch = try TestData.Scratch()
    let long = String(repeating: "y", count: 300_000)
    try Data([0xef, 0xbb, 0xbf] + Array("one\r\n\(long)\n".utf8) + [0xff, 10] + Array("last".utf8))
      .write(to: URL(fileURLWithPath: scratch.file("l")))
    var lines = try PlainLines(path: scratch.file("l"))
    #expect(try lines.next() == "one" && lines.next() == long)
    #expect { try lines.next() } throws: { "\($0)".contains("line 3") && "\($0)".contains("not UTF-8") }
    #expect(try lines.next() == "last" && lines.next() == nil && lines.next() == nil)
  }
}
