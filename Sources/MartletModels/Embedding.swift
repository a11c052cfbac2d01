import MartletCheckpoints
import MartletData
import MartletTensor

/// Token embeddings: read from the file row by row, so that only rows that are used take memory, or a table
/// `[vocabulary, width]` that can be trained.
enum Embedding: Sendable {
  case file(CheckpointTensor)
  case table(Tensor)

  init(_ loader: WeightLoader, _ name: String) throws {
    let entry = try loader.entry(name)
    try entry.requireReal()
    guard entry.shape.count == 2, entry.shape[1] > 0 else {
      throw FileError(file: entry.path, "tensor \(name) has shape \(entry.shape), not [vocabulary, width]")
    }
    guard entry.shape[0] > 0 else { throw FileError(file: entry.path, "tensor \(name) has no rows") }
    if loader.isTrainable {
      self = .table(Tensor(try loader.floats(entry), shape: entry.shape))
    } else {
      try loader.checkTable(entry)
      self = .file(entry)
    }
  }

  private var shape: [Int] {
    switch self {
    case .file(let entry): entry.shape
    case .table(let table): table.shape
    }
  }
  var vocabularySize: Int { shape[0] }
  var width: Int { shape[1] }

  /// `[vocabulary, width]`
  var values: Tensor {
    switch self {
    case .table(let table): return table
    case .file(let entry):
      return Tensor(shape: entry.shape) { bytes in
        guard let base = bytes.assumingMemoryBound(to: Float.self).baseAddress else { return }
        entry.expand(0..<entry.count, into: base)
      }
    }
  }

  /// `[tokens, width]`
  func callAsFunction(_ tokens: [Int]) -> Tensor {
    switch self {
    case .table(let table): return table.gatherRows(tokens)
    case .file(let entry):
      return Tensor(shape: [tokens.count, width]) { bytes in
        guard let base = bytes.assumingMemoryBound(to: Float.self).baseAddress else { return }
        for (row, token) in tokens.enumerated() {
          precondition(token >= 0 && token < vocabularySize, "token \(token) of \(vocabularySize)")
          entry.expand(token * width..<(token + 1) * width, into: base + row * width)
        }
      }
    }
  }

  /// Hands over the table, if there is one, for reading or replacing.
  mutating func visit(_ name: String, _ body: (String, inout Tensor) -> Void) {
    guard case .table(var table) = self else { return }
    body(name, &table)
    self = .table(table)
  }
}
