import Foundation

/// The perplexity of a text by the definition of llama.cpp's `llama-perplexity`: the text is read in chunks that do not
/// know of each other, and only the end of each chunk is scored, so that every scored token has a context.
///
/// Without a stride the chunks follow each other and the second half of each is scored. With a stride each chunk begins
/// that many tokens behind the one before, is longer by half a stride, and its last `stride` tokens are scored.
public struct ChunkPerplexity: Sendable {
  /// How a text is cut.
  public struct Chunking: Sendable {
    /// The tokens of a chunk.
    public let context: Int
    /// How far one chunk begins behind the one before; 0 cuts a text into chunks that follow each other.
    public let stride: Int

    /// More tokens than any text that is read here has.
    private static let longest = 1 << 30

    /// - Throws: ``ScoringError`` if a chunk would have no token that is scored, or is longer than any text.
    public init(context: Int = 512, stride: Int = 0) throws {
      guard context >= 4 else { throw ScoringError("a chunk of \(context) tokens is too short; give 4 or more") }
      guard context <= Self.longest else {
        throw ScoringError("a chunk of \(context) tokens is too long; give \(Self.longest) or fewer")
      }
      guard stride >= 0, stride < context else {
        throw ScoringError("the stride must be from 0 to \(context - 1), below the length of a chunk, not \(stride)")
      }
      self.context = context
      self.stride = stride
    }

    /// The tokens that a chunk has.
    public var length: Int {
      // llama.cpp makes a context that is a multiple of 256 tokens where it sets the length itself.
      stride == 0 ? context : (context + stride / 2 + 255) / 256 * 256
    }

    /// The chunks of a text, as requests.
    ///
    /// - Parameters:
    ///   - tokens: the tokens of the whole text, with the token that begins texts if the tokenizer adds one.
    ///   - begin: the token that takes the first place of every chunk, if the tokenizer adds one; a chunk of a text with
    ///     a stride keeps its own first token.
    /// - Throws: ``ScoringError`` if the text has fewer tokens than two chunks.
    public func requests(_ tokens: [Int], begin: Int?) throws -> [TokenizedRequest] {
      guard tokens.count >= 2 * length else {
        throw ScoringError(
          "the text has \(tokens.count) tokens, but perplexity in chunks of \(length) tokens needs \(2 * length); give a "
            + "longer text or a smaller context")
      }
      if stride == 0 {
        return (0..<tokens.count / length).map { chunk in
          var part = Array(tokens[chunk * length..<(chunk + 1) * length])
          if let begin { part[0] = begin }
          return Self.request(part, scored: length - length / 2 - 1)
        }
      }
      return (0..<(tokens.count - length + stride - 1) / stride).map { chunk in
        Self.request(Array(tokens[chunk * stride..<chunk * stride + length]), scored: stride)
      }
    }

    private static func request(_ tokens: [Int], scored: Int) -> TokenizedRequest {
      TokenizedRequest(context: tokens.dropLast(scored), continuation: tokens.suffix(scored))
    }
  }

  /// The number of scored tokens.
  public private(set) var count = 0
  private var sum = 0.0
  private var squares = 0.0

  /// The perplexity of nothing yet.
  public init() {}

  /// Adds the score of a chunk.
  public mutating func add(_ score: ContinuationScore) {
    for value in score.tokenLogLikelihoods {
      sum -= Double(value)
      squares += Double(value) * Double(value)
    }
    count += score.tokenLogLikelihoods.count
  }

  /// `exp` of the mean negative log-likelihood of the scored tokens; NaN before the first.
  public var perplexity: Double { exp(sum / Double(count)) }

  /// The standard error of ``perplexity``: that of the mean negative log-likelihood times the perplexity.
  public var standardError: Double {
    let mean = sum / Double(count), variance = squares / Double(count) - mean * mean
    return variance > 0 && count > 1 ? (variance / Double(count - 1)).squareRoot() * perplexity : 0
  }
}
