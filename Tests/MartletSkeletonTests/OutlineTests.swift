import Foundation
import MartletData
import MartletEngine
import MartletTestSupport
import Testing

@testable import MartletSkeleton

struct OutlineTests {
  private func reference(_ text: String) -> [String] {
    ReferenceOutline.points(in: text).map { "\($0.index)|\($0.head)" }
  }

  @Test func referenceRulesOnGivenTexts() {
    // What Python's re gives for the authors' expression, first of each index.
    #expect(reference(" 1. A.\n2. B \n3.C") == ["1|A.", "2|B ", "3|C"])
    #expect(reference("1. It costs 3.5 billion\n2. x") == ["1|It costs 3.5 billion", "2|x"])
    #expect(reference("about 3.5 billion") == ["3|5 billion"])
    #expect(reference("1. A\n1. B\n01. C") == ["1|A", "01|C"])
    #expect(reference("1.\n2. B") == ["1|2. B"])
    #expect(reference("8.\n") == ["8|\n"])
    #expect(reference("9. ") == ["9| "])
    #expect(reference("9.") == [])
    #expect(reference("no list") == [])
    #expect(reference("1. A\n\nPlease see 4. x") == ["1|A", "4|x"])
    #expect(reference("12.A 13. B") == ["12|A 13. B"])
  }

  /// The same rules on what a real model wrote, against the counts recorded by another program.
  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA is absent")) func referenceRunsAreReproduced() throws {
    let folder = try #require(TestData.shared) + "/sot"
    func lines(_ name: String) throws -> [JSONValue] {
      try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")).split(separator: 0x0a).map {
        try JSONValue(parsing: $0, depth: 64)
      }
    }
    let skeletons = try lines("reference_skeletons_smollm2_q4_1.jsonl")
    #expect(skeletons.count == 37)
    for row in skeletons {
      let text = try #require(row["text"]?.string)
      let heads = ReferenceOutline.points(in: text).map { $0.head.trimmingCharacters(in: .whitespaces) }
      #expect(heads == row["pts"]?.array?.compactMap(\.string), "\(row["id"]?.text ?? "")")
    }
    for row in try lines("reference_smollm2_q4_1.jsonl") {
      guard let run = row["sot"], let outline = run["outline"]?.string else { continue }
      #expect(ReferenceOutline.matches(in: outline).count == run["n_raw"]?.integer)
      let points = ReferenceOutline.points(in: outline)
      #expect(points.count == run["n_points"]?.integer)
      let texts = (run["expand"]?["texts"]?.array ?? []).compactMap(\.string)
      guard texts.count == points.count, let answer = run["answer"]?.string else { continue }
      let parts = zip(points, texts).map { point, text in
        (begun: "\(point.index). \(point.head)", text: text.trimmingCharacters(in: .whitespacesAndNewlines))
      }
      #expect(ReferenceOutline.assemble(parts) == answer, "\(row["id"]?.text ?? "")")
    }
    // The check finds what that of the reference notes does: 21 of 37 have enough points and an end, few are good.
    let prompts = PromptSet.named(.open)
    let good = skeletons.filter { row in
      SkeletonCheck().problem(
        Skeleton(parsing: row["text"]?.string ?? ""), endedByItself: row["fin"] == "stop",
        demonstrationHeads: prompts.demonstrationHeads) == nil
    }
    #expect((8...18).contains(good.count), "\(good.count)")
    let copied = skeletons.filter { row in
      SkeletonCheck().problem(
        Skeleton(parsing: row["text"]?.string ?? ""), endedByItself: true,
        demonstrationHeads: prompts.demonstrationHeads) == .demonstration
    }
    #expect(copied.count >= 4, "\(copied.count)")
  }

  // Each trap of the reference code, section 1.2 of the reference notes.

  @Test func trapNoPointsIsNoCrash() {
    let skeleton = Skeleton(parsing: "I cannot answer that.")
    #expect(skeleton.points.isEmpty)
    #expect(SkeletonCheck().problem(skeleton, endedByItself: true) == .empty)
    #expect(ReferenceOutline.points(in: "").isEmpty)
  }

  @Test func trapDecimalsAreNoPoints() {
    let skeleton = Skeleton(parsing: "1. About 3.5 billion people\n2. Sums like 2.5 + 1. 5\n3.14 is pi\n4. End")
    #expect(skeleton.points.map(\.head) == ["About 3.5 billion people", "Sums like 2.5 + 1. 5"])
    #expect(skeleton.hasTail)
  }

  @Test func duplicatesAndJunkAreLeftOut() {
    let text = "1. Yoga.\n2. Exercise.\n3. YOGA\n4. Sleep.\n\nPlease provide the skeleton.\n1. Other list"
    let skeleton = Skeleton(parsing: text)
    #expect(skeleton.points.map(\.head) == ["Yoga.", "Exercise.", "Sleep."])
    #expect(skeleton.points.map(\.index) == [1, 2, 3])
    #expect(skeleton.duplicates == 1 && skeleton.hasTail && skeleton.writtenIndices == [1, 2, 3, 4])
    #expect(skeleton.outline == "1. Yoga.\n2. Exercise.\n3. Sleep.")
  }

  @Test func otherFormsOfLists() {
    #expect(Skeleton(parsing: "Sure!\n1) One\n2) Two\n 3) Three").points.map(\.head) == ["One", "Two", "Three"])
    #expect(Skeleton(parsing: "1、饺子\n2、面条\n3、火锅").points.map(\.head) == ["饺子", "面条", "火锅"])
    #expect(Skeleton(parsing: "1. One 2. Two 3. Three").points.map(\.head) == ["One", "Two", "Three"])
    #expect(Skeleton(parsing: "1. **Bold**: it\r\n2. *Thin*").points.map(\.head) == ["Bold: it", "Thin"])
    #expect(Skeleton(parsing: "1. 2. 3.").points.isEmpty || Skeleton(parsing: "1. 2. 3.").points.count < 3)
  }

  @Test func theCheckNamesWhatIsWrong() {
    let check = SkeletonCheck()
    func problem(_ text: String, ended: Bool = true, question: String = "") -> SkeletonCheck.Problem? {
      check.problem(
        Skeleton(parsing: text), endedByItself: ended,
        demonstrationHeads: PromptSet.named(.open).demonstrationHeads, question: question)
    }
    #expect(problem("1. A\n2. B\n3. C") == nil)
    #expect(problem("1. A\n2. B") == .tooFew)
    #expect(problem("1. A\n2. B\n3. C", ended: false) == .cut)
    #expect(problem("1. A\n2. B\n4. C") == .notAscending)
    #expect(problem("2. A\n3. B\n4. C") == .notAscending)
    #expect(problem((1...20).map { "\($0). Head \($0)" }.joined(separator: "\n")) == .tooMany)
    #expect(problem("1. A\n2. A\n3. A\n4. A\n5. A\n6. C") == .repeated)
    #expect(problem("1. Energy conservation.\n2. Efficient transportation.\n3. Trees") == .demonstration)
    #expect(
      problem(
        (1...3).map { "\($0). A whole sentence that says everything there is to say about it \($0)" }.joined(
          separator: "\n")) == .longHeads)
    #expect(problem("1. A\n2. Why?\n3. C", question: "Why?") == .question)
  }

  @Test func promptSetsAreWhole() throws {
    for name in PromptSet.Name.allCases {
      let set = PromptSet.named(name)
      let turn = set.skeletonTurn("QUESTION {outline} {point}")
      #expect(turn.user.contains("QUESTION {outline} {point}"), "\(name)")
      let point = set.pointTurn("Q", outline: "1. {request}", point: .init(index: 3, head: "Head {outline}"))
      #expect((point.user + point.begun).contains("3. Head {outline}") || name == .claude || name == .gpt4, "\(name)")
      #expect(point.user.contains("1. {request}"), "\(name)")
      #expect(set.demonstrationHeads.isEmpty == [.gpt4, .small].contains(name), "\(name)")
    }
    #expect(PromptSet.named(.open).skeletonTurn("x").begun == " 1.")
    #expect(PromptSet.named(.gpt4).skeletonTurn("x").begun == "")
    if let shared = TestData.shared {
      for (name, file) in [
        ("open", "sot_opensource"), ("chatgpt", "sot_chatgpt"), ("claude", "sot_claude"), ("gpt4", "sot_gpt4"),
      ] {
        let ours = try PromptSet.load(name), theirs = try PromptSet.load("\(shared)/sot/prompts/\(file).json")
        #expect(ours.skeletonTurn("Q") == theirs.skeletonTurn("Q"))
      }
    }
    #expect(throws: SkeletonError.self) { try PromptSet(name: "x", json: "{}".utf8) }
    #expect(throws: SkeletonError.self) { try PromptSet.load("/nowhere") }
  }

  @Test(arguments: [1, 2, 3, 7, 1000]) func pointsEndWhereTheyEnd(size: Int) {
    func cut(_ text: String, sentences: Int? = nil) -> String {
      var stop = PointStop(sentences: sentences)
      var out = ""
      let all = Array(text)
      for start in stride(from: 0, to: all.count, by: size) {
        let piece = stop.push(String(all[start..<min(all.count, start + size)]))
        out += piece
      }
      out += stop.finish()
      return out
    }
    #expect(cut("\n\nFirst part. More.\n\n2. Set goals") == "First part. More.")
    #expect(cut("First part.\n2. Set goals") == "First part.")
    #expect(cut("First part\n 3) Set goals") == "First part")
    #expect(cut(" 2. Set goals") == "")
    #expect(cut("2.5 million people do. Yes.") == "2.5 million people do. Yes.")
    #expect(cut("In 1999\n12 people came. Then\n3 left") == "In 1999\n12 people came. Then\n3 left")
    #expect(cut("One. Two! Three.", sentences: 2) == "One. Two!")
    #expect(cut("Use e.g. a list, i.e. paper. Then rest. No", sentences: 1) == "Use e.g. a list, i.e. paper.")
    #expect(cut("See Dr. A. Smith at 3.5 p. Go.", sentences: 1).hasPrefix("See Dr. A. Smith at 3.5"))
    #expect(cut("要点一。要点二。要点三。", sentences: 2) == "要点一。要点二。")
    #expect(cut("He said \"no.\" Then left. Ok", sentences: 1) == "He said \"no.\"")
    #expect(cut("heading\n\nbody text here.  ") == "heading\n\nbody text here.")
    #expect(cut("") == "" && cut(" \n ") == "")
  }

  @Test func pointsComeInTheirOrder() {
    let points = (1...3).map { Skeleton.Point(index: $0, head: "H\($0).") }
    var order = PointOrder(points, separator: "\n")
    #expect(order.push(place: 2, text: "c", isLast: true) == "")
    #expect(order.push(place: 0, text: "a", isLast: false) == "1. H1. a")
    #expect(order.push(place: 1, text: "b", isLast: false) == "")
    #expect(order.push(place: 0, text: "A", isLast: true) == "A\n2. H2. b")
    #expect(order.push(place: 1, text: "", isLast: true) == "\n3. H3. c")
    #expect(order.answer == "1. H1. aA\n2. H2. b\n3. H3. c")
    var empty = PointOrder(points, separator: "\n\n")
    _ = empty.push(place: 0, text: "", isLast: true)
    _ = empty.push(place: 1, text: "x", isLast: true)
    _ = empty.push(place: 2, text: "", isLast: true)
    #expect(empty.answer == "1. H1.\n\n2. H2. x\n\n3. H3.")
  }
}
