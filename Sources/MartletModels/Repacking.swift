import Foundation
import MartletCheckpoints
import MartletTensor

/// How the element types of files become the formats of the kernels.
enum Repacking {
  /// The largest error, as a part of the largest value of a block of 32, that the native format of a type can bring; 0
  /// where every value is kept.
  static func bound(_ type: FileType) -> Double {
    switch type {
    // Scales are rounded to half precision (11 bits): in Q4_K a scale times its codes and a minimum, which may be of
    // opposite signs and the larger one twice the result.
    case .q4_K: 3 / 2048.0
    case .q8_K: 1 / 2048.0
    case .q2_K, .q5_K, .q6_K, .q5_1: 1 / 254.0 + 1 / 2048.0
    case .f64: 1 / 16_777_216.0
    default: 0
    }
  }

  /// One sentence for people.
  static func remark(_ count: Int, _ from: FileType, _ to: WeightFormat, error: Double, isBound: Bool) -> String {
    let percent = String(format: error < 1e-5 ? "%.1e %%" : "%.3f %%", error * 100)
    let kept = from == .q4_K || from == .q8_K ? "keep their integers and have scales in half precision" : "are rounded"
    return
      "\(count) \(from) \(count == 1 ? "tensor" : "tensors") \(kept) as \(to.rawValue): errors are at most \(percent) of the largest of 32 neighbours"
      + (isBound ? "" : " (measured)")
  }
}

extension FileType {
  /// The weight format that keeps a file type's values: exactly for plain types up to 32 bits, Q8_0, Q4_0, Q4_1, Q5_0 and
  /// Q3_K; Q4_K and Q8_K but for scales in half precision; the other block types rounded to 8 bits.
  var nativeFormat: WeightFormat {
    switch self {
    case .f16: .f16
    case .bf16: .bf16
    case .q4_0: .q4_0
    case .q4_1, .q4_K: .q4_1
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

  /// What loading this in its own formats will change: bounds, one sentence a type.
  var repackingRemarks: [String] {
    Dictionary(grouping: tensors.values.filter { $0.shape.count == 2 }, by: \.type)
      .filter { Repacking.bound($0.key) > 0 }.sorted { "\($0.key)" < "\($1.key)" }
      .map { type, tensors in
        Repacking.remark(tensors.count, type, type.nativeFormat, error: Repacking.bound(type), isBound: true)
      }
  }
}
