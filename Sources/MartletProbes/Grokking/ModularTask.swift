import MartletTensor

/// All pairs (a, b) of residues modulo a prime, with the results of an operation.
public struct ModularTask: Sendable {
  /// Operations modulo a prime.
  public enum Operation: String, Sendable, Codable, CaseIterable {
    /// `a + b`, `a - b` and `a b`.
    case add, subtract, multiply
    /// `a / b`; pairs with b = 0 are left out.
    case divide
    /// `a^2 + ab + b^2`
    case quadratic
    /// `a^3 + ab`
    case cubic
  }

  /// The operation on the pairs.
  public let operation: Operation
  /// The prime.
  public let modulus: Int
  /// All pairs with their answers.
  public let pairs: [(a: Int, b: Int, answer: Int)]
  /// The indices into ``pairs`` of the training pairs and of the held-out pairs.
  public let training, test: [Int]

  /// - Parameters:
  ///   - operation: the operation on the pairs.
  ///   - p: the modulus, a prime.
  ///   - share: the share of the pairs used for training.
  ///   - random: the random numbers for the split.
  public init(_ operation: Operation, modulus p: Int, share: Double, random: RandomSource) {
    let pairs = Self.pairs(operation, p)
    let order = random.stream("pairs").permutation(pairs.count)
    self.init(operation, modulus: p, training: Array(order.prefix(Int(Double(pairs.count) * share))))
  }

  /// - Parameters:
  ///   - operation: the operation on the pairs.
  ///   - p: the modulus, a prime.
  ///   - training: the indices of the training pairs; all others are held out.
  init(_ operation: Operation, modulus p: Int, training: [Int]) {
    self.operation = operation
    modulus = p
    pairs = Self.pairs(operation, p)
    self.training = training.sorted()
    test = Set(pairs.indices).subtracting(training).sorted()
  }

  private static func pairs(_ operation: Operation, _ p: Int) -> [(a: Int, b: Int, answer: Int)] {
    var pairs: [(a: Int, b: Int, answer: Int)] = []
    for a in 0..<p {
      for b in 0..<p {
        switch operation {
        case .add: pairs.append((a, b, (a + b) % p))
        case .subtract: pairs.append((a, b, (a - b + p) % p))
        case .multiply: pairs.append((a, b, a * b % p))
        case .divide: if b > 0 { pairs.append((a, b, a * power(b, p - 2, p) % p)) }
        case .quadratic: pairs.append((a, b, (a * a + a * b + b * b) % p))
        case .cubic: pairs.append((a, b, (a * a % p * a + a * b) % p))
        }
      }
    }
    return pairs
  }

  static func isPrime(_ p: Int) -> Bool {
    p > 1 && !(2..<max(2, Int(Double(p).squareRoot()) + 1)).contains { p % $0 == 0 }
  }

  private static func power(_ base: Int, _ exponent: Int, _ p: Int) -> Int {
    var result = 1, factor = base % p, rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result = result * factor % p }
      factor = factor * factor % p
      rest >>= 1
    }
    return result
  }
}
