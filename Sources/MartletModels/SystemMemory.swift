import Foundation

/// The free memory of the system.
public enum SystemMemory {
  /// The number of bytes that a program can allocate without swapping; nil if the system does not provide it.
  public static func available() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
    return nil
  }

  /// A number of bytes as text, e.g. `1.2 GB`.
  public static func text(_ bytes: Int) -> String {
    let value = Double(bytes)
    if value >= 1e9 { return String(format: "%.1f GB", value / 1e9) }
    if value >= 1e6 { return String(format: "%.0f MB", value / 1e6) }
    return String(format: "%.0f kB", value / 1e3)
  }
}
