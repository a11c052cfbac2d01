import MartletEngine
import MartletModels
import MartletSkeleton

/// The paper's model of latency (Ning et al., appendix F): T(skeleton) + T(longest point), from the speeds of reading
/// and of steps of several sequences. Here points leave the batch, so each step costs what its number of rows costs.
public struct LatencyModel: Sendable {
  /// Seconds to read a token of a prompt.
  public let read: Double
  /// Seconds of a step by number of sequences, ascending.
  public let steps: [(sequences: Int, seconds: Double)]

  /// Measures on the model itself; some seconds. The engine must be idle.
  public init(measuring model: any LanguageModel, upTo sequences: Int = 12, repeats: Int = 2) {
    let benchmark = Benchmark(model: model)
    read = 1 / benchmark.prefill(128, repeats: repeats)
    steps = [1, 2, 4, 8, 12, 16].filter { $0 == 1 || $0 <= max(2, sequences) }.map {
      ($0, Double($0) / benchmark.decode(24, sequences: $0, context: 160, repeats: repeats))
    }
  }

  init(read: Double, steps: [(sequences: Int, seconds: Double)]) {
    self.read = read
    self.steps = steps
  }

  /// Seconds of a step, between measured sizes in proportion.
  public func step(_ sequences: Int) -> Double {
    guard let above = steps.firstIndex(where: { $0.sequences >= sequences }) else {
      return steps.last.map { $0.seconds * Double(sequences) / Double($0.sequences) } ?? 0
    }
    if above == 0 || steps[above].sequences == sequences { return steps[above].seconds }
    let (low, high) = (steps[above - 1], steps[above])
    let share = Double(sequences - low.sequences) / Double(high.sequences - low.sequences)
    return low.seconds + share * (high.seconds - low.seconds)
  }

  /// Seconds that an answer should take.
  public func seconds(_ report: SkeletonReport, races: Bool) -> Double {
    guard report.usedSkeleton else {
      return Double(report.promptTokens) * read + Double(report.normalTokens) * step(1)
    }
    var total = Double(report.skeletonReadTokens + report.pointReadTokens) * read
    total += Double(report.skeletonTokens) * step(races ? 2 : 1)
    let lengths = report.points.map(\.tokens)
    for token in 0..<(lengths.max() ?? 0) { total += step(lengths.count { $0 > token }) }
    return total
  }
}
