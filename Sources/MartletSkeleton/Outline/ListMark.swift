/// The mark with which a line of a list begins, and what stands behind it.
///
/// Models write lists in many dresses: `2.`, `(2)`, `②`, `２．`, `٢.`, `二、`, `### 2.`, `**2.**`, `Step 2:`, `b)`,
/// `ii.`, `•`. All numbers in whatever dress are one series, so that a model may change the dress between two lines.
struct ListMark: Equatable {
  enum Series: Hashable {
    case number, roman
    /// Letters of one of the ``alphabets``.
    case letter(Int)
    case bullet(Character)
    /// Lines that each begin with some emoji.
    case emoji
    /// Headings without a number, by their level, and lines that are wholly bold.
    case heading(Int), bold
  }

  let series: Series
  /// From 1; nil for bullets and headings.
  let number: Int?
  /// Columns in front of the mark.
  let indent: Int
  /// Whether one line shows that it belongs to a list; others count only where the next one follows.
  let isCertain: Bool
  /// The line is a heading or wholly bold, so that plain text may stand below it.
  let isTitle: Bool
  /// The mark has a word, as `Step 2:`.
  let hasWord: Bool
  /// The number belongs to a part of a point, as in `2.1`; the point's own number.
  let parent: Int?
  let head: String

  var isBullet: Bool { if case .bullet = series { true } else { false } }

  /// What the line may be: nothing for plain text, two marks where letters are Roman numerals too.
  static func readings(_ line: some StringProtocol) -> [ListMark] {
    ListMarkReader(line).readings
  }

  /// Whether a text that goes on with such a line has come to another point.
  static func beginsPoint(_ line: some StringProtocol) -> Bool {
    readings(line).contains { mark in
      guard mark.series == .number, mark.parent == nil, !mark.hasWord, (1...99).contains(mark.number ?? 0) else {
        return false
      }
      // `3 - 5` may be anything, `③`, `三、` and the digit on a key hardly.
      if line.unicodeScalars.contains("\u{20e3}") { return true }
      return mark.isCertain || line.first { !$0.isWhitespace }?.unicodeScalars.first?.properties.numericType != .decimal
    }
  }

  /// The mark as a number, where the line shows one for certain.
  static func number(_ line: some StringProtocol) -> ListMark? {
    readings(line).first { $0.series == .number && $0.isCertain && $0.parent == nil }
  }

  /// Letters that count lines, in their order.
  static let alphabets: [[Unicode.Scalar]] = [
    "abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрстуфхцчшщэюя", "αβγδεζηθικλμνξοπρστυφχψω", "אבגדהוזחטיכלמנסעפצקרשת",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "ابجدهوزحطيكلمنسعفصقرشتثخذضظغ", "가나다라마바사아자차카타파하", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "कखगघङचछजझञ", "কখগঘঙচছজঝঞ", "アイウエオカキクケコサシスセソ", "あいうえおかきくけこさしすせそ", "イロハニホヘトチリヌル", "甲乙丙丁戊己庚辛壬癸", "กขคงจฉชซ",
  ].map { Array($0.unicodeScalars) }

  static let bullets = Set("-*+•‣⁃◦▪▫●○■□◆◇◈◉►▶▸➢➤➔→⇒»›–—―·・∙⋅※☐☑☒✓✔✗✘★☆❖")
}
