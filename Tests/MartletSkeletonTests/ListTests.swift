import MartletTestSupport
import Testing

@testable import MartletSkeleton

/// Lists in the dresses in which models write them.
struct ListTests {
  private static let heads = ["Heads", "Tails", "Edges"]

  /// Dresses of a line: `{n}` is its number, `~` its head; where marks are no digits, those of three lines.
  static let dresses: [String] = [
    "{n}. ~",
    "{n}) ~",
    "({n}) ~",
    "[{n}] ~",
    "{n}.~",
    "{n} . ~",
    "{n}: ~",
    "{n} - ~",
    "{n} – ~",
    "{n}.- ~",
    "{n}º ~",
    "{n}\\. ~",
    "0{n}. ~",
    "#{n} ~",
    "#{n}: ~",
    "№ {n}. ~",
    "Step {n}: ~",
    "Schritt {n}: ~",
    "Шаг {n}. ~",
    "Étape {n} : ~",
    "**{n}.** ~",
    "**{n}. ~**",
    "**{n}**. ~",
    "__{n}.__ ~",
    "{n}. **~**",
    "**Step {n}:** ~",
    "### {n}. ~",
    "## {n}) ~",
    "### Step {n}: ~",
    "#### **{n}. ~**",
    "> {n}. ~",
    "   {n}. ~",
    "\t{n}.\t~",
    "- {n}. ~",
    "* ({n}) ~",
    "| {n} | ~ |",
    "| {n}. | ~ | b |",
    "{n}. {n}. ~",
    "1\u{fe0f}\u{20e3} ~¦2\u{fe0f}\u{20e3} ~¦3\u{fe0f}\u{20e3} ~",
    "1\u{20e3} ~¦2\u{20e3} ~¦3\u{20e3} ~",
    "{n}、~",
    "{n}）~",
    "{n}：~",
    "【{n}】~",
    "第{n}点：~",
    "n° {n} : ~",
    "No. {n}: ~",
    "① ~¦② ~¦③ ~",
    "①~¦②~¦③~",
    "⑴ ~¦⑵ ~¦⑶ ~",
    "⒈~¦⒉~¦⒊~",
    "❶ ~¦❷ ~¦❸ ~",
    "➊ ~¦➋ ~¦➌ ~",
    "➀ ~¦➁ ~¦➂ ~",
    "⓵ ~¦⓶ ~¦⓷ ~",
    "Ⓐ ~¦Ⓑ ~¦Ⓒ ~",
    "ⓐ ~¦ⓑ ~¦ⓒ ~",
    "⒜ ~¦⒝ ~¦⒞ ~",
    "㈠ ~¦㈡ ~¦㈢ ~",
    "㊀ ~¦㊁ ~¦㊂ ~",
    "Ⅰ. ~¦Ⅱ. ~¦Ⅲ. ~",
    "ⅰ) ~¦ⅱ) ~¦ⅲ) ~",
    "１．~¦２．~¦３．~",
    "（１）~¦（２）~¦（３）~",
    "１、~¦２、~¦３、~",
    "١. ~¦٢. ~¦٣. ~",
    "۱) ~¦۲) ~¦۳) ~",
    "१. ~¦२. ~¦३. ~",
    "১। ~¦২। ~¦৩। ~",
    "௧. ~¦௨. ~¦௩. ~",
    "๑. ~¦๒. ~¦๓. ~",
    "១. ~¦២. ~¦៣. ~",
    "一、~¦二、~¦三、~",
    "（一）~¦（二）~¦（三）~",
    "第一，~¦第二，~¦第三，~",
    "第一步 ~¦第二步 ~¦第三步 ~",
    "I. ~¦II. ~¦III. ~",
    "i) ~¦ii) ~¦iii) ~",
    "(i) ~¦(ii) ~¦(iii) ~",
    "A. ~¦B. ~¦C. ~",
    "a) ~¦b) ~¦c) ~",
    "(a) ~¦(b) ~¦(c) ~",
    "**A.** ~¦**B.** ~¦**C.** ~",
    "а) ~¦б) ~¦в) ~",
    "α) ~¦β) ~¦γ) ~",
    "א. ~¦ב. ~¦ג. ~",
    "أ. ~¦ب. ~¦ت. ~",
    "أ) ~¦ب) ~¦ج) ~",
    "가. ~¦나. ~¦다. ~",
    "ア. ~¦イ. ~¦ウ. ~",
    "甲、~¦乙、~¦丙、~",
    "क) ~¦ख) ~¦ग) ~",
    "ก. ~¦ข. ~¦ค. ~",
    "🚶 ~¦💚 ~¦😀 ~",
    "- [ ] ~¦- [x] ~¦- [ ] ~",
    "## ~",
    "**~**",
    "<li>~</li>",
    "\\item ~",
    "- ~",
    "* ~",
    "+ ~",
    "• ~",
    "‣ ~",
    "◦ ~",
    "▪ ~",
    "● ~",
    "– ~",
    "— ~",
    "· ~",
    "✓ ~",
    "✅ ~",
    "👉 ~",
    "→ ~",
    "➤ ~",
    "*   ~",
    "-\t ~",
    "-\u{a0} ~",
    "・~",
    "•~",
    "●~",
    "✔~",
  ]

  private static func lines(_ dress: String, _ heads: [String]) -> [String] {
    let parts = dress.split(separator: "¦").map(String.init)
    return heads.enumerated().map { place, head in
      (parts.count == 1 ? parts[0] : parts[place]).replacing("{n}", with: "\(place + 1)").replacing("~", with: head)
    }
  }

  private static func heads(_ text: String, begun: String = "") -> [String] {
    Skeleton(parsing: text, begun: begun).points.map(\.head)
  }

  @Test(arguments: dresses) func everyDressIsRead(_ name: String) {
    let lines = Self.lines(name, Self.heads)
    let list = lines.joined(separator: "\n")
    let texts: [String] = [
      list, lines.joined(separator: "\n\n"), list.replacing("\n", with: "\r\n"), "\(list)\n",
      "Sure! Here is the skeleton:\n\n\(list)", "```markdown\n\(list)\n```",
      "Here:\n~~~\n\(list)\n~~~\nI hope this helps!",
    ]
    for text in texts {
      let skeleton = Skeleton(parsing: text)
      #expect(skeleton.points.map(\.head) == Self.heads, "\(name): \(text)")
      #expect(SkeletonCheck().problem(skeleton, endedByItself: true) == nil, "\(name): \(text)")
    }
    // The model was made to begin with " 1." and begins anew all the same.
    #expect(Self.heads(" \(list)", begun: " 1.") == Self.heads, "\(name) behind 1.")
    #expect(Self.heads("\n\(list)", begun: " 1.") == Self.heads, "\(name) below 1.")
    #expect(
      Self.heads(" Here is the skeleton:\n\(list)", begun: " 1.") == Self.heads,
      "\(name) below words")
    // Other languages.
    let languages: [[String]] = [
      ["饺子", "面条", "火锅"], ["رأس", "ذيل", "حافة"], ["सिर", "पूँछ", "किनारा"], ["Голова", "Хвост", "Край"],
    ]
    for others in languages {
      let text = Self.lines(name, others).joined(separator: "\n")
      #expect(Self.heads(text) == others, "\(name): \(text)")
    }
  }

  @Test(arguments: [
    "1. Heads 2. Tails 3. Edges", "1) Heads 2) Tails 3) Edges", "(1) Heads (2) Tails (3) Edges",
    "1. Heads; 2. Tails; 3. Edges",
    "1. Heads, 2. Tails, 3. Edges", "①Heads ②Tails ③Edges", "①Heads②Tails③Edges", "１．Heads ２．Tails ３．Edges",
    "1、Heads；2、Tails；3、Edges", "Sure: 1) Heads, 2) Tails, 3) Edges",
    "Here is the skeleton:\n\n1. Heads 2. Tails 3. Edges\n",
    "(a) Heads (b) Tails (c) Edges", "• Heads • Tails • Edges", "I. Heads II. Tails III. Edges",
    "1️⃣ Heads 2️⃣ Tails 3️⃣ Edges",
    "Step 1: Heads Step 2: Tails Step 3: Edges", "**1.** Heads **2.** Tails **3.** Edges", "一、Heads 二、Tails 三、Edges",
    "1. Heads 2. Tails 3. Edges\nI hope this helps.",
  ]) func oneLine(_ text: String) {
    #expect(Self.heads(text) == Self.heads, "\(text)")
  }

  @Test(arguments: [
    "- Heads\n  - x\n  - y\n- Tails\n- Edges", "* Heads\n    * x\n* Tails\n* Edges",
    "• Heads\n◦ x\n◦ y\n• Tails\n• Edges",
    "1. Heads\n   - x\n   - y\n2. Tails\n   a) x\n   b) y\n3. Edges", "1. Heads\n- x\n- y\n2. Tails\n3. Edges",
    "1. Heads\n   1. x\n   2. y\n   3. z\n2. Tails\n3. Edges", "1. Heads\n1.1 x\n1.2. y\n2. Tails\n2.1 x\n3. Edges",
    "1. Heads\n① x\n② y\n2. Tails\n3. Edges", "① Heads\n1. x\n2. y\n② Tails\n③ Edges",
    "I. Heads\nA. x\nB. y\nII. Tails\nIII. Edges",
    "### 1. Heads\nText about it.\n\n### 2. Tails\nMore text.\n- x\n### 3. Edges\nText.",
    "**1. Heads**\nText.\n**2. Tails**\nText.\n**3. Edges**",
    "1. Heads\n   This goes on here.\n2. Tails\n\n   And here.\n3. Edges", "- Walking\n  - Heads\n  - Tails\n  - Edges",
    "# Walking\n## Heads\ntext\n## Tails\n## Edges", "1. Heads\n```\n2. code\n```\n2. Tails\n3. Edges",
    "1. Heads\n---\n2. Tails\n---\n3. Edges",
    "1. Heads\n1. Tails\n1. Edges", "1. Sure, here is the skeleton:\n1. Heads\n2. Tails\n3. Edges",
    "1. Heads\n② Tails\n3) Edges",
    "<ol>\n<li>Heads</li>\n<li>Tails</li>\n<li>Edges</li>\n</ol>",
    "| # | Point |\n|---|---|\n| 1 | Heads |\n| 2 | Tails |\n| 3 | Edges |",
    "\u{feff}1. Heads\n\u{200f}2. Tails\n\u{200b}3. Edges",
  ]) func whatBelongsToAPointIsNone(_ text: String) {
    #expect(Self.heads(text) == Self.heads, "\(text)")
  }

  @Test(arguments: [
    "I cannot answer that.", "A. Smith founded it.\nIt was in 1900.", "about 3.5 billion",
    "10 ways to walk\n20 ways to run",
    "Windows 10: good\nWindows 11: better", "- just one bullet", "I. think so", "2023 was good\n2024 was too", "",
    "\n\n", "```\n```",
    "Voici un plan\nde la réponse", "1. 😀\n2. ²\n3. 3.5", "1.\n2.\n3.", "①\n②\n③", "- 🚶\n- 💚\n- 😀",
    "3 - 5 people came\n6 - 7 left",
    "a.m. is early\nb.c. is old", "At 10:30 we left.\nAt 11:30 we came.", "* * *\n* * *", "(see above)\n(see below)",
    "- - -\n- - -",
    "1. Skeleton\n2. Outline of the answer\n3. The answer is",
    "1. Here is the skeleton\n2. Sure!\n3. Below is the outline of the answer",
  ]) func noList(_ text: String) {
    #expect(Self.heads(text).isEmpty, "\(text): \(Self.heads(text))")
    #expect(SkeletonCheck().problem(Skeleton(parsing: text), endedByItself: true) != nil)
  }

  /// Points without a word are no points, and a list that is mostly such is bad.
  @Test func headsMustSaySomething() {
    let check = SkeletonCheck()
    #expect(Self.heads("1. Heads\n2. 🚶\n3. Tails\n4. ²\n5. Edges") == Self.heads)
    #expect(check.problem(Skeleton(parsing: "1. 🚶\n2. ²\n3. 42\n4. Heads\n5. Tails"), endedByItself: true) == .wordless)
    #expect(check.problem(Skeleton(parsing: "1. 🚶\n2. ²\n3. ½"), endedByItself: true) == .wordless)
    #expect(
      check.problem(Skeleton(parsing: "1. Here is the skeleton\n2. Heads\n3. Tails\n4. Edges"), endedByItself: true)
        == nil)
  }

  @Test func talkIsToldFromAnswers() {
    for text in [
      "Here is the skeleton", "Here are the points of the answer:", "Sure! Here is an outline", "Skeleton",
      "The answer is",
      "Below is the list", "Let me answer the question.", "Voici le plan de la réponse :",
      "Hier ist die Gliederung der Antwort",
      "Aquí está el esquema de la respuesta", "Ecco lo schema", "Aqui está o esboço", "Вот план ответа", "以下是回答的骨架",
      "以下は骨子です",
      "다음은 답변의 개요입니다", "إليك مخطط الإجابة", "यहाँ उत्तर की रूपरेखा है", "Of course!", "I'm sorry, but I cannot do that.",
      "Write only one point.", "Continue point 2 in 1-2 sentences.", "I cannot write only one point.",
      "I'm unable to expand on that.", "I can't help with that.",
    ] { #expect(TaskTalk.isAboutTask(text), "\(text)") }
    for text in [
      "Answer questions clearly", "The point of walking", "Walking is good for the heart.", "Of course it rains here.",
      "Heads",
      "Sure-footed shoes", "Here in the hills it is quiet.", "A list of friends helps", "Points of interest",
      "Okay weather is enough",
      "以下三点温度会结冰", "走路有益健康", "Hier regnet es oft.", "Lists of tasks", "Task planning", "Plan your route",
      "Write down three points for the meeting.", "I cannot stress this enough.", "Continue walking every day.",
    ] { #expect(!TaskTalk.isAboutTask(text), "\(text)") }
    for text in ["Walking helps.", "走路有益", "歩く", "걷기는 좋다", "เดินดี", "3 km", "Чтение помогает", "المشي مفيد", "चलना अच्छा है"]
    {
      #expect(TaskTalk.saysSomething(text), "\(text)")
    }
    for text in [
      "", " ", "²", "🚶", "🚶 🚶", "icing", "4", "3.5", "—", "!!!", "x", "走", "½ ¾", "1 2 3", "N/A", "<|im_end|>",
      "the the the the the", "<|im_end|> ok",
    ] {
      #expect(!TaskTalk.saysSomething(text), "\(text)")
    }
    #expect(
      TaskTalk.repeats("Sleep well", "**Sleep well.**") && !TaskTalk.repeats("Sleep well", "Sleep well and long."))
  }

  /// The stop rules know another point in other dresses too.
  @Test(
    arguments: ["2. ", "2) ", "(2) ", "② ", "②", "２．", "٢. ", "२. ", "二、", "### 2. ", "**2.** ", "2️⃣ "], [1, 2, 1000])
  func pointsEndBeforeTheNext(_ mark: String, size: Int) {
    var stop = PointStop(sentences: nil)
    let all = Array("First part\n\(mark)Set goals")
    var text = ""
    for start in stride(from: 0, to: all.count, by: size) {
      text += stop.push(String(all[start..<min(all.count, start + size)]))
    }
    #expect(text + stop.finish() == "First part")
  }

  /// Whatever comes, nothing traps, and points have heads with words.
  @Test func anyTextIsRead() {
    let parts = [
      "1", ".", ")", " ", "\n", "①", "٢", "第", "一", "#", "*", "-", "|", "A", "ii", "🚶", "²", "```", "Step ", "<li>",
      ":", "\u{200f}", "x",
    ]
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<4000 {
      var text = ""
      for _ in 0..<24 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        text += parts[Int(state % UInt64(parts.count))]
      }
      for begun in ["", " 1."] {
        let skeleton = Skeleton(parsing: text, begun: begun)
        #expect(skeleton.points.allSatisfy { TaskTalk.hasWord($0.head) })
        #expect(skeleton.points.map(\.index) == Array(skeleton.points.indices.map { $0 + 1 }))
      }
      var point = PointText(sentences: 2, givesWholeSentences: true)
      let given = text.map { point.push(String($0)) }.joined() + point.finish()
      #expect(given.isEmpty || point.saysSomething)
    }
  }
}
