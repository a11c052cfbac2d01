import ArgumentParser
import Foundation
import Logging
import MartletEditing
import MartletEngine
import MartletLaboratory
import MartletModels
import MartletServer
import MartletSkeleton

extension Logger.Level: @retroactive ExpressibleByArgument {}

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves a model over HTTP with OpenAI's API and a chat page.",
    discussion: """
      Open the address in a browser, or use ADDRESS/v1 as the base URL of a client. Endpoints: /v1/chat/completions, \
      /v1/completions, /v1/embeddings, /v1/models, /tokenize, /detokenize, /tokenizer_info, /health, /metrics, and /martlet/edits for \
      corrections (GET, POST {"prompt", "answer"}, DELETE /martlet/edits/ID), which take effect at once.

      A chat request may contain {"martlet": {"skeleton": "auto" | "on" | "off"}}: long answers are then generated as a \
      skeleton whose points are expanded in parallel.

      After SIGTERM or Ctrl-C, running answers are finished. Exit codes: 0 all answers were finished, 1 the model could \
      not be loaded, the address is not available or answers were cut off after --shutdown-timeout, 130 a second signal.

      Example: martlet serve model.gguf --port 8080
      """)

  @OptionGroup var options: ModelOptions
  @Option(help: ChatFormat.Kind.help) var chatFormat: ChatFormat.Kind?
  @Option(help: "Address to listen on.") var host = "127.0.0.1"
  @Option(help: "Port to listen on; 0 takes a free port.") var port = 8080
  @Option(help: "API key that clients must send; may be repeated. MARTLET_API_KEY sets one more.") var apiKey:
    [String] = []
  @Option(help: "Origin of web pages that may call the server, besides its own page; * allows all. May be repeated.")
  var corsOrigin: [String] = []
  @Option(
    help: "Host name under which clients may reach the server, besides localhost and IP addresses. May be repeated.")
  var allowedHost: [String] = []
  @Option(help: "Name under which the model is listed (default: the name of the file).") var name: String?
  @Option(help: "Maximum number of sequences in a batch.") var sequences = 16
  @Option(help: "Maximum number of waiting requests; further ones get status 429.") var queue = 256
  @Option(help: "Size of the prompt cache in megabytes.") var promptCache = 256
  @Option(help: "Maximum size of a request in megabytes.") var maxBody = 8
  @Option(help: "Seconds within which a request must arrive.") var readTimeout = 30
  @Option(help: "Seconds that running answers may take after the server is told to stop.") var shutdownTimeout = 120
  @Option(name: [.long, .customLong("temp")], help: "Temperature of requests without `temperature`.")
  var temperature: Float = 0.7
  @Option(help: "top_p of requests without `top_p`.") var topP: Float = 0.9
  @Flag(help: ArgumentHelp(CalculatorHelp.text + " The field `calculator` of a request takes precedence."))
  var calculator = false
  @Option(help: "Skeletons in requests without `skeleton`: auto, on or off.") var skeleton = SkeletonMode.off
  @Option(help: "Prompt set of skeletons: open, chatgpt, claude, gpt4, small, chinese, or a JSON file.")
  var prompts = "open"
  @Option(help: "Maximum number of sentences of a point; 0 sets no limit.") var sentences = 2
  @Option(help: "Maximum number of tokens of a point.") var pointTokens = 96
  @Flag(
    name: .customLong("continue"),
    help: "Continue each point from the model state after the skeleton instead of reading question and outline again.")
  var continues = false
  @Option(help: "File with the edits of the model (default: MODEL.edits.sqlite next to it).") var edits: String?
  @Flag(help: "Apply no edits and accept none.") var noEdits = false
  @Option(
    help:
      "A model of `martlet sense train` (its file or the folder of its run): ADDRESS/draw.html shows how a drawing comes back from few numbers."
  ) var sense: String?
  @Option(
    help: ArgumentHelp(
      "A tuned initial state: FILE for all requests, or NAME=FILE for those with {\"martlet\": {\"state\": NAME}}; "
        + "may be repeated.")
  )
  var state: [String] = []
  @Option(help: "A router that `martlet skeleton train-router` wrote, or `prompt` to ask the model itself.") var router:
    String?
  @Flag(help: "Refuse to start in a confidential guest whose host is vulnerable to CacheWarp (see `martlet host`).")
  var requireSafeHost = false
  @Option(help: ArgumentHelp("Folder with a captured /proc and /sys, for tests.", visibility: .hidden))
  var hostRoot: String?
  @Flag(help: "Write prompts and answers to the log.") var logText = false
  @Option(help: "Log level: trace, debug, info, notice, warning, error or critical.") var logLevel = Logger.Level.info
  @Flag(help: "Write log lines as JSON objects.") var json = false
  @Option(
    help: ArgumentHelp(
      "JSONL file of {\"match\": …, \"reply\": …}: answers a prompt that ends with `match` with `reply`. All forward passes are run; for measurements.",
      visibility: .hidden))
  var script: String?

  func validate() throws {
    if !(0...65_535).contains(port) { throw ValidationError("--port must be from 0 to 65535") }
    if !(1...256).contains(sequences) { throw ValidationError("--sequences must be from 1 to 256") }
    if queue < 0 || pointTokens < 1 { throw ValidationError("--queue must be 0 or more, --point-tokens at least 1") }
    for (name, value, least, most) in [
      ("--prompt-cache", promptCache, 0, 1 << 20), ("--max-body", maxBody, 1, 1 << 12),
      ("--read-timeout", readTimeout, 1, 86_400), ("--shutdown-timeout", shutdownTimeout, 1, 86_400),
    ] where !(least...most).contains(value) {
      throw ValidationError("\(name) must be from \(least) to \(most)")
    }
    if let host = allowedHost.first(where: { $0 != "*" && !ServerConfiguration.isHost($0) }) {
      throw ValidationError("--allowed-host \(host) is not a host name; give NAME or NAME:PORT")
    }
    if !(temperature >= 0 && temperature.isFinite) || !(topP > 0) || topP > 1 || sentences < 0 {
      throw ValidationError(
        "--temperature must be a finite number of 0 or more, --top-p above 0 and at most 1, --sentences 0 or more")
    }
  }

  func run() async throws {
    // What is not there is said before anything is begun.
    if options.model != BuiltInModel.name { _ = try ModelLibrary().resolve(options.model) }
    var logger = Logger(label: "martlet") { [json] _ in ServeLog(isJSON: json) }
    logger.logLevel = logLevel
    let configuration = try serverConfiguration()
    if !configuration.isLoopback, configuration.apiKeys.isEmpty {
      logger.warning(
        "everyone who can reach this machine can use the model: set --api-key, or listen on 127.0.0.1",
        metadata: ["host": "\(host)"])
    }
    let (options, chatFormat) = (options, chatFormat)
    let server = ModelServer(configuration, logger: logger) { try options.load(chatFormat: chatFormat, warns: false) }
    let shown = host.contains(":") ? "[\(host)]" : host
    do {
      try await server.run { [logger] port in
        logger.info("listening", metadata: ["address": "http://\(shown):\(port)"])
      }
    } catch let error as EditError where edits == nil {
      throw EditError("\(error); --no-edits serves the model without edits")
    } catch ServerEnd.interrupted {
      logger.warning("\(ServerEnd.interrupted)")
      throw ExitCode(130)
    }
  }

  private func serverConfiguration() throws -> ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.host = host
    configuration.port = port
    // A name such as `SmolLM2.Q4_1` has a dot that is no file's ending.
    let file = (options.model as NSString).lastPathComponent as NSString
    let isFile = ["gguf", "safetensors", "pth", "st", "bin"].contains(file.pathExtension)
    configuration.modelName = name ?? (isFile ? file.deletingPathExtension : file as String)
    configuration.apiKeys =
      apiKey + (ProcessInfo.processInfo.environment["MARTLET_API_KEY"].map { [$0] } ?? []).filter { !$0.isEmpty }
    configuration.corsOrigins = corsOrigin
    for state in state {
      let parts = state.split(separator: "=", maxSplits: 1).map(String.init)
      let (name, file) = parts.count == 2 ? (parts[0], parts[1]) : ("", state)
      guard configuration.startStates.updateValue(file, forKey: name) == nil else {
        throw ValidationError("--state gives \(name.isEmpty ? "the state of all requests" : "`\(name)`") twice")
      }
    }
    configuration.allowedHosts = allowedHost
    configuration.engine.maxSequences = sequences
    configuration.engine.maxWaiting = queue
    configuration.engine.promptCacheBytes = promptCache << 20
    configuration.maxBodyBytes = maxBody << 20
    configuration.readTimeout = readTimeout
    configuration.shutdownTimeout = shutdownTimeout
    configuration.sampling.temperature = temperature
    configuration.sampling.topP = topP
    configuration.calculates = calculator
    configuration.skeleton.prompts = try PromptSet.load(prompts)
    configuration.skeleton.pointSentences = sentences == 0 ? nil : sentences
    configuration.skeleton.maxPointTokens = pointTokens
    configuration.skeleton.continuesFromSkeleton = continues
    try configuration.skeleton.takeRouter(router)
    configuration.skeletonMode = skeleton
    configuration.stateFolder = TemplateStates.defaultFolder
    configuration.logsText = logText
    configuration.requiresSafeHost = requireSafeHost
    configuration.hostRoot = hostRoot
    configuration.recoveryPath = sense
    if !noEdits { configuration.editsPath = try EditOptions.path(edits, model: options.model, makesFolder: true) }
    if let script { configuration.script = try ReplyScript(path: script).replies }
    return configuration
  }
}
