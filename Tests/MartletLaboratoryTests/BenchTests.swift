import Foundation
import MartletData
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletTestSupport
import Testing

@testable import MartletLaboratory
@testable import MartletSkeleton

/// A judge that prefers the longer answer, or always the first.
private struct GivenJudge: SkeletonBackend {
  let prefersFirst: Bool
  let runsTogetherCheaply = false
  let readTokens = 0

  func answer(_ request: AnswerRequest) throws -> AnswerStream {
    let prompt = request.messages.last?.content ?? ""
    func part(_ letter: String) -> Substring {
      let from = prompt.range(of: "[The Start of Assistant \(letter)'s Answer]\n")?.upperBound ?? prompt.startIndex
      let to = prompt.range(of: "\n[The End of Assistant \(letter)'s Answer]")?.lowerBound ?? prompt.endIndex
      return prompt[from..<to]
    }
    // Words in alphabetical order count as well written.
    func quality(_ text: Substring) -> Int {
      let words = text.split(separator: " ")
      return words.count + zip(words, words.dropFirst()).count { $0 < $1 }
    }
    let (a, b) = (quality(part("A")), quality(part("B")))
    let verdict = prefersFirst ? "[[A]]" : a == b ? "[[C]]" : a > b ? "[[A]]" : "[[B]]"
    return AnswerStream { continuation in
      continuation.yield(.text("Not [[C]] but my verdict: \(verdict)"))
      continuation.yield(.ended(AnswerEnd(endedByItself: true)))
      continuation.finish()
    }
  }
  func answers(_ requests: [AnswerRequest]) async throws -> [AnswerStream] { try requests.map(answer) }
  func answers(_ requests: [AnswerRequest], after end: AnswerEnd) async throws -> [AnswerStream]? { nil }
}

struct BenchTests {
  @Test func aJudgeMustPassItsOwnTest() async throws {
    let answers = (0..<3).map { (question: "Q\($0)?", answer: "a b c d e f g h i j k l m n o p q r s t") }
    let fair = SkeletonJudge(GivenJudge(prefersFirst: false))
    let test = try await fair.selfTest(answers)
    #expect(test.isValid && test.identicalTies == 3 && test.truncatedLoses == 3 && test.shuffledLoses == 3)
    let verdict = try #require(try await fair.compare("Q", "a b c", with: "a b"))
    #expect(verdict.verdict == .better && !verdict.flipped)
    // One that always takes the first contradicts itself, and counts for nothing.
    let biased = try await SkeletonJudge(GivenJudge(prefersFirst: true)).selfTest(answers)
    #expect(!biased.isValid && biased.flips == 9)
    #expect(!SkeletonJudge.SelfTest().isValid)
  }

  @Test(arguments: [
    ("[[A]]", SkeletonJudge.Verdict.better), ("so [[B]].", .worse), ("[[C]]", .same), ("[[A]] no, [[B]]", .worse),
  ])
  func verdictsAreTheLast(text: String, verdict: SkeletonJudge.Verdict) {
    #expect(SkeletonJudge.parse(text) == verdict)
    #expect(SkeletonJudge.parse("none") == nil)
  }

  @Test func proxiesSeeLoopsAndForm() {
    let loop = AnswerProxies("The key is time. The key is time. The key is time. The key is time.")
    #expect(loop.repeatedSentences == 0.75 && loop.distinctPairs < 0.5)
    let plain = AnswerProxies("Walk each day. It helps the heart. Rest well at night.")
    #expect(plain.repeatedSentences == 0 && plain.distinctPairs == 1 && plain.novelty == nil)
    let points = AnswerProxies(
      "x", points: ["One sentence here now.", "One. Two. Three.", "It says\n2. another", "", "One sentence here now."])
    #expect(points.compliance == 0.4)
    #expect(AnswerProxies("", points: ["a b c d", "a b c d"]).novelty == 0)
    #expect(AnswerProxies("", points: ["a b c d", "e f g h"]).novelty == 1)
  }

  @Test func theLatencyModelAddsUp() {
    let model = LatencyModel(read: 0.001, steps: [(1, 0.01), (2, 0.012), (4, 0.02)])
    #expect(model.step(1) == 0.01 && abs(model.step(3) - 0.016) < 1e-9 && abs(model.step(8) - 0.04) < 1e-9)
    var report = SkeletonReport()
    report.usedSkeleton = true
    report.skeletonTokens = 10
    report.skeletonReadTokens = 30
    report.pointReadTokens = 70
    report.points = [3, 1].enumerated().map {
      var point = SkeletonReport.PointReport(point: Skeleton.Point(index: $0 + 1, head: "h"))
      point.tokens = $1
      return point
    }
    // 100 read, ten steps of one, one step of two, two of one.
    #expect(abs(model.seconds(report, races: false) - (0.1 + 0.1 + 0.012 + 0.02)) < 1e-9)
  }

  @Test func questionsAndScriptsAreChecked() throws {
    let scratch = try TestData.Scratch()
    try Data("{\"text\":\"a\"}\n{\"x\":1}".utf8).write(to: URL(fileURLWithPath: scratch.file("q")))
    #expect { try BenchmarkQuestion.read(scratch.file("q")) } throws: { "\($0)".contains("line 2") }
    #expect(throws: FileError.self) { try BenchmarkQuestion.read(scratch.file("none")) }
    #expect(throws: FileError.self) { try ReplyScript(path: scratch.file("q")) }
  }
}
