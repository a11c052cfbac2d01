import Foundation
import MartletData
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletProbes

struct InContextDesignTests {
  /// Texts of three classes with splits.
  private func task(_ classes: [String] = ["negative", "positive"], each: Int = 60) throws -> LabelledTask {
    let scratch = try TestData.Scratch()
    let lines = classes.flatMap { label in
      (0..<each).map { number in
        #"{"id":"\#(label)\#(number)","text":"\#(label) text \#(number)","label":"\#(label)","split":"\#(number % 2 == 0 ? "train" : "validation")"}"#
      }
    }
    let path = scratch.file("made.jsonl")
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    return LabelledTask(try LabelledData(try JSONLines.read(path), path: path))
  }

  private func gold(_ text: String) -> Int { text.hasPrefix("negative") ? 0 : 1 }

  @Test func contextsAreBalancedAndTheSameInEverySetting() throws {
    let task = try task()
    #expect(task.naturalLabels == ["Negative Sentiment", "Positive Sentiment"])
    let key = ContextKey(seed: 2, block: 3)
    let plain = try task.context(key, shots: 8, setting: .regular, queries: 10)
    #expect(plain.exemplars.count { $0.shown == 0 } == 8)
    #expect(plain.queries.count { $0.gold == 0 } == 5)
    #expect(plain.exemplars.allSatisfy { $0.shown == gold($0.text) })
    #expect(Set(plain.queries.map(\.text)).isDisjoint(with: plain.exemplars.map(\.text)))
    var flippedBefore: Set<String> = []
    for percent in [25, 50, 75, 100] {
      let context = try task.context(key, shots: 8, setting: .flipped(percent: percent), queries: 10)
      #expect(context.exemplars.map(\.text) == plain.exemplars.map(\.text))
      #expect(context.queries == plain.queries)
      let flipped = context.exemplars.filter { $0.shown != gold($0.text) }.map(\.text)
      #expect(flipped.count == 16 * percent / 100)
      #expect(flipped.count { gold($0) == 0 } * 2 == flipped.count)
      #expect(flippedBefore.isSubset(of: flipped))
      flippedBefore = Set(flipped)
    }
    let fewer = try task.context(key, shots: 4, setting: .regular, queries: 10)
    #expect(Set(fewer.exemplars.map(\.text)).isSubset(of: plain.exemplars.map(\.text)))
    #expect(fewer.queries == plain.queries)
    let other = try task.context(ContextKey(seed: 2, block: 4), shots: 8, setting: .regular, queries: 10)
    #expect(other.exemplars.map(\.text) != plain.exemplars.map(\.text))
    #expect(Set(other.queries.map(\.text)).isDisjoint(with: plain.queries.map(\.text)))
  }

  @Test func whatCannotBeDrawnIsSaid() throws {
    let task = try task(each: 10), key = ContextKey(seed: 1, block: 0)
    for (shots, setting, queries, part) in [
      (6, InContextSetting.regular, 4, "lower --shots"), (2, .regular, 20, "lower --queries"),
      (1, .flipped(percent: 25), 4, "no whole number"),
    ] {
      #expect { try task.context(key, shots: shots, setting: setting, queries: queries) } throws: {
        "\($0)".contains(part)
      }
    }
    #expect { try InContextProbe([task], design: design { $0.settings = [.linear(isSwapped: false)] }) } throws: {
      "\($0)".contains("can be put in none of the settings")
    }
  }

  private func design(_ change: (inout InContextDesign) -> Void) -> InContextDesign {
    var design = InContextDesign()
    change(&design)
    return design
  }

  @Test func linearProblemsFollowTheirRule() throws {
    let task = LinearTask(dimension: 4)
    let context = try task.context(
      ContextKey(seed: 1, block: 0), shots: 16, setting: .linear(isSwapped: false), queries: 10)
    #expect(context.exemplars.count { $0.shown == 1 } == 16)
    #expect(context.queries.count { $0.gold == 1 } == 5)
    #expect(context.exemplars.allSatisfy { $0.text.split(separator: ", ").compactMap { Int($0) }.count == 4 })
    #expect(
      context
        == (try task.context(ContextKey(seed: 1, block: 0), shots: 16, setting: .linear(isSwapped: true), queries: 10)))
    let problem = LinearProblem(
      id: "p", dimension: 3, shots: 5, queries: [2, 3], random: RandomSource(seed: 4))
    #expect(problem.exemplars.count == 10 && problem.queries.count { $0.gold == 1 } == 3)
  }

  @Test func linearProblemsOfAFileAreCheckedAndAskedFurther() throws {
    let scratch = try TestData.Scratch(), path = scratch.file("linear.jsonl")
    func write(_ label: Int) throws {
      let text =
        #"{"id":"x","N":2,"k":2,"exemplars":[[[1,1],0],[[900,900],1],[[2,3],0],[[999,500],1]],"x":[800,700],"label":\#(label),"a":[1,1],"t":1000}"#
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    try write(1)
    let task = try #require(try LinearTask.read(try JSONLines.read(path), path: path).first)
    let context = try task.context(
      ContextKey(seed: 1, block: 0), shots: 2, setting: .linear(isSwapped: false), queries: 4)
    #expect(context.queries.contains { $0.text == "800, 700" } && context.queries.count { $0.gold == 1 } == 2)
    for query in context.queries {
      let sum = query.text.split(separator: ", ").compactMap { Int($0) }.reduce(0, +)
      #expect((sum > 1000) == (query.gold == 1))
    }
    try write(0)
    #expect { try LinearTask.read(try JSONLines.read(path), path: path) } throws: { "\($0)".contains("contradict") }
  }

  @Test func formatsPutWhiteSpaceToTheLabel() throws {
    let format = ExemplarFormat.standard
    #expect(try ExemplarFormat("input-output") == format)
    #expect(format.exemplar("a b", "Foo") == "Input: a b\nOutput: Foo\n\n")
    #expect(format.query("a b") == "Input: a b\nOutput:")
    #expect(format.continuation("Foo") == " Foo")
    let own = try ExemplarFormat(#"Review: {text}\nSentiment: {label}\n"#)
    #expect(own.exemplar("x", "y") == "Review: x\nSentiment: y\n" && own.stop == "\n")
    for wrong in ["", "{text}", "{label} {text}\n", "{text}{label}\n", "{text} {label}"] {
      #expect(throws: ProbeError.self) { try ExemplarFormat(wrong) }
    }
  }

  @Test func manyExemplarsOfALinearProblemAreFound() throws {
    let context = try LinearTask(dimension: 2).context(
      ContextKey(seed: 1, block: 0), shots: 10_000, setting: .linear(isSwapped: false), queries: 10)
    #expect(context.exemplars.count == 20_000 && context.queries.count == 10)
  }

  /// By an identifier it is known what was asked already.
  @Test func identifiersAreNotGivenTwice() throws {
    let scratch = try TestData.Scratch(), path = scratch.file("texts.jsonl")
    let line = #"{"id":"one","text":"a","label":"x"}"# + "\n"
    try scratch.write(Array((line + line).utf8), to: "texts.jsonl")
    #expect { try LabelledData(try JSONLines.read(path), path: path) } throws: {
      "\($0)".contains("texts.jsonl, line 2: it has the identifier one, which line 1 has too")
    }
  }

  @Test func labelsOfOneNameAreOneClass() throws {
    let labels = try NaturalLabels(parsing: "no=Does not entail, neutral=Does not entail,yes=Entails")
    #expect(labels.names == ["Does not entail", "Entails"])
    #expect(labels.classes == ["no": 0, "neutral": 0, "yes": 1])
    #expect(throws: ProbeError.self) { try NaturalLabels(parsing: "a=A") }
    #expect(throws: ProbeError.self) { try NaturalLabels(parsing: "a=A,a=B") }
    #expect(throws: ProbeError.self) { try NaturalLabels(parsing: "a") }
    #expect(try NaturalLabels(for: ["pay_bill", "a"]).names == ["a", "pay bill"])
  }

  @Test func settingsByTheirNames() {
    for setting in InContextSetting.standard { #expect(InContextSetting(setting.name) == setting) }
    #expect(InContextSetting("flip0") == .regular)
    #expect(InContextSetting("flip100") == .flipped(percent: 100))
    #expect(InContextSetting("sulrev") == .symbols(isSwapped: true))
    #expect(InContextSetting("flipped101") == nil && InContextSetting("nonsense") == nil)
  }
}
