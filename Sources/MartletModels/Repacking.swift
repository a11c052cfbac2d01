import Foundation
import MartletCheckpoints
import MartletTensor

/// How the element types of files become the formats of the kernels.
enum Repacking {
  /// Whether the native format of a type keeps every value.
  static func isExact(_ type: FileType) -> Bool {
    switch type {
    case .q8_K, .iq4_XS, .q2_K, .q5_1, .f64: false
    default: true
    }
  }

  private static func count(_ count: Int, _ type: FileType) -> String {
    "\(count) \(type) \(count == 1 ? "tensor" : "tensors")"
  }

  /// What loading changed, one sentence. `error`: of a value, as a part of the largest of its block of 32.
  static func remark(_ number: Int, _ from: FileType, _ to: WeightFormat, error: Float) -> String {
    let percent = String(format: error < 1e-5 ? "%.1e" : "%.4f", Double(error) * 100)
    return
      "\(count(number, from)) held as \(to.rawValue): the largest error is \(percent) % of the largest of 32 neighbours"
  }

  /// What loading will change at most, one sentence.
  static func bound(_ number: Int, _ type: FileType) -> String {
    let head = "\(count(number, type)) will be held as \(type.nativeFormat.rawValue)"
    return switch type {
    case .q8_K, .iq4_XS: head + ": the integers are kept, scales rounded to half precision, 0.049 % at most"
    case .f64: head + ", rounded to single precision"
    default:
      head
        + ", rounded by 0.45 % of the largest of 32 neighbours at most (by more where all 32 are below 0.008)"
    }
  }
}

extension FileType {
  /// The weight format that keeps a file type's values: exactly for plain types up to 32 bits, Q8_0, Q4_0, Q4_1, Q4_K, Q5_K,
  /// Q6_K, Q5_0, Q3_K, IQ4_NL and MXFP4 (whose scale a half can be); Q8_K and IQ4_XS but for scales in half precision; the other
  /// block types rounded to 8 bits.
  var nativeFormat: WeightFormat {
    switch self {
    case .f16: .f16
    case .bf16: .bf16
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    case .q4_K: .q4_K
    case .q5_K: .q5_K
    case .q6_K: .q6_K
    case .f32, .f64: .f32
    default: .q8_0
    }
  }
}

extension Checkpoint {
  /// Whether most of the values in matrices have this block format already.
  func isMostly(_ format: WeightFormat?) -> Bool {
    guard let format, format.isQuantized else { return false }
    var all = 0, same = 0
    for tensor in tensors.values where tensor.shape.count == 2 {
      all += tensor.count
      if tensor.type.rawValue == format.fileType { same += tensor.count }
    }
    return same > all / 2
  }

  /// What loading this in its own formats will change at most, one sentence a type.
  var repackingRemarks: [String] {
    Dictionary(grouping: tensors.values.filter { $0.shape.count == 2 }, by: \.type)
      .filter { !Repacking.isExact($0.key) }.sorted { "\($0.key)" < "\($1.key)" }
      .map { Repacking.bound($1.count, $0) }
  }
}
