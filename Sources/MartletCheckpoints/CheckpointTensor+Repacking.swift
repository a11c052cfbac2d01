import MartletTensor
import Synchronization

/// The result of converting values to another format.
public struct RepackingOutcome: Sendable, Equatable {
  /// Whether all values were finite.
  public var isFinite = true
  /// Whether all finite values were within the range of the format.
  public var fits = true
  /// The largest difference from the values of the file, relative to the largest value of the block of 32; 0 if all
  /// values are exact or nothing was measured.
  public var largestError: Float = 0

  /// The result for no values.
  public init() {}

  /// Combines this result with that of other values.
  public mutating func add(_ other: RepackingOutcome) {
    isFinite = isFinite && other.isFinite
    fits = fits && other.fits
    largestError = max(largestError, other.largestError)
  }
}

extension CheckpointTensor {
  /// Whether all elements of a range (whole blocks) are finite. Precondition: the type is real.
  public func isFinite(_ elements: Range<Int>) -> Bool {
    if isContiguous {
      guard let base = bytes.baseAddress else { return true }
      let start = elements.lowerBound / type.blockValues * type.blockByteCount
      return CPU.isFinite(base + start, fileType: type.rawValue, count: elements.count)
    }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, elements.count)) { values in
      guard let base = values.baseAddress else { return true }
      expand(elements, into: base)
      return CPU.isFinite(base, fileType: FileType.f32.rawValue, count: elements.count)
    }
  }

  /// Whether all elements are finite.
  public func isFinite() -> Bool { everyPart { isFinite($0) } }

  /// Whether all elements are within the range of `format`, which must not be quantised.
  public func fits(_ format: WeightFormat) -> Bool {
    everyPart { elements in
      withUnsafeTemporaryAllocation(byteCount: format.rowByteCount(inputs: elements.count), alignment: 16) { bytes in
        guard let base = bytes.baseAddress else { return true }
        return format.encode(inputs: elements.count, into: base) { expand(elements, into: $0) }
      }
    }
  }

  /// Asks about all elements, in parts of whole rows and in parallel, and lets their pages go.
  private func everyPart(_ holds: (Range<Int>) -> Bool) -> Bool {
    let width = shape.last ?? 1
    guard count > 0, width > 0 else { return true }
    let part = max(1, (1 << 18) / width) * width, parts = (count + part - 1) / part
    let result = Atomic(true)
    Parallel.forEach(parts, grain: 1) { range in
      for index in range where !holds(index * part..<min(count, (index + 1) * part)) {
        result.store(false, ordering: .relaxed)
      }
    }
    release()
    return result.load(ordering: .relaxed)
  }

  /// Writes row `row` of `width` elements in the file layout of `format`: the bits or integer codes of the file if the
  /// format has them, else rounded values.
  ///
  /// - Parameters:
  ///   - row: the index of the row.
  ///   - width: the number of elements of a row.
  ///   - format: the format to convert to.
  ///   - destination: memory for one row in the file layout of `format`.
  ///   - measuring: whether to compute the largest error, for which the rounded row is expanded again.
  public func repackRow(
    _ row: Int, width: Int, as format: WeightFormat, into destination: UnsafeMutableRawPointer, measuring: Bool
  ) -> RepackingOutcome {
    var outcome = RepackingOutcome()
    let elements = row * width..<(row + 1) * width
    outcome.isFinite = isFinite(elements)
    let target = format.fileType
    if isContiguous, let base = bytes.baseAddress {
      let source = base + elements.lowerBound / type.blockValues * type.blockByteCount
      if type.rawValue == target {
        destination.copyMemory(from: source, byteCount: format.rowByteCount(inputs: width))
        return outcome
      }
      if let error = CPU.repack(source, fileType: type.rawValue, as: target, count: width, into: destination) {
        outcome.largestError = error
        outcome.fits = CPU.isFinite(destination, fileType: target, count: width)
        return outcome
      }
    }
    let padded = format.paddedCount(width)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * padded + 1) { buffer in
      guard let values = buffer.baseAddress else { return }
      expand(elements, into: values)
      (values + width).update(repeating: 0, count: padded - width)
      CPU.round(values, toFileType: target, count: padded, into: destination)
      guard measuring else { return }
      CPU.expand(destination, fileType: target, count: padded, into: values + padded)
      outcome.largestError = CPU.largestError(of: values, beside: values + padded, count: width)
    }
    outcome.fits = CPU.isFinite(destination, fileType: target, count: padded)
    return outcome
  }
}
