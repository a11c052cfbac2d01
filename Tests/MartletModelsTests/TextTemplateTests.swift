import MartletData
import MartletModels
import Testing

/// Templates of texts: Jinja as evaluation harnesses set it up. The values are those of Jinja 3.1 with StrictUndefined and
/// keep_trailing_newline, and of Python's `re.sub`.
struct TextTemplateTests {
  private var names: TextTemplate.Names {
    get throws {
      var names = TextTemplate.Names()
      let row = try JSONValue(
        parsing:
          #"{"text": "One two  THREE\n", "n": 3, "x": 51.0, "list": ["b", "B", "a", "b"], "d": {"label": ["A", "B"]}, "yes": true, "nothing": null, "s": " [title] a [b] c"}"#
      )
      for member in row.object?.members ?? [] { names.set(member.key, to: member.value) }
      return names
    }
  }

  @Test(arguments: [
    ("a {{n}}\n", "a 3\n"), ("{% if yes %}\n  x\n{% endif %}\n", "\n  x\n\n"),
    ("{{text.split(' ')[:-1]|join(' ')}}", "One two "),
    ("{{x}} {{x|string}} {{n - 1}} {{yes}} {{nothing}}", "51.0 51.0 2 True None"),
    ("{{'éCLAIR AU'.capitalize()}}", "Éclair au"),
    ("{{list|sort|join}} {{list|sort(case_sensitive=true)|join}}", "abBb Babb"),
    ("{{list|sort(reverse=true)|join}}", "bBba"),
    ("{{list|unique|join}} {{list|unique(case_sensitive=true)|join}}", "ba bBa"), ("{{d.label.index('B')}}", "1"),
    ("{{s|replace(' [title]', '. ')|regex_replace('\\\\[.*?\\\\]', '')|replace('  ', ' ')}}", ". a c"),
    ("{{'a 1 b 22'|regex_replace('(\\\\d)(\\\\d)?', '<\\\\1>$')}}", "a <1>$ b <2>$"),
    ("{{(\"He 's , ' x\")|regex_replace(\" (['.,])\", '\\\\1')}}", "He's,' x"),
    ("{% macro m(t) %}[{{t}}]{% endmacro %}{{[m(1), m('a')]|join(',')}}", "[1],[a]"), ("{{missing|default('d')}}", "d"),
    ("{{'there' if missing is defined else 'not'}}", "not"),
  ])
  func textsAreJinjas(_ template: String, _ text: String) throws {
    #expect(try TextTemplate(template).text(names) == text, "\(template)")
  }

  @Test func oneExpressionKeepsItsKind() throws {
    func value(_ template: String) throws -> JSONValue { try TextTemplate(template).value(names) }
    #expect(try value("{{n}}") == 3 && value("{{list}}") == ["b", "B", "a", "b"] && value("{{n == 3}}") == true)
    #expect(try value("{{d}}") == ["label": ["A", "B"]] && value("{{nothing}}") == nil)
    #expect(try value("{% set a = n + 1 %}{{[a, a]}}") == [4, 4])
    #expect(try value(" {{n}}") == " 3" && value("{{n}}{{n}}") == "33" && value("") == "")
  }

  @Test(arguments: [
    ("{{missing}}", "missing is undefined"), ("{{list[9]}}", "an item is undefined"),
    ("{% if missing %}x{% endif %}", "missing is undefined"),
    ("{{missing == 3}}", "missing is undefined"), ("{% for a in missing %}{% endfor %}", "missing is undefined"),
    ("{{not missing}}", "missing is undefined"), ("{{missing|length}}", "missing is undefined"),
    ("\n{{missing}}", "line 2 of the template: missing is undefined"),
    ("{{d.label.index('C')}}", "what index looks for is not in the list"),
    ("{{text|regex_replace('(', '')}}", "( is not a regular expression"),
    ("{{[1, 'a']|sort}}", "a text and a number have no order (<)"),
  ])
  func whatIsNotThereIsAnError(_ template: String, _ problem: String) throws {
    do {
      _ = try TextTemplate(template).text(names)
      Issue.record("\(template) was written")
    } catch { #expect("\(error)".contains(problem), "\(template): \(error)") }
  }
}
