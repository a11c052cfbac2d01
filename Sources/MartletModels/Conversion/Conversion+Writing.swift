import Foundation
import MartletCheckpoints
import MartletData
import MartletTensor

extension Conversion {
  /// The files that accompany a model written to `path`, with their contents.
  ///
  /// - Throws: ``ModelError`` or `FileError` that says why one of them cannot be made.
  public func companions(of path: String) throws -> [HubFiles.File] {
    guard container != .gguf else { return [] }
    return try HubFiles.files(for: self, beside: path)
  }

  /// Writes the accompanying files and then the model.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - replaces: whether existing files may be replaced.
  ///   - progress: a callback that is called with the number of bytes written so far.
  /// - Throws: errors that name a tensor whose values are not finite or exceed the range of the format.
  public func write(to path: String, replaces: Bool = true, progress: (Int) -> Void = { _ in }) throws {
    for file in try companions(of: path) where FileManager.default.contents(atPath: file.path) != file.contents {
      try AtomicFile.write(file.contents, to: file.path, replaces: replaces)
    }
    let list =
      plan.items.map { ($0.name, $0.type, $0.source.shape) } + plan.tables.map { ($0.name, .f32, [$0.values.count]) }
    var done = 0
    let bytes = { (index: Int, write: ByteSink) in
      guard index < plan.items.count else {
        return try plan.tables[index - plan.items.count].values.withUnsafeBytes(write)
      }
      try send(plan.items[index]) {
        try write($0)
        done += $0.count
        progress(done)
      }
    }
    switch container {
    case .gguf: try GGUF.write(to: path, tensors: list, metadata: plan.metadata, replaces: replaces, bytes: bytes)
    case .pth: try PyTorch.write(to: path, tensors: list, replaces: replaces, bytes: bytes)
    case .safetensors:
      let strings = plan.metadata.compactMap { key, value in
        value.string.map { (key, $0) } ?? value.real.map { (key, "\($0)") }
      }
      try Safetensors.write(
        to: path, tensors: list, metadata: Dictionary(uniqueKeysWithValues: strings + [("format", "pt")]),
        replaces: replaces, bytes: bytes)
    }
  }

  /// One tensor's bytes in its new type, some rows at a time.
  private func send(_ item: ConversionPlan.Item, _ write: ByteSink) throws {
    let source = item.source
    defer { source.release() }
    let change = changes[item.canonical]
    let keepsValues = item.map == nil && change == nil && !item.isExchanged
    if item.type == source.type, item.order == nil, keepsValues, source.isContiguous {
      if source.type.isReal, !source.isFinite() { throw WeightLoader.notFinite(source) }
      return try write(source.bytes)
    }
    guard source.type.isReal, let format = WeightFormat.allCases.first(where: { $0.fileType == item.type.rawValue })
    else {
      throw ModelError("tensor \(source.name) of type \(source.type) cannot be written as \(item.type)")
    }
    // Values of a vector that are moved or changed one by one are as many rows of one value.
    let isVector = source.shape.count == 1 && (item.order != nil || change != nil)
    let width = isVector ? 1 : source.shape.last ?? 1
    let rows = source.count / max(1, width)
    let hubRow = item.hubRow ?? { $0 }
    let delta = change?.delta?(), replacement = change?.replacement
    let exchanged = item.isExchanged ? try source.floats() : []
    var bytes = [UInt8](repeating: 0, count: format.rowByteCount(inputs: width))
    for row in 0..<rows {
      let from = item.order?(row) ?? row
      guard (0..<rows).contains(from), (0..<rows).contains(hubRow(from)),
        delta.map({ $0.count == source.count }) ?? true, (change?.rowShares?.count ?? rows) == rows
      else {
        throw ModelError(
          "tensor \(source.name) has shape \(source.shape), which does not fit the model's heads or what changes it; the file is damaged"
        )
      }
      var outcome = RepackingOutcome()
      bytes.withUnsafeMutableBytes { buffer in
        guard let base = buffer.baseAddress else { return }
        if keepsValues {
          outcome = source.repackRow(from, width: width, as: format, into: base, measuring: false)
          return
        }
        outcome.isFinite = source.isFinite(from * width..<(from + 1) * width)
        let changed = hubRow(from)
        outcome.fits = format.encode(inputs: width, into: base) { values in
          source.expand(from * width..<(from + 1) * width, into: values)
          if item.isExchanged {
            for place in 0..<width { values[place] = exchanged[(row / width * width + place) * width + row % width] }
          }
          replacement?.withFloats { new in for place in 0..<width { values[place] = new[changed * width + place] } }
          delta?.withFloats { added in for place in 0..<width { values[place] += added[changed * width + place] } }
          if let share = change?.rowShares?[changed] { for place in 0..<width { values[place] *= share } }
          if let map = item.map { for place in 0..<width { values[place] = map(values[place]) } }
        }
      }
      guard outcome.isFinite else { throw WeightLoader.notFinite(source) }
      guard outcome.fits else { throw WeightLoader.beyondRange(source, format) }
      try bytes.withUnsafeBytes { try write($0) }
    }
  }
}
