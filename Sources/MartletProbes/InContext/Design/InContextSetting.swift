/// Which labels the exemplars of a context show.
public enum InContextSetting: Sendable, Hashable {
  /// The natural labels, all of them right.
  case regular
  /// The natural labels, a share of them (in percent, above 0) exchanged for the next class's.
  case flipped(percent: Int)
  /// Symbols that have nothing to do with the classes (SUL-ICL); swapped: the same symbols in reverse order.
  case symbols(isSwapped: Bool)
  /// Points of a space divided by a plane, which no pre-training has taught; the labels are symbols.
  case linear(isSwapped: Bool)

  /// The settings of the paper's curves.
  public static let standard: [InContextSetting] = [
    .regular, .flipped(percent: 25), .flipped(percent: 50), .flipped(percent: 75), .flipped(percent: 100),
    .symbols(isSwapped: false), .symbols(isSwapped: true),
  ]

  /// A setting by its name: `regular`, `flipped25`, `sul`, `sul-swapped`, `linear`, `linear-swapped`. Other programs' spellings are
  /// understood too (`flip25`, `flipped_25`, `sulrev`); nil for any other name.
  public init?(_ name: String) {
    let name = name.lowercased()
    switch name {
    case "regular", "natural": self = .regular
    case "sul", "symbols": self = .symbols(isSwapped: false)
    case "sul-swapped", "sul_swapped", "sulswapped", "sulrev", "sul-reversed": self = .symbols(isSwapped: true)
    case "linear": self = .linear(isSwapped: false)
    case "linear-swapped", "linear_swapped": self = .linear(isSwapped: true)
    default:
      guard let match = name.wholeMatch(of: /flip(?:ped)?[-_ ]?(\d{1,3})\s?%?/), let percent = Int(match.1),
        percent <= 100
      else { return nil }
      self = percent == 0 ? .regular : .flipped(percent: percent)
    }
  }

  /// The name in rows and reports.
  public var name: String {
    switch self {
    case .regular: "regular"
    case .flipped(let percent): "flipped\(percent)"
    case .symbols(let isSwapped): isSwapped ? "sul-swapped" : "sul"
    case .linear(let isSwapped): isSwapped ? "linear-swapped" : "linear"
    }
  }

  /// The share of labels that are flipped, from 0 to 1; nil where the labels are symbols.
  public var flippedShare: Double? {
    switch self {
    case .regular: 0
    case .flipped(let percent): Double(percent) / 100
    case .symbols, .linear: nil
    }
  }

  /// The class whose label the exemplars suggest for a query of class `gold`: the next one where more than half of the labels are
  /// flipped, its own where fewer are; nil where they suggest nothing.
  func suggestedClass(ofGold gold: Int, classes: Int) -> Int? {
    let share = flippedShare ?? 0
    if share == 0.5 { return nil }
    return share > 0.5 ? (gold + 1) % classes : gold
  }
}
