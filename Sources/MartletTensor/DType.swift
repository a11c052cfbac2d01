/// The type of a tensor's elements. Arithmetic is done in `float32`, or in `float64` if precision matters more than
/// speed. The other types are for storage and indices.
public enum DType: String, Sendable, CaseIterable {
  /// Floating-point numbers with 32, 64 and 16 bits, and bfloat16.
  case float32, float64, float16, bfloat16
  /// Signed integers with 32 and 64 bits.
  case int32, int64

  /// The size of one element in bytes.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float16, .bfloat16: 2
    case .int64, .float64: 8
    }
  }
}
