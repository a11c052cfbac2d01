import Foundation
import MartletEngine

/// Where the lines of a chat come from: a person at a terminal, or standard input as it comes.
struct ChatInput {
  enum Line {
    case text(String)
    /// Ctrl-C at the prompt.
    case interrupted
    case end
  }

  private var reader: LineReader?
  private var plain = PlainLines()
  private var cannotRemember = false

  /// - Parameter device: the terminal, where a person writes on one.
  init(_ device: TerminalDevice?, keepsHistory: Bool) {
    reader = device.map {
      LineReader(
        $0, history: LineHistory(path: keepsHistory ? ConversationFile.history : nil),
        completions: ChatCommand.names.sorted())
    }
  }

  var isInteractive: Bool { reader != nil }

  /// The next message or command. `"""` begins a text of several lines, to the next `"""`.
  /// - Throws: ``LineError`` where it is not UTF-8; the next one can still be read.
  mutating func next() throws -> Line {
    var message: [String]?
    while true {
      switch try line(prompt: message == nil ? "> " : ". ") {
      case .interrupted: return .interrupted
      case .end:
        // What was begun and never ended is a message all the same.
        guard let message, !isInteractive else { return .end }
        return .text(message.joined(separator: "\n"))
      case .text(let line):
        if var lines = message {
          let isLast = line.trimmed.hasSuffix("\"\"\"")
          let end = isLast ? line.range(of: "\"\"\"", options: .backwards)?.lowerBound : nil
          lines.append(String(line[..<(end ?? line.endIndex)]))
          message = lines
          if isLast { return .text(lines.joined(separator: "\n").trimmed) }
        } else if line.trimmed.hasPrefix("\"\"\"") {
          let rest = line.trimmed.dropFirst(3)
          if rest.hasSuffix("\"\"\"") { return .text(rest.dropLast(3).trimmed) }
          message = [String(rest)]
        } else {
          return .text(line)
        }
      }
    }
  }

  private mutating func line(prompt: String) throws -> Line {
    guard var reader else { return try plain.next().map { .text($0) } ?? .end }
    defer { self.reader = reader }
    switch reader.read(prompt: prompt) {
    case .interrupted: return .interrupted
    case .end: return .end
    case .line(let line):
      do {
        if !line.trimmed.isEmpty { try reader.remember(line) }
      } catch {
        if !cannotRemember { Terminal.note("Note: the history of lines cannot be saved: \(error)") }
        cannotRemember = true
      }
      return .text(line)
    }
  }
}
