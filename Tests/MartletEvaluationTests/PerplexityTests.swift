import MartletModels
import Testing

@testable import MartletEvaluation

struct PerplexityTests {
  @Test func chunksFollowEachOtherAndTheirSecondHalfIsScored() throws {
    let requests = try ChunkPerplexity.Chunking(context: 8).requests(Array(0..<27), begin: 63)
    #expect(requests.count == 3)
    #expect(requests[1] == TokenizedRequest(context: [63, 9, 10, 11, 12], continuation: [13, 14, 15]))
    #expect(try ChunkPerplexity.Chunking(context: 8).requests(Array(0..<16), begin: nil)[0].context == [0, 1, 2, 3, 4])
    #expect(throws: ScoringError.self) { try ChunkPerplexity.Chunking(context: 8).requests(Array(0..<15), begin: nil) }
    #expect(throws: ScoringError.self) { try ChunkPerplexity.Chunking(context: 8, stride: 8) }
    #expect(throws: ScoringError.self) { try ChunkPerplexity.Chunking(context: 1) }
    #expect(throws: ScoringError.self) { try ChunkPerplexity.Chunking(context: .max, stride: 1 << 40) }
  }

  @Test func withAStrideChunksOverlap() throws {
    let chunking = try ChunkPerplexity.Chunking(context: 200, stride: 100)
    #expect(chunking.length == 256)
    let requests = try chunking.requests(Array(0..<700), begin: 63)
    #expect(requests.count == 5)
    #expect(requests[2].context == Array(200..<356) && requests[2].continuation == Array(356..<456))
  }

  @Test func theErrorIsThatOfAMean() throws {
    var value = ChunkPerplexity()
    let values: [Float] = [-1, -2, -4]
    value.add(ContinuationScore(logLikelihood: -7, isGreedy: false, tokenLogLikelihoods: values))
    // numpy: exp(7 / 3); sqrt(var([1, 2, 4]) / 2) * exp(7 / 3)
    #expect(abs(value.perplexity - 10.312258501325767) < 1e-12)
    #expect(abs(value.standardError - 9.094557149973205) < 1e-12)
  }

  /// Every token is scored once, as lm-evaluation-harness's `get_rolling_token_windows` and `make_disjoint_window` cut.
  @Test func windowsScoreEveryTokenOnce() {
    let requests = RollingLikelihood.requests(Array(1...10), prefix: 0, length: 4)
    #expect(requests.map(\.context) == [[0], [4], [6, 7, 8]])
    #expect(requests.map(\.continuation) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]])
    #expect(RollingLikelihood.requests([1, 2], prefix: 0, length: nil).map(\.context) == [[0]])
    #expect(RollingLikelihood.requests([], prefix: 0, length: nil).isEmpty)
  }

  @Test func wordsArePartedByWhiteSpace() {
    // Python: len(re.split(r"\s+", text))
    for (text, words) in [("one two\n\nthree", 3), (" a", 2), ("a ", 2), ("", 1), ("\u{a0}x\u{3000}y", 3)] {
      #expect(RollingLikelihood(text: text).words == words)
    }
    var rolling = RollingLikelihood(text: "ab c")
    rolling.add(ContinuationScore(logLikelihood: -8, isGreedy: false, tokenLogLikelihoods: [-4, -4]))
    #expect(abs(rolling.bytePerplexity - 7.38905609893065) < 1e-12)
    #expect(abs(rolling.bitsPerByte - 2.8853900817779268) < 1e-12)
    #expect(abs(rolling.wordPerplexity - 54.598150033144236) < 1e-10)
  }
}
