import MartletData
import MartletTensor

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
  case u16 = 1002
  case u32 = 1003
  case u64 = 1004
  case c64 = 1005
  case c128 = 1006
  case f8_e4m3 = 1007
  case f8_e5m2 = 1008
  case f8_e8m0 = 1009
  case f8_e4m3fnuz = 1010
  case f8_e5m2fnuz = 1011
  case f6_e2m3 = 1012
  case f6_e3m2 = 1013
  case f4 = 1014

  /// Values in one block; 1 for plain types.
  public var blockValues: Int {
    switch self {
    case .f4: 2
    case .f6_e2m3, .f6_e3m2: 4
    default: max(1, CPU.blockValues(ofFileType: rawValue))
    }
  }

  /// Bytes of one block.
  public var blockByteCount: Int {
    switch self {
    case .i8, .u8, .bool, .f4, .f8_e4m3, .f8_e5m2, .f8_e8m0, .f8_e4m3fnuz, .f8_e5m2fnuz: 1
    case .i16, .u16: 2
    case .f6_e2m3, .f6_e3m2: 3
    case .i32, .u32: 4
    case .i64, .u64, .c64: 8
    case .c128: 16
    default: CPU.blockByteCount(ofFileType: rawValue)
    }
  }

  /// Whether values can be expanded to float.
  public var isReal: Bool { CPU.blockValues(ofFileType: rawValue) > 0 }

  /// Bytes of a tensor of `shape` (last axis contiguous), or nil where the sizes overflow or do not fill blocks: of
  /// GGUF's types each row must, of others all values together.
  func byteCount(shape: [Int]) -> Int? {
    guard let count = product(shape) else { return nil }
    guard (rawValue < 1000 ? shape.last ?? 1 : count) % blockValues == 0 else { return nil }
    return product([count / blockValues, blockByteCount])
  }
}
