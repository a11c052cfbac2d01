/// A prompt that is a text to go on with, and what it asks: the last line, without the labels around it.
struct RawPrompt {
  let question: String

  private static let answerLabels: Set<String> = [
    "a", "answer", "assistant", "response", "reply", "bot", "ai", "antwort", "réponse", "respuesta", "risposta", "回答",
    "答", "答案", "ответ",
  ]
  private static let questionLabels: Set<String> = [
    "q", "question", "user", "human", "prompt", "instruction", "input", "frage", "pregunta", "domanda", "問", "问",
    "问题", "質問", "вопрос",
  ]

  init(_ text: String) {
    var lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: \.isWhitespace) }
    lines.removeAll { $0.allSatisfy(\.isWhitespace) }
    if lines.count > 1, let last = lines.last, Self.label(last)?.rest.allSatisfy(\.isWhitespace) == true,
      let label = Self.label(last)?.name, Self.answerLabels.contains(label)
    {
      lines.removeLast()
    }
    guard var line = lines.last else {
      question = text
      return
    }
    // "Who is it? Answer:" on one line.
    if let colon = line.lastIndex(where: { ":：".contains($0) }),
      line[line.index(after: colon)...].allSatisfy(\.isWhitespace)
    {
      let before = line[..<colon]
      let start = before.lastIndex(where: \.isWhitespace).map(before.index(after:)) ?? before.startIndex
      if start > before.startIndex, Self.answerLabels.contains(before[start...].lowercased()) {
        line = before[..<start]
      }
    }
    if let (name, rest) = Self.label(line), Self.questionLabels.contains(name) { line = rest }
    question = String(line.trimmingPrefix(while: \.isWhitespace))
  }

  /// The word in front of a line's first colon, and what follows.
  private static func label(_ line: Substring) -> (name: String, rest: Substring)? {
    guard let colon = line.firstIndex(where: { ":：".contains($0) }) else { return nil }
    let name = line[..<colon].drop { "#*- ".contains($0) }
    guard name.count <= 20, !name.contains(where: \.isWhitespace) else { return nil }
    return (name.lowercased().replacing("*", with: ""), line[line.index(after: colon)...].drop { "* ".contains($0) })
  }
}
