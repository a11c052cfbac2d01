import Foundation
import MartletData
import MartletTensor

/// Variables of the environment that hold something else than they should.
enum EnvironmentCheck {
  /// What is to be said of them, a sentence each.
  static func remarks(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> [String] {
    var remarks: [String] = []
    if let threads = environment["MARTLET_THREADS"], !threads.isEmpty, !(1...64).contains(Int(threads) ?? 0) {
      remarks.append(
        "MARTLET_THREADS=\(threads.printable) is not a number from 1 to 64; \(Parallel.width) threads are used")
    }
    let kernels = Kernels.current
    if let wanted = environment["MARTLET_SIMD"], !wanted.isEmpty, wanted != kernels {
      remarks.append(
        "MARTLET_SIMD=\(wanted.printable) is not a set of kernels that this machine can run; \(kernels) is used")
    }
    return remarks
  }
}
