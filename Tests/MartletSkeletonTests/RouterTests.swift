import Foundation
import MartletEngine
import MartletTestSupport
import Testing

@testable import MartletSkeleton

struct RouterTests {
  @Test func theHashIsCRC32() {
    // The check value of ISO 3309, and zlib's.
    #expect(QuestionFeatures.crc32("123456789".utf8) == 0xcbf4_3926)
  }

  @Test func wordsAreCutAsTheRecipeSays() {
    #expect(QuestionFeatures.words("What's 3.14 × 2?") == ["what's", "<num>", ".", "<num>", "×", "<num>", "?"])
    #expect(QuestionFeatures.words(String(repeating: "a ", count: 1000)).count == 256)
    #expect(QuestionFeatures.words("").isEmpty)
    let vector = QuestionFeatures.vector("How are you?")
    #expect(abs(vector.reduce(0) { $0 + $1.value * $1.value } - 1) < 1e-5)
  }

  /// The figure of the reference notes: 91 % of Vicuna-80, no question sent to a skeleton wrongly.
  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA is absent")) func trainingReachesTheDossiersFigures() throws
  {
    let folder = try #require(TestData.shared) + "/sot"
    let rows = try RoutedQuestion.read(folder + "/router_train_authored.jsonl")
    let test = try RoutedQuestion.read(folder + "/vicuna80.jsonl")
    #expect(rows.count == 438 && rows.count(where: \.label) == 182 && test.count == 80)
    let router = try RouterTraining().train(rows)
    let figures = RouterFigures(router, on: test)
    #expect(figures.accuracy >= 0.91 && figures.falsePositives == 0, "\(figures)")
    #expect(abs(figures.areaUnderCurve - 0.982) < 0.01)
    // The shipped router is this one.
    for row in test {
      #expect(abs(SkeletonRouter.shared.route(row.text).probability - router.route(row.text).probability) < 1e-4)
    }
    // A file gives it back.
    let scratch = try TestData.Scratch()
    try router.write(to: scratch.file("r.safetensors"))
    let read = try SkeletonRouter(path: scratch.file("r.safetensors"))
    #expect(test.allSatisfy { read.route($0.text) == router.route($0.text) })
  }

  @Test func oddQuestionsDoNotTrap() {
    for text in ["", " ", "\n\n", String(repeating: "x", count: 100_000), "\u{0}", "👩‍👩‍👧", "١٢٣"] {
      #expect((0...1).contains(SkeletonRouter.shared.route(text).probability))
    }
  }

  @Test func badTrainingDataIsNamed() throws {
    let scratch = try TestData.Scratch()
    func refuse(_ text: String, _ part: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.file("d")))
      #expect { try RouterTraining().train(RoutedQuestion.read(scratch.file("d"))) } throws: { "\($0)".contains(part) }
    }
    try refuse("{\"text\":\"a\",\"label\":1}\n{\"te", "line 2")
    try refuse("{\"text\":\"a\",\"label\":2}", "neither 0 nor 1")
    try refuse("{\"label\":1}", "no `text`")
    try refuse("{\"text\":\"a\",\"label\":1}", "both are needed")
    try Data("junk".utf8).write(to: URL(fileURLWithPath: scratch.file("r")))
    #expect(throws: (any Error).self) { try SkeletonRouter(path: scratch.file("r")) }
  }

  @Test(
    arguments: [
      ("A", true), ("B.", false), ("The answer is C", false), ("A. Organize", true), ("none", nil), ("", nil),
    ] as [(String, Bool?)])
  func thePromptingRouterReadsALetter(text: String, expected: Bool?) {
    #expect(PromptingRouter.parse(text) == expected)
  }
}
