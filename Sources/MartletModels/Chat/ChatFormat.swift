import Foundation
import MartletData
import MartletTokenizers

/// How a conversation is written for a model: with the model's own template, or in a named format.
public struct ChatFormat: Sendable {
  /// Formats that can be chosen by name.
  public enum Kind: String, Sendable, CaseIterable {
    /// RWKV World's `User:` and `Assistant:`.
    case rwkvWorld = "rwkv-world"
    /// The format ChatML.
    case chatML = "chatml"
    /// The formats of the models that they are named after.
    case llama2, llama3, zephyr
    /// The first format of Mistral.
    case mistralV1 = "mistral-v1"
    /// The third format of Mistral.
    case mistralV3 = "mistral-v3"
    /// The seventh format of Mistral.
    case mistralV7 = "mistral-v7"
    /// The formats of the models that they are named after.
    case phi3, gemma, granite, falcon3
    /// The format of DeepSeek.
    case deepSeek = "deepseek"
    /// The format of DeepSeek R1 and the models distilled from it.
    case deepSeekR1 = "deepseek-r1"
    /// The formats of two older models, and one without control tokens.
    case vicuna, alpaca, plain
  }

  /// Why this format is used.
  public enum Source: Sendable, Equatable {
    /// The model's own template is used.
    case template
    /// The format was chosen by name.
    case chosen
    /// The files of the model contain no template.
    case noTemplate
    /// The files of models of this kind contain no template, and this is their usual format.
    case usual
    /// The model's template uses something that Martlet does not support; the reason is given.
    case notUnderstood(String)
  }

  enum Writer: Sendable {
    case world, plain
    case template(ChatTemplate)
  }

  /// The format's name; nil for a model's own template.
  public let kind: Kind?
  /// Why this format is used.
  public let source: Source
  let writer: Writer
  /// Texts that end an answer, in addition to the tokenizer's end tokens.
  public let stops: [String]
  /// White space between the prompt's end and an answer's first word that belongs to the format.
  let answerLead: String
  /// What ends an answer, as it is trained.
  let answerEnd: [Piece]

  /// A format that was chosen by name.
  public init(_ kind: Kind) { self.init(kind, source: .chosen) }

  init(_ kind: Kind, source: Source) {
    switch kind {
    case .rwkvWorld:
      self.init(
        kind, source, .world, stops: ["\n\nUser:", "\n\nUser", "\n\n"], answerLead: " ", answerEnd: [.text("\n\n")])
    case .plain: self.init(kind, source, .plain, stops: [], answerLead: "", answerEnd: [])
    default:
      do {
        try self.init(kind, source, ChatTemplate(kind.template, specialTokens: [:]))
      } catch {
        // Every template of ours is rendered by the tests.
        self.init(kind, source, .plain, stops: [], answerLead: "", answerEnd: [])
      }
    }
  }

  init(
    _ kind: Kind?, _ source: Source, _ writer: Writer, stops: [String], answerLead: String, answerEnd: [Piece]
  ) {
    self.kind = kind
    self.source = source
    self.writer = writer
    self.stops = stops
    self.answerLead = answerLead
    self.answerEnd = answerEnd
  }

  /// The name of the format to show.
  public var name: String { kind?.rawValue ?? "the model's own template" }

  /// Whether an answer begins with a space that belongs to the format.
  public var answersBeginWithSpace: Bool { answerLead == " " }

  /// A warning to show before a conversation: the format differs from the one that the model was trained with. nil if
  /// there is nothing to warn about.
  public var warning: String? {
    let reason: String
    switch source {
    case .template, .chosen, .usual: return nil
    case .noTemplate: reason = "the files of the model have no chat template"
    case .notUnderstood(let why): reason = "the chat template of the model is not supported (\(why))"
    }
    return
      "\(reason), so conversations are written in the format \(name), which may differ from that of its training; choose another format with --chat-format (\(Self.names))"
      .printable
  }

  /// The format and why it is used, in one line.
  public var summary: String {
    switch source {
    case .template: name
    case .chosen: "\(name), as chosen"
    case .usual: "\(name), as usual for models of its kind"
    case .noTemplate: "\(name) (the files have no template; --chat-format chooses another format)"
    case .notUnderstood(let why):
      "NOT SUPPORTED (\(why)); \(name) is used instead, choose another with --chat-format (\(Self.names))".printable
    }
  }

  static var names: String { Kind.allCases.map(\.rawValue).joined(separator: ", ") }

  // MARK: Encoding

  /// The conversation as tokens, up to where the assistant's next answer begins. If the answer must begin with `begun`,
  /// the tokens include it. A begin-of-text token comes first if the tokenizer or the template has one, and only once.
  /// - Throws: ``ModelError`` if the format cannot express the conversation, e.g. because two user messages follow each
  ///   other.
  public func encode(_ messages: [ChatMessage], begun: String = "", tokenizer: any Tokenizer) throws -> [Int] {
    let ids = try encode(written(messages, begun: begun), tokenizer: tokenizer)
    guard let begin = tokenizer.beginOfText, ids.first != begin else { return ids }
    return [begin] + ids
  }

  /// The conversation as text, as ``encode(_:begun:tokenizer:)`` writes it.
  public func text(_ messages: [ChatMessage], begun: String = "") throws -> String {
    try written(messages, begun: begun).string
  }

  /// The tokens that follow an answer that the model has just generated without its end token: the end of the turn,
  /// then `messages`, up to where the next answer begins.
  public func encodeNext(_ messages: [ChatMessage], begun: String = "", tokenizer: any Tokenizer) throws -> [Int] {
    switch writer {
    case .world, .plain:
      return try encode(MarkedText("\n\n") + written(messages, begun: begun), tokenizer: tokenizer)
    case .template:
      let earlier = [ChatMessage(.user, "x"), ChatMessage(.assistant, "x")]
      let text = try written(earlier + messages, begun: begun)
      guard let answer = text.range(ofMessage: 1) else {
        throw ModelError(
          "the chat template of the model leaves earlier answers out, so a conversation cannot continue from its state")
      }
      return encode(MarkedText(units: Array(text.units[answer.upperBound...])), tokenizer: tokenizer)
    }
  }

  /// A whole conversation as tokens, with marks on the tokens of the assistant: each answer with its end token.
  /// - Throws: ``ModelError``, as ``encode(_:begun:tokenizer:)`` does.
  public func trainingPieces(
    _ messages: [ChatMessage], tokenizer: any Tokenizer
  ) throws -> [(ids: [Int], isAnswer: Bool)] {
    var result: [(ids: [Int], isAnswer: Bool)] = []
    var written: [Int] = []
    for (place, message) in messages.enumerated() where message.role == .assistant {
      let (asked, answered) = try answer(at: place, of: messages)
      var prompt = encode(asked, tokenizer: tokenizer)
      if let begin = tokenizer.beginOfText, prompt.first != begin { prompt.insert(begin, at: 0) }
      // Where a turn's end and the next one's start make other tokens together, the later reading wins.
      let common = zip(prompt, written).prefix { $0 == $1 }.count
      result.append((Array(prompt[min(common, written.count)...]), false))
      var ids = encode(answered, tokenizer: tokenizer)
      let hasEnd = answerEnd.contains { if case .control = $0 { true } else { false } } || kind == .rwkvWorld
      if !hasEnd, let end = tokenizer.endOfText.min() { ids.append(end) }
      result.append((ids, true))
      written = prompt + ids
    }
    return result
  }

  /// The text in front of the answer at `place`, and the answer with its end.
  private func answer(at place: Int, of messages: [ChatMessage]) throws -> (MarkedText, MarkedText) {
    let before = Array(messages[..<place])
    let end = MarkedText(answerEnd.map(\.text).joined())
    switch writer {
    case .world:
      return (
        try written(before), MarkedText(" " + Self.withoutBlankLines(messages[place].content), ofMessage: place) + end
      )
    case .plain: return (try written(before), MarkedText(messages[place].content, ofMessage: place))
    case .template:
      let whole = try render(Array(messages[...place]), asksForAnswer: false)
      guard let content = whole.range(ofMessage: place) else {
        return (try written(before), MarkedText(messages[place].content, ofMessage: place) + end)
      }
      let start = content.lowerBound - (try lead(ofAnswer: whole.units[..<content.lowerBound], behind: before).count)
      return (
        MarkedText(units: Array(whole.units[..<start])),
        MarkedText(units: Array(whole.units[start..<content.upperBound])) + end
      )
    }
  }

  /// What the template writes in front of an answer's words that is the answer's own, not the prompt's.
  ///
  /// - Parameters:
  ///   - text: the whole conversation in front of the answer's words.
  ///   - messages: the ones before the answer.
  private func lead(ofAnswer text: ArraySlice<UInt32>, behind messages: [ChatMessage]) throws -> ArraySlice<UInt32> {
    let before = text.ownTail
    if !messages.isEmpty {
      // What the prompt lacks, where the one goes on from the other.
      let prompt = try written(messages).units[...].ownTail
      let common = zip(prompt, before).prefix { $0 == $1 }.count
      if common == prompt.count || common == before.count { return before.dropFirst(common) }
    }
    // A template may write more by itself where the assistant speaks first, e.g. a system message of its own: the
    // answer's is what stands behind the words that ask for one.
    let question = [ChatMessage(.user, "x")]
    guard let asked = try? render(question, asksForAnswer: true),
      let told = try? render(question, asksForAnswer: false),
      asked.units.count > told.units.count, asked.hasPrefix(told)
    else { return before.suffix(0) }
    let asks = asked.units.count - told.units.count
    guard
      let place = MarkedText(units: Array(before)).places(of: MarkedText(units: Array(asked.units.suffix(asks)))).last
    else {
      return before.suffix(0)
    }
    return before.dropFirst(place + asks)
  }

  // MARK: Writing

  private func written(_ messages: [ChatMessage], begun: String = "") throws -> MarkedText {
    let text: MarkedText =
      switch writer {
      case .world: MarkedText(Self.world(messages), ofMessage: 0)
      case .plain: MarkedText(messages.map(\.content).joined(separator: "\n\n"), ofMessage: 0)
      case .template: try render(messages, asksForAnswer: true)
      }
    guard let first = begun.first else { return text }
    return text + MarkedText((first.isWhitespace ? "" : answerLead) + begun, ofMessage: messages.count)
  }

  private func render(_ messages: [ChatMessage], asksForAnswer: Bool) throws -> MarkedText {
    guard case .template(let template) = writer else { return MarkedText() }
    do {
      return try template.render(messages, asksForAnswer: asksForAnswer)
    } catch TemplateError.refused(let words) {
      throw ModelError("the chat template of the model refuses this conversation: \(words)".printable)
    } catch {
      throw ModelError(
        "the chat template of the model cannot write this conversation (\(error)); send it in another order, or choose a format with --chat-format"
          .printable)
    }
  }

  /// `User: ...\n\nAssistant: ...`; a blank line ends a turn, so none may stand inside one.
  private static func world(_ messages: [ChatMessage]) -> String {
    let turns = messages.map { message in
      switch message.role {
      case .system: withoutBlankLines(message.content)
      case .user: "User: \(withoutBlankLines(message.content))"
      case .assistant: "Assistant: \(withoutBlankLines(message.content))"
      }
    }
    return (turns + ["Assistant:"]).joined(separator: "\n\n")
  }

  private static func withoutBlankLines(_ text: String) -> String {
    var text = MarkedText(text).stripped().string.replacing("\r\n", with: "\n")
    while text.contains("\n\n") { text = text.replacing("\n\n", with: "\n") }
    return text
  }
}

extension ArraySlice<UInt32> {
  /// What the template itself wrote at the end of a text.
  fileprivate var ownTail: ArraySlice { suffix(from: (lastIndex { !MarkedText.isOwn($0) } ?? startIndex - 1) + 1) }
}
