import Foundation
import MartletCheckpoints
import MartletTensor
import Synchronization

/// Takes weights out of a checkpoint into the layout of the kernels, tensor by tensor, letting go of the file's
/// pages as it goes: no second copy of the weights stays in memory.
struct WeightLoader {
  let checkpoint: Checkpoint
  /// Canonical name to name in the file.
  let names: [String: String]
  /// Format for all matrices; nil keeps the file's own.
  let format: WeightFormat?
  /// Matrices become plain float tensors that can be trained.
  let isTrainable: Bool
  private let progress: LoadProgress?

  init(
    _ checkpoint: Checkpoint, names: [String: String]? = nil, format: WeightFormat?, isTrainable: Bool = false,
    progress: LoadProgress? = nil
  ) {
    self.isTrainable = isTrainable
    self.progress = progress
    self.checkpoint = checkpoint
    self.names = names ?? Dictionary(uniqueKeysWithValues: checkpoint.names.map { ($0, $0) })
    self.format = format
  }

  func has(_ name: String) -> Bool { names[name] != nil }

  func entry(_ name: String) throws -> CheckpointTensor { try checkpoint.tensor(names[name] ?? name) }

  /// A tensor of `count` floats, whatever its shape.
  func vector(_ name: String, count: Int) throws -> Tensor {
    let entry = try entry(name)
    guard entry.count == count else { throw wrongShape(entry, "\(count) values") }
    defer { entry.release() }
    return Tensor(try entry.floats())
  }

  func linear(_ name: String, outputs: Int, inputs: Int, bias: String? = nil) throws -> Linear {
    let entry = try entry(name)
    guard entry.shape == [outputs, inputs] else { throw wrongShape(entry, "[\(outputs), \(inputs)]") }
    try entry.requireReal()
    let weight: Linear.Weight =
      isTrainable
      ? .dense(Tensor(try entry.floats(), shape: [outputs, inputs]))
      : .packed(pack(entry, outputs: outputs, inputs: inputs))
    return Linear(weight: weight, bias: try bias.flatMap { has($0) ? try vector($0, count: outputs) : nil })
  }

  private func pack(_ entry: CheckpointTensor, outputs: Int, inputs: Int) -> PackedMatrix {
    defer { progress?.add(entry.range.count) }
    let target = format ?? entry.type.nativeFormat
    if entry.isContiguous, entry.type.rawValue == target.fileType {
      let rowBytes = target.rowByteCount(inputs: inputs)
      return PackedMatrix(format: target, outputs: outputs, inputs: inputs, rows: entry.bytes) { rows in
        entry.release(rows.lowerBound * rowBytes..<rows.upperBound * rowBytes)
      }
    }
    defer { entry.release() }
    return PackedMatrix(format: target, outputs: outputs, inputs: inputs) { row, values in
      entry.expand(row * inputs..<(row + 1) * inputs, into: values)
    }
  }

  private func wrongShape(_ entry: CheckpointTensor, _ wanted: String) -> CheckpointError {
    CheckpointError(
      file: entry.path,
      "tensor \(entry.name) has shape \(entry.shape) where \(wanted) belongs; the file is of another architecture, or damaged"
    )
  }

  /// Bytes that the packed weights of all matrices will take.
  func packedByteCount() -> Int {
    checkpoint.tensors.values.reduce(0) { total, tensor in
      guard tensor.shape.count == 2, tensor.type.isReal else { return total + tensor.count * 4 }
      return total
        + PackedMatrix.byteCount(
          format: format ?? tensor.type.nativeFormat, outputs: tensor.shape[0], inputs: tensor.shape[1])
    }
  }

  /// - Throws: ``ModelError`` when the machine has less free memory than the weights need.
  func checkMemory() throws {
    guard let available = SystemMemory.available() else { return }
    let needed = packedByteCount()
    guard needed < available else {
      throw ModelError(
        "\(checkpoint.path) needs \(SystemMemory.text(needed)) of memory and \(SystemMemory.text(available)) are free; "
          + "close other programs, take a smaller model, or load it smaller with --format q4_0")
    }
  }

  /// A digest of names, shapes, samples of every tensor and the format.
  func fingerprint() -> String {
    var digest = SHA256()
    digest.update(Array("format \(format?.rawValue ?? "native")".utf8))
    for name in names.keys.sorted() {
      guard let tensor = checkpoint[names[name] ?? name] else { continue }
      digest.update(Array("\(name) \(tensor.type) \(tensor.shape)".utf8))
      let bytes = tensor.bytes
      for part in 0..<4 where bytes.count > 0 {
        let start = min(bytes.count * part / 4, max(0, bytes.count - 256))
        digest.update(bytes[start..<min(bytes.count, start + 256)])
      }
      tensor.release()  // a touched byte can map two megabytes of file
    }
    return String(digest.finalize().prefix(32))
  }
}

/// Counts the bytes of a model that have been loaded, and tells.
final class LoadProgress: Sendable {
  private let done = Atomic<Int>(0)
  private let total: Int
  private let report: @Sendable (_ done: Int, _ total: Int) -> Void

  init(total: Int, report: @escaping @Sendable (_ done: Int, _ total: Int) -> Void) {
    self.total = total
    self.report = report
  }

  func add(_ bytes: Int) { report(done.wrappingAdd(bytes, ordering: .relaxed).newValue, total) }
}

extension FileType {
  /// The weight format that keeps a file type's values: exactly for plain types, Q8_0, Q4_0, Q4_1 and Q5_0;
  /// Q4_K to half-precision scales; the other block types rounded to 8 bits.
  var nativeFormat: WeightFormat {
    switch self {
    case .f16: .f16
    case .bf16: .bf16
    case .q4_0: .q4_0
    case .q4_1, .q4_K: .q4_1
    case .f32: .f32
    default: .q8_0
    }
  }
}

/// Token embeddings: read from the file row by row, so that only rows that are used take memory, or a table
/// `[vocabulary, width]` that can be trained.
enum Embedding: Sendable {
  case file(CheckpointTensor)
  case table(Tensor)

  init(_ loader: WeightLoader, _ name: String) throws {
    let entry = try loader.entry(name)
    try entry.requireReal()
    guard entry.shape.count == 2, entry.shape[1] > 0 else {
      throw CheckpointError(file: entry.path, "tensor \(name) has shape \(entry.shape), not [vocabulary, width]")
    }
    self = loader.isTrainable ? .table(Tensor(try entry.floats(), shape: entry.shape)) : .file(entry)
  }

  private var shape: [Int] {
    switch self {
    case .file(let entry): entry.shape
    case .table(let table): table.shape
    }
  }
  var vocabularySize: Int { shape[0] }
  var width: Int { shape[1] }

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

/// What the system says about free memory.
public enum SystemMemory {
  /// Bytes a program can take without swapping; nil where the system does not tell.
  public static func available() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
    return nil
  }

  /// E.g. `1.2 GB`.
  public static func text(_ bytes: Int) -> String {
    let value = Double(bytes)
    if value >= 1e9 { return String(format: "%.1f GB", value / 1e9) }
    if value >= 1e6 { return String(format: "%.0f MB", value / 1e6) }
    return String(format: "%.0f kB", value / 1e3)
  }
}
