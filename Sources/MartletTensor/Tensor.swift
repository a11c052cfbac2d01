/// An array of numbers: a shape with strides over shared memory.
///
/// Activations are `[rows, features]`; a row is one token of some sequence. A tensor is a value: its elements never
/// change after it was made, so it can be shared between threads.
public struct Tensor: Sendable {
  /// The memory, which other tensors may share.
  private(set) var storage: Storage
  /// The length of each axis, outermost first; `[]` for a scalar.
  public let shape: [Int]
  /// nil: row-major without gaps.
  private let explicitStrides: [Int]?
  /// The offset of the first element in the shared memory, in elements.
  public let offset: Int
  /// The type of the elements.
  public let dtype: DType
  /// How it was made, where a gradient may be asked for (see Differentiation/Tape.swift).
  var node: TapeNode?

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
    try storage.withUnsafeMutableBytes(fill)
    self.init(storage: storage, shape: shape, dtype: dtype)
  }

  /// A contiguous `float32` tensor. Precondition: `values.count` is the product of `shape`.
  public init(_ values: [Float], shape: [Int]? = nil) {
    let shape = shape ?? [values.count]
    precondition(Tensor.count(shape) == values.count, "\(values.count) values do not fill shape \(shape)")
    self.init(shape: shape) { bytes in values.withUnsafeBytes { bytes.copyMemory(from: $0) } }
  }

  /// A contiguous tensor of doubles, rounded to `dtype`. Precondition: `float32` or `float64`.
  public init(doubles values: [Double], shape: [Int]? = nil, dtype: DType = .float64) {
    if dtype == .float32 {
      self.init(values.map { Float($0) }, shape: shape)
      return
    }
    let shape = shape ?? [values.count]
    precondition(Tensor.count(shape) == values.count, "\(values.count) values do not fill shape \(shape)")
    self.init(shape: shape, dtype: dtype) { bytes in values.withUnsafeBytes { bytes.copyMemory(from: $0) } }
  }

  /// A scalar, of shape `[]`.
  public init(_ value: Double, dtype: DType = .float32) { self.init(doubles: [value], shape: [], dtype: dtype) }

  /// A tensor filled with zeros.
  public static func zeros(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    Tensor(storage: .zeros(byteCount: count(shape) * dtype.byteCount), shape: shape, dtype: dtype)
  }

  /// A tensor filled with one value.
  public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32) -> Tensor {
    Tensor(value, dtype: dtype).broadcast(to: shape).contiguous()
  }

  /// A tensor filled with ones.
  public static func ones(_ shape: [Int], dtype: DType = .float32) -> Tensor { full(shape, 1, dtype: dtype) }

  /// Memory for a contiguous result, not yet written.
  static func empty(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    Tensor(storage: Storage(byteCount: count(shape) * dtype.byteCount), shape: shape, dtype: dtype)
  }

  /// Gives the tensor contiguous memory of its own if somebody else holds it. Precondition: `float32`.
  mutating func makeUnique() {
    if isContiguous, offset == 0, isKnownUniquelyReferenced(&storage) { return }
    let dense = contiguous(), copy = Tensor.empty(shape)
    withExtendedLifetime(dense) { copy.mutableFloats.update(from: dense.floats, count: count) }
    self = copy
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

  /// The number of elements.
  public var count: Int { Tensor.count(shape) }
  /// The length of the first axis.
  public var rows: Int { shape[0] }
  /// The number of elements of one row: the product of the lengths of all axes except the first.
  public var columns: Int { shape.dropFirst().reduce(1, *) }

  /// The distance between neighbouring elements along each axis, in elements.
  public var strides: [Int] { explicitStrides ?? Tensor.contiguousStrides(shape) }

  /// Whether the elements lie in memory row-major without gaps.
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
    if dtype == .float64 { return doubleValues.map { Float($0) } }
    let dense = contiguous()
    return dense.withFloats { Array($0) }
  }

  /// The elements, row-major, in double precision. O(count).
  public var doubleValues: [Double] {
    if dtype != .float64 { return values.map { Double($0) } }
    let dense = contiguous()
    return withExtendedLifetime(dense) { Array(UnsafeBufferPointer(start: dense.doubles, count: count)) }
  }

  /// The value of a tensor with one element. Precondition: it has exactly one.
  public var scalar: Double {
    precondition(count == 1, "shape \(shape) is no single number")
    return doubleValues[0]
  }

  /// Start of a contiguous double tensor's elements.
  var doubles: UnsafePointer<Double> {
    precondition(dtype == .float64 && isContiguous, "a contiguous float64 tensor is needed, not \(dtype) \(shape)")
    return UnsafePointer(storage.pointer.assumingMemoryBound(to: Double.self) + offset)
  }
  var mutableDoubles: UnsafeMutablePointer<Double> { UnsafeMutablePointer(mutating: doubles) }
  /// First element, whatever the type and strides.
  var base: UnsafeMutableRawPointer { storage.pointer + offset * dtype.byteCount }

  /// Start of a contiguous float tensor's elements. Precondition: contiguous and `float32`.
  var floats: UnsafePointer<Float> {
    precondition(dtype == .float32 && isContiguous, "a contiguous float32 tensor is needed, not \(dtype) \(shape)")
    return UnsafePointer(storage.pointer.assumingMemoryBound(to: Float.self) + offset)
  }

  /// For the code that makes a tensor, before it hands it out.
  var mutableFloats: UnsafeMutablePointer<Float> { UnsafeMutablePointer(mutating: floats) }

  /// The elements of a float tensor in memory, as ``withFloats(_:)`` gives access to them. They are valid only during
  /// the call.
  public typealias Elements = UnsafeBufferPointer<Float>

  /// Gives `body` access to the elements, row-major. Precondition: the tensor is contiguous and `float32`.
  public func withFloats<Result>(_ body: (Elements) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(Elements(start: floats, count: count)) }
  }

  /// Gives `body` access to the elements of one row. Precondition: the tensor is contiguous and `float32`, and the row
  /// exists.
  public func withFloats<Result>(row: Int, _ body: (Elements) throws -> Result) rethrows -> Result {
    precondition(row >= 0 && row < rows, "row \(row) of \(shape)")
    return try withExtendedLifetime(storage) { try body(Elements(start: floats + row * columns, count: columns)) }
  }

  /// `log(sum(exp(x)))` of a row of logits, by which a logit becomes the natural logarithm of a probability.
  public static func logSumExp(_ row: Elements) -> Float { CPU.logSumExp(row) }

  /// Replaces a row of logits by `exp(logit) / sum(exp(logits))`; minus infinity becomes 0.
  public static func softmax(of row: inout [Float]) { CPU.softmax(of: &row) }
}

extension Tensor: CustomStringConvertible {
  /// The type and the shape, with all elements of a small tensor and the first and last elements of a large one. E.g.
  /// `float32 [2, 3]: 0.0, 1.0, 2.0, …, 5.0`.
  public var description: String {
    let head = "\(dtype) \(shape)"
    guard dtype == .float32 || dtype == .float64, count > 0 else { return head }
    let shown = 8
    func text(_ range: Range<Int>) -> [String] {
      let part = detached().contiguous().reshaped([count]).rows(range)
      return dtype == .float64 ? part.doubleValues.map { "\($0)" } : part.values.map { "\($0)" }
    }
    let elements =
      count <= shown ? text(0..<count) : text(0..<3) + ["…"] + text(count - 1..<count)
    return head + ": " + elements.joined(separator: ", ")
  }
}
