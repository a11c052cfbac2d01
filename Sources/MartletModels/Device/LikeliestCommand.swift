import MartletDevice

/// The command that finds the likeliest tokens of rows of logits, and what the host reads of its results (`likeliest.comp`).
struct LikeliestCommand {
  private static let headWords = 8
  private let device: Device
  private let most: Int
  /// The bytes of a row's results.
  let rowByteCount: Int

  init(_ device: Device) {
    self.device = device
    most = device.checks.likeliestCount
    rowByteCount = (Self.headWords + 2 * most) * 4
  }

  /// - Parameters:
  ///   - rows: the number of rows.
  ///   - logits: the logits, a row of as many as the stride.
  ///   - scales: the reciprocal temperature of each row.
  ///   - found: where the results go, ``rowByteCount`` bytes a row.
  ///   - pass: what the scales are part of.
  func command(
    rows: Int, of logits: Product.Rows, scales: DeviceRange, to found: DeviceRange, pass: DevicePass
  ) -> Command {
    Command(
      Shader("likeliest", [UInt32(device.description.likeliestThreads), UInt32(most)]),
      Arguments().addresses(logits.range, scales, found).numbers(logits.stride), groups: (rows, 1, 1),
      reads: [.memory(logits.range), pass.stepData], writes: [.memory(found)], cost: rows * logits.stride * 8)
  }

  /// What the command has found for each row.
  func rows(in memory: DeviceMemory, temperatures: [Float]) -> [LikeliestLogits.Row] {
    let rowWords = rowByteCount / 4
    let words = memory.values(of: UInt32.self, count: temperatures.count * rowWords)
    return temperatures.enumerated().map { index, temperature in
      let start = index * rowWords
      func float(_ place: Int) -> Float { Float(bitPattern: words[start + place]) }
      let count = min(most, Int(words[start + 4]))
      return LikeliestLogits.Row(
        tokens: (0..<count).map { (Int(words[start + Self.headWords + 2 * $0]), float(Self.headWords + 2 * $0 + 1)) },
        greatest: float(0), sum: float(1), sumAtTemperature: float(2), temperature: temperature,
        isFinite: words[start + 3] == 0)
    }
  }
}
