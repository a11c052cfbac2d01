import Foundation

/// Which method a table of measured recoveries recommends, and on what it rests.
public struct RecoveryAdvice: Sendable {
  /// What is known of the images to recover.
  public struct Question: Sendable, Equatable {
    /// Measurements as a part of the pixels.
    public var ratio: Double
    /// The deviation of the noise in parts of the measurements' root mean square.
    public var noise: Double
    /// Whether there are images of the kind to learn from.
    public var hasTraining: Bool
    /// The number of pixels of an image; nil if it is not known.
    public var pixels: Int?

    /// - Parameters:
    ///   - ratio: measurements as a part of the pixels.
    ///   - noise: the deviation of the noise in parts of the measurements' root mean square.
    ///   - hasTraining: whether there are images of the kind to learn from.
    ///   - pixels: the number of pixels of an image; nil if it is not known.
    public init(ratio: Double, noise: Double = 0, hasTraining: Bool = false, pixels: Int? = nil) {
      (self.ratio, self.noise, self.hasTraining, self.pixels) = (ratio, noise, hasTraining, pixels)
    }
  }

  /// The recommendation for images like those of one set of the table.
  public struct Choice: Sendable {
    /// The method that came closest, as the table has it.
    public let best: RecoveryTable.Entry
    /// The others that could be used, the closest first.
    public let others: [RecoveryTable.Entry]

    /// Those whose interval over images overlaps that of the best, so that the table does not tell them apart.
    public var undecided: [RecoveryTable.Entry] {
      others.filter { other in
        guard let mine = best.estimates[.psnr], let theirs = other.estimates[.psnr] else { return false }
        return theirs.upper >= mine.lower
      }
    }
  }

  /// The question.
  public let question: Question
  /// A recommendation for each set of images that the table covers.
  public let choices: [Choice]
  /// What the table does not cover, one sentence each.
  public let gaps: [String]

  /// A table says nothing of ratios and noises further away than by this factor.
  private static let reach = 2.0

  /// Looks a question up.
  /// - Parameters:
  ///   - question: what is known.
  ///   - table: the table.
  public init(_ question: Question, by table: RecoveryTable) {
    self.question = question
    var sets: [String] = []
    for entry in table.entries where !sets.contains(entry.conditions.images) { sets.append(entry.conditions.images) }
    var choices: [Choice] = [], gaps: [String] = []
    for set in sets {
      let entries = table.entries.filter { $0.conditions.images == set }
      if let pixels = question.pixels, let own = entries.first?.conditions.pixels, pixels != own,
        table.entries.contains(where: { $0.conditions.pixels == pixels })
      {
        continue  // images of exactly this size stand in another set
      }
      let usable = entries.filter { question.hasTraining || !$0.conditions.learnsFromImages }
      guard let noise = Self.nearest(usable.map(\.conditions.noise), to: question.noise) else {
        gaps.append(
          Self.gap(
            set, "noise \(question.noise)", has: usable.map(\.conditions.noise), question)
        )
        continue
      }
      let heard = usable.filter { $0.conditions.noise == noise }
      guard let ratio = Self.nearest(heard.map(\.conditions.ratio), to: question.ratio) else {
        gaps.append(
          Self.gap(
            set, "a ratio of \(question.ratio)", has: heard.map(\.conditions.ratio), question))
        continue
      }
      let found = heard.filter { abs($0.conditions.ratio - ratio) < 1e-9 }.sorted { $0[.psnr] > $1[.psnr] }
      guard let best = found.first else { continue }
      choices.append(Choice(best: best, others: Array(found.dropFirst())))
    }
    (self.choices, self.gaps) = (choices, gaps)
  }

  /// The nearest value by its ratio to the wanted one, if it is near; 0 is near 0 alone.
  private static func nearest(_ values: [Double], to wanted: Double) -> Double? {
    if wanted == 0 { return values.first { $0 == 0 } }
    func distance(_ value: Double) -> Double { value > 0 ? abs(log(value / wanted)) : .infinity }
    guard let best = values.min(by: { distance($0) < distance($1) }), distance(best) <= log(reach) else { return nil }
    return best
  }

  private static func gap(_ set: String, _ what: String, has values: [Double], _ question: Question) -> String {
    let measured = Array(Set(values)).sorted().map { String(format: "%.3g", $0) }.joined(separator: ", ")
    return "For images like \(set) the table does not cover \(what)"
      + (measured.isEmpty ? "; it has no method that could be used" : ": it has \(measured)")
      + ". Measure it: martlet sense bench IMAGES --ratios \(question.ratio)"
      + (question.noise > 0 ? " --noise \(question.noise)" : "") + (question.hasTraining ? " --training IMAGES" : "")
      + " --json, and give the output as --table."
  }
}
