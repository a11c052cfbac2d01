/// The likeliest tokens of the rows of a pass, whose whole logits stay on the device until the model's next pass.
public struct LikeliestLogits: Sendable {
  /// What is known of one row.
  public struct Row: Sendable {
    /// Tokens with their logits, the likeliest first, of equal ones the lower number first. All others are less likely than these.
    public let tokens: [(token: Int, logit: Float)]
    /// The greatest logit.
    public let greatest: Float
    /// The sum of `exp(logit - greatest)` over the vocabulary.
    public let sum: Float
    /// The sum of `exp((logit - greatest) / temperature)` over the vocabulary.
    public let sumAtTemperature: Float
    /// The temperature.
    public let temperature: Float
    /// Whether all logits of the vocabulary are numbers.
    public let isFinite: Bool

    /// - Parameters: the properties of the same names; tokens in any order.
    public init(
      tokens: [(token: Int, logit: Float)], greatest: Float, sum: Float, sumAtTemperature: Float, temperature: Float,
      isFinite: Bool
    ) {
      self.tokens = tokens.sorted { ($1.logit, $0.token) < ($0.logit, $1.token) }
      self.greatest = greatest
      self.sum = sum
      self.sumAtTemperature = sumAtTemperature
      self.temperature = temperature
      self.isFinite = isFinite
    }
  }

  /// The rows, in the order of the pass. There are none if the pass has failed (``LanguageModel/takeFailure()``).
  public let rows: [Row]
  private let readRow: @Sendable (Int) -> [Float]?

  /// - Parameters:
  ///   - rows: what is known of each row.
  ///   - readRow: all logits of a row; nil if the device has failed.
  public init(rows: [Row], readRow: @escaping @Sendable (Int) -> [Float]?) {
    self.rows = rows
    self.readRow = readRow
  }

  /// All logits of a row, which are read from the device. Only until the model's next pass.
  /// - Returns: nil if the device has failed (``LanguageModel/takeFailure()``).
  public func wholeRow(_ row: Int) -> [Float]? { readRow(row) }
}
