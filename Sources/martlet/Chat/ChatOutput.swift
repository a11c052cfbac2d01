import Foundation
import Synchronization

/// What a chat prints: text for people, or one JSON object a line.
struct ChatOutput: Sendable {
  let json: Bool

  /// The answer to a command.
  func say(_ text: String) {
    if json { printJSON(["note": text]) } else { print(text) }
  }

  /// What is told beside the conversation. It goes where people look, and not into what a program reads.
  func remark(_ text: String) {
    if json { return printJSON(["note": text]) }
    if isatty(1) == 1 { print(Terminal.dim("(\(text))")) } else { Terminal.note("(\(text))") }
  }

  func fail(_ error: any Error) {
    let text = "\(error)"
    if json { printJSON(["error": text]) } else if isatty(1) == 1 { print(text) } else { Terminal.showError(text) }
  }

  func printJSON(_ object: [String: Any]) { try? Terminal.printJSON(object) }
}

/// Takes an answer as it comes, and shows it.
final class AnswerText: Sendable {
  private let text: Mutex<String>
  private let shows: Bool

  /// - Parameter begun: what was said before, where an answer goes on.
  init(begun: String, shows: Bool) {
    text = Mutex(begun)
    self.shows = shows
  }

  var value: String { text.withLock { $0 } }

  func add(_ piece: String) {
    let new = text.withLock { text in
      // An answer often starts with a space or line break of the format.
      let piece = text.isEmpty ? String(piece.drop { $0.isWhitespace }) : piece
      text += piece
      return piece
    }
    if shows, !new.isEmpty { Terminal.write(isatty(1) == 1 ? Self.harmless(new) : new) }
  }

  /// Without control characters, which would steer the terminal; line breaks and tabs stay.
  static func harmless(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    let scalars = text.unicodeScalars.filter { $0 != "\r" }.map { isControl($0) ? "\u{fffd}" : $0 }
    return String(String.UnicodeScalarView(scalars))
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
  }
}
