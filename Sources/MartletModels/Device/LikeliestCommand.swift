import MartletDevice

/// The command that finds the likeliest tokens of rows of logits, and what the host reads of its results (`likeliest.comp`).
enum LikeliestCommand {
  private static let most = 256, headWords = 8
  static let rowByteCount = (headWords + 2 * most) * 4

  /// - Parameters:
  ///   - rows: the number of rows.
  ///   - logits: the logits, a row of as many as the stride.
  ///   - scales: the reciprocal temperature of each row.
  ///   - found: where the results go, ``rowByteCount`` bytes a row.
  ///   - pass: what the scales are part of.
  static func command(
    rows: Int, of logits: Product.Rows, scales: DeviceRange, to found: DeviceRange, pass: DevicePass
  ) -> Command {
    Command(
      Shader("likeliest", [UInt32(pass.device.description.likeliestThreads)]),
      Arguments().addresses(logits.range, scales, found).numbers(logits.stride), groups: (rows, 1, 1),
      reads: [.memory(logits.range), pass.stepData], writes: [.memory(found)], cost: rows * logits.stride * 8)
  }

  /// What the command has found for each row.
  static func rows(in memory: DeviceMemory, temperatures: [Float]) -> [LikeliestLogits.Row] {
    let words = memory.values(of: UInt32.self, count: temperatures.count * rowByteCount / 4)
    return temperatures.enumerated().map { index, temperature in
      let row = words[(index * rowByteCount / 4)...].prefix(rowByteCount / 4), start = row.startIndex
      func float(_ place: Int) -> Float { Float(bitPattern: row[start + place]) }
      let count = min(most, Int(row[start + 4]))
      return LikeliestLogits.Row(
        tokens: (0..<count).map { place in
          let at = headWords + 2 * place
          return (Int(row[start + at]), float(at + 1))
        },
        greatest: float(0), sum: float(1), sumAtTemperature: float(2), temperature: temperature,
        isFinite: row[start + 3] == 0)
    }
  }
}
