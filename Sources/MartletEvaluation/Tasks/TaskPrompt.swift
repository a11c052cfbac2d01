import MartletModels

/// The parts of what a model reads: instructions, solved examples, the question. Written as plain text, or as a conversation.
struct TaskPrompt {
  private struct Part {
    var role: ChatMessage.Role
    var text: String
    /// What follows in plain text.
    var delimiter: String
  }
  private var parts: [Part] = []

  /// A prompt that begins with instructions: what the system message says, then what the task's description says.
  init(system: String?, description: String) {
    guard let system else {
      if !description.isEmpty { parts.append(Part(role: .system, text: description, delimiter: "")) }
      return
    }
    let breaks = !system.isEmpty && !description.isEmpty && !system.endsWithSpace && !description.beginsWithSpace
    parts.append(Part(role: .system, text: system + (breaks ? "\n\n" : "") + description, delimiter: ""))
  }

  /// Adds a solved example.
  mutating func add(question: String, delimiter: String, answer: String) {
    parts.append(Part(role: .user, text: question, delimiter: delimiter))
    parts.append(Part(role: .assistant, text: answer, delimiter: "\n\n"))
  }

  /// Everything with the question at its end, as plain text.
  func text(question: String) -> String { parts.reduce("") { $0 + $1.text + $1.delimiter } + question }

  /// Everything with the question at its end, as a conversation: the examples as turns, or together with the question as one.
  func messages(question: String, examplesAreTurns: Bool) -> [ChatMessage] {
    if examplesAreTurns { return parts.map { ChatMessage($0.role, $0.text) } + [ChatMessage(.user, question)] }
    let system = parts.prefix { $0.role == .system }
    let rest = parts.dropFirst(system.count).reduce("") { $0 + $1.text + $1.delimiter }
    return system.map { ChatMessage(.system, $0.text) } + [ChatMessage(.user, rest + question)]
  }
}

extension String {
  fileprivate var beginsWithSpace: Bool { unicodeScalars.first?.properties.isWhitespace == true }
  fileprivate var endsWithSpace: Bool { unicodeScalars.last?.properties.isWhitespace == true }
}
