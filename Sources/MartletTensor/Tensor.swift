import MartletKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A view of numbers: a shape with strides over shared ``Storage``.
///
/// Activations are `[rows, features]`; a row is one token of some sequence. A tensor is a value: what it
/// shows never changes after it was made, so it may be shared between threads.
public struct Tensor: Sendable {
  public let storage: Storage
  public let shape: [Int]
  /// nil: row-major without gaps.
  private let explicitStrides: [Int]?
  /// Elements before the first one.
  public let offset: Int
  public let dtype: DType

  init(storage: Storage, shape: [Int], strides: [Int]? = nil, offset: Int = 0, dtype: DType = .float32) {
    self.storage = storage
    self.shape = shape
    explicitStrides = strides
    self.offset = offset
    self.dtype = dtype
  }

  /// Makes a contiguous tensor and lets `fill` write every element.
  public init(shape: [Int], dtype: DType = .float32, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let storage = Storage(byteCount: Tensor.count(shape) * dtype.byteCount)
    try fill(UnsafeMutableRawBufferPointer(start: storage.pointer, count: storage.byteCount))
    self.init(storage: storage, shape: shape, dtype: dtype)
  }

  /// A contiguous float tensor. Precondition: `values.count` is the product of `shape`.
  public init(_ values: [Float], shape: [Int]? = nil) {
    let shape = shape ?? [values.count]
    precondition(Tensor.count(shape) == values.count, "\(values.count) values do not fill shape \(shape)")
    self.init(shape: shape) { bytes in values.withUnsafeBytes { bytes.copyMemory(from: $0) } }
  }

  public static func zeros(_ shape: [Int]) -> Tensor {
    Tensor(storage: .zeros(byteCount: count(shape) * 4), shape: shape)
  }

  static func count(_ shape: [Int]) -> Int { shape.reduce(1, *) }

  static func contiguousStrides(_ shape: [Int]) -> [Int] {
    var strides = shape
    var step = 1
    for axis in shape.indices.reversed() {
      strides[axis] = step
      step *= shape[axis]
    }
    return strides
  }

  /// Number of elements.
  public var count: Int { Tensor.count(shape) }
  /// Length of the first axis.
  public var rows: Int { shape[0] }
  /// Elements of one row: the product of all axes but the first.
  public var columns: Int { shape.dropFirst().reduce(1, *) }

  /// Distance, in elements, between neighbours along each axis.
  public var strides: [Int] { explicitStrides ?? Tensor.contiguousStrides(shape) }

  public var isContiguous: Bool {
    guard let explicitStrides else { return true }
    var step = 1
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      if explicitStrides[axis] != step { return false }
      step *= shape[axis]
    }
    return true
  }

  /// The elements, row-major. O(count).
  public var values: [Float] {
    let dense = contiguous()
    return Array(UnsafeBufferPointer(start: dense.floats, count: count))
  }

  /// Start of a contiguous float tensor's elements. Precondition: contiguous and `float32`.
  var floats: UnsafePointer<Float> {
    precondition(dtype == .float32 && isContiguous, "a contiguous float32 tensor is needed, not \(dtype) \(shape)")
    return UnsafePointer(storage.pointer.assumingMemoryBound(to: Float.self) + offset)
  }

  /// For the code that makes a tensor, before it hands it out.
  var mutableFloats: UnsafeMutablePointer<Float> { UnsafeMutablePointer(mutating: floats) }

  /// Lets `body` read the elements of a contiguous float tensor.
  public func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(UnsafeBufferPointer(start: floats, count: count)) }
  }
}

// MARK: - Views

extension Tensor {
  /// The same elements under another shape. Precondition: contiguous, same count.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(isContiguous && Tensor.count(shape) == count, "\(self.shape) cannot be seen as \(shape)")
    return Tensor(storage: storage, shape: shape, offset: offset, dtype: dtype)
  }

  /// Rows `range` of the first axis, without a copy.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
    return Tensor(
      storage: storage, shape: [range.count] + shape.dropFirst(), strides: explicitStrides,
      offset: offset + range.lowerBound * (explicitStrides?[0] ?? columns), dtype: dtype)
  }

  /// Exchanges two axes, without a copy.
  public func transposed(_ first: Int = 0, _ second: Int = 1) -> Tensor {
    var shape = shape, strides = strides
    shape.swapAt(first, second)
    strides.swapAt(first, second)
    return Tensor(storage: storage, shape: shape, strides: strides, offset: offset, dtype: dtype)
  }

  /// Itself if contiguous, else a copy that is. Precondition: `float32`.
  public func contiguous() -> Tensor {
    if isContiguous { return self }
    precondition(dtype == .float32, "only float32 tensors are copied, not \(dtype)")
    let source = storage.pointer.assumingMemoryBound(to: Float.self)
    let result = Tensor(storage: Storage(byteCount: count * 4), shape: shape)
    var index = [Int](repeating: 0, count: shape.count)
    for place in 0..<count {
      result.mutableFloats[place] = source[offset + zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }]
      for axis in shape.indices.reversed() {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
    return result
  }
}
