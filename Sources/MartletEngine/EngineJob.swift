import Foundation
import MartletModels
import MartletTensor
import MartletTokenizers
import Synchronization

/// What can be taken back from outside while the worker has it.
class EngineJob: @unchecked Sendable {
  private let cancelled = Atomic(false)
  func cancel() { cancelled.store(true, ordering: .relaxed) }
  var isCancelled: Bool { cancelled.load(ordering: .relaxed) }
}

/// A request that waits or runs. Its running part is touched by the worker's thread alone.
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
  let submitted = Date()
  var firstToken: Date?
  /// What changes the answer, once the prompt's last rows are read.
  var edit: (any PromptEdit)?
  var fired: FiredEdit?
  var heldEdit: HeldEdit?
  /// What the rows of generated tokens get too.
  var continuedValue: Tensor?
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

  /// Keeps the answer to the words of the edit whose value has just fired.
  func keepToWords(of edit: FiredEdit, bytes: TokenBytes, loaded: LoadedModel) {
    guard !request.measuresEdits, constraint == nil, let question = request.question,
      let words = try? EditPlan.words(of: edit, behind: question, loaded: loaded)
    else { return }
    constrain(to: words, bytes: bytes)
  }

  /// How many of the request's own tokens the state has seen.
  var tokensRead: Int { request.tokens.count - pending.count }

  /// Chooses the next token from a row of logits.
  func sample(_ logits: Tensor.Elements, bytes: TokenBytes) {
    sampled = Result { () throws(SamplingError) in
      let token = try token(from: logits)
      let probability = request.logProbabilities.map {
        TokenProbability(logits, chosen: token, alternatives: $0, bytes: bytes)
      }
      return (token, probability)
    }
  }

  private func token(from logits: Tensor.Elements) throws(SamplingError) -> Int {
    if let script = request.script {
      return generated.count < script.count ? script[generated.count] : endTokens.min() ?? 0
    }
    if generated.count < request.minTokens {
      do throws(SamplingError) {
        let missing = request.minTokens - generated.count - 1
        return try sampler.sample(logits) { token in
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

/// A text that is read for its embedding or for the probabilities of its tokens.
final class ReadingJob: EngineJob, @unchecked Sendable {
  enum Purpose { case embedding, logProbabilities }

  let tokens: [Int]
  let purpose: Purpose
  /// How many likeliest tokens are wanted at every place; nil wants the text's own tokens only.
  let alternatives: Int?
  let state: any SequenceState
  var read = 0
  /// Sums of rows, or log-probabilities so far.
  var values: [Float] = []
  /// Every token with the likeliest ones in its place; kept where they are asked for.
  var probabilities: [TokenProbability] = []
  /// Set before the job is handed over; resumed once.
  var continuation: CheckedContinuation<[Float], any Error>?

  init(_ tokens: [Int], purpose: Purpose, alternatives: Int? = nil, state: any SequenceState) {
    self.alternatives = alternatives
    self.tokens = tokens
    self.purpose = purpose
    self.state = state
  }

  func finish(_ result: Result<[Float], any Error>) {
    continuation?.resume(with: result)
    continuation = nil
  }
}
