import MartletData

/// What a model answered on a row, with how it is judged: one line of a file of rows.
struct RowRecord: Sendable {
  /// The answer to a row's question.
  enum Answer: Sendable, Equatable {
    case scores([TokenizedRequest], [ContinuationScore])
    case text(GeneratedText)
  }

  let answer: Answer
  let result: RowResult
  /// The line, without its end.
  let line: [UInt8]

  /// Judges an answer.
  /// - Parameter model: the model's name, where the file holds the rows of several; nil for one model.
  /// - Throws: what judging throws.
  init(_ answer: Answer, to row: EvaluationRow, of task: EvaluationTask, model: String?) throws {
    self.answer = answer
    switch answer {
    case .scores(_, let scores): result = try row.result(scores: scores)
    case .text(let generated): result = try row.result(generated: generated.text)
    }
    var object = JSONObject()
    if let model { object.append("model", .string(model)) }
    object.append("task", .string(task.name))
    object.append("row", .integer(row.number))
    object.append("gold", row.gold)
    object.append("prediction", result.prediction)
    object.append("prediction_norm", result.normalizedPrediction)
    object.append("correct", result.isCorrect.map { .bool($0) } ?? .null)
    object.append("correct_norm", result.isNormalizedCorrect.map { .bool($0) } ?? .null)
    object.append("requests", .array(answer.requests))
    if case .text(let generated) = answer {
      object.append("generated", .string(generated.text))
    } else {
      object.append("generated", .null)
    }
    var bytes: [UInt8] = []
    JSONValue.object(object).write(to: &bytes)
    line = bytes
  }

  /// Reads a line and judges it again. nil unless that gives the same line: then the line is of another task, row or version.
  init?(reading line: some Collection<UInt8>, as row: EvaluationRow, of task: EvaluationTask, model: String?) {
    guard let value = try? JSONValue(parsing: Array(line)), let answer = Answer(value) else { return nil }
    guard let record = try? RowRecord(answer, to: row, of: task, model: model), record.line.elementsEqual(line) else {
      return nil
    }
    self = record
  }
}

extension RowRecord.Answer {
  /// The requests as they are written.
  fileprivate var requests: [JSONValue] {
    func numbers(_ tokens: [Int]) -> JSONValue { .array(tokens.map { .integer($0) }) }
    switch self {
    case .scores(let requests, let scores):
      return zip(requests, scores).map { request, score in
        [
          "context_tokens": numbers(request.context), "continuation_tokens": numbers(request.continuation),
          "log_likelihood": .number(score.logLikelihood), "is_greedy": .bool(score.isGreedy),
        ]
      }
    case .text(let generated):
      guard let tokens = generated.contextTokens else { return [] }
      return [
        ["context_tokens": numbers(tokens), "continuation_tokens": nil, "log_likelihood": nil, "is_greedy": nil]
      ]
    }
  }

  /// The answer that a line holds; nil if it holds none.
  fileprivate init?(_ line: JSONValue) {
    guard let requests = line["requests"]?.array else { return nil }
    func numbers(_ value: JSONValue?) -> [Int]? {
      value?.array.flatMap { list in
        let numbers = list.compactMap(\.integer)
        return numbers.count == list.count ? numbers : nil
      }
    }
    if let text = line["generated"]?.string {
      self = .text(GeneratedText(text, contextTokens: numbers(requests.first?["context_tokens"])))
      return
    }
    var tokens: [TokenizedRequest] = [], scores: [ContinuationScore] = []
    for request in requests {
      guard let context = numbers(request["context_tokens"]),
        let continuation = numbers(request["continuation_tokens"]),
        let logLikelihood = request["log_likelihood"]?.number, let isGreedy = request["is_greedy"]?.bool
      else { return nil }
      tokens.append(TokenizedRequest(context: context, continuation: continuation))
      scores.append(
        ContinuationScore(logLikelihood: logLikelihood, isGreedy: isGreedy, tokenLogLikelihoods: []))
    }
    self = .scores(tokens, scores)
  }
}
