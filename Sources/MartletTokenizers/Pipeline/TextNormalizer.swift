import Foundation

/// Changes a text before it is cut into pieces, step by step as a tokenizer.json lists them.
struct TextNormalizer: Sendable {
  enum Step: Sendable, Equatable {
    case unicode(Form)
    case lowercase
    case replace(SplitPattern, [Unicode.Scalar])
    case strip(left: Bool, right: Bool)
    case stripAccents
    case prepend([Unicode.Scalar])
    /// SentencePiece's cleaning: control characters go, odd white space becomes spaces.
    case nmt
    case printBytes
  }

  enum Form: String, Sendable { case nfc = "NFC", nfd = "NFD", nfkc = "NFKC", nfkd = "NFKD" }

  let steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  func apply(to text: inout NormalizedText) {
    for step in steps where !text.scalars.isEmpty {
      switch step {
      case .unicode(let form):
        let origin = form.apply(to: Array(text.scalars[..<text.originCount]))
        text.scalars = form.apply(to: text.scalars)
        text.originCount = min(origin.count, text.scalars.count)
      case .lowercase: Self.map(&text) { $1.append(contentsOf: $0.properties.lowercaseMapping.unicodeScalars) }
      case .printBytes: Self.map(&text, PrintableBytes.append)
      case .stripAccents: Self.map(&text) { if !$0.isOldMark { $1.append($0) } }
      case .nmt: Self.map(&text) { scalar, result in Self.clean(scalar).map { result.append($0) } }
      case .prepend(let prefix):
        text.scalars = prefix + text.scalars
        if text.originCount > 0 { text.originCount += prefix.count }
      case .strip(let left, let right):
        let start = left ? text.scalars.firstIndex { !$0.isWhiteSpace } ?? text.scalars.count : 0
        let end =
          right ? text.scalars[start...].lastIndex { !$0.isWhiteSpace }.map { $0 + 1 } ?? start : text.scalars.count
        text.originCount = max(0, min(text.originCount, end) - start)
        text.scalars = Array(text.scalars[start..<end])
      case .replace(let pattern, let content): Self.replace(&text, pattern, content)
      }
    }
    text.pieces = text.scalars.isEmpty ? [] : [0..<text.scalars.count]
  }

  /// What a text becomes that stands alone.
  func normalized(_ text: String) -> [Unicode.Scalar] {
    var text = NormalizedText(Array(text.unicodeScalars), isStart: false)
    apply(to: &text)
    return text.scalars
  }

  private static func map(
    _ text: inout NormalizedText, _ change: (Unicode.Scalar, inout [Unicode.Scalar]) -> Void
  ) {
    var written: [Unicode.Scalar] = []
    written.reserveCapacity(text.scalars.count)
    var origin = 0
    for (at, scalar) in text.scalars.enumerated() {
      change(scalar, &written)
      if at < text.originCount { origin = written.count }
    }
    text.scalars = written
    text.originCount = origin
  }

  private static func replace(_ text: inout NormalizedText, _ pattern: SplitPattern, _ content: [Unicode.Scalar]) {
    var written: [Unicode.Scalar] = []
    written.reserveCapacity(text.scalars.count)
    var origin = 0, start = 0
    for match in pattern.matches(in: text.scalars, 0..<text.scalars.count) {
      written += text.scalars[start..<match.lowerBound]
      if start < text.originCount { origin = written.count - max(0, match.lowerBound - text.originCount) }
      written += content
      // What is put in counts as coming from the last scalar that it replaces.
      if match.upperBound <= text.originCount { origin = written.count }
      start = match.upperBound
    }
    if start < text.originCount { origin = written.count + text.originCount - start }
    text.scalars = written + text.scalars[start...]
    text.originCount = origin
  }

  private static func clean(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar.value {
    case 0x1...0x8, 0xb, 0xe...0x1f, 0x7f, 0x8f, 0x9f: nil
    case 0x9, 0xa, 0xc, 0xd, 0x1680, 0x200b...0x200f, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd: " "
    default: scalar
    }
  }
}

extension TextNormalizer.Form {
  /// The form in Unicode 9, whose tables `tokenizers` has: what is newer stays as it is and keeps its place.
  func apply(to scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    var start = 0
    func close(_ end: Int) {
      guard start < end else { return }
      var run = String(String.UnicodeScalarView(scalars[start..<end]))
      if self == .nfkc || self == .nfkd {
        // Scalar by scalar: Foundation does not order marks that come out of different scalars.
        run = run.unicodeScalars.reduce(into: "") { text, scalar in
          let one = String(Character(scalar))
          text.unicodeScalars += (scalar.isASCII ? one : one.decomposedStringWithCompatibilityMapping).unicodeScalars
        }
      }
      let composes = self == .nfc || self == .nfkc
      let normalized = composes ? run.precomposedStringWithCanonicalMapping : run.decomposedStringWithCanonicalMapping
      result += normalized.unicodeScalars
    }
    for (at, scalar) in scalars.enumerated() where scalar.value >= 0x300 && scalar.isNewerThanUnicode9 {
      close(at)
      result.append(scalar)
      start = at + 1
    }
    close(scalars.count)
    return result
  }
}

extension Unicode.Scalar {
  /// Assigned since Unicode 9. Private characters and those not assigned have no forms, so that they do not matter.
  fileprivate var isNewerThanUnicode9: Bool { properties.age != nil && !isAssigned(in: 9) }

  /// A combining mark in Unicode 9.
  fileprivate var isOldMark: Bool {
    switch value {
    case 0..<0x300, 0x111c9: false
    case 0x1cf2, 0x1cf3: true  // letters since Unicode 12
    default: !category.isDisjoint(with: .mark) && isAssigned(in: 9)
    }
  }
}
