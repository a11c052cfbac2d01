import MartletData
import MartletTensor
import MartletTokenizers

/// Symbols that stand for classes in symbol tuning: integers, strings of letters, and words (Wei et al., 2023, arXiv 2305.08298). Those that
/// a model is tuned with and those that it is evaluated with are disjoint.
public struct SymbolVocabulary: Sendable {
  /// What symbols are for.
  public enum Purpose: Sendable {
    /// Tuning: integers below 10,000, letters up to their 10,000th string, four fifths of the words.
    case training
    /// Evaluation: integers from 10,000 to 99,999, the strings of letters of these numbers, the other words.
    case evaluation
  }

  private let trainingWords, evaluationWords: [String]
  /// Symbols that are never drawn, in lower case.
  private let barred: Set<String>

  /// A vocabulary whose words are those that a tokenizer has as one token, of at least four lower-case letters behind a space.
  /// - Parameters:
  ///   - tokenizer: whose tokens are the words.
  ///   - barred: symbols of evaluations elsewhere, which are never drawn.
  public init(words tokenizer: any Tokenizer, barring barred: some Sequence<String> = []) {
    self.init(words: Self.words(of: tokenizer), barring: barred)
  }

  /// A vocabulary of given words; they are divided by their digests.
  public init(words: some Sequence<String>, barring barred: some Sequence<String> = []) {
    let bar = Set(barred.map { $0.lowercased() })
    self.barred = bar
    var training: [String] = [], evaluation: [String] = []
    for word in Set(words).sorted() where !bar.contains(word.lowercased()) {
      if Self.isForEvaluation(word) { evaluation.append(word) } else { training.append(word) }
    }
    (trainingWords, evaluationWords) = (training, evaluation)
  }

  private static func words(of tokenizer: any Tokenizer) -> [String] {
    (0..<tokenizer.vocabularySize).compactMap { id in
      let bytes = tokenizer.bytes(of: id)
      guard bytes.first == UInt8(ascii: " "), bytes.count > 4,
        bytes.dropFirst().allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
      else { return nil }
      return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }
  }

  private static func isForEvaluation(_ word: String) -> Bool {
    var digest = SHA256()
    digest.update(Array(word.utf8))
    return (UInt32(digest.finalize().prefix(8), radix: 16) ?? 0) % 5 == 0
  }

  /// Different symbols of one kind, which is drawn first: integers, letters or words with equal odds.
  public func symbols(_ count: Int, for purpose: Purpose, _ random: RandomSource) -> [String] {
    let words = purpose == .training ? trainingWords : evaluationWords
    let kind = random.integer(0, below: words.count >= 10 * count ? 3 : 2)
    var found: [String] = [], number = 1
    while found.count < count {
      let symbol =
        switch kind {
        case 0: "\(Self.integer(number, purpose, random))"
        case 1: Self.letters(Self.integer(number, purpose, random))
        default: words[random.integer(number, below: words.count)]
        }
      number += 1
      if !found.contains(symbol), !barred.contains(symbol.lowercased()) { found.append(symbol) }
    }
    return found
  }

  private static func integer(_ number: Int, _ purpose: Purpose, _ random: RandomSource) -> Int {
    purpose == .training ? random.integer(number, below: 10_000) : 10_000 + random.integer(number, below: 90_000)
  }

  /// A number as the columns of a spreadsheet are counted: A to Z, AA, AB, ...
  static func letters(_ number: Int) -> String {
    var rest = number, letters = ""
    repeat {
      letters = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(rest % 26))) + letters
      rest = rest / 26 - 1
    } while rest >= 0
    return letters
  }
}
