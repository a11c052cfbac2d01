@testable import MartletEngine

/// Texts drawn from a grammar at random: among the bytes that may follow, with a growing leaning to what ends things.
struct GrammarWalk {
  enum Outcome: Equatable {
    case text(String)
    /// A text that can neither end nor go on: the grammar is broken.
    case stuck(String)
    /// Not at its end after many bytes.
    case endless
  }

  private let automaton: GrammarAutomaton
  private var random: RandomStream

  init(_ grammar: Grammar, seed: UInt64) {
    automaton = GrammarAutomaton(grammar)
    random = RandomStream(seed: seed)
  }

  mutating func next(longest: Int = 3000) -> Outcome {
    var state = GrammarAutomaton.start
    var bytes: [UInt8] = []
    // Some texts are short, some are not.
    let patience = Double(Int.random(in: 5...150, using: &random))
    while bytes.count < longest {
      let leaning = min(0.9, Double(bytes.count) / patience)
      if automaton.isAccepting(state) {
        if !automaton.canContinue(state) || Double.random(in: 0..<1, using: &random) < max(0.2, leaning) {
          return .text(String(decoding: bytes, as: UTF8.self))
        }
      }
      let allowed = (0...255).map(UInt8.init).filter { automaton.next(state, $0) >= 0 }
      guard !allowed.isEmpty else { return .stuck(String(decoding: bytes, as: UTF8.self)) }
      let ending = allowed.filter { "\"}],:ntf".utf8.contains($0) }
      // Outside ASCII, lower and control bytes would be most of the text.
      let plain = allowed.filter { $0 < 0x80 }
      var among = allowed
      if !ending.isEmpty, Double.random(in: 0..<1, using: &random) < leaning {
        among = ending
      } else if !plain.isEmpty, Int.random(in: 0..<4, using: &random) > 0 {
        among = plain
      }
      let byte = among[Int.random(in: 0..<among.count, using: &random)]
      bytes.append(byte)
      state = automaton.next(state, byte)
    }
    return .endless
  }
}
