import MartletData

/// What makes two responses to a question the same.
enum ReasoningPath {
  /// The calculations of a response in their order, without spaces: `48/2=24;48+24=72`; the words where it has none (RFT; Yuan et al., 2023).
  static func key(_ response: String) -> String {
    let marked = response.matches(of: /<<([^<>]*)>>/).map { String($0.1) }
    let found =
      marked.isEmpty
      ? response.matches(of: /[-+\d.,()$ ]*\d[\d.,()$ ]*(?:[-+*\/×÷x][-+\d.,()$ ]*\d[\d.,()$ ]*)+=\s*\$?-?[\d.,]*\d/)
        .map { String($0.0) }
      : marked
    guard !found.isEmpty else { return text(response) }
    return found.map { step in
      String(step.filter { !$0.isWhitespace && $0 != "$" && $0 != "," })
        .replacing("×", with: "*").replacing("x", with: "*").replacing("÷", with: "/")
    }.joined(separator: ";")
  }

  /// The words in small letters, whatever stands between them.
  static func text(_ response: String) -> String {
    response.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: " ")
  }
}
