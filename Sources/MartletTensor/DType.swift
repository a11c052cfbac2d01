/// Type of a tensor's elements. Arithmetic runs in `float32`; the others are for storage and indices.
public enum DType: String, Sendable, CaseIterable {
  case float32, float16, bfloat16, int32, int64

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float16, .bfloat16: 2
    case .int64: 8
    }
  }
}
