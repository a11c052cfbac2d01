import MartletCheckpoints
import MartletData
import MartletDevice
import MartletLayers
import MartletTensor
import Synchronization

/// Loads weights from a checkpoint into the layout of the kernels, tensor by tensor. The pages of the file are released
/// on the way, so that no second copy of the weights stays in memory.
///
/// It records which tensors were used, so that none is overlooked (``checkEveryTensorIsUsed(harmless:)``), and what
/// conversion to another format has changed (``remarks``).
public struct WeightLoader {
  /// The file from which weights are loaded.
  public let checkpoint: Checkpoint
  /// The tensor names in the file, by the names that the family uses.
  public let names: [String: String]
  /// The format for all matrices; nil keeps the format of the file.
  public let format: WeightFormat?
  /// What the model is loaded for.
  public let purpose: Purpose
  private let progress: LoadProgress?
  private let log = LoadLog()

  /// What a model is loaded for.
  public enum Purpose: Sendable {
    /// Matrices are packed in a format of the kernels.
    case inference
    /// Matrices become float tensors.
    case training
    /// Matrices are checked as for inference and not kept. The resulting model provides only its description.
    case inspection
    /// Matrices go to a device (``DeviceWeights``), tensor by tensor as its program asks for them. The resulting model provides its
    /// description, its embeddings, its vectors and its empty state.
    case device
  }

  /// Whether matrices become float tensors that can be trained.
  public var isTrainable: Bool { purpose == .training }

  /// - Parameter format: asking a file for the block format that most of its weights have already leaves it as it is,
  ///   the tensors that it holds in a better format included.
  init(
    _ checkpoint: Checkpoint, names: [String: String]? = nil, format: WeightFormat?, for purpose: Purpose = .inference,
    progress: LoadProgress? = nil
  ) {
    self.purpose = purpose
    self.progress = progress
    self.checkpoint = checkpoint
    self.names = names ?? Dictionary(uniqueKeysWithValues: checkpoint.names.map { ($0, $0) })
    self.format = checkpoint.isMostly(format) ? nil : format
  }

  /// Whether the file contains a tensor, given by the family's name for it.
  public func has(_ name: String) -> Bool { names[name] != nil }

  /// A tensor of the file, given by the family's name for it, which is marked as used.
  ///
  /// - Throws: `FileError` that names a missing tensor.
  public func entry(_ name: String) throws -> CheckpointTensor {
    let tensor = try checkpoint.tensor(names[name] ?? name)
    log.use(tensor.name)
    return tensor
  }

  /// All values of a tensor.
  /// - Throws: `FileError` that names a tensor whose values are not all finite.
  public func floats(_ entry: CheckpointTensor) throws -> [Float] {
    let values = try entry.floats()
    guard values.allSatisfy(\.isFinite) else { throw Self.notFinite(entry) }
    return values
  }

  /// A tensor of `count` floats of any shape.
  ///
  /// - Throws: `FileError` that names a tensor that is missing, has another size, or contains values that are not
  ///   finite.
  public func vector(_ name: String, count: Int) throws -> Tensor {
    let entry = try entry(name)
    guard entry.count == count else { throw wrongShape(entry, "\(count) values") }
    defer { entry.release() }
    return Tensor(try floats(entry))
  }

  /// A float tensor with a shape, for parameters that are neither a layer nor a vector.
  ///
  /// - Throws: `FileError` that names a tensor that is missing, has another shape, or contains values that are
  ///   not finite.
  public func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    let entry = try entry(name)
    guard entry.shape == shape else { throw wrongShape(entry, "\(shape)") }
    defer { entry.release() }
    return Tensor(try floats(entry), shape: shape)
  }

  /// A linear layer: its weight `[outputs, inputs]` in the form that the loader's purpose requires, and its bias if the
  /// file has one.
  ///
  /// - Parameters:
  ///   - name: the name of the weight.
  ///   - outputs: the number of output features.
  ///   - inputs: the number of input features.
  ///   - bias: the name of the bias; nil for none.
  /// - Throws: `FileError` that names a tensor that is missing, has another shape, or contains values that are
  ///   not finite.
  public func linear(_ name: String, outputs: Int, inputs: Int, bias: String? = nil) throws -> Linear {
    let entry = try entry(name)
    guard entry.shape == [outputs, inputs] else { throw wrongShape(entry, "[\(outputs), \(inputs)]") }
    try entry.requireReal()
    let weight: Linear.Weight
    switch purpose {
    case .inference: weight = .packed(try pack(entry, outputs: outputs, inputs: inputs))
    case .training: weight = .dense(Tensor(try floats(entry), shape: [outputs, inputs]))
    case .inspection:
      guard entry.isFinite() else { throw Self.notFinite(entry) }
      weight = Self.placeholder(outputs, inputs)
    case .device:
      log.linear(entry)
      weight = Self.placeholder(outputs, inputs)
    }
    return Linear(weight: weight, bias: try bias.flatMap { has($0) ? try vector($0, count: outputs) : nil })
  }

  private static func placeholder(_ outputs: Int, _ inputs: Int) -> Linear.Weight {
    .dense(Tensor([0], shape: [1, 1]).broadcast(to: [outputs, inputs]))
  }

  private func pack(_ entry: CheckpointTensor, outputs: Int, inputs: Int) throws -> PackedMatrix {
    defer { progress?.add(entry.range.count) }
    let target = format ?? entry.type.nativeFormat
    let outcome = Mutex(RepackingOutcome())
    let matrix: PackedMatrix
    if entry.isContiguous, entry.type.rawValue == target.fileType {
      let rowBytes = target.rowByteCount(inputs: inputs)
      matrix = PackedMatrix(format: target, outputs: outputs, inputs: inputs, rows: entry.bytes) { rows in
        if !entry.isFinite(rows.lowerBound * inputs..<rows.upperBound * inputs) {
          outcome.withLock { $0.isFinite = false }
        }
        entry.release(rows.lowerBound * rowBytes..<rows.upperBound * rowBytes)
      }
    } else {
      defer { entry.release() }
      // Rounding that was asked for is no surprise; that of a file's own format is told.
      let isMeasured = format == nil
      matrix = PackedMatrix(
        format: target, outputs: outputs, inputs: inputs,
        encode: { row, bytes in
          let part = entry.repackRow(row, width: inputs, as: target, into: bytes, measuring: isMeasured)
          outcome.withLock { $0.add(part) }
        })
    }
    let result = outcome.withLock { $0 }
    guard result.isFinite else { throw Self.notFinite(entry) }
    guard result.fits else { throw Self.beyondRange(entry, target) }
    if format == nil { log.repacked(entry.type, target, error: result.largestError) }
    return matrix
  }

  /// The weights of all linear layers that were asked for on a device.
  var linearLayers: [CheckpointTensor] { log.linears }

  /// Uploads the weights of layers with the same inputs, one after the other or row by row in turn.
  func upload(
    _ names: [String], takingTurns: Bool, arena: DeviceArena, device: Device
  ) throws -> DeviceMatrix {
    let entries = try names.map(entry)
    let inputs = entries[0].shape[1]
    let formats = Set(entries.map { DeviceMatrix.format(for: format ?? $0.type.nativeFormat) })
    // What shares a product shares a format: the one that holds all of them.
    let target = formats.count == 1 ? formats.first ?? .f32 : formats.contains { !$0.isQuantized } ? .f32 : .q8_0
    guard DeviceMatrix.fits(target, inputs: inputs) else {
      throw ModelError(
        "\(checkpoint.path): tensor \(entries[0].name) has rows of \(inputs), but a graphics card reads multiples of \(target.isQuantized ? 32 : 8) in \(target.rawValue); use --device cpu"
      )
    }
    if formats.count > 1 {
      log.remark(
        "\(entries[0].name) and the layers that share its product have different formats and are held as \(target.rawValue)"
      )
    }
    let counts = entries.map { $0.shape[0] }
    let outcomes = Mutex([RepackingOutcome](repeating: RepackingOutcome(), count: entries.count))
    let matrix = try DeviceMatrix(
      format: target, outputs: counts.reduce(0, +), inputs: inputs, arena: arena, device: device
    ) { index, row in
      var part = takingTurns ? index % entries.count : 0, place = takingTurns ? index / entries.count : index
      if !takingTurns {
        while place >= counts[part] {
          place -= counts[part]
          part += 1
        }
      }
      let outcome = entries[part].repackRow(place, width: inputs, as: target, into: row, measuring: format == nil)
      outcomes.withLock { $0[part].add(outcome) }
    }
    for (entry, outcome) in zip(entries, outcomes.withLock { $0 }) {
      guard outcome.isFinite else { throw Self.notFinite(entry) }
      guard outcome.fits else { throw Self.beyondRange(entry, target) }
      if format == nil { log.repacked(entry.type, target, error: outcome.largestError) }
      progress?.add(entry.range.count)
      entry.release()
    }
    return matrix
  }

  static func notFinite(_ entry: CheckpointTensor) -> FileError {
    FileError(
      file: entry.path,
      "tensor \(entry.name) contains infinite values or NaN, so the model cannot compute anything; the file is damaged or its training failed: fetch it again or use an earlier checkpoint"
    )
  }

  static func beyondRange(_ entry: CheckpointTensor, _ format: WeightFormat) -> FileError {
    FileError(
      file: entry.path,
      "tensor \(entry.name) contains values beyond the range of \(format.rawValue), which would become infinite; use f32 or bf16 instead (--format bf16)"
    )
  }

  private func wrongShape(_ entry: CheckpointTensor, _ wanted: String) -> FileError {
    FileError(
      file: entry.path,
      "tensor \(entry.name) has shape \(entry.shape) instead of \(wanted); the file has another architecture or is damaged"
    )
  }

  /// Remarks for the user on how the weights were loaded, one sentence each.
  public var remarks: [String] { log.remarks }

  /// Looks at a table that is read from the file as it is, whatever format was asked for.
  /// - Throws: ``FileError`` when it is not all finite numbers.
  func checkTable(_ entry: CheckpointTensor) throws {
    guard entry.isFinite() else { throw Self.notFinite(entry) }
    if format == .f16, !entry.fits(.f16) {
      log.remark("tensor \(entry.name) contains values beyond the range of f16; its format in the file is kept")
    }
  }

  /// Marks tensors as used that were read in another way.
  public func markUsed(_ isUsed: (_ canonicalName: String) -> Bool) {
    for (canonical, name) in names where isUsed(canonical) { log.use(name) }
  }

  /// Checks that every tensor of the file was used, because an unused weight would change the results silently. A
  /// tensor that cannot be a weight (a counter, a single number, an unsupported type) is reported as a remark.
  ///
  /// - Parameter harmless: returns true for the canonical names of tensors that do not affect the results.
  /// - Throws: `FileError` that names the first unused tensors and the remedy.
  public func checkEveryTensorIsUsed(harmless: (_ canonicalName: String) -> Bool = { _ in false }) throws {
    let used = log.used
    let unused =
      names.filter { !used.contains($0.value) && !harmless($0.key) }.values.sorted()
      + checkpoint.unreadable.keys.filter { !harmless($0) }.sorted()
    func list(_ names: [String]) -> String {
      names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
    }
    let besides = unused.filter(isBesideTheWeights) + checkpoint.beside
    let left = unused.filter { !isBesideTheWeights($0) }
    let adapters = (left + checkpoint.beside).filter { name in
      ["lora", "bone", "disha"].contains { name.lowercased().contains($0) }
    }
    if left.isEmpty, adapters.isEmpty {
      if !besides.isEmpty { log.remark("\(list(besides)) is not a weight of the model and is ignored") }
      return
    }
    if adapters.isEmpty, let name = left.first(where: { checkpoint.unreadable[$0] != nil }) {
      throw FileError(
        file: checkpoint.path, "its tensor \(name) \(checkpoint.unreadable[name] ?? "cannot be read")")
    }
    throw FileError(
      file: checkpoint.path,
      !adapters.isEmpty
        ? "it contains tensors of an adapter inside the model (\(list(adapters))); merge them into the weights first, or save them as a separate adapter and give it with --adapter"
        : "this architecture does not use its \(left.count == 1 ? "tensor" : "tensors") \(list(left)), so the results would be wrong; use a file of a supported architecture, or save it again without them"
    )
  }

  /// Whether a tensor belongs to no layer and cannot hold weights.
  private func isBesideTheWeights(_ name: String) -> Bool {
    guard !name.split(separator: ".").contains(where: { Int($0) != nil }) else { return false }
    guard let tensor = checkpoint[name] else { return true }
    return !tensor.type.isReal || tensor.count <= 1
  }

  /// Bytes that the packed weights of all matrices will take.
  func packedByteCount() -> Int {
    checkpoint.tensors.values.filter { $0.count > 0 }.reduce(0) { total, tensor in
      guard tensor.shape.count == 2, tensor.type.isReal else { return total + tensor.count * 4 }
      return total
        + PackedMatrix.byteCount(
          format: format ?? tensor.type.nativeFormat, outputs: tensor.shape[0], inputs: tensor.shape[1])
    }
  }

  /// Checks that the weights fit into memory.
  /// - Throws: ``ModelError`` if the machine has less free memory than the weights need.
  public func checkMemory() throws {
    guard purpose != .inspection, purpose != .device, let available = SystemMemory.available() else { return }
    let needed = packedByteCount()
    guard needed < available else {
      throw ModelError(
        "\(checkpoint.path) needs \(SystemMemory.text(needed)) of memory, but only \(SystemMemory.text(available)) are free; "
          + "close other programs, use a smaller model, or round it to a smaller format with --format q4_0")
    }
  }

  /// A digest of the names, the shapes and samples of all tensors, and of the format.
  public func fingerprint() -> String {
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

/// What a loader has done so far.
private final class LoadLog: Sendable {
  private struct Pair: Hashable {
    let from: FileType
    let to: WeightFormat
  }
  private struct Content {
    var used: Set<String> = []
    var remarks: [String] = []
    var repacked: [Pair: (count: Int, error: Float)] = [:]
    var linears: [CheckpointTensor] = []
  }
  private let content = Mutex(Content())

  func use(_ name: String) { content.withLock { _ = $0.used.insert(name) } }
  var used: Set<String> { content.withLock { $0.used } }
  func linear(_ tensor: CheckpointTensor) { content.withLock { $0.linears.append(tensor) } }
  var linears: [CheckpointTensor] { content.withLock { $0.linears } }
  func remark(_ text: String) { content.withLock { $0.remarks.append(text) } }

  func repacked(_ from: FileType, _ to: WeightFormat, error: Float) {
    guard error > 0 else { return }
    content.withLock {
      let before = $0.repacked[Pair(from: from, to: to)] ?? (0, 0)
      $0.repacked[Pair(from: from, to: to)] = (before.count + 1, max(before.error, error))
    }
  }

  var remarks: [String] {
    content.withLock { content in
      content.remarks
        + content.repacked.sorted { "\($0.key.from)" < "\($1.key.from)" }.map { pair, found in
          Repacking.remark(found.count, pair.from, pair.to, error: found.error)
        }
    }
  }
}

extension SHA256 {
  /// A digest of a text, as long as fingerprints are.
  static func fingerprint(_ text: String) -> String {
    var digest = SHA256()
    digest.update(Array(text.utf8))
    return String(digest.finalize().prefix(32))
  }
}
