import MartletData
import MartletTensor

/// Decides which responses are learnt from. The others stay in the file with the reason.
public struct Selection: Sendable {
  /// How many rows there are, how many are learnt from, and why others are not.
  public struct Summary: Sendable, Equatable {
    /// The number of rows, of those that are learnt from, and of those that were mixed in.
    public var count = 0, selected = 0, mixed = 0
    /// The number of selected rows whose answer nobody knows, so that it was not compared.
    public var unchecked = 0
    /// The numbers of dropped rows by reason.
    public var reasons: [String: Int] = [:]
  }

  /// Which responses are learnt from.
  public var settings: SelectionSettings
  /// Draws rows that are mixed in.
  public var seed: Int

  /// A selection.
  public init(_ settings: SelectionSettings, seed: Int = 1) {
    self.settings = settings
    self.seed = seed
  }

  /// The rows, of which those that are not learnt from say why, followed by rows of other data.
  ///
  /// - Parameters:
  ///   - rows: responses that were checked.
  ///   - mixtures: the rows of each mixture of the settings, in their order.
  /// - Throws: ``TeachingError`` where nothing is left, or a mixture has too few rows.
  public func run(_ rows: [TeachingRow], mixtures: [[TeachingRow]] = []) throws -> (
    rows: [TeachingRow], summary: Summary
  ) {
    var summary = Summary()
    summary.count = rows.count
    var paths: [String: Set<String>] = [:], perQuestion: [String: Int] = [:]
    var selected = rows.map { row in
      var row = row
      guard row.dropped == nil else { return row }
      row.dropped = reason(row)
      guard row.dropped == nil, let response = row.response else { return row }
      let path: String? =
        switch settings.duplicates {
        case .kept: nil
        case .text: ReasoningPath.text(response)
        case .path: ReasoningPath.key(response)
        }
      if let path, !paths[row.id, default: []].insert(path).inserted {
        row.dropped =
          settings.duplicates == .path ? "another response has the same steps" : "another response is the same"
      } else if let most = settings.perQuestion, perQuestion[row.id, default: 0] >= most {
        row.dropped = "there are \(most) responses to the question already"
      } else {
        perQuestion[row.id, default: 0] += 1
      }
      return row
    }
    summary.selected = selected.count { $0.dropped == nil }
    summary.unchecked = selected.count { $0.dropped == nil && $0.isCorrect == nil }
    for row in selected { if let reason = row.dropped { summary.reasons[reason, default: 0] += 1 } }
    guard summary.selected > 0 else {
      let reasons = summary.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(4)
      throw TeachingError(
        "none of \(rows.count) rows is left to learn from"
          + (reasons.isEmpty ? "" : " (\(reasons.map { "\($0.value): \($0.key.printable)" }.joined(separator: "; ")))")
          + "; ask for more samples, or select less strictly")
    }
    selected += try mixed(mixtures, beside: summary.selected)
    summary.mixed = selected.count - rows.count
    return (selected, summary)
  }

  private func reason(_ row: TeachingRow) -> String? {
    if let reason = reasonOfAnswer(row) { return reason }
    let response = row.response ?? ""
    if let least = settings.minimumLength, response.count < least { return "it has fewer than \(least) characters" }
    if let most = settings.maximumLength, response.count > most { return "it has more than \(most) characters" }
    return nil
  }

  /// Why a row's response cannot be learnt from, whatever its form.
  private func reasonOfAnswer(_ row: TeachingRow) -> String? {
    guard let response = row.response, !response.isEmpty else { return "it has no response" }
    guard settings.onlyCorrect, row.isCorrect == false else { return nil }
    return row.extracted == nil ? "no answer was found in it" : "its answer is wrong"
  }

  /// Rows of other data, as many as make up their shares of all examples.
  private func mixed(_ mixtures: [[TeachingRow]], beside count: Int) throws -> [TeachingRow] {
    let own = 1 - settings.mixture.reduce(0) { $0 + $1.share }
    return try zip(settings.mixture, mixtures).enumerated().flatMap { number, part -> [TeachingRow] in
      let (mixture, rows) = part
      let usable = rows.filter { $0.dropped == nil && reasonOfAnswer($0) == nil }
      let wanted = Int((Double(count) * mixture.share / own).rounded())
      guard usable.count >= wanted else {
        throw TeachingError(
          "\(mixture.source.file) has \(usable.count) rows to learn from, but a share of \(mixture.share) beside \(count) examples needs \(wanted); lower the share, or give more rows"
        )
      }
      let order = RandomSource(seed: UInt64(max(0, seed))).stream("mixture").stream(number).permutation(usable.count)
      return order.prefix(wanted).sorted().map { place in
        var row = usable[place]
        row.others["mixed_in"] = true
        return row
      }
    }
  }
}
