import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation

struct Score: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Tells how likely given continuations are after given contexts.",
    discussion: """
      --input has JSON lines such as {"context":"The capital of France is","continuation":" Paris"}; it may be packed \
      with gzip or zstd, and - is standard input. --output receives the same lines in the same order. Other fields are \
      kept, and these are added: "log_likelihood" (the sum over the continuation's tokens, in nats), "is_greedy" (whether \
      each of them is the most likely one), "context_tokens" and "continuation_tokens". A line whose context was too long \
      also has "truncated_tokens", and one that --edits concerns has "edit": "acted", or "words_only" where the edit \
      could only have prescribed the words of an answer and the score is the model's own.

      The rules are those of lm-evaluation-harness: white space at the end of the context counts to the continuation, and \
      its tokens are those of both texts together beyond those of the context. In place of an empty context stands the \
      token that begins texts.

      Examples: martlet score model.gguf --input pairs.jsonl --output scores.jsonl --format f32
                cat pairs.jsonl | martlet score model.gguf --input - --output - | head
      """)
  @OptionGroup var options: ModelOptions
  @OptionGroup var scoring: ScoringOptions
  @Option(help: "JSON lines with contexts and continuations; - is standard input.") var input: String
  @Option(help: "File for the scores; - is standard output.") var output: String
  @Flag(help: "Read every line alone instead of shared beginnings once (slower, the same scores).") var noPacking =
    false
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object with the number of lines and the speed.") var json = false

  func validate() throws {
    if json, output == "-" { throw ValidationError("--json and --output - both print to standard output; choose one") }
  }

  func run() async throws {
    if output != "-" { try OutputTarget.check(output, replaces: force) }
    let lines = try JSONLines.read(input)
    let requests = try lines.map(Self.request)
    var scorer = try await scoring.scorer(options.load(warns: false))
    if noPacking { scorer = scorer.withoutPacking }
    let tokens = try zip(lines, requests).map { line, request in
      do {
        let tokens = try scorer.encode(request)
        try scorer.check(tokens)
        return tokens
      } catch let error as ScoringError { throw line.failure(error.message) }
    }
    let file = output == "-" ? nil : try AtomicFile(path: output, replaces: force)
    let progress = Progress("scoring"), start = Date()
    defer { progress.finish() }
    // Lines are written in their order, as soon as all before them are.
    var scored: [ContinuationScore?] = Array(repeating: nil, count: lines.count)
    var written = 0, done = 0
    _ = try await scorer.scores(tokens.map { [$0] }) { row, scores in
      scored[row] = scores.first
      done += 1
      progress.update(done, of: lines.count, unit: "lines", scale: 1)
      while written < scored.count, let score = scored[written] {
        try write(Self.line(lines[written].value, tokens[written], score), to: file)
        written += 1
      }
    }
    try file?.commit()
    progress.finish()
    let seconds = Date().timeIntervalSince(start)
    let truncated = scored.count { ($0?.truncatedTokens ?? 0) > 0 }
    if truncated > 0 {
      Terminal.note(
        "\(truncated) of \(lines.count) lines were longer than the model reads; the beginning of their contexts was left out"
      )
    }
    if json {
      try Terminal.printJSON([
        "lines": lines.count, "truncated_lines": truncated, "seconds": seconds,
        "continuation_tokens": tokens.reduce(0) { $0 + $1.continuation.count }, "output": output,
      ])
    } else if file != nil {
      print(String(format: "%@: %d lines scored in %.1f s", output, lines.count, seconds))
    }
  }

  private static func request(_ line: JSONLines.Line) throws -> ContinuationRequest {
    func text(_ field: String) throws -> String {
      guard case .object = line.value else { throw line.failure("it is \(line.value.kind), not a JSON object") }
      guard let value = line.value[field] else {
        throw line.failure("it has no field \"\(field)\"; each line needs \"context\" and \"continuation\"")
      }
      guard let text = value.string else {
        throw line.failure("its field \"\(field)\" is \(value.kind); give a string")
      }
      return text
    }
    return try ContinuationRequest(context: text("context"), continuation: text("continuation"))
  }

  private static func line(_ value: JSONValue, _ tokens: TokenizedRequest, _ score: ContinuationScore) -> JSONValue {
    var object = value.object ?? JSONObject()
    object["log_likelihood"] = .number(score.logLikelihood)
    object["is_greedy"] = .bool(score.isGreedy)
    object["context_tokens"] = .array(tokens.context.map(JSONValue.integer))
    object["continuation_tokens"] = .array(tokens.continuation.map(JSONValue.integer))
    object["truncated_tokens"] = score.truncatedTokens > 0 ? .integer(score.truncatedTokens) : nil
    object["edit"] = score.influence == .none ? nil : .string(score.influence == .acted ? "acted" : "words_only")
    return .object(object)
  }

  private func write(_ line: JSONValue, to file: AtomicFile?) throws {
    let bytes = Array((line.text + "\n").utf8)
    guard let file else { return StandardOutput.write(bytes) }
    try bytes.withUnsafeBytes { try file.write($0) }
  }
}
