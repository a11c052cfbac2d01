import ArgumentParser
import Foundation
import MartletEngine
import MartletModels

struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continues a text.",
    discussion: """
      Without a prompt, standard input is read. The text goes on where the prompt ends; for questions and answers \
      use `martlet chat`, or --chat. With one argument that names no model, it is the prompt, and the small model \
      that Martlet brings goes on with it (a byte-level RWKV-5.2 that has read Shakespeare only).

      Examples:
        martlet generate "ROMEO: But soft"
        martlet generate model.gguf "Once upon a time" --max-tokens 60 --temperature 0.8 --top-p 0.9
      """)

  @Argument(help: "Path or name of the model (default: `box`, the small one that Martlet brings).") var model: String?
  @Argument(help: "The text to continue.") var prompt: String?
  @OptionGroup var options: LoadingOptions
  @OptionGroup var sampling: SamplingOptions
  @Option(name: [.long, .customShort("n")], help: "Most tokens to generate.") var maxTokens = 128
  @Option(help: "End before this text; may be repeated.") var stop: [String] = []
  @Flag(help: "Put the prompt to the model as a user's message.") var chat = false
  @OptionGroup var states: StateOptions
  @OptionGroup var edits: AppliedEdits
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @Option(help: "Go on from a state that --save-state wrote.") var loadState: String?
  @Option(help: "Save the state after the last token.") var saveState: String?
  @Flag(help: "Print one JSON object instead of the text.") var json = false
  @Flag(name: .shortAndLong, help: "Do not print speeds.") var quiet = false

  func validate() throws {
    if maxTokens < 1 { throw ValidationError("--max-tokens must be at least 1") }
    if loadState != nil, states.state != nil {
      throw ValidationError("--load-state goes on with a text and --state begins one; give one of them")
    }
  }

  func run() async throws {
    let started = Date()
    let (model, prompt) = try modelAndPrompt()
    let loaded = try options.load(model, chatFormat: chatFormat, warns: chat)
    let loadSeconds = Date().timeIntervalSince(started)
    // The small model in the box repeats itself when it always takes the likeliest byte.
    let isBuiltIn = model == BuiltInModel.name
    let sampling = try sampling.sampling(
      for: loaded, defaultTemperature: isBuiltIn ? 0.8 : 0, defaultTopP: isBuiltIn ? 0.9 : 1)
    let text: String
    if let prompt {
      text = prompt
    } else {
      guard let input = String(validating: Terminal.readInput(), as: UTF8.self) else {
        throw ModelError("the prompt on standard input is not UTF-8; convert it first, e.g. with iconv")
      }
      text = input
    }
    let engine = try await edits.engine(loaded, model: model)
    var session =
      try loadState.map { try Session(engine, restoring: $0) } ?? Session(engine, start: states.start(loaded))
    if chat {
      session.append(try loaded.chatFormat.encode([ChatMessage(.user, text)], tokenizer: loaded.tokenizer))
    } else {
      let start = session.tokens.isEmpty ? loaded.tokenizer.beginOfText.map { [$0] } ?? [] : []
      session.append(start + loaded.tokenizer.encode(text, special: true))
    }
    guard !session.tokens.isEmpty else { throw ModelError("the prompt is empty; give some text") }
    if !json, !chat { Terminal.write(Terminal.bold(text)) }
    Terminal.catchInterrupts()
    var answer = ""
    let completion = try await session.generate(
      sampling: sampling, maxTokens: maxTokens, stops: stop + (chat ? loaded.chatFormat.stops : []),
      question: Question(text, format: chat ? .chat : .raw)
    ) { piece in
      if json { answer += piece } else { Terminal.write(piece) }
      if Terminal.isInterrupted {
        Terminal.write("\n")
        Foundation.exit(130)
      }
    }
    if let saveState { try session.save(to: saveState) }
    let generated = completion.tokens.count
    let rate = generated > 1 ? Double(generated - 1) / max(completion.generationSeconds, 1e-9) : 0
    let promptRate = Double(completion.promptTokens - completion.cachedTokens) / max(completion.promptSeconds, 1e-9)
    if json {
      try Terminal.printJSON([
        "text": answer, "tokens": completion.tokens, "reason": completion.reason.rawValue,
        "prompt_tokens": completion.promptTokens, "completion_tokens": generated, "seed": sampling.seed,
        "load_seconds": loadSeconds, "prompt_seconds": completion.promptSeconds,
        "generation_seconds": completion.generationSeconds, "tokens_per_second": rate,
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

  /// One argument alone is a model if there is such a one, else the prompt of the model in the box.
  private func modelAndPrompt() throws -> (model: String, prompt: String?) {
    guard let model else { return (BuiltInModel.name, nil) }
    if prompt != nil || model == BuiltInModel.name { return (model, prompt) }
    do {
      _ = try ModelLibrary().resolve(model)
      return (model, nil)
    } catch let error as ModelError {
      // A path with a typing error is no prompt.
      let endings = [".gguf", ".safetensors", ".pth", ".st", ".bin"]
      if endings.contains(where: model.hasSuffix) || model.contains("/") && !model.contains(" ") { throw error }
      if Terminal.isInteractive, !json, !quiet {
        Terminal.note(Terminal.dim("(there is no model of that name: it is a prompt for the small model in the box)"))
      }
      return (BuiltInModel.name, model)
    }
  }
}
