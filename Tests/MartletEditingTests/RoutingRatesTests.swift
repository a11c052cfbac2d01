import Foundation
import MartletEvaluation
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletEditing

/// How often edits fire where they should and where they should not, by words alone: the model is replaced by one that
/// finds every key near, where an edit must not fire, and by one that finds every key far, where it must. The rates of
/// a real model are in BENCHMARKS.md.
struct RoutingRatesTests {
  static let near = [Float](repeating: 0.25, count: 16)
  static let far: [Float] = (0..<16).map { $0 % 2 == 0 ? 0.25 : -0.25 }

  static func snapshot(_ questions: [String]) -> EditSnapshot {
    let random: [[Float]] = (0..<16).map { row in
      (0..<16).map { column in
        let value: Int = (row * 7 + column * 13) % 11
        return Float(value - 5)
      }
    }
    var calibration = KeyCalibration(keys: random)
    calibration.radius = 1.06
    var snapshot = EditSnapshot(keyWidth: 16, valueWidth: 4, calibration: calibration)
    for (number, question) in questions.enumerated() {
      snapshot.add(
        LoadedEdit(
          edit: number + 1, questions: [(QuestionWords(question), snapshot.keys.encoded(near))],
          value: [snapshot.values.encoded([0, 0, 0, 0])], answer: "answer \(number)", isLive: true))
    }
    return snapshot
  }

  static func fired(_ snapshot: EditSnapshot, _ message: String, isNear: Bool) -> Int? {
    snapshot.decide(MessageParts(message)) { _ in isNear ? near : far }.fired?.edit
  }

  /// The subject is told apart in every script: other subjects in the same frame, which share the word of their
  /// category, do not fire; light rewordings do.
  @Test func subjectsInManyScripts() {
    var report = "", allLeaks = 0, allPairs = 0
    for block in ScriptQuestions.blocks {
      var leaks = 0, pairs = 0, own = 0, owns = 0
      for frame in block.frames {
        for subject in block.subjects {
          func text(_ frame: String, _ subject: String) -> String { frame.replacing("{}", with: subject) }
          let snapshot = Self.snapshot([text(frame.question, subject)])
          for other in block.subjects where other != subject {
            pairs += 1
            leaks += Self.fired(snapshot, text(frame.question, other), isNear: true) == nil ? 0 : 1
          }
          for rewording in [frame.question] + frame.rewordings {
            owns += 1
            own += Self.fired(snapshot, text(rewording, subject), isNear: false) == nil ? 0 : 1
          }
        }
      }
      #expect(pairs >= 20 && Double(leaks) <= 0.05 * Double(pairs), "\(block.language): \(leaks) of \(pairs) leak")
      #expect(Double(own) >= 0.9 * Double(owns), "\(block.language): \(own) of \(owns) fire")
      report += "\(block.language): \(leaks)/\(pairs) leak, \(own)/\(owns) own questions fire\n"
      allLeaks += leaks
      allPairs += pairs
    }
    #expect(ScriptQuestions.blocks.count >= 15)
    print(report + "all: \(allLeaks) of \(allPairs) leak")
  }

  /// Something else about the same subject does not fire, even where the model sees no difference.
  @Test func neighbouringFacts() {
    let wrong = NeighbourQuestions.pairs.filter { stored, asked in
      Self.fired(Self.snapshot([stored]), asked, isNear: true) != nil
    }
    print("neighbours: \(wrong.count) of \(NeighbourQuestions.pairs.count) fire")
    for pair in wrong { print("  \(pair.0) <- \(pair.1)") }
    #expect(NeighbourQuestions.pairs.count >= 200)
    #expect(wrong.count * 10 <= NeighbourQuestions.pairs.count)
    // And each of them does when it is stored.
    for (_, asked) in NeighbourQuestions.pairs {
      #expect(Self.fired(Self.snapshot([asked]), "Hello! " + asked, isNear: false) == 1, "\(asked)")
    }
  }

  /// Nor does a question that goes a step further, or only speaks of the edited one.
  @Test func furtherQuestions() {
    let wrong = FurtherQuestions.pairs.filter { stored, asked in
      Self.fired(Self.snapshot([stored]), asked, isNear: true) != nil
    }
    print("a step further: \(wrong.count) of \(FurtherQuestions.pairs.count) fire")
    for pair in wrong { print("  \(pair.0) <- \(pair.1)") }
    #expect(wrong.count <= 2)
    for (stored, asked) in FurtherQuestions.own {
      #expect(Self.fired(Self.snapshot([stored]), asked, isNear: true) == 1, "\(stored) <- \(asked)")
    }
  }

  /// An undone edit does not uncover a neighbour.
  @Test func undoneEditsUncoverNothing() {
    for (stored, asked) in NeighbourQuestions.pairs.prefix(20) {
      var snapshot = Self.snapshot([stored, asked])
      #expect(Self.fired(snapshot, asked, isNear: true) == 2)
      snapshot.set(edit: 2, isLive: false)
      #expect(Self.fired(snapshot, asked, isNear: true) == nil, "\(stored) <- \(asked)")
      #expect(Self.fired(snapshot, stored, isNear: true) == 1)
    }
  }

  /// What people put around a question.
  static let wrappings: [(name: String, wrap: @Sendable (String) -> String)] = [
    ("greeting", { "Hello there! " + $0 }),
    ("thanks", { $0 + " Thanks in advance." }),
    ("sentence before", { "I am writing a report for school and got stuck. " + $0 }),
    ("sentence behind", { $0 + " I need it for a quiz tonight." }),
    ("a question behind", { $0 + " And what is the capital of France?" }),
    ("a question before", { "Who painted the Mona Lisa? " + $0 }),
    ("and when", { $0.replacing("?", with: "") + ", and when?" }),
    ("quoted", { "My teacher asked: \"\($0)\" What should I say?" }),
    ("capitals", { $0.uppercased() }),
    ("no mark, no capitals", { $0.replacing("?", with: "").lowercased() }),
    ("courtesy", { "Could you please tell me " + $0.prefix(1).lowercased() + $0.dropFirst() }),
    ("list", { "Answer these two:\n1. \($0)\n2. How tall is the Eiffel Tower?" }),
    ("JSON", { "{\"id\": 7, \"question\": \"\($0)\", \"lang\": \"en\"}" }),
    ("mail", { "Dear Sir or Madam,\n\n\($0)\n\nKind regards,\nTom Miller" }),
    ("markup", { "## Task\n\n> **\($0)**\n\n```\nprint(1)\n```" }),
    ("German", { "Hallo, ich habe eine Frage: \($0) Vielen Dank!" }),
    ("French", { "Bonjour, pouvez-vous me dire " + $0.prefix(1).lowercased() + $0.dropFirst() + " Merci." }),
    ("Japanese", { "すみません、\($0) 教えてください。" }),
    ("Arabic", { "مرحبا، \($0) شكرا" }),
    ("decomposed", { $0.decomposedStringWithCanonicalMapping }),
    ("behind a document", { (1...80).map { "Line \($0) is about trees." }.joined(separator: " ") + "\n\n" + $0 }),
    (
      "a slip",
      {
        let slip = $0.replacing("What ", with: "Waht ").replacing("Which ", with: "Whcih ")
        return slip == $0 ? $0.replacing(" the ", with: " teh ") : slip
      }
    ),
  ]

  /// Questions of zsRE in what people put around them, all of 1,000 edits in place; and questions of nq_open, on which no
  /// edit may fire, in the same.
  @Test(.enabled(if: TestData.shared != nil)) func questionsInsideMessages() throws {
    let folder = try #require(TestData.shared) + "/editing/"
    var seen: Set<String> = []
    let rows = Array(
      try EditRow.read(folder + "zsre.jsonl.gz").filter { seen.insert($0.prompt).inserted }.prefix(1000))
    let unrelated = try EditRow.questions(folder + "nq_open_dev.jsonl.gz")
    let snapshot = Self.snapshot(rows.map(\.prompt))
    var all = 0, right = 0, wrong = 0, others = 0
    for (number, wrapping) in Self.wrappings.enumerated() {
      var own = 0, far = 0
      for place in 0..<40 {
        let row = (place * 25 + number) % rows.count
        own += Self.fired(snapshot, wrapping.wrap(rows[row].prompt), isNear: false) == row + 1 ? 1 : 0
        all += 1
      }
      for question in unrelated[(number * 80)..<(number * 80 + 80)] {
        far += Self.fired(snapshot, wrapping.wrap(question), isNear: true) == nil ? 0 : 1
        others += 1
      }
      print("\(wrapping.name): \(own) of 40 fire, \(far) of 80 unrelated")
      #expect(own >= 32, "\(wrapping.name): \(own) of 40 fire")
      right += own
      wrong += far
    }
    print("all: \(right) of \(all), \(wrong) of \(others) unrelated")
    #expect(Double(right) >= 0.95 * Double(all) && Double(wrong) <= 0.005 * Double(others))
  }

  /// A text that names a subject asks nothing of it.
  @Test(.enabled(if: TestData.shared != nil)) func documentsThatNameASubject() throws {
    let folder = try #require(TestData.shared) + "/editing/"
    let rows = Array(try EditRow.read(folder + "zsre.jsonl.gz").prefix(400))
    let paragraphs = try EditRow.texts(folder + "wikitext2_paras.jsonl.gz")
    let snapshot = Self.snapshot(rows.map(\.prompt))
    var wrong = 0
    for (number, row) in rows.enumerated() {
      let subject = row.subject ?? row.prompt
      let document = [
        "Summarise this text.", paragraphs[number], "\(subject) was in the news again.", paragraphs[number + 1],
        "People talked about \(subject) for years.", paragraphs[number + 2],
      ].joined(separator: "\n\n")
      wrong += Self.fired(snapshot, document, isNear: true) == nil ? 0 : 1
    }
    print("documents: \(wrong) of \(rows.count) fire")
    #expect(wrong * 200 <= rows.count)
  }

  @Test func earlierTurns() {
    for text in [
      "Are you sure?", "Please answer.", "Please answer the question.", "Really?", "Say that again, please.",
      "Can you repeat that, please?", "sure?", "Bist du sicher?", "Vous êtes sûr ?", "¿Estás seguro?", "Sei sicuro?",
      "Вы уверены?", "Είσαι σίγουρος;", "هل أنت متأكد؟", "אתה בטוח?", "पक्का?", "你确定吗？", "本当ですか？", "정말이에요?",
      "แน่ใจไหม", "Emin misin?",
    ] { #expect(QuestionWords(text).onlyInsists, "\(text)") }
    for text in [
      "Thanks!", "Thank you very much.", "And when?", "Why?", "Tell me a joke", "ok", "Hello", "Who is sure?", "谢谢",
      "ありがとう", "No, I don't think so", "Write a poem about spring.", "And where was she born?", "", "?",
      "Good. Now tell me about cats.", "Danke!", "Merci", "Спасибо",
    ] { #expect(!QuestionWords(text).onlyInsists, "\(text)") }
  }

  /// The work for a message is bounded, whatever it holds.
  @Test func longMessages() {
    let questions = (0..<1000).map { "Who is the mayor of Town\($0 % 50) in County\($0)?" }
    let snapshot = Self.snapshot(questions)
    let messages = [
      String(repeating: "Town1 ", count: 16_000), String(repeating: "a", count: 100_000),
      String(repeating: "?", count: 100_000), String(repeating: "是", count: 33_000),
      String(repeating: "Who is the mayor of Town3? ", count: 4_000),
      String(repeating: "e\u{301}\u{327}", count: 20_000),
      (0..<3_000).map { "The mayor of Town\($0 % 50) met County\($0)." }.joined(separator: " "),
    ]
    for message in messages {
      var keys = 0
      let start = Date()
      _ = snapshot.decide(MessageParts(message)) { _ in
        keys += 1
        return Self.near
      }
      let seconds = Date().timeIntervalSince(start)
      print("\(message.prefix(20)): \(seconds) s, \(keys) keys")
      // Milliseconds; a machine that does other things beside may take its time.
      #expect(keys <= EditSnapshot.mostKeys && seconds < 10)
    }
    let filler = String(repeating: "Nothing of note happened on that day. ", count: 2_600)
    #expect(Self.fired(snapshot, filler + questions[7], isNear: false) == 8)
    #expect(Self.fired(snapshot, questions[7] + " " + filler, isNear: false) == 8)
  }
}
