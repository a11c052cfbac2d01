/// A measure of a task, and the filter by which answers are taken out of generated texts.
public struct Metric: Sendable, Hashable {
  /// What is measured.
  public enum Kind: String, Sendable, CaseIterable {
    /// The share of rows whose most likely choice is the right one; of one continuation, the share that is greedy.
    case accuracy = "acc"
    /// As ``accuracy``, with log-likelihoods divided by the number of the choice's code points.
    case normalizedAccuracy = "acc_norm"
    /// As ``accuracy``, with log-likelihoods divided by the number of the choice's bytes in UTF-8.
    case byteAccuracy = "acc_bytes"
    /// The exponential of minus the mean log-likelihood of a row's whole continuation.
    case perplexity
    /// The share of answers that equal one of the right answers.
    case exactMatch = "exact_match"
    /// The mean overlap of words with the best of the right answers (SQuAD's F1).
    case f1
    /// The share of rows whose most likely choice equals one of the right answers, articles and punctuation ignored.
    case bestMatch = "em"
    /// The share of generated texts in which the answer stands in the form that was asked for.
    case inForm = "in_form"
  }

  /// What is measured.
  public let kind: Kind
  /// The filter that takes the answer out of a generated text; nil for scored choices.
  public let filter: String?

  /// A measure.
  public init(_ kind: Kind, filter: String? = nil) {
    self.kind = kind
    self.filter = filter
  }

  /// The name in tables and files, such as `acc_norm` or `exact_match,strict-match`.
  public var name: String { filter.map { "\(kind.rawValue),\($0)" } ?? kind.rawValue }
  /// Whether a larger value is a better one.
  public var higherIsBetter: Bool { kind != .perplexity }
}
