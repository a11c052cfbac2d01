/// Cuts a text into the pieces inside which byte pairs may merge, step by step as a tokenizer.json lists them.
struct PreTokenizer: Sendable {
  enum Step: Sendable, Equatable {
    case split(SplitPattern, SplitBehavior, inverted: Bool)
    /// A space in front of pieces that have none (`add_prefix_space`).
    case prefixSpace
    /// Each byte becomes the printable character that stands for it.
    case printBytes
    /// Spaces become `replacement`, which is also put in front.
    case metaspace(replacement: Unicode.Scalar, prefix: MetaspacePrefix)
    /// Pieces of so many scalars.
    case fixedLength(Int)
  }

  enum MetaspacePrefix: String, Sendable { case first, always, never }

  let steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  func apply(to text: inout NormalizedText) {
    for step in steps {
      switch step {
      case .split(let pattern, let behavior, let inverted): Self.split(&text, pattern, behavior, inverted)
      case .prefixSpace:
        text.rewrite(prefix: { piece, _ in piece.first == " " ? nil : " " }, map: { $1.append($0) })
      case .printBytes: text.rewrite(prefix: { _, _ in nil }, map: PrintableBytes.append)
      case .metaspace(let replacement, let prefix):
        text.rewrite(
          prefix: { piece, isStart in
            let wanted = prefix == .always || (prefix == .first && isStart)
            return wanted && piece.first != " " && piece.first != replacement ? replacement : nil
          }, map: { $1.append($0 == " " ? replacement : $0) })
      case .fixedLength(let length):
        text.pieces = text.pieces.flatMap { piece in
          stride(from: piece.lowerBound, to: piece.upperBound, by: length).map {
            $0..<$0 + min(length, piece.upperBound - $0)
          }
        }
      }
    }
  }

  private static func split(
    _ text: inout NormalizedText, _ pattern: SplitPattern, _ behavior: SplitBehavior, _ inverted: Bool
  ) {
    var pieces: [Range<Int>] = []
    switch (pattern, behavior) {
    case (.words(let scanner), .isolated):
      let classes = text.scalars.map(CharacterClass.init)
      for piece in text.pieces { scanner.words(in: text.scalars, classes: classes, piece, into: &pieces) }
    case (.scalars(let set), .isolated):
      for piece in text.pieces {
        var start = piece.lowerBound
        for at in piece where set.contains(text.scalars[at]) {
          if start < at { pieces.append(start..<at) }
          pieces.append(at..<at + 1)
          start = at + 1
        }
        if start < piece.upperBound { pieces.append(start..<piece.upperBound) }
      }
    case (.expression(let expression), .isolated):
      var run = RegularExpressionRun(expression, text: text.scalars)
      for piece in text.pieces {
        var start = piece.lowerBound
        run.forEachMatch(in: piece) { match in
          if start < match.lowerBound { pieces.append(start..<match.lowerBound) }
          if !match.isEmpty { pieces.append(match) }
          start = match.upperBound
        }
        if start < piece.upperBound { pieces.append(start..<piece.upperBound) }
      }
    case (.expression(let expression), _):
      // One run, so that all pieces share the text's budget of steps.
      var run = RegularExpressionRun(expression, text: text.scalars)
      for piece in text.pieces {
        var matches: [Range<Int>] = []
        run.forEachMatch(in: piece) { matches.append($0) }
        pieces += behavior.pieces(of: piece, matches: matches, inverted: inverted)
      }
    default:
      for piece in text.pieces {
        pieces += behavior.pieces(
          of: piece, matches: pattern.matches(in: text.scalars, piece), inverted: inverted)
      }
    }
    text.pieces = pieces
  }
}

/// GPT-2's bijection between bytes and printable characters.
enum PrintableBytes {
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (0..<256).map { (byte: UInt32) -> Unicode.Scalar in
      let printable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
      defer { if !printable { next += 1 } }
      return Unicode.Scalar(printable ? byte : next) ?? " "
    }
  }()
  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

  /// Appends the characters that stand for the bytes of `scalar`.
  static func append(_ scalar: Unicode.Scalar, to text: inout [Unicode.Scalar]) {
    UTF8.encode(scalar).map { for byte in $0 { text.append(scalars[Int(byte)]) } }
  }

  /// The bytes that a token's text stands for; nil where a character of it stands for none.
  static func decode(_ text: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }
}
