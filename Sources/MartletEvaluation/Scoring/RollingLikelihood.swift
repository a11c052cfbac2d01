import Foundation
import MartletModels

/// The likelihood of a whole text, every token of it, as the lm-evaluation-harness's rolling log-likelihood measures it
/// (its task wikitext): the windows of the model's context length follow each other, and the last one begins earlier, so
/// that its first scored token has a context.
public struct RollingLikelihood: Sendable {
  /// The sum of the natural logarithms of the probabilities of all tokens.
  public private(set) var logLikelihood = 0.0
  /// The number of scored tokens.
  public private(set) var tokens = 0
  /// The number of bytes of the text in UTF-8.
  public let bytes: Int
  /// The number of parts between runs of white space, as Python's `re.split(r"\s+", text)` has them.
  public let words: Int

  /// The measure of a text before it is scored.
  public init(text: String) {
    bytes = text.utf8.count
    words =
      1
      + text.unicodeScalars.reduce((count: 0, isSpace: false)) { past, scalar in
        let isSpace = ContinuationRequest.isSpace(scalar)
        return (past.count + (isSpace && !past.isSpace ? 1 : 0), isSpace)
      }.count
  }

  /// Adds the score of a window.
  public mutating func add(_ score: ContinuationScore) {
    logLikelihood += score.logLikelihood
    tokens += score.tokenLogLikelihoods.count
  }

  /// `exp` of the mean negative log-likelihood of a token.
  public var tokenPerplexity: Double { exp(-logLikelihood / Double(tokens)) }
  /// `exp` of the negative log-likelihood divided by the number of bytes.
  public var bytePerplexity: Double { exp(-logLikelihood / Double(bytes)) }
  /// The negative log-likelihood in bits, divided by the number of bytes.
  public var bitsPerByte: Double { -logLikelihood / Double(bytes) / log(2) }
  /// `exp` of the negative log-likelihood divided by the number of words.
  public var wordPerplexity: Double { exp(-logLikelihood / Double(words)) }

  /// The windows of a text, as requests.
  ///
  /// - Parameters:
  ///   - tokens: all tokens of the text.
  ///   - prefix: the token that stands before the first one.
  ///   - length: the largest number of tokens that the model reads; nil for one window.
  public static func requests(_ tokens: [Int], prefix: Int, length: Int?) -> [TokenizedRequest] {
    let length = max(1, length ?? tokens.count)
    return stride(from: 0, to: tokens.count, by: length).map { start in
      let end = min(start + length, tokens.count)
      let context = start == 0 ? [prefix] : Array(tokens[max(0, end - length - 1)..<start])
      return TokenizedRequest(context: context, continuation: Array(tokens[start..<end]))
    }
  }
}
