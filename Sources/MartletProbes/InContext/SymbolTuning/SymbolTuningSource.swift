import MartletData

/// Data that prompts of symbol tuning are made of.
public struct SymbolTuningSource: Sendable {
  /// The texts.
  public let data: LabelledData
  /// The exemplars of each class, and the texts held out for evaluation.
  let training, heldOut: [[LabelledData.Example]]

  /// Reads `FILE`, `FILE:KEY` (the key of the label) or `FILE@SHARE` (only the first share of the exemplars of each class), or both: `FILE:KEY@SHARE`.
  /// - Throws: `FileError` that names the line that is wrong, ``ProbeError`` where a class has too few texts.
  public init(_ argument: String) throws {
    var path = argument, key = "label", share = 1.0
    if let sign = path.lastIndex(of: "@"), let number = Double(path[path.index(after: sign)...]) {
      guard number > 0, number <= 1 else {
        throw ProbeError("\(argument): the share behind @ must be above 0 and at most 1")
      }
      share = number
      path = String(path[..<sign])
    }
    if let colon = path.lastIndex(of: ":"), !path[colon...].contains("/") {
      key = String(path[path.index(after: colon)...])
      path = String(path[..<colon])
    }
    let lines = try JSONLines.read(path)
    data = try LabelledData(lines, path: path, labelKey: key)
    // A share of each class, as files may be sorted by their labels.
    training = data.divided(data.exemplars).map { Array($0.prefix(Int((Double($0.count) * share).rounded()))) }
    heldOut = data.divided(data.queries)
    for (label, examples) in zip(data.labels, training) where examples.count < Self.fewest {
      throw ProbeError(
        "\(argument): the class \"\(label)\" has \(examples.count) texts to tune on, but at least \(Self.fewest) are needed; leave the file out, or take a larger share"
      )
    }
  }

  /// Texts of a class that prompts need.
  private static let fewest = 4
}
