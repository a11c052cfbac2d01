import MartletData

/// An expression of a template with its place.
struct TemplateExpression: Sendable {
  struct Arguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
    var all: [TemplateExpression] { positional + named.map(\.value) }
  }

  indirect enum Form: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case real(Double)
    case text(String)
    case name(String)
    case list([TemplateExpression])
    case dictionary(keys: [TemplateExpression], values: [TemplateExpression])
    case attribute(TemplateExpression, String)
    case item(TemplateExpression, TemplateExpression)
    case slice(
      TemplateExpression, from: TemplateExpression?, to: TemplateExpression?, step: TemplateExpression?)
    case call(TemplateExpression, Arguments)
    case filter(TemplateExpression, String, Arguments)
    case test(TemplateExpression, String, [TemplateExpression])
    case not(TemplateExpression)
    case negative(TemplateExpression)
    /// A first value, then what is added (`+`) or taken off (`-`).
    case sum(TemplateExpression, [(symbol: String, value: TemplateExpression)])
    case product(TemplateExpression, String, TemplateExpression)
    /// `a ~ b ~ c`
    case joined([TemplateExpression])
    case comparison(TemplateExpression, [(symbol: String, value: TemplateExpression)])
    case and([TemplateExpression])
    case or([TemplateExpression])
    case conditional(TemplateExpression, condition: TemplateExpression, otherwise: TemplateExpression?)
  }

  let form: Form
  let line: Int
  /// How deep its parts are nested: bounded, as it is evaluated by recursion.
  let depth: Int
}

/// A statement of a template.
indirect enum TemplateStatement: Sendable {
  enum Target: Sendable {
    case names([String])
    case attribute(of: String, String)
  }

  struct Loop: Sendable {
    let names: [String]
    let items: TemplateExpression
    let condition: TemplateExpression?
    let body: [TemplateStatement]
    let otherwise: [TemplateStatement]
  }

  struct Macro: Sendable {
    let name: String
    let parameters: [(name: String, value: TemplateExpression?)]
    let body: [TemplateStatement]
  }

  case text(MarkedText)
  case output(TemplateExpression)
  case conditional([(condition: TemplateExpression?, body: [TemplateStatement])])
  case loop(Loop)
  case set(Target, TemplateExpression)
  /// `{% set name %}...{% endset %}`
  case capture(Target, [TemplateStatement])
  case macro(Macro)
  case group([TemplateStatement])
  case breakLoop
  case continueLoop
}
