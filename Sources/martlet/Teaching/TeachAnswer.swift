import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation

struct TeachAnswer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "answer",
    abstract: "Takes answers out of texts and compares them with the right ones.",
    discussion: """
      Each line of the input is an object with a "text" (or "response") and the right "answer": a text, a number, true or \
      false, a list of names of one thing, or a whole solution of GSM8K. Lines with choices have their options in \
      "choices". Every line is copied in its order, with "extracted" (null where the text gives no answer) and "correct".

      Rules:
      \(AnswerRule.all.map { "  \($0.name): \($0.about)" }.joined(separator: "\n"))

      Example: martlet teach answer --rule gsm8k-strict --input rows.jsonl --output checked.jsonl
      """)

  @Option(help: "The rule by which answers are taken out and compared.") var rule: String
  @Option(name: .shortAndLong, help: "JSON lines, plain or compressed; - is standard input.") var input: String
  @Option(name: .shortAndLong, help: "File for the lines (default: standard output).") var output: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print the counts as one JSON object; with --output, as the lines take standard output otherwise.")
  var json = false

  func validate() throws {
    if json, file == nil {
      throw ValidationError("--json needs --output, as the lines take standard output otherwise")
    }
  }

  /// The file to write; nil for standard output.
  private var file: String? { output == "-" ? nil : output }

  func run() throws {
    let rule = try AnswerRule.named(rule)
    if let file { try OutputTarget.check(file, replaces: force) }
    var lines: [UInt8] = []
    var right = 0, found = 0, count = 0
    for line in try JSONLines.read(input) {
      let checked = try Self.checked(line, by: rule)
      count += 1
      if checked.extracted != nil { found += 1 }
      if checked.isCorrect { right += 1 }
      checked.json.write(to: &lines)
      lines.append(UInt8(ascii: "\n"))
    }
    if let file {
      try AtomicFile.write(lines, to: file, replaces: force)
    } else {
      print(String(decoding: lines, as: UTF8.self), terminator: "")
    }
    if json {
      return try Terminal.printJSON([
        "rule": rule.name, "rows": count, "correct": right, "without_answer": count - found, "output": file ?? "",
      ])
    }
    Terminal.note("\(right) of \(count) answers are right, \(count - found) texts give none.")
  }

  /// A line with what its text answers.
  static func checked(
    _ line: JSONLines.Line, by rule: AnswerRule
  ) throws -> (json: JSONValue, extracted: String?, isCorrect: Bool) {
    guard var object = line.value.object else {
      throw line.failure("it is \(line.value.kind), but each line must be an object with \"text\" and \"answer\"")
    }
    guard let text = (object.present("text") ?? object.present("response"))?.string else {
      throw line.failure("it has no \"text\" that is a text; add what was written")
    }
    guard let value = object.present("answer"), case let answers = try answers(value, line), !answers.isEmpty else {
      throw line.failure("it has no \"answer\"; add the right one")
    }
    let choices = try object.present("choices").map { value in
      guard let list = value.array, case let texts = list.compactMap(\.string), texts.count == list.count else {
        throw line.failure("\"choices\" is \(value.kind), but must be a list of texts")
      }
      return texts
    }
    if let answer = answers.first(where: { !rule.canCompare(answer: $0, choices: choices) }) {
      throw line.failure(
        "its answer \"\(answer.prefix(60))\" is none that the rule \(rule.name) can compare; correct it, or take another rule"
      )
    }
    let extracted = rule.extract(from: text, choices: choices)
    let isCorrect = rule.isCorrect(text: text, answers: answers, choices: choices)
    object["extracted"] = extracted.map { .string($0) } ?? .null
    object["correct"] = .bool(isCorrect)
    return (.object(object), extracted, isCorrect)
  }

  private static func answers(_ value: JSONValue, _ line: JSONLines.Line) throws -> [String] {
    if let list = value.array { return try list.flatMap { try answers($0, line) } }
    if let text = value.string { return [text] }
    if let flag = value.bool { return [flag ? "yes" : "no"] }
    guard value.number != nil else {
      throw line.failure("\"answer\" is \(value.kind), but must be a text, a number, true or false, or a list of these")
    }
    return [value.text]
  }
}
