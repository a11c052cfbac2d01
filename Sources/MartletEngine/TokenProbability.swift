import Foundation
import MartletModels
import MartletTensor

/// A generated token with its probability and alternatives.
public struct TokenProbability: Sendable, Equatable {
  /// A token and its probability at one position.
  public struct Candidate: Sendable, Equatable {
    /// The id of the token.
    public let token: Int
    /// The natural logarithm of the probability in the model's distribution (before temperature, penalties and
    /// truncation).
    public let logProbability: Float
    /// The bytes of the token, which may end in the middle of a character.
    public let bytes: [UInt8]

    /// - Parameters:
    ///   - token: the id of the token.
    ///   - logProbability: the natural logarithm of the probability.
    ///   - bytes: the bytes of the token.
    public init(token: Int, logProbability: Float, bytes: [UInt8]) {
      self.token = token
      self.logProbability = logProbability
      self.bytes = bytes
    }
  }
  /// The token that was generated.
  public let chosen: Candidate
  /// The most likely tokens, most likely first.
  public let alternatives: [Candidate]

  /// - Parameters:
  ///   - chosen: the token that was generated.
  ///   - alternatives: the most likely tokens, most likely first.
  public init(chosen: Candidate, alternatives: [Candidate]) {
    self.chosen = chosen
    self.alternatives = alternatives
  }
}

extension TokenProbability {
  /// From the likeliest tokens alone where they are enough.
  init(_ row: LogitRow, chosen: Int, alternatives: Int, bytes: TokenBytes) {
    guard let likeliest = row.likeliest, alternatives <= likeliest.tokens.count,
      let logit = likeliest.tokens.first(where: { $0.token == chosen })?.logit
    else {
      self = row.withAll { TokenProbability($0, chosen: chosen, alternatives: alternatives, bytes: bytes) }
      return
    }
    let normalizer = likeliest.greatest + log(likeliest.sum)
    func candidate(_ token: Int, _ logit: Float) -> Candidate {
      Candidate(
        token: token, logProbability: logit - normalizer,
        bytes: bytes.all.indices.contains(token) ? bytes.all[token] : [])
    }
    self.chosen = candidate(chosen, logit)
    self.alternatives = likeliest.tokens.prefix(alternatives).map { candidate($0.token, $0.logit) }
  }

  /// O(vocabulary x alternatives) at worst.
  init(_ logits: Tensor.Elements, chosen: Int, alternatives: Int, bytes: TokenBytes) {
    let normalizer = Tensor.logSumExp(logits)
    func candidate(_ token: Int) -> Candidate {
      Candidate(
        token: token, logProbability: logits.indices.contains(token) ? logits[token] - normalizer : -.infinity,
        bytes: bytes.all.indices.contains(token) ? bytes.all[token] : [])
    }
    self.chosen = candidate(chosen)
    var best: [Int] = []
    for (token, logit) in zip(logits.indices, logits.prefix(alternatives > 0 ? logits.count : 0)) {
      if best.count == alternatives, let last = best.last, logit <= logits[last] { continue }
      let place = best.firstIndex { logits[$0] < logit } ?? best.count
      best.insert(token, at: place)
      if best.count > alternatives { best.removeLast() }
    }
    self.alternatives = best.map(candidate)
  }
}
