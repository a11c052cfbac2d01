import Foundation
import MartletCheckpoints
import MartletData
import MartletTensor
import MartletTokenizers

/// A summary of a model that does not keep its weights in memory. They are read once to check them.
public struct ModelSummary: Sendable {
  /// The name of the architecture.
  public let architecture: String
  /// Facts with their names, in the order to show them.
  public let facts: [(key: String, value: Int)]
  /// The memory of the loaded weights in bytes.
  public let memoryBytes: Int
  /// The memory of one conversation at the model's context length, in bytes: the key/value cache or the recurrent
  /// state.
  public let cacheBytes: Int
  /// The context length for that size; nil for models whose state does not grow.
  public let context: Int?
  /// The type of most weights, such as `Q4_1`, with the bits per weight.
  public let quantization: String
  /// The name of the tokenizer and its number of tokens, or why there is none.
  public let tokenizer: String
  /// The chat format; nil if there is neither a template nor a tokenizer.
  public let chatFormat: ChatFormat?
  /// The number of tensors of each type.
  public let types: [String: Int]

  /// Remarks for the user on how the weights will be stored, one sentence each.
  public let remarks: [String]
  /// Why Martlet cannot run the model; nil if it can.
  public let problem: FileError?

  /// Summarises a checkpoint and reads its weights once. If the model cannot be run, ``problem`` says why.
  public init(_ checkpoint: Checkpoint) {
    types = Dictionary(grouping: checkpoint.tensors.values) { "\($0.type)" }.mapValues(\.count)
    memoryBytes = WeightLoader(checkpoint, format: nil).packedByteCount()
    quantization = Self.quantization(of: checkpoint)
    var cacheBytes = 0, context: Int?, vocabularySize: Int?
    do {
      // What generation refuses is refused here, by the same code.
      let (model, told) = try ModelLoading.inspect(checkpoint)
      remarks = checkpoint.repackingRemarks + model.description.remarks
      vocabularySize = model.description.vocabularySize
      architecture = told.architecture
      facts = told.numbers
      cacheBytes = told.stateByteCount
      context = told.contextLength
      problem = nil
    } catch {
      architecture =
        checkpoint.metadata["general.architecture"]?.string ?? checkpoint.configuration["model_type"]?.string
        ?? "not supported"
      facts = []
      remarks = checkpoint.repackingRemarks
      problem = error as? FileError ?? FileError(file: checkpoint.path, "\(error)")
    }
    self.cacheBytes = cacheBytes
    self.context = context
    let found = vocabularySize.map { Self.tokenizer(of: checkpoint, vocabularySize: $0) }
    tokenizer = found?.name ?? "not checked"
    chatFormat =
      found?.tokenizer.map { ChatFormat.detect(checkpoint, tokenizer: $0, kind: nil) }
      ?? ChatFormat.ofTemplate(in: checkpoint)
  }

  /// Of the type that holds most bytes; names in GGUF's spelling.
  private static func quantization(of checkpoint: Checkpoint) -> String {
    var bytes: [String: Int] = [:], values = 0, total = 0
    for tensor in checkpoint.tensors.values {
      bytes["\(tensor.type)", default: 0] += tensor.range.count
      values += tensor.count
      total += tensor.range.count
    }
    guard let most = bytes.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), values > 0 else { return "none" }
    return String(format: "%@, %.1f bits a weight", most.key.uppercased(), Double(total) * 8 / Double(values))
  }

  private static func tokenizer(
    of checkpoint: Checkpoint, vocabularySize: Int
  ) -> (name: String, tokenizer: (any Tokenizer)?) {
    if checkpoint.path == BuiltInModel.name { return ("bytes, 256 tokens", ByteTokenizer()) }
    do {
      let tokenizer = try TokenizerLoading.forModel(checkpoint, vocabularySize: vocabularySize)
      return ("\(tokenizer.name), \(tokenizer.vocabularySize) tokens", tokenizer)
    } catch {
      return ("none: \((error as? FileError)?.problem ?? "\(error)")", nil)
    }
  }
}
