import Foundation
import MartletData
import MartletEngine
import MartletTensor

/// Asks a teacher questions, and keeps every answer before the next is looked at. The rows have the order of the questions, however many
/// requests are under way at a time, and a run that is begun again asks only what is not answered.
public struct Generation: Sendable {
  /// What was asked and what it took.
  public struct Summary: Sendable, Equatable {
    /// The number of responses: of the teacher in this run, of the teacher earlier, and of those that came with the questions.
    public var asked = 0, kept = 0, given = 0
    /// The number of responses without a usable text, which are dropped.
    public var refused = 0
    /// The number of tokens that the teacher read and wrote for all responses.
    public var promptTokens = 0, completionTokens = 0

    /// - Parameter given: the number of responses that came with the questions.
    public init(given: Int = 0) { self.given = given }
  }

  /// How questions are put.
  public var prompt: TeacherPrompt
  /// The seed from which that of each response is derived.
  public var seed: Int

  /// - Parameters:
  ///   - prompt: how questions are put.
  ///   - seed: the seed from which that of each response is derived.
  public init(_ prompt: TeacherPrompt, seed: Int = 1) {
    self.prompt = prompt
    self.seed = seed
  }

  /// Asks the questions that have no response.
  ///
  /// - Parameters:
  ///   - rows: the questions. Those with a response stay as they are.
  ///   - teacher: who answers.
  ///   - cache: where answers are kept.
  ///   - progress: called after each answer with the number of answers so far and of all; what it throws ends the run, once the answers
  ///     that are under way have been kept.
  /// - Returns: the rows with responses: one row for each sample of a question.
  /// - Throws: what the teacher throws; answers so far are kept.
  public func run(
    _ rows: [TeachingRow], teacher: some Teacher, cache: AnswerCache,
    progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) async throws -> (rows: [TeachingRow], summary: Summary) {
    var all: [TeachingRow] = [], requests: [(place: Int, request: TeacherRequest, key: String)] = []
    var summary = Summary()
    for row in rows {
      guard row.response == nil else {
        summary.given += 1
        all.append(row)
        continue
      }
      let (request, asked) = try prompt.request(row)
      for sample in 0..<prompt.settings.samples {
        var request = request, row = asked
        if prompt.settings.temperature > 0 {
          let random = RandomSource(seed: UInt64(max(0, seed))).stream(row.id)
          request.sampling.seed = random.bits(sample) & 0x7fff_ffff
          row.seed = Int(request.sampling.seed)
        }
        row.sample = sample
        row.teacher = teacher.name
        requests.append((all.count, request, AnswerCache.key(request, of: teacher)))
        all.append(row)
      }
    }
    let open = requests.filter { cache[$0.key] == nil }
    var refusals: [String: TeacherAnswer] = [:]
    // The same question may be asked twice; it is sent once.
    var seen: Set<String> = []
    let sent = open.filter { seen.insert($0.key).inserted }
    summary.kept = requests.count - open.count
    summary.asked = sent.count
    var done = 0
    try await teacher.answer(sent.map(\.request)) { place, answer in
      try cache.add(answer, for: sent[place].key)
      if answer.refusal != nil { refusals[sent[place].key] = answer }
      done += 1
      if done == sent.count || done >= 8, refusals.count == done, let answer = refusals.values.first {
        throw TeachingError(
          "the teacher has refused each of the first \(done) questions (\(answer.refusal ?? "")); correct the settings")
      }
      try progress(done, sent.count)
    }
    for (place, _, key) in requests {
      guard let answer = cache[key] ?? refusals[key] else { continue }
      fill(&all[place], answer)
      if all[place].dropped != nil { summary.refused += 1 }
      summary.promptTokens += answer.promptTokens ?? 0
      summary.completionTokens += answer.completionTokens ?? 0
    }
    return (all, summary)
  }

  private func fill(_ row: inout TeachingRow, _ answer: TeacherAnswer) {
    row.response = answer.text.trimmingCharacters(in: .whitespacesAndNewlines)
    row.promptTokens = answer.promptTokens
    row.completionTokens = answer.completionTokens
    if answer.isCutOff { row.others["cut_off"] = true }
    if prompt.settings.givesAnswer { row.others["answer_was_hinted"] = true }
    row.others["prompt_form"] = .string(prompt.settings.prompt.rawValue)
    if let refusal = answer.refusal {
      row.dropped = "the teacher gave no answer: \(refusal)"
    } else if row.response?.isEmpty ?? true {
      row.dropped = "the teacher wrote nothing"
    }
  }
}
