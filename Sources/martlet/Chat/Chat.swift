import ArgumentParser
import Foundation
import MartletData
import MartletEditing
import MartletEngine
import MartletModels

struct Chat: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Starts a conversation with a model in the terminal.",
    discussion: """
      Type a message and press return; the line can be edited, and the arrow keys recall earlier lines. Ctrl-C stops \
      an answer, Ctrl-D leaves. /help lists the commands: /history, /edit, /undo, /retry, /continue, /system, /set, \
      /save, /load, /fork, /back, /reset, /quit.

      When the model's context is full, the oldest questions and their answers are left out, and a note says so. The \
      conversation is saved in MARTLET_HOME/chat/last.json, and --continue resumes it. If standard input is not a \
      terminal, every line is a message.

      Example: martlet chat SmolLM2-135M-Instruct.Q4_1 --system "Answer briefly."
      """)

  @OptionGroup var options: ModelOptions
  @Option(name: .shortAndLong, help: "The first message.") var prompt: String?
  @OptionGroup var sampling: SamplingOptions
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @OptionGroup var states: StateOptions
  @Option(name: [.long, .customLong("system-prompt")], help: "The system message of the conversation.") var system:
    String?
  @Option(
    name: [.long, .customShort("n"), .customLong("n-predict")],
    help: "Maximum number of tokens of an answer; -1 sets no limit (default: 512).", transform: TokenLimit.parse)
  var maxTokens = TokenLimit(512)
  @OptionGroup var context: ContextOptions
  @OptionGroup var edits: AppliedEdits
  @Flag(help: CalculatorHelp.help) var calculator = false
  @Flag(name: .customLong("continue"), help: "Resume the last conversation.") var continues = false
  @Flag(help: "Save neither the conversation nor the history of lines.") var noSave = false
  @Flag(help: "Print one JSON object for each answer.") var json = false

  func validate() throws {
    if let prompt, prompt.trimmed.isEmpty { throw ValidationError("--prompt is empty; give some text") }
  }

  func run() async throws {
    let device = TerminalDevice(usesOutput: !json)
    let interrupts = ChatInterrupts(device)
    // What is typed while the model is loaded waits for the prompt.
    device?.enter(.waiting)
    defer { device?.restore() }
    interrupts.start()
    // The terminal is put in order also where the output is lost.
    StandardOutput.endInOrder()
    let output = ChatOutput(json: json)
    let loaded = try options.load(chatFormat: chatFormat)
    let limit = try context.limit(loaded)
    let settings = ChatSettings(
      try sampling.sampling(for: loaded, defaultTemperature: 0.7, defaultTopP: 0.9), maxTokens: maxTokens.count)
    let engine = try await edits.engine(loaded, model: options.model)
    let conversation = Conversation(engine, start: try states.start(loaded))
    conversation.settings.contextLimit = limit
    conversation.settings.calculates = calculator
    if continues { conversation.messages = try lastConversation(output) }
    if let system {
      conversation.instructions = system.trimmed.isEmpty ? nil : system
    }
    var loop = ChatLoop(
      engine: engine, model: options.model, limit: limit, output: output, interrupts: interrupts, keeps: !noSave,
      input: ChatInput(device, keepsHistory: !noSave), conversation: conversation, settings: settings)
    if device != nil, !json {
      output.remark(
        "\(loaded.model.description.architecture), written as \(loaded.chatFormat.name); /help lists the commands")
    }
    if continues { loop.greet() }
    await loop.run(first: prompt)
    if loop.hasFailed, device == nil { throw ExitCode(1) }
  }

  private func lastConversation(_ output: ChatOutput) throws -> [ChatMessage] {
    let path = ConversationFile.last
    guard FileManager.default.fileExists(atPath: path) else {
      throw ModelError("there is no conversation to resume (\(path)); leave --continue out to start one")
    }
    let (messages, model) = try ConversationFile.read(path)
    if let model, model != options.model {
      output.remark("that conversation was held with the model \(model.printable)")
    }
    return messages
  }
}
