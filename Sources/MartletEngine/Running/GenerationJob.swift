import Foundation
import MartletModels
import MartletTensor
import MartletTokenizers

/// A request that waits or runs.
///
/// `@unchecked Sendable`: what changes of it is touched by the worker's thread alone, and by the pool's threads that sample
/// for it, a job each, while the worker waits for them.
final class GenerationJob: EngineJob, @unchecked Sendable {
  let request: Request
  let continuation: GenerationStream.Continuation
  let endTokens: Set<Int>
  /// Those of them that are text as well: what a request names beside the tokenizer's own.
  private let textTokens: Set<Int>

  var state: (any SequenceState)?
  /// Tokens not read yet.
  var pending: ArraySlice<Int>
  var cachedTokens = 0
  var generated: [Int] = []
  var sampler: Sampler
  var constraint: TokenConstraint?
  var decoder = StreamingDecoder()
  var filter: StopFilter
  /// What writes the values of expressions; nil where the model writes all.
  var calculator: Calculator?
  private(set) var calculations: [Calculator.Calculation] = []
  /// Tokens of the calculator that come next in place of the model's own.
  private var calculated: ArraySlice<Int> = []
  private let tokenizer: any Tokenizer
  let submitted = Date()
  var firstToken: Date?
  /// What acts in the request's forward passes.
  private(set) var interventions: [Intervention] = []
  /// What the answer is kept to once the prompt is read.
  private var grammarAfterPrompt: (@Sendable ([any Sendable]) -> Grammar?)?
  /// What plan and interventions say of what they did.
  private(set) var notes: [any Sendable] = []
  /// An intervention has changed rows that the state holds.
  private(set) var isStateChanged = false
  /// A plan or an intervention has changed the answer.
  private(set) var isIntervened = false
  /// The end token that came, where log-probabilities are asked for.
  var endToken: TokenProbability?
  /// Where reading the prompt pauses so that the state there is remembered, in rising order.
  var landmarks: [Int] = []
  /// Set by the sampling of one step.
  var sampled: Result<(token: Int, probability: TokenProbability?), SamplingError>?

  init(
    _ request: Request, continuation: GenerationStream.Continuation, loaded: LoadedModel, bytes: TokenBytes
  ) {
    self.request = request
    self.continuation = continuation
    let endTokens = request.endTokens ?? loaded.tokenizer.endOfText
    self.endTokens = endTokens
    pending = request.tokens[...]
    sampler = Sampler(request.sampling)
    filter = StopFilter(request.stops)
    textTokens = endTokens.subtracting(loaded.tokenizer.endOfText)
    tokenizer = loaded.tokenizer
    // A script is said as it stands.
    if request.script == nil, request.maxTokens > 0 { calculator = request.calculator }
    calculator?.read(request.tokens, of: loaded.tokenizer)
    super.init()
    if let grammar = request.grammar { constrain(to: grammar, bytes: bytes) }
  }

  /// Lets the answer be what `grammar` allows, and nothing else. A script is said as it stands.
  func constrain(to grammar: Grammar, bytes: TokenBytes) {
    guard request.script == nil else { return }
    constraint = TokenConstraint(grammar, bytes: bytes, endTokens: endTokens, textTokens: textTokens) { [weak self] in
      self?.isCancelled ?? true
    }
  }

  // MARK: interventions

  /// Takes over what is to happen while the request is answered.
  func follow(_ plan: InterventionPlan, bytes: TokenBytes) {
    interventions = plan.interventions.filter {
      let count = $0.rows.count(ofPrompt: request.tokens.count)
      return count > 0 && count <= request.tokens.count
    }
    grammarAfterPrompt = plan.grammarAfterPrompt
    if let note = plan.note { notes.append(note) }
    if let grammar = plan.grammar {
      isIntervened = true
      constrain(to: grammar, bytes: bytes)
    }
  }

  /// Takes in what an intervention has done in a forward pass.
  func take(_ effect: Intervention.Effect) {
    if let note = effect.note { notes.append(note) }
    if effect.replacement != nil {
      isIntervened = true
      isStateChanged = true
    }
  }

  /// Applies the grammar of the plan to the answer after the prompt was read.
  func endPrompt(bytes: TokenBytes) {
    guard let grammarAfterPrompt, constraint == nil, !notes.isEmpty, let grammar = grammarAfterPrompt(notes) else {
      return
    }
    constrain(to: grammar, bytes: bytes)
  }

  /// How many of the prompt's last rows an intervention acts on, and one at least: the row that the answer begins at must
  /// be read in any case.
  var rowsActedOn: Int {
    interventions.map { $0.rows.count(ofPrompt: request.tokens.count) }.max() ?? 1
  }

  /// Where interventions act in a pass over the request's next rows.
  /// - Parameters:
  ///   - sequence: the number of the request in the pass.
  ///   - rows: of the batch.
  func places(sequence: Int, rows: Range<Int>) -> [InterventionPass.Place] {
    interventions.compactMap { intervention in
      var acted = rows
      if case .endOfPrompt(let count) = intervention.rows {
        guard firstToken == nil, pending.isEmpty else { return nil }
        acted = rows.upperBound - count..<rows.upperBound
      }
      let position = (state?.position ?? 0) + acted.lowerBound - rows.lowerBound
      return InterventionPass.Place(sequence: sequence, intervention: intervention, rows: acted, position: position)
    }
  }

  // MARK: a prompt that several requests share

  /// The prompt is not read yet, and nothing acts on its rows but the model.
  var canSharePrompt: Bool { firstToken == nil && !pending.isEmpty && request.state == nil && interventions.isEmpty }

  /// Whether reading the other's prompt gives what reading this one's would, and pauses wherever this one's still does.
  func hasPrompt(of other: GenerationJob) -> Bool {
    let read = max(tokensRead, other.tokensRead)
    return request.tokens == other.request.tokens && request.start?.name == other.request.start?.name
      && landmarks.filter { $0 > read } == other.landmarks.filter { $0 > read }
  }

  /// Goes on from where another request has come in the same prompt.
  func takePrompt(of reader: GenerationJob) {
    state = reader.state?.copy()
    pending = request.tokens.suffix(reader.pending.count)
    cachedTokens = tokensRead
  }

  // MARK: what the schedule sees

  /// The request as far as its next rows are concerned.
  var sequence: Schedule.Sequence {
    Schedule.Sequence(
      unread: pending.count, read: tokensRead, pauses: landmarks, together: rowsReadTogether,
      isAnswering: firstToken != nil)
  }

  /// How many of the prompt's last rows an intervention sees in one pass, and one at least.
  private var rowsReadTogether: Int {
    interventions.reduce(1) { most, intervention in
      if case .endOfPrompt(let count) = intervention.rows { max(most, count) } else { most }
    }
  }

  /// How many of the request's own tokens the state has seen.
  var tokensRead: Int { request.tokens.count - pending.count }

  /// Chooses the next token from a row of logits.
  func sample(_ logits: LogitRow, bytes: TokenBytes) {
    sampled = Result { () throws(SamplingError) in
      let token = try token(from: logits, bytes: bytes)
      let probability = request.logProbabilities.map {
        TokenProbability(logits, chosen: token, alternatives: $0, bytes: bytes)
      }
      return (token, probability)
    }
  }

  private func token(from logits: LogitRow, bytes: TokenBytes) throws(SamplingError) -> Int {
    if let script = request.script {
      return generated.count < script.count ? script[generated.count] : endTokens.min() ?? 0
    }
    guard let calculator else { return try sampledToken(from: logits) }
    if let token = calculated.popFirst() { return token }
    // The prompt itself may end with an expression and the equals sign.
    if generated.isEmpty, let written = calculator.continuation, let token = write(written) { return token }
    let token = try sampledToken(from: logits)
    let ends = constraint?.ends(with: token) ?? endTokens.contains(token)
    guard !ends, bytes.all.indices.contains(token), let written = calculator.replacement(for: bytes.all[token]) else {
      return token
    }
    return write(written) ?? token
  }

  /// Lets a text of the calculator come next, a token in each step, so that it is read, cut, streamed and scored as any other.
  /// - Returns: its first token; nil where the answer's grammar does not allow the text, or the tokenizer cannot write it.
  private func write(_ written: (calculation: Calculator.Calculation, text: [UInt8])) -> Int? {
    guard let tokens = tokenizer.tokens(continuingWith: written.text) else { return nil }
    let missing = max(0, request.minTokens - generated.count - tokens.count)
    guard constraint?.allows(text: tokens, followedBy: missing) ?? true else { return nil }
    calculations.append(written.calculation)
    calculated = tokens.dropFirst()
    return tokens.first
  }

  private func sampledToken(from logits: LogitRow) throws(SamplingError) -> Int {
    if generated.count < request.minTokens {
      do throws(SamplingError) {
        let missing = request.minTokens - generated.count - 1
        return try sampler.sample(logits) { [constraint, endTokens] token in
          guard let constraint else { return !endTokens.contains(token) }
          // A token has one byte at least.
          return constraint.allows(token, followedBy: missing)
        }
      } catch .nothingAllowed {}  // no token is short enough to leave the rest what it needs
    }
    guard let constraint else { return try sampler.sample(logits) }
    do throws(SamplingError) {
      return try sampler.sample(logits, allows: constraint.allows)
    } catch .nothingAllowed {
      throw constraint.problem.map { SamplingError.notFollowed($0.description) } ?? SamplingError.nothingAllowed
    }
  }
}
