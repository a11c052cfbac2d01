import ArgumentParser
import Foundation
import MartletData
import MartletEvaluation
import MartletModels
import MartletTokenizers

struct Perplexity: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Measures how well a model predicts a text.",
    discussion: """
      Two measures are printed. The first is that of llama.cpp's llama-perplexity: the text is cut into chunks of \
      --context tokens, the second half of each is scored, and the estimate so far is printed after each chunk. The \
      second scores every token of the text in windows of the model's context length, as the task wikitext of \
      lm-evaluation-harness does, and is given by token, by byte and by word (white space parts words), so that models \
      with different tokenizers can be compared.

      Examples: martlet perplexity model.gguf --text wiki.test.raw
                martlet perplexity model.gguf --text wiki.test.raw --context 512 --stride 256 --chunks 20 --json
      """)
  @OptionGroup var options: ModelOptions
  @OptionGroup var scoring: ScoringOptions
  @Option(help: "The text, in UTF-8, which may be packed with gzip or zstd; - is standard input.") var text: String
  @Option(name: [.short, .long], help: "The number of tokens of a chunk.") var context = 512
  @Option(help: "How many tokens one chunk begins behind the one before (default: chunks follow each other).")
  var stride = 0
  @Option(help: "Measure only the beginning of the text that has this number of chunks.") var chunks: Int?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let chunks, chunks < 1 { throw ValidationError("--chunks must be 1 or more") }
    do { _ = try ChunkPerplexity.Chunking(context: context, stride: stride) } catch let error as ScoringError {
      throw ValidationError(error.message)
    }
  }

  func run() async throws {
    let chunking = try ChunkPerplexity.Chunking(context: context, stride: stride)
    let whole = try Self.read(text)
    let scorer = try await scoring.scorer(options.load(warns: false))
    if let limit = scorer.maxLength, limit < chunking.length {
      throw ScoringError("a chunk of \(chunking.length) tokens is longer than the \(limit) tokens that the model reads")
    }
    let tokenizer = scorer.loaded.tokenizer
    let begin = tokenizer.beginOfText
    // As llama.cpp reads a text: names of control tokens are text.
    let tokens = (begin.map { [$0] } ?? []) + tokenizer.encode(whole, special: false)
    let estimate = try await estimate(chunking, tokens, begin: begin, scorer)
    let measured = measuredPart(of: whole, tokens, chunking, tokenizer)
    let rolling = try await Self.likelihood(of: measured, scorer)
    try report(estimate, rolling, chunking, tokens.count)
  }

  /// The text without the line break that ends it.
  private static func read(_ path: String) throws -> String {
    var bytes = path == "-" ? Terminal.readInput() : Array(try MappedFile.contents(of: path, limit: 1 << 30))
    let name = path == "-" ? "standard input" : path
    if let compression = Compression(bytes.prefix(16)) {
      bytes = Array(try bytes.withUnsafeBytes { try compression.unpack($0, of: name) })
    }
    if bytes.last == 10 { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FileError(file: name, "it is not UTF-8; convert it first, e.g. with iconv")
    }
    guard !text.isEmpty else { throw FileError(file: name, "it is empty; give a text of some kilobytes") }
    return text
  }

  /// nil, with a remark, where the text is too short for it.
  private func estimate(
    _ chunking: ChunkPerplexity.Chunking, _ tokens: [Int], begin: Int?, _ scorer: ModelScorer
  ) async throws -> (chunks: Int, value: ChunkPerplexity)? {
    let requests: [TokenizedRequest]
    do { requests = Array(try chunking.requests(tokens, begin: begin).prefix(chunks ?? .max)) } catch {
      Terminal.note("Warning: \(error); only the whole text is measured")
      return nil
    }
    let progress = Progress("chunks")
    defer { progress.finish() }
    var value = ChunkPerplexity()
    var scored: [ContinuationScore?] = Array(repeating: nil, count: requests.count)
    var added = 0
    _ = try await scorer.scores(requests.map { [$0] }) { row, scores in
      scored[row] = scores.first
      while added < scored.count, let score = scored[added] {
        value.add(score)
        added += 1
        if !json { print(String(format: "[%d]%.4f", added, value.perplexity), terminator: ",") }
      }
      progress.update(added, of: requests.count, unit: "chunks", scale: 1)
    }
    if !json { print("") }
    return (requests.count, value)
  }

  /// What `--chunks` leaves of the text.
  private func measuredPart(
    of text: String, _ tokens: [Int], _ chunking: ChunkPerplexity.Chunking, _ tokenizer: any Tokenizer
  ) -> String {
    guard let chunks else { return text }
    let step = chunking.stride == 0 ? chunking.length : chunking.stride
    let count = (chunks - 1).multipliedReportingOverflow(by: step)
    guard !count.overflow, count.partialValue < tokens.count - chunking.length else { return text }
    let part = tokenizer.decode(Array(tokens[..<(count.partialValue + chunking.length)]))
    return String(decoding: part, as: UTF8.self)
  }

  private static func likelihood(of text: String, _ scorer: ModelScorer) async throws -> RollingLikelihood {
    guard let prefix = scorer.loaded.tokenizer.prefixToken else {
      throw ScoringError(
        "the model's tokenizer has no token that begins or ends a text, so the first token has no context")
    }
    let tokens = scorer.encode(text)
    let requests = RollingLikelihood.requests(tokens, prefix: prefix, length: scorer.maxLength)
    let progress = Progress("whole text")
    defer { progress.finish() }
    var likelihood = RollingLikelihood(text: text)
    _ = try await scorer.scores(requests.map { [$0] }) { _, scores in
      for score in scores { likelihood.add(score) }
      progress.update(likelihood.tokens, of: tokens.count, unit: "tokens", scale: 1)
    }
    return likelihood
  }

  private func report(
    _ estimate: (chunks: Int, value: ChunkPerplexity)?, _ rolling: RollingLikelihood,
    _ chunking: ChunkPerplexity.Chunking, _ tokens: Int
  ) throws {
    if json {
      return try Terminal.printJSON([
        "perplexity": estimate?.value.perplexity ?? .nan, "standard_error": estimate?.value.standardError ?? .nan,
        "chunks": estimate?.chunks ?? 0, "scored_tokens": estimate?.value.count ?? 0, "context": chunking.context,
        "stride": chunking.stride, "text_tokens": tokens,
        "whole_text": [
          "log_likelihood": rolling.logLikelihood, "tokens": rolling.tokens, "bytes": rolling.bytes,
          "words": rolling.words, "token_perplexity": rolling.tokenPerplexity,
          "byte_perplexity": rolling.bytePerplexity, "bits_per_byte": rolling.bitsPerByte,
          "word_perplexity": rolling.wordPerplexity,
        ],
      ])
    }
    if let (chunks, value) = estimate {
      print(
        String(
          format: "in %d chunks of %d tokens: perplexity %.4f ± %.5f (%d tokens scored)", chunks, chunking.length,
          value.perplexity, value.standardError, value.count))
    }
    print(
      String(
        format:
          "whole text (%d tokens, %d bytes, %d words): perplexity by token %.4f, by word %.4f, by byte %.4f; %.4f bits a byte",
        rolling.tokens, rolling.bytes, rolling.words, rolling.tokenPerplexity, rolling.wordPerplexity,
        rolling.bytePerplexity, rolling.bitsPerByte))
  }
}
