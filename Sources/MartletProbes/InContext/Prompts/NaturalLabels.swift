/// The names under which a data set's labels are shown to a model, and the classes that they make: labels with the same name are one
/// class.
public struct NaturalLabels: Sendable, Equatable {
  /// The names in the order of the classes.
  public let names: [String]
  /// The class of each label of the data.
  public let classes: [String: Int]

  /// - Parameter pairs: labels of the data with their names, in the order of the classes.
  /// - Throws: ``ProbeError`` if there are not two names, a name is empty or a label is named twice.
  public init(_ pairs: [(label: String, name: String)]) throws {
    var names: [String] = [], classes: [String: Int] = [:]
    for (label, name) in pairs {
      guard !name.trimmingWhiteSpace.isEmpty else {
        throw ProbeError("the label \"\(label)\" has an empty name; give it one")
      }
      if !names.contains(name) { names.append(name) }
      guard classes.updateValue(names.firstIndex(of: name) ?? 0, forKey: label) == nil else {
        throw ProbeError("the label \"\(label)\" is named twice; name it once")
      }
    }
    guard names.count > 1 else { throw ProbeError("at least two labels with different names are needed") }
    self.names = names
    self.classes = classes
  }

  /// Labels written as `negative=Negative Sentiment,positive=Positive Sentiment`.
  /// - Throws: ``ProbeError`` that shows the form.
  public init(parsing text: String) throws {
    try self.init(
      text.split(separator: ",").map { part in
        guard let sign = part.firstIndex(of: "=") else {
          throw ProbeError("\"\(part)\" does not name a label; write label=name, e.g. negative=\"Negative Sentiment\"")
        }
        return (
          String(part[..<sign]).trimmingWhiteSpace, String(part[part.index(after: sign)...]).trimmingWhiteSpace
        )
      })
  }

  /// The names that the paper gives the labels of known data (Wei et al., 2023, appendix D), and otherwise the labels themselves in
  /// alphabetical order, underscores written as spaces.
  public init(for labels: Set<String>) throws {
    for pairs in Self.known where Set(pairs.map(\.label)) == labels {
      try self.init(pairs)
      return
    }
    try self.init(labels.sorted().map { ($0, $0.replacing("_", with: " ")) })
  }

  private static let known: [[(label: String, name: String)]] = [
    [("negative", "Negative Sentiment"), ("positive", "Positive Sentiment")],
    [("objective", "Objective Sentence"), ("subjective", "Subjective Sentence")],
    [("not_hate", "Not Hate Speech"), ("hate", "Hate Speech")],
    [
      ("contradiction", "Does not entail"), ("neutral", "Does not entail"), ("entailment", "Entails"),
    ],
  ]
}
