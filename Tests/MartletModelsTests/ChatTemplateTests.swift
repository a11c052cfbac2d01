import Foundation
import MartletTestSupport
import Testing

@testable import MartletModels

/// Templates against what jinja2 writes (Scripts/check_templates.py).
struct ChatTemplateTests {
  /// What jinja2 wrote: for every template and conversation the text with and without a question for an answer, nil
  /// where the template refuses.
  private struct Texts: Decodable {
    struct Template: Decodable {
      let template: String
      let texts: [String: [String?]]
    }
    let now: Int
    let tokens: [String: String]
    let templates: [String: Template]
    let conversations: [String: [ChatMessage]]

    init(_ path: String) throws {
      self = try JSONDecoder().decode(Texts.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }

  private func compare(_ texts: Texts) throws -> (right: Int, refused: Int, notUnderstood: [String], wrong: [String]) {
    var right = 0, refused = 0
    var notUnderstood: [String] = [], wrong: [String] = []
    for (name, item) in texts.templates.sorted(by: { $0.key < $1.key }) {
      let format = ChatFormat.own(item.template, specialTokens: texts.tokens)
      if case .notUnderstood(let why) = format.source {
        #expect(format.warning?.contains("--chat-format") == true)
        notUnderstood.append("\(name): \(why)")
        continue
      }
      let template = try ChatTemplate(item.template, specialTokens: texts.tokens)
      for (conversation, messages) in texts.conversations {
        for (asks, expected) in zip([true, false], item.texts[conversation] ?? []) {
          let now = Date(timeIntervalSince1970: TimeInterval(texts.now))
          let written = Result { try template.render(messages, asksForAnswer: asks, now: now).string }
          switch (written, expected) {
          case (.success(let text), let expected?) where Array(text.utf8) == Array(expected.utf8): right += 1
          case (.failure, nil): refused += 1
          case (.failure(TemplateError.notUnderstood), _): refused += 1
          default: wrong.append("\(name), \(conversation): \(written) and not \(expected ?? "refused")")
          }
        }
      }
    }
    return (right, refused, notUnderstood, wrong)
  }

  @Test func templatesAreWrittenAsJinjaWritesThem() throws {
    let result = try compare(Texts(TestData.fixtures + "/ChatTemplates/texts.json"))
    #expect(result.wrong == [])
    #expect(result.notUnderstood == [])
    #expect(result.right >= 280 && result.refused >= 24)
  }

  private static let others = ProcessInfo.processInfo.environment["MARTLET_TEMPLATE_TEXTS"]

  @Test(.enabled(if: others != nil, "Scripts/check_templates.py sets MARTLET_TEMPLATE_TEXTS"))
  func othersTemplates() throws {
    let result = try compare(Texts(try #require(Self.others)))
    print("\(result.right) texts equal, \(result.refused) refused by both or said, \(result.wrong.count) wrong")
    for line in result.notUnderstood { print("not understood: \(line)") }
    #expect(result.wrong == [])
  }

  private static let shared = TestData.shared.map { $0 + "/templates" }

  @Test(.enabled(if: shared != nil, "MARTLET_DATA is absent"))
  func publishedTemplatesAreRightOrSaidNotToBe() throws {
    let folder = try #require(Self.shared)
    let lines = try String(contentsOfFile: folder + "/renderings.jsonl", encoding: .utf8).split(separator: "\n")
    let head = try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
    let cases = try #require(head["cases"] as? [String: [String: Any]])
    let tokens = (head["specials"] as? [String: String]) ?? [:]
    var right = 0, understood: Set<String> = []
    for line in lines.dropFirst() {
      guard let item = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let name = item["template"] as? String, let title = item["case"] as? String, let given = cases[title],
        given["tools"] == nil, Set(given.keys).isSubset(of: ["messages", "add_generation_prompt"]),
        let list = given["messages"] as? [[String: Any]],
        let source = try? String(
          contentsOfFile: folder + "/" + (name.hasSuffix(".jinja") ? name : name + ".jinja"), encoding: .utf8)
      else { continue }
      let messages = list.compactMap { message -> ChatMessage? in
        guard message.count == 2, let role = (message["role"] as? String).flatMap(ChatMessage.Role.init),
          let content = message["content"] as? String
        else { return nil }
        return ChatMessage(role, content)
      }
      guard messages.count == list.count else { continue }
      let format = ChatFormat.own(source, specialTokens: tokens)
      guard format.source == .template else { continue }
      understood.insert(name)
      // The clock of the renderings: 2026-11-26 13:05:09, local time.
      let now = Calendar.current.date(
        from: DateComponents(year: 2026, month: 11, day: 26, hour: 13, minute: 5, second: 9))
      let written = try? ChatTemplate(source, specialTokens: tokens).render(
        messages, asksForAnswer: given["add_generation_prompt"] as? Bool ?? false, now: #require(now)
      ).string
      #expect(written.map { Array($0.utf8) } == (item["text"] as? String).map { Array($0.utf8) }, "\(name), \(title)")
      right += 1
    }
    #expect(right > 100 && understood.count >= 14, "\(right) texts of \(understood.sorted())")
  }

  /// The cases in `inference/templates` beside the data folder given by MARTLET_DATA, with the texts that jinja2 writes.
  @Test(.enabled(if: shared != nil, "MARTLET_DATA is absent"))
  func casesAreWrittenExactly() throws {
    let folder =
      URL(fileURLWithPath: try #require(TestData.shared)).deletingLastPathComponent().path
      + "/cases/inference/templates/"
    let right = [
      "chatml":
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n U <|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n",
      "chatml_trim":
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n",
      "chatml_think":
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n U <|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n<think>\n",
      "deepseek_r1": "<s>S<｜User｜> U <｜Assistant｜>A</s><｜User｜>V<｜Assistant｜>",
      "falcon3": "<|system|>\nS\n<|user|>\n U \n<|assistant|>\nA\n<|user|>\nV\n<|assistant|>\n",
      "gemma_style":
        "<s><start_of_turn>system\nS<end_of_turn>\n<start_of_turn>user\nU<end_of_turn>\n<start_of_turn>model\nA<end_of_turn>\n<start_of_turn>user\nV<end_of_turn>\n<start_of_turn>model\n",
      "llama3":
        "<s><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nV<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      "mistral_v1": "<s>[INST]  U  [/INST]A</s>[INST] V [/INST]",
      "mistral_v3": "<s>[INST]  U [/INST] A</s>[INST] V[/INST]",
      "phi3":
        "<|system|>\nS<|end|>\n<|user|>\n U <|end|>\n<|assistant|>\nA<|end|>\n<|user|>\nV<|end|>\n<|assistant|>\n",
      "tinyllama_zephyr":
        "<|system|>\nS</s>\n<|user|>\n U </s>\n<|assistant|>\nA</s>\n<|user|>\nV</s>\n<|assistant|>\n",
      "vicuna": "S USER:  U  ASSISTANT: A</s>USER: V ASSISTANT:",
    ]
    let messages = [
      ChatMessage(.system, "S"), ChatMessage(.user, " U "), ChatMessage(.assistant, "A"), ChatMessage(.user, "V"),
    ]
    let tokens = ["bos_token": "<s>", "eos_token": "</s>"]
    for (name, text) in right {
      let source = try String(contentsOfFile: folder + name + ".jinja", encoding: .utf8)
      let format = ChatFormat.own(source, specialTokens: tokens)
      #expect(format.source == .template, "\(name): \(format.summary)")
      #expect(try format.text(messages) == text, "\(name)")
    }
    let source = try String(contentsOfFile: folder + "chatml_qwen_nodefault.jinja", encoding: .utf8)
    #expect(
      try ChatFormat.own(source, specialTokens: tokens).text([ChatMessage(.user, "U")])
        == "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n"
    )
  }

  // MARK: What is not done is said, and nothing runs without end

  /// Sets a dictionary of many entries.
  private static let wide = "{% set d = {" + (0..<1000).map { "'k\($0)': \($0)" }.joined(separator: ", ") + "} %}"

  @Test(arguments: [
    "{% include 'x' %}{{ messages[0].content }}", "{{ messages[0].content | nofilter }}",
    "{{ messages[0].content", "{% for m in messages %}{{ m.content }}", "{{ messages }}",
    "{% call f() %}{% endcall %}", "{{ 'no words of the user' }}", "{{ messages[0].content.append(1) }}",
    "{% if messages is strange %}{% endif %}{{ messages[0].content }}", "{{ messages[0].content }}{{ 2 ** 3 }}",
    "{{ messages[0].content }}{{ '\\N{DASH}' }}", "{{ messages[0].content ? }}", "{% %}", "{{ }}", "{{ a[ }}",
    "{{ messages[0].content.__class__ }}", "{{ ')' ) }}", "{{ lipsum() }}{{ messages[0].content }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}{{ messages[0].content }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}{{ messages[0].content }}",
    "{{ 'a' * 1000000000000 }}{{ messages[0].content }}", "{{ 9223372036854775807 + 1 }}{{ messages[0].content }}",
    "{{ -9223372036854775807 - 9 }}{{ messages[0].content }}", "{{ 99999999999999999999 }}",
    "{{ range(-9223372036854775808 + 0, 5) }}", "{{ messages[9223372036854775807:] | length // 0 }}",
    "{% set ns = namespace(t='aaaaaaaaaaaaaaaa') %}{% for i in range(64) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t }}",
    String(repeating: "(", count: 100_000), "{{ " + String(repeating: "(", count: 100_000),
    "{{ " + String(repeating: "not ", count: 100_000) + "x }}",
    "{{ x" + String(repeating: "[0]", count: 100_000) + " }}",
    "{{ x" + String(repeating: " | trim", count: 100_000) + " }}", "{{ " + String(repeating: "-", count: 100_000),
    String(repeating: "{% if x %}", count: 100_000), "{{ x" + String(repeating: " if x else x", count: 100_000) + " }}",
    "{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{% set t = s.split('x') %}{% endfor %}",
    "{{ 5 % -9223372036854775807 }}{{ messages[0].content | int(base=3) }}",
    // Work that is counted before it is done: each of these would fill the memory or run for minutes.
    "{{ ('x' * 400000).replace('x', 'y' * 400000) }}{{ messages[0].content }}",
    "{{ ('\\n' * 400000) | indent('y' * 400000, blank=true) }}{{ messages[0].content }}",
    "{{ ('\\n' * 400000) | indent('y' * 400000, true, true) }}{{ messages[0].content }}",
    "{% set s = 'x' * 1000000 %}{{ [s, s, s, s, s, s, s, s] | tojson }}{{ messages[0].content }}",
    "{% set s = 'x' * 1000000 %}{% set t = s ~ s ~ s ~ s ~ s ~ s ~ s ~ s %}{{ messages[0].content }}",
    "{% set s = 'x' * 1000000 %}{% set t = ''.join([s, s, s, s, s, s, s, s]) %}{{ messages[0].content }}",
    "{{ ('x' * 400000).join(range(20) | map('string')) }}{{ messages[0].content }}",
    "{% set s = 'x' * 400000 %}{% for i in range(100000) %}{% set t = 'x'.find(s) %}{% endfor %}{{ messages[0].content }}",
    wide + "{% for i in range(100000) %}{% set x = d.k %}{% endfor %}{{ messages[0].content }}",
    wide + "{% for i in range(100000) %}{% set x = d['k'] %}{% endfor %}{{ messages[0].content }}",
    wide + "{% for i in range(100000) %}{% set x = d == d %}{% endfor %}{{ messages[0].content }}",
    wide + "{% for i in range(100000) %}{% set x = [d, d] | unique %}{% endfor %}{{ messages[0].content }}",
  ])
  func otherTemplatesAreSaid(_ template: String) throws {
    let start = Date()
    let format = ChatFormat.own(template, specialTokens: [:])
    guard case .notUnderstood = format.source else {
      Issue.record("\(template.prefix(80)) was taken as understood")
      return
    }
    let warning = try #require(format.warning)
    #expect(warning.contains("--chat-format") && warning.contains(format.name) && format.kind != nil)
    #expect(Date().timeIntervalSince(start) < 6, "\(template.prefix(80))")
  }

  /// Texts whose size is counted first are still written as they were.
  @Test(arguments: [
    ("{{ 'abcabc'.replace('b', 'xy', 1) }}", "axycabc"), ("{{ 'abab'.replace('ab', '') }}", ""),
    ("{{ 'a\\n\\nb\\n' | indent(2) }}", "a\n\n  b\n"),
    ("{{ 'a\\n\\nb' | indent('- ', true, true) }}", "- a\n- \n- b"),
    ("{{ [1, ['a\\\"\\n'], {}, {'b': []}] | tojson }}", #"[1, ["a\"\n"], {}, {"b": []}]"#),
    ("{{ {'a': [1, 2]} | tojson(indent=1) }}", "{\n \"a\": [\n  1,\n  2\n ]\n}"),
    ("{{ '-'.join(['a', 'b']) ~ 1 ~ 'c' }}", "a-b1c"), ("{{ ' a  b '.split() | length }}", "2"),
    ("{{ {'a': 1, 'b': [2]} == {'b': [2], 'a': 1.0} }}", "True"), ("{{ {'a': 1} == {'a': 2} }}", "False"),
    ("{{ [1, 'a', 1, 'a', [2], [2]] | unique | length }}", "3"), ("{{ {'a': 1, 'a': 2}['a'] }}", "2"),
    ("{{ 'xxaxx'.strip('x') }}", "a"), ("{{ 'a'.find('aa') }}", "-1"),
  ])
  func countedWorkIsWrittenAsBefore(_ template: String, _ text: String) throws {
    let read = try ChatTemplate(template, specialTokens: [:])
    #expect(try read.render([ChatMessage(.user, "U")], asksForAnswer: true).string == text)
  }

  @Test func fallbacksAreTheNearest() {
    for (mark, kind) in [
      ("<|im_start|>", ChatFormat.Kind.chatML), ("<|start_header_id|>", .llama3), ("<start_of_turn>", .gemma),
      ("[INST]", .mistralV3), ("<|user|>", .zephyr), ("nothing", .plain),
    ] {
      #expect(ChatFormat.own("{% include 'x' %}" + mark, specialTokens: [:]).kind == kind)
    }
  }

  @Test func errorsShowNoControlCharacters() {
    let words = "{{ raise_exception('\u{1b}[31mred\u{7}') }}"
    let format = ChatFormat.own(
      "{% if messages | length > 1 %}\(words)" + "{% endif %}{{ messages[0].content }}", specialTokens: [:])
    #expect(format.source == .template)
    do {
      _ = try format.text([ChatMessage(.user, "a"), ChatMessage(.user, "b")])
      Issue.record("the template refuses two messages")
    } catch {
      #expect("\(error)".contains("red") && !"\(error)".contains("\u{1b}") && !"\(error)".contains("\u{7}"))
    }
    #expect(ChatFormat.own("{% \u{1b}[2J %}", specialTokens: [:]).warning?.contains("\u{1b}") == false)
    #expect(ChatFormat.own("{{ x | \u{e9}\u{1b} }}", specialTokens: [:]).summary.contains("\u{1b}") == false)
  }
}
