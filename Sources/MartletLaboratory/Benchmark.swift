import Foundation
import MartletEvaluation
import MartletModels
import MartletTensor

/// Times a model's forward passes: medians over repeats, after one run to warm up.
public struct Benchmark {
  private let model: any LanguageModel

  /// - Parameter model: the model that is timed.
  public init(model: any LanguageModel) { self.model = model }

  /// Any tokens will do: the work does not depend on them.
  private func tokens(_ count: Int, seed: Int = 0) -> [Int] {
    let size = model.description.vocabularySize
    return (0..<count).map { (($0 + seed) &* 7919 + 11) % size }
  }

  private func median(_ repeats: Int, _ body: () -> Double) -> Double {
    (0..<repeats).map { _ in body() }.median
  }

  private func time(_ body: () -> Void) -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    body()
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
  }

  /// Tokens a second while reading a prompt in chunks of 512, logits of the last token only.
  public func prefill(_ count: Int, repeats: Int) -> Double {
    func run() {
      let state = model.makeState()
      let prompt = tokens(count)
      for start in stride(from: 0, to: count, by: 512) {
        _ = model.forward(Batch(Array(prompt[start..<min(count, start + 512)]), state: state))
      }
    }
    run()
    return Double(count) / median(repeats) { time(run) }
  }

  /// Tokens a second, all sequences together, each decoding one token a step after `context` tokens.
  public func decode(_ count: Int, sequences: Int, context: Int, repeats: Int) -> Double {
    let states = (0..<sequences).map { sequence in
      let state = model.makeState()
      _ = model.forward(Batch(tokens(context, seed: sequence), state: state))
      return state
    }
    func step(_ states: [any SequenceState], _ token: Int) {
      var batch = Batch()
      for (sequence, state) in states.enumerated() { batch.append(tokens(1, seed: token + sequence), state: state) }
      _ = model.forward(batch)
    }
    step(states.map { $0.copy() }, 0)
    let seconds = median(repeats) {
      let copies = states.map { $0.copy() }
      return time { for token in 0..<count { step(copies, token) } }
    }
    return Double(count * sequences) / seconds
  }
}
