import CMartletKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The measured peak performance of this machine.
public struct MachineProbe: Sendable {
  /// The name of the instruction set whose kernels are in use.
  public let simd: String
  /// The number of threads used for each measurement.
  public let threads: Int
  /// The memory bandwidth of all threads together, in bytes per second.
  public let readBandwidth: Double
  /// Peak operations per second of all threads together; a multiply-add counts as two operations.
  public let floatPeak, integerPeak: Double

  /// Measures the machine, which takes about a second and 256 MiB of memory.
  public static func measure() -> MachineProbe {
    let size = 256 << 20, chunk = 1 << 20
    let memory = Storage(byteCount: size)
    defer { withExtendedLifetime(memory) {} }
    let base = memory.pointer
    Parallel.run(size / chunk) { memset(base + $0 * chunk, 1, chunk) }
    let read = (0..<5).map { _ in
      Double(size) / seconds { Parallel.run(size / chunk) { _ = martlet_probe_read(base + $0 * chunk, chunk) } }
    }
    func peak(_ format: martlet_format) -> Double {
      let width = Parallel.width, iterations = Int64(200_000)
      let runs = (0..<5).map { _ in
        Double(iterations) / seconds { Parallel.run(width) { _ in _ = martlet_probe_arithmetic(format, iterations) } }
      }
      let lanes = format == MARTLET_F32 ? 16.0 : 64.0
      return (runs.max() ?? 0) * 16 * lanes * 2 * Double(width)
    }
    return MachineProbe(
      simd: String(cString: martlet_simd_name(martlet_simd_current())), threads: Parallel.width,
      readBandwidth: read.sorted()[3], floatPeak: peak(MARTLET_F32), integerPeak: peak(MARTLET_Q8_0))
  }

  private static func seconds(_ body: () -> Void) -> Double {
    var start = timespec(), end = timespec()
    clock_gettime(CLOCK_MONOTONIC, &start)
    body()
    clock_gettime(CLOCK_MONOTONIC, &end)
    return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
  }
}

/// The kernels that this process uses.
public enum Kernels {
  /// The instruction set of the kernels, e.g. `avx512bf16`. Results of different instruction sets differ by rounding.
  public static var current: String { String(cString: martlet_simd_name(martlet_simd_current())) }

  /// The number of the table in use, from the portable one up.
  package static var table: Int { Int(martlet_simd_current().rawValue) }

  /// Switches to another table, for tests.
  /// - Returns: whether this machine can run it; if not, nothing changes.
  package static func select(_ table: Int) -> Bool { martlet_simd_select(martlet_simd(rawValue: UInt32(table))) }
}
