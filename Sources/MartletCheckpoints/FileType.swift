import MartletData
import MartletTensor

/// The element type of a tensor in a file. The raw values of floating-point and block types are those of GGUF.
public enum FileType: Int32, Sendable, CaseIterable {
  /// Single precision.
  case f32 = 0
  /// Half precision.
  case f16 = 1
  /// Blocks of 32 in 4 bits with a scale.
  case q4_0 = 2
  /// Blocks of 32 in 4 bits with a scale and a minimum.
  case q4_1 = 3
  /// Blocks of 32 in 5 bits with a scale.
  case q5_0 = 6
  /// Blocks of 32 in 5 bits with a scale and a minimum.
  case q5_1 = 7
  /// Blocks of 32 in 8 bits with a scale.
  case q8_0 = 8
  /// Blocks of 256 in 2 bits, with scales and minima of 16.
  case q2_K = 10
  /// Blocks of 256 in 3 bits, with scales of 16.
  case q3_K = 11
  /// Blocks of 256 in 4 bits, with scales and minima of 32.
  case q4_K = 12
  /// Blocks of 256 in 5 bits, with scales and minima of 32.
  case q5_K = 13
  /// Blocks of 256 in 6 bits, with scales of 16.
  case q6_K = 14
  /// Blocks of 256 in 8 bits, which programs use for intermediate results.
  case q8_K = 15
  /// Blocks of 32 in 4 bits whose codes stand for unevenly spaced values, with a scale.
  case iq4_NL = 20
  /// Blocks of 256 in 4 bits whose codes stand for unevenly spaced values, with scales of 32.
  case iq4_XS = 23
  /// Blocks of 32 in 4 bits with an exponent of 2 each, and an exponent for all.
  case mxfp4 = 39
  /// Signed integers of 8 bits.
  case i8 = 24
  /// Signed integers of 16 bits.
  case i16 = 25
  /// Signed integers of 32 bits.
  case i32 = 26
  /// Signed integers of 64 bits.
  case i64 = 27
  /// Double precision.
  case f64 = 28
  /// The upper half of single precision.
  case bf16 = 30
  // Beyond GGUF, from safetensors and PyTorch:
  /// Unsigned integers of 8 bits.
  case u8 = 1000
  /// Booleans of one byte each.
  case bool = 1001
  /// Unsigned integers of 16 bits.
  case u16 = 1002
  /// Unsigned integers of 32 bits.
  case u32 = 1003
  /// Unsigned integers of 64 bits.
  case u64 = 1004
  /// Complex numbers in single precision.
  case c64 = 1005
  /// Complex numbers in double precision.
  case c128 = 1006
  /// 8 bits with an exponent of 4.
  case f8_e4m3 = 1007
  /// 8 bits with an exponent of 5.
  case f8_e5m2 = 1008
  /// 8 bits with an exponent only, for scales.
  case f8_e8m0 = 1009
  /// 8 bits with an exponent of 4, one zero and no infinity.
  case f8_e4m3fnuz = 1010
  /// 8 bits with an exponent of 5, one zero and no infinity.
  case f8_e5m2fnuz = 1011
  /// 6 bits with an exponent of 2.
  case f6_e2m3 = 1012
  /// 6 bits with an exponent of 3.
  case f6_e3m2 = 1013
  /// 4 bits with an exponent of 2.
  case f4 = 1014

  /// The number of values in one block; 1 for types without blocks.
  public var blockValues: Int {
    switch self {
    case .f4: 2
    case .f6_e2m3, .f6_e3m2: 4
    default: max(1, CPU.blockValues(ofFileType: rawValue))
    }
  }

  /// The size of one block in bytes.
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

  /// Whether values can be converted to float.
  public var isReal: Bool { CPU.blockValues(ofFileType: rawValue) > 0 }

  /// Bytes of a tensor of `shape` (last axis contiguous), or nil where the sizes overflow or do not fill blocks: of
  /// GGUF's types each row must, of others all values together.
  func byteCount(shape: [Int]) -> Int? {
    guard let count = product(shape) else { return nil }
    guard (rawValue < 1000 ? shape.last ?? 1 : count) % blockValues == 0 else { return nil }
    return product([count / blockValues, blockByteCount])
  }
}
