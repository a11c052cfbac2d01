import Foundation
import MartletEvaluation
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import MartletTraining
import Testing

@testable import MartletProbes

struct SymbolTuningTests {
  private func mixture(_ change: (inout SymbolTuningMixture.Settings) -> Void = { _ in }) throws -> SymbolTuningMixture
  {
    let scratch = try TestData.Scratch(), path = scratch.file("made.jsonl")
    let lines = ["pay_bill", "weather", "music"].flatMap { label in
      (0..<40).map { number in
        #"{"text":"\#(label) says \#(number)","intent":"\#(label)","split":"\#(number % 4 == 0 ? "validation" : "train")"}"#
      }
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    var settings = SymbolTuningMixture.Settings()
    change(&settings)
    let words = (0..<500).map { "word" + SymbolVocabulary.letters($0).lowercased() }
    return try SymbolTuningMixture(
      [SymbolTuningSource("\(path):intent@0.5")], vocabulary: SymbolVocabulary(words: words, barring: ["Foo", "Bar"]),
      settings: settings)
  }

  @Test func symbolsOfTuningAndOfEvaluationAreDisjoint() {
    let vocabulary = SymbolVocabulary(words: (0..<500).map { "word\($0)" }, barring: ["Foo", "Bar"])
    var training: Set<String> = [], evaluation: Set<String> = []
    for number in 0..<3000 {
      let random = RandomSource(seed: 1).stream(number)
      let pair = vocabulary.symbols(2, for: .training, random)
      #expect(Set(pair).count == 2)
      training.formUnion(pair)
      evaluation.formUnion(vocabulary.symbols(2, for: .evaluation, random))
    }
    #expect(training.isDisjoint(with: evaluation))
    #expect(training.isDisjoint(with: ["FOO", "BAR"]))
    #expect(["A", "Z", "AA", "AB", "ZZ", "AAA"] == [0, 25, 26, 27, 701, 702].map(SymbolVocabulary.letters))
  }

  /// Of four texts a class and none held out, two are shown and two are asked.
  @Test func fewTextsAreDivided() throws {
    let scratch = try TestData.Scratch(), path = scratch.file("few.jsonl")
    let lines = ["a", "b"].flatMap { label in
      (0..<4).map { #"{"text":"\#(label) \#($0)","label":"\#(label)","split":"train"}"# }
    }
    try scratch.write(Array(lines.joined(separator: "\n").utf8), to: "few.jsonl")
    let vocabulary = SymbolVocabulary(words: [String](), barring: [])
    let mixture = try SymbolTuningMixture(
      [SymbolTuningSource(path)], vocabulary: vocabulary, settings: SymbolTuningMixture.Settings())
    for number in 0..<20 {
      let prompt = mixture.evaluationPrompt(number, shots: 4, queries: 10)
      #expect(prompt.exemplars.count == 4 && prompt.queries.count == 4)
      #expect(Set(prompt.exemplars.map(\.text)).isDisjoint(with: prompt.queries.map(\.text)))
      #expect(mixture.trainingPrompt(number).queries.count == 1)
    }
  }

  @Test func promptsAreOfTwoClassesWithQueriesOfTheirOwn() throws {
    let mixture = try mixture()
    var natural = 0
    for number in 0..<200 {
      let prompt = mixture.trainingPrompt(number)
      #expect(prompt == mixture.trainingPrompt(number))
      #expect(prompt.labels.count == 2 && (4...20).contains(prompt.exemplars.count))
      #expect(Set(prompt.exemplars.map(\.text)).count == prompt.exemplars.count)
      #expect(!prompt.exemplars.map(\.text).contains(prompt.queries[0].text))
      if prompt.isNatural {
        natural += 1
        #expect(Set(prompt.labels).isSubset(of: ["pay bill", "weather", "music"]))
      }
    }
    #expect((20...65).contains(natural))
    let held = mixture.evaluationPrompt(0, shots: 4, queries: 6)
    #expect(held.exemplars.count == 8 && held.queries.count { $0.gold == 0 } == 3)
  }

  @Test func labelsCountOnceEachClassWasShown() throws {
    for lastOnly in [false, true] {
      let mixture = try mixture { $0.countsLastLabelOnly = lastOnly }
      for number in 0..<20 {
        let prompt = mixture.trainingPrompt(number)
        let (tokens, counts) = mixture.tokens(of: prompt, ByteTokenizer())
        #expect(tokens.count == counts.count)
        // What counts, as texts.
        var counted: [String] = [], bytes: [UInt8] = []
        for (token, counts) in zip(tokens + [0], counts + [false]) {
          if counts {
            bytes.append(UInt8(token))
          } else if !bytes.isEmpty {
            counted.append(String(decoding: bytes, as: UTF8.self))
            bytes = []
          }
        }
        let first = prompt.exemplars.indices.first { Set(prompt.exemplars[...$0].map(\.shown)).count == 2 } ?? 0
        #expect(counted.count == (lastOnly ? 1 : prompt.exemplars.count - first))
        for text in counted { #expect(prompt.labels.contains(text.trimmingWhiteSpace), "\(text)") }
        #expect(counted.last?.trimmingWhiteSpace == prompt.labels[prompt.queries[0].gold])
      }
    }
  }

  @Test func promptsFitTheContext() throws {
    let data = try mixture { $0.context = 220 }.trainingData(30, tokenizer: ByteTokenizer())
    #expect(data.examples.count == 30)
    #expect(data.examples.allSatisfy { $0.count <= 221 })
    #expect(throws: ProbeError.self) { try mixture { $0.context = 20 }.trainingData(5, tokenizer: ByteTokenizer()) }
  }

  @Test func theLogKnowsTheBestStepAndForgetsStepsThatAreMadeAgain() throws {
    let scratch = try TestData.Scratch(), path = scratch.file("log.jsonl")
    func estimate(_ value: Double) -> InContextEstimate {
      InContextEstimate(value: value, interval: .init(lower: value - 0.1, upper: value + 0.1))
    }
    let log = try SymbolTuningLog(path, upTo: 0)
    #expect(
      try [(0.9, 0), (0.5, 10), (0.7, 20), (0.6, 30)].map { try log.append(estimate($0), step: $1) } == [
        false, true, true, false,
      ])
    #expect(log.best?.step == 20 && log.measurementsSinceBest == 1)
    let again = try SymbolTuningLog(path, upTo: 20)
    #expect(again.points.map(\.step) == [0, 10, 20] && again.best?.step == 20)
  }
}
