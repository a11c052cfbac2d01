import Foundation
import MartletCheckpoints
import MartletData

/// A file of data as text in UTF-8, whatever it is packed or encoded in. What a file is, is told by its content.
struct DataText {
  let path: String
  let bytes: [UInt8]
  /// What was done to read it, for the person who trains.
  var notes: [String] = []
  /// Whether the bytes are UTF-8. Other text may still be trained on byte by byte.
  let isUTF8: Bool

  /// - Throws: ``TrainingError`` or `FileError` naming the file, what it is, and how to make text of it.
  init(path: String) throws {
    self.path = path
    let file = try MappedFile(path: path)
    var bytes = try withExtendedLifetime(file) {
      try Compression(file.bytes.prefix(16))?.unpack(file.bytes, of: path) ?? Array(file.bytes)
    }
    if let kind = DataText.foreignKind(bytes) {
      throw TrainingError("\(path): this is \(kind.name); \(kind.cure(path))")
    }
    if let encoding = WideEncoding(bytes) {
      let (text, isDamaged) = encoding.decode(bytes)
      bytes = text
      notes.append(
        "\(path) is \(encoding.name) and was read as such"
          + (isDamaged ? "; bytes that are not characters became U+FFFD" : ""))
    }
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    if let problem = DataText.binary(bytes) {
      throw TrainingError("\(path): this is not a text (\(problem)); give text, JSON lines or a table, in UTF-8")
    }
    guard bytes.contains(where: { $0 > 0x20 }) else {
      throw TrainingError("\(path): the file is empty; give a text of some kilobytes")
    }
    self.bytes = bytes
    isUTF8 = DataText.firstInvalid(bytes) == nil
  }

  /// The name in small letters, without the ending of a packed file.
  var plainName: String {
    var name = path.lowercased()
    for ending in [".gz", ".zst", ".zstd"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
    return name
  }

  /// Line and column (in characters, both from 1) of a place in the text.
  func place(_ offset: Int) -> (line: Int, column: Int) { DataText.place(bytes, offset) }

  static func place(_ bytes: [UInt8], _ offset: Int) -> (line: Int, column: Int) {
    let before = bytes[..<min(offset, bytes.count)]
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let line = before.reduce(1) { $0 + ($1 == 0x0a ? 1 : 0) }
    // Every byte but the later ones of a character begins one.
    return (line, before[start...].reduce(1) { $0 + ($1 & 0xc0 == 0x80 ? 0 : 1) })
  }

  /// Where the bytes are no longer UTF-8; nil where all are.
  static func firstInvalid(_ bytes: some Collection<UInt8>) -> Int? {
    if String(validating: bytes, as: UTF8.self) != nil { return nil }
    var codec = UTF8(), rest = bytes.makeIterator(), at = 0
    while true {
      switch codec.decode(&rest) {
      case .scalarValue(let scalar): at += UTF8.width(scalar)
      case .emptyInput, .error: return min(at, bytes.count - 1)
      }
    }
  }

  /// The sentence about a byte that is not UTF-8.
  func notUTF8(at offset: Int) -> TrainingError {
    let (line, column) = place(offset), byte = bytes[offset]
    let latin = byte >= 0xa0 ? " (\(Character(Unicode.Scalar(byte))) in Latin-1)" : ""
    return TrainingError(
      "\(path), line \(line), column \(column): byte 0x\(String(byte, radix: 16))\(latin) is not UTF-8; convert the file first, e.g. iconv -f latin1 -t utf-8 \(path) > new"
    )
  }

  // MARK: What is not text

  /// Files that are known by their first bytes, and what to do with them.
  private struct ForeignKind {
    let name: String
    let cure: (String) -> String
  }

  private static func foreignKind(_ bytes: [UInt8]) -> ForeignKind? {
    func python(_ reader: String) -> (String) -> String {
      { path in
        "convert it to JSON lines first: python3 -c \"import pandas; pandas.\(reader)('\(path)').to_json('data.jsonl', orient='records', lines=True, force_ascii=False)\""
      }
    }
    let give: (String) -> String = { _ in "give text, JSON lines or a table" }
    let kinds: [(String, ForeignKind)] = [
      ("PAR1", ForeignKind(name: "a Parquet file", cure: python("read_parquet"))),
      ("ARROW1", ForeignKind(name: "an Arrow file", cure: python("read_feather"))),
      ("FEA1", ForeignKind(name: "a Feather file", cure: python("read_feather"))),
      ("\u{89}HDF", ForeignKind(name: "an HDF5 file", cure: python("read_hdf"))),
      ("SQLite format 3", ForeignKind(name: "an SQLite database", cure: give)),
      ("%PDF-", ForeignKind(name: "a PDF document", cure: { "extract its text first, e.g. pdftotext \($0)" })),
      ("GGUF", ForeignKind(name: "a model (GGUF)", cure: give)),
      ("{\\rtf", ForeignKind(name: "a document in RTF", cure: give)),
    ]
    // The first byte of HDF5's mark is no ASCII, so scalars are compared with bytes.
    return kinds.first { mark, _ in bytes.starts(with: mark.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    }?
    .1
  }

  /// Why the bytes are no text; nil where they may be.
  private static func binary(_ bytes: [UInt8]) -> String? {
    if let zero = bytes.firstIndex(of: 0) {
      let (line, column) = place(bytes, zero)
      return "byte 0x00 in line \(line), column \(column)"
    }
    let first = bytes.prefix(1 << 16)
    let controls = first.count { $0 < 0x20 && !(0x07...0x0d).contains($0) && $0 != 0x1b || $0 == 0x7f }
    return controls * 50 > first.count ? "\(controls) of its first \(first.count) bytes are control characters" : nil
  }
}

/// Encodings of two or four bytes a character, told by their byte order mark, or by where zeros stand.
private struct WideEncoding {
  private let isBigEndian: Bool
  private let width: Int
  private let markLength: Int

  var name: String { "UTF-\(width * 8)" }

  init?(_ bytes: [UInt8]) {
    if bytes.starts(with: [0xff, 0xfe, 0, 0]) || bytes.starts(with: [0, 0, 0xfe, 0xff]) {
      (isBigEndian, width, markLength) = (bytes[0] == 0, 4, 4)
    } else if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      (isBigEndian, width, markLength) = (bytes[0] == 0xfe, 2, 2)
    } else {
      // Text in a Latin script is half zeros, all of them on one side.
      let first = bytes.prefix(4096)
      guard first.count >= 8 else { return nil }
      let even = first.enumerated().count { $0.offset % 2 == 0 && $0.element == 0 }
      let odd = first.enumerated().count { $0.offset % 2 == 1 && $0.element == 0 }
      guard min(even, odd) == 0, max(even, odd) * 3 > first.count else { return nil }
      (isBigEndian, width, markLength) = (even > 0, 2, 0)
    }
  }

  /// The text in UTF-8, and whether something in it was no character.
  func decode(_ bytes: [UInt8]) -> (text: [UInt8], isDamaged: Bool) {
    let whole = (bytes.count - markLength) / width * width
    var isDamaged = whole + markLength != bytes.count
    let units = stride(from: markLength, to: markLength + whole, by: width).map { start in
      (0..<width).reduce(UInt32(0)) { value, place in
        value << 8 | UInt32(bytes[isBigEndian ? start + place : start + width - 1 - place])
      }
    }
    let text: String
    if width == 2 {
      let units = units.map { UInt16($0) }
      if String(validating: units, as: UTF16.self) == nil { isDamaged = true }
      text = String(decoding: units, as: UTF16.self)
    } else {
      if !units.allSatisfy({ Unicode.Scalar($0) != nil }) { isDamaged = true }
      text = String(String.UnicodeScalarView(units.map { Unicode.Scalar($0) ?? "\u{fffd}" }))
    }
    return (Array(text.utf8), isDamaged)
  }
}
