/// Rules for JSON texts of any kind, of which those of a schema are made.
struct JSONTextRules {
  typealias Expression = Grammar.Expression
  let space, comma, colon, character, string, integer, number, any, object, array: Expression

  /// `isCompact`: no line breaks between the signs.
  init(into grammar: inout Grammar, isCompact: Bool) throws {
    // A little free space: enough for the layouts that models have learned, not enough to be lost in.
    let lines = Expression.sequence([
      .literal("\n"), .repeated(.literal("\n"), minimum: 0, maximum: 1),
      .repeated(.bytes(" \t"), minimum: 0, maximum: 20),
    ])
    space = try grammar.named(.choice([.nothing, .literal(" ")] + (isCompact ? [] : [lines])))
    comma = try grammar.named(.sequence([space, .literal(","), space]))
    colon = try grammar.named(.sequence([space, .literal(":"), space]))
    character = try grammar.named(Self.character)
    string = try grammar.named(
      .sequence([.literal("\""), .repeated(character, minimum: 0, maximum: nil), .literal("\"")]))
    let digit = Expression.bytes("0123456789")
    let whole = try grammar.named(
      .choice([.literal("0"), .sequence([.bytes("123456789"), .repeated(digit, minimum: 0, maximum: 17)])]))
    integer = try grammar.named(.sequence([.optional(.literal("-")), whole]))
    number = try grammar.named(
      .sequence([
        integer, .optional(.sequence([.literal("."), .repeated(digit, minimum: 1, maximum: 16)])),
        .optional(.sequence([.bytes("eE"), .optional(.bytes("+-")), .repeated(digit, minimum: 1, maximum: 2)])),
      ]))
    any = try grammar.declare()
    let member = Expression.sequence([string, colon, any])
    object = try grammar.named(Self.list(.literal("{"), member, comma, .literal("}"), space))
    array = try grammar.named(Self.list(.literal("["), any, comma, .literal("]"), space))
    try grammar.define(
      any,
      .choice([
        object, array, string, number, .literal("true"), .literal("false"), .literal("null"),
      ]))
  }

  private static func list(
    _ open: Expression, _ item: Expression, _ comma: Expression, _ close: Expression, _ space: Expression
  ) -> Expression {
    .sequence([
      open, space,
      .optional(
        .sequence([item, .repeated(.sequence([comma, item]), minimum: 0, maximum: nil), space])),
      close,
    ])
  }

  /// One code point inside a JSON string: as it is, or escaped. Halves of surrogate pairs come in pairs alone, as many
  /// readers refuse others.
  private static let character: Expression = {
    let hexadecimal = Expression.bytes("0123456789abcdefABCDEF")
    func digits(_ first: Expression...) -> Expression {
      .sequence(first + [Expression](repeating: hexadecimal, count: 4 - first.count))
    }
    let surrogate = Expression.bytes("dD")
    return .choice([
      .character(except: ByteSet(0...0x1f).union(ByteSet(of: "\"\\\u{7f}"))),
      .sequence([
        .literal("\\"),
        .choice([
          .bytes("\"\\/bfnrt"),
          .sequence([
            .literal("u"), .choice([digits(.bytes("0123456789abcefABCEF")), digits(surrogate, .bytes("01234567"))]),
          ]),
          .sequence([
            .literal("u"), digits(surrogate, .bytes("89abAB")), .literal("\\u"), digits(surrogate, .bytes("cdefCDEF")),
          ]),
        ]),
      ]),
    ])
  }()
}
