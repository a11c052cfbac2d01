/// What is measured of a cell. Each is a sum over queries, or over pairs of queries, divided by their number; both are added up over
/// contexts, which is how contexts are resampled.
public enum InContextMeasure: Sendable, Hashable {
  /// The share of queries whose highest score is that of the right label; of equal scores the first label's counts.
  case accuracy
  /// The same after batch calibration over the queries of a context.
  case batchCalibratedAccuracy
  /// The same after contextual calibration with queries without content.
  case contextCalibratedAccuracy
  /// The same after calibration with random words of the domain.
  case domainCalibratedAccuracy
  /// The same with each score divided by the number of tokens of its label.
  case lengthNormalizedAccuracy
  /// The share of pairs of queries of one context and of different classes that the scores put in the right order, equal ones counting
  /// a half: the area under the receiver operating characteristic. With more than two labels every class stands against the others
  /// (by the logarithm of its odds), and the pairs of all classes are added up.
  case areaUnderCurve
  /// The mean of the right label's score less the highest other score, in nats.
  case goldMargin
  /// The share of queries that are answered with a class.
  case classShare(Int)
  /// The share of queries answered as without exemplars.
  case priorAlignment
  /// The share of queries answered as the exemplars' labels suggest.
  case promptAlignment
  /// Of the queries for which the exemplars suggest another answer than the model gives without any, the share that follows them.
  case overrideRate
  /// The share of generated answers that are the right label.
  case generatedAccuracy
  /// The share of generated answers that are no label at all.
  case outsideRate

  /// The measures that are no share of a class, in the order of reports.
  static let all: [InContextMeasure] = [
    .accuracy, .batchCalibratedAccuracy, .contextCalibratedAccuracy, .domainCalibratedAccuracy,
    .lengthNormalizedAccuracy,
    .areaUnderCurve, .goldMargin, .priorAlignment, .promptAlignment, .overrideRate, .generatedAccuracy, .outsideRate,
  ]
  /// The measures whose change with the share of flipped labels is of interest.
  static let following: [InContextMeasure] = [
    .accuracy, .batchCalibratedAccuracy, .areaUnderCurve, .goldMargin, .generatedAccuracy,
  ]

  /// The name in JSON.
  public var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .batchCalibratedAccuracy: "accuracy_batch_calibrated"
    case .contextCalibratedAccuracy: "accuracy_contextual_calibrated"
    case .domainCalibratedAccuracy: "accuracy_domain_calibrated"
    case .lengthNormalizedAccuracy: "accuracy_length_normalized"
    case .areaUnderCurve: "auroc"
    case .goldMargin: "gold_margin"
    case .classShare: "class_share"
    case .priorAlignment: "prior_alignment"
    case .promptAlignment: "prompt_alignment"
    case .overrideRate: "override_rate"
    case .generatedAccuracy: "accuracy_generated"
    case .outsideRate: "out_of_set_rate"
    }
  }
}
