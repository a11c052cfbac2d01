import MartletData

/// The parts of a regular expression, as ``RegularExpressionParser`` reads them.
indirect enum RegularExpressionNode {
  enum Assertion { case textStart, textEnd, textEndOrLastBreak, lineStart, lineEnd, wordBoundary, noWordBoundary }
  enum Greed { case greedy, lazy, possessive }

  case set(ScalarSet)
  case sequence([RegularExpressionNode])
  case alternatives([RegularExpressionNode])
  case repeated(RegularExpressionNode, atLeast: Int, atMost: Int?, Greed)
  case look(RegularExpressionNode, ahead: Bool, negative: Bool)
  case atomic(RegularExpressionNode)
  case assertion(Assertion)

  /// The fewest and the most scalars that this can match; nil for no bound.
  var width: (least: Int, most: Int?) {
    switch self {
    case .set: return (1, 1)
    case .look, .assertion: return (0, 0)
    case .atomic(let node): return node.width
    case .sequence(let nodes):
      return nodes.reduce((0, 0)) { sum, node in
        let width = node.width
        return (Self.sum(sum.0, width.least), sum.1.flatMap { most in width.most.map { Self.sum(most, $0) } })
      }
    case .alternatives(let nodes):
      let widths = nodes.map(\.width)
      let most = widths.contains { $0.most == nil } ? nil : widths.compactMap(\.most).max()
      return (widths.map(\.least).min() ?? 0, most)
    case .repeated(let node, let atLeast, let atMost, _):
      let width = node.width
      let most: Int? = width.most == 0 ? 0 : atMost.flatMap { count in width.most.map { Self.product($0, count) } }
      return (Self.product(width.least, atLeast), most)
    }
  }

  /// Whether some part of it takes as little as it can.
  var isReluctant: Bool {
    switch self {
    case .set, .assertion: false
    case .look(let node, _, _), .atomic(let node): node.isReluctant
    case .sequence(let nodes), .alternatives(let nodes): nodes.contains(where: \.isReluctant)
    case .repeated(let node, _, _, let greed): greed == .lazy || node.isReluctant
    }
  }

  /// Sums and products of strangers' counts stop at a bound that no text reaches.
  private static let bound = 1 << 40
  private static func sum(_ a: Int, _ b: Int) -> Int { min(bound, a + b) }
  private static func product(_ a: Int, _ b: Int) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? bound : min(bound, value)
  }
}

/// Why a regular expression cannot be used.
struct RegularExpressionError: Error {
  let problem: String
  init(_ problem: String) { self.problem = problem }
}
