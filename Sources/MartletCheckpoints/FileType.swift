import MartletKernels

/// Element type of a tensor in a file. Raw values of floating and block types are GGUF's.
public enum FileType: Int32, Sendable, CaseIterable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q4_1 = 3
  case q5_0 = 6
  case q5_1 = 7
  case q8_0 = 8
  case q2_K = 10
  case q3_K = 11
  case q4_K = 12
  case q5_K = 13
  case q6_K = 14
  case q8_K = 15
  case i8 = 24
  case i16 = 25
  case i32 = 26
  case i64 = 27
  case f64 = 28
  case bf16 = 30
  // Beyond GGUF, from safetensors and PyTorch:
  case u8 = 1000
  case bool = 1001

  /// Values in one block; 1 for plain types.
  public var blockValues: Int { max(1, Int(martlet_file_block_values(rawValue))) }

  /// Bytes of one block.
  public var blockByteCount: Int {
    switch self {
    case .i8, .u8, .bool: 1
    case .i16: 2
    case .i32: 4
    case .i64, .f64: 8
    default: Int(martlet_file_block_bytes(rawValue))
    }
  }

  /// Whether values can be expanded to float.
  public var isReal: Bool {
    switch self {
    case .i8, .i16, .i32, .i64, .u8, .bool: false
    default: true
    }
  }

  /// Bytes of a tensor of `shape` (last axis contiguous), or nil where the sizes overflow or rows do not fill blocks.
  func byteCount(shape: [Int]) -> Int? {
    guard let count = product(shape) else { return nil }
    guard (shape.last ?? 1) % blockValues == 0 else { return nil }
    return product([count / blockValues, blockByteCount])
  }
}
