import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletModels
import MartletTokenizers

struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continues a text.",
    discussion: """
      Without a prompt, or with the prompt -, standard input is read to its end (a final line break is removed). The \
      model continues the prompt; for questions and answers use `martlet chat`, or --chat. A single argument that is \
      not the name of a model is the prompt, and the built-in model `box` continues it (a byte-level RWKV-5.2 that was \
      trained on Shakespeare only).

      Examples:
        martlet generate "ROMEO: But soft"
        martlet generate model.gguf "Once upon a time" --max-tokens 60 --temperature 0.8 --top-p 0.9
      """)

  @Argument(help: "Path or name of the model (default: the built-in model `box`).") var model: String?
  @Argument(help: "The text to continue.") var prompt: String?
  @Option(name: [.customShort("m"), .customLong("model")], help: "The model, as an option.") var namedModel: String?
  @Option(name: [.customShort("p"), .customLong("prompt")], help: "The text, as an option.") var namedPrompt: String?
  @Option(name: .shortAndLong, help: "File with the text; - is standard input.") var file: String?
  @OptionGroup var options: LoadingOptions
  @OptionGroup var sampling: SamplingOptions
  @Option(
    name: [.long, .customShort("n"), .customLong("n-predict")],
    help: "Maximum number of tokens to generate; -1 sets no limit (default: 128).", transform: TokenLimit.parse)
  var maxTokens = TokenLimit(128)
  @OptionGroup var context: ContextOptions
  @Option(
    name: [.long, .customShort("r"), .customLong("reverse-prompt")], help: "Stop before this text; may be repeated.")
  var stop: [String] = []
  @Flag(help: CalculatorHelp.help) var calculator = false
  @Flag(help: "Send the prompt as the message of a user, with the prompt template of the model.") var chat = false
  @OptionGroup var states: StateOptions
  @OptionGroup var edits: AppliedEdits
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @Option(help: "Continue from a state that --save-state wrote.") var loadState: String?
  @Option(help: "Save the state after the last token.") var saveState: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object instead of the text.") var json = false
  @Flag(name: .shortAndLong, help: "Do not print speeds.") var quiet = false

  func validate() throws {
    if namedModel != nil { throw ValidationError("--model is given twice") }
    if [prompt, namedPrompt, file].count(where: { $0 != nil }) > 1 {
      throw ValidationError("the text is given twice; give it as an argument, by --prompt or by --file")
    }
    if stop.contains("") { throw ValidationError("--stop is empty; give some text") }
    if loadState != nil, states.state != nil {
      throw ValidationError("--load-state continues a text and --state starts one; give only one of them")
    }
  }

  func run() async throws {
    if let saveState { try OutputTarget.check(saveState, replaces: force) }
    let started = Date()
    let input = PromptInput(model: model, prompt: prompt ?? namedPrompt, file: file)
    let model = try input.resolveModel { text in
      if Terminal.isInteractive, !json, !quiet { Terminal.note(Terminal.dim("(\(text))")) }
    }
    let loaded = try options.load(model, chatFormat: chatFormat, warns: chat)
    let loadSeconds = Date().timeIntervalSince(started)
    // The small model in the box repeats itself when it always takes the likeliest byte.
    let isBuiltIn = model == BuiltInModel.name
    let sampling = try sampling.sampling(
      for: loaded, defaultTemperature: isBuiltIn ? 0.8 : 0, defaultTopP: isBuiltIn ? 0.9 : 1)
    let limit = try context.limit(loaded)
    let text = try input.text(quiet: quiet)
    guard !text.isEmpty || loadState != nil, !chat || !text.trimmed.isEmpty else {
      throw ValidationError("the prompt is empty; give some text")
    }
    let engine = try await edits.engine(loaded, model: model)
    let session =
      try loadState.map { try Session(engine, restoring: $0) } ?? Session(engine, start: states.start(loaded))
    if chat {
      session.append(try loaded.chatFormat.encode([ChatMessage(.user, text)], tokenizer: loaded.tokenizer))
    } else {
      let start = session.tokens.isEmpty ? loaded.tokenizer.beginOfText.map { [$0] } ?? [] : []
      session.append(start + loaded.tokenizer.encode(text, special: true))
    }
    guard !session.tokens.isEmpty else { throw ValidationError("the prompt is empty; give some text") }
    if let limit, session.tokens.count >= limit {
      throw ModelError(
        "the prompt takes \(session.tokens.count) tokens and the context ends at \(limit); shorten the prompt")
    }
    let most = limit.map { min(maxTokens.count, $0 - session.tokens.count) } ?? maxTokens.count
    if !json, !chat { Terminal.write(Terminal.bold(text)) }
    Terminal.catchInterrupts()
    var answer = ""
    let reply = session.generate(
      sampling: sampling, maxTokens: most, stops: stop + (chat ? loaded.chatFormat.stops : []),
      calculates: calculator,
      question: Question(text, format: chat ? .chat : .raw))
    for try await piece in reply {
      if json { answer += piece } else { Terminal.write(piece) }
      if Terminal.isInterrupted {
        if !json { Terminal.write("\n") }
        if let saveState { Terminal.note("Interrupted; no state was saved to \(saveState).".printable) }
        Foundation.exit(130)
      }
    }
    guard let completion = reply.completion else { throw EngineError("the generation was cancelled") }
    if let saveState { try session.save(to: saveState, replaces: force) }
    let generated = completion.tokens.count
    let rate = generated > 1 ? Double(generated - 1) / max(completion.generationSeconds, 1e-9) : 0
    let promptRate = Double(completion.promptTokens - completion.cachedTokens) / max(completion.promptSeconds, 1e-9)
    if json {
      let calculations = completion.calculations.map { ["expression": $0.expression, "result": $0.result] }
      try Terminal.printJSON([
        "text": answer, "tokens": completion.tokens, "reason": completion.reason.rawValue,
        "prompt_tokens": completion.promptTokens, "completion_tokens": generated, "seed": Seed.json(sampling.seed),
        "load_seconds": loadSeconds, "prompt_seconds": completion.promptSeconds,
        "generation_seconds": completion.generationSeconds, "tokens_per_second": rate,
        "calculations": calculations,
        "edit": completion.edit?.json ?? NSNull(),
      ])
    } else {
      Terminal.write("\n")
      if !quiet {
        Terminal.note(
          Terminal.isInteractive
            ? String(
              format: "loaded in %.2f s, prompt %d tokens at %.0f/s, generated %d at %.1f/s", loadSeconds,
              completion.promptTokens, promptRate, generated, rate)
            : String(format: "%d tokens, %.1f tokens/s", generated, rate))
      }
    }
  }
}
