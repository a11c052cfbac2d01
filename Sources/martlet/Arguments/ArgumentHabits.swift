import ArgumentParser
import MartletData
import MartletModels

/// What people bring along from other programs (llama.cpp, ollama), and what they mistype: made into what the parser
/// understands where that is clear, and answered with a hint where it is not.
struct ArgumentHabits {
  /// The names of the command that the arguments begin with.
  let path: [String]
  /// What follows them.
  private let rest: ArraySlice<String>
  /// Subcommands of that command, by their names and aliases.
  private let choices: [Choice]

  /// A name that a command may be called by, and the command.
  private struct Choice { let name: String, command: String }

  init(_ arguments: some Sequence<String>) {
    let arguments = Array(arguments)
    var path: [String] = []
    var command: any ParsableCommand.Type = Martlet.self
    for argument in arguments {
      let next = command.configuration.subcommands.first {
        $0._commandName == argument || $0.configuration.aliases.contains(argument)
      }
      guard let next else { break }
      path.append(next._commandName)
      command = next
    }
    self.path = path
    rest = arguments[path.count...]
    choices = Self.choices(of: command, path)
  }

  private static func choices(of command: any ParsableCommand.Type, _ path: [String]) -> [Choice] {
    command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.flatMap { below in
      let whole = (["martlet"] + path + [below._commandName]).joined(separator: " ")
      return ([below._commandName] + below.configuration.aliases).map { Choice(name: $0, command: whole) }
    }
  }

  /// All commands, those that begin with fewer words first.
  private static let everyCommand: [Choice] = {
    var levels: [(command: any ParsableCommand.Type, path: [String])] = [(Martlet.self, [])]
    var found: [Choice] = []
    while !levels.isEmpty {
      found += levels.flatMap { choices(of: $0.command, $0.path) }
      levels = levels.flatMap { level in
        level.command.configuration.subcommands.map { ($0, level.path + [$0._commandName]) }
      }
    }
    return found
  }()

  // MARK: Rewriting

  /// Arguments for the parser: `--model NAME` becomes the first argument where a command begins with a model, and a
  /// negative number is joined to its option, as the parser takes it for another option.
  var arguments: [String] {
    var options = Array(rest.prefix { $0 != "--" })
    let behind = rest.dropFirst(options.count)
    for place in options.indices.reversed().dropLast() where Self.isNegative(options[place]) {
      let option = options[place - 1]
      guard option.hasPrefix("-"), option != "-", !option.contains("="), !Self.isNegative(option) else { continue }
      options[place - 1] = "\(option)=\(options[place])"
      options.remove(at: place)
    }
    if beginsWithModel, let (model, range) = Self.model(in: options) {
      options.removeSubrange(range)
      options.insert(model, at: 0)
    }
    return path + options + behind
  }

  private var beginsWithModel: Bool {
    switch path.first {
    case "generate", "chat", "serve", "logits", "bench", "convert", "merge", "finetune", "evaluate", "score",
      "perplexity":
      true
    case "edit": true
    case "models": path.last == "inspect"
    default: false
    }
  }

  private static func model(in options: [String]) -> (name: String, range: Range<Int>)? {
    for (place, option) in options.enumerated() {
      if option.hasPrefix("--model=") { return (String(option.dropFirst(8)), place..<place + 1) }
      if option == "-m" || option == "--model", place + 1 < options.count {
        return (options[place + 1], place..<place + 2)
      }
    }
    return nil
  }

  private static func isNegative(_ argument: String) -> Bool {
    argument.hasPrefix("-") && Double(argument.dropFirst()) != nil
  }

  /// Whether results and errors are wanted as JSON.
  var wantsJSON: Bool { rest.prefix { $0 != "--" }.contains("--json") }

  // MARK: Hints

  /// What cannot be meant: a command that there is not, or an option that has another meaning.
  var problem: String? { unknownCommand ?? misusedVersion }

  /// `train --version 5.1` chose a version of RWKV once; it would now show Martlet's, and train nothing.
  private var misusedVersion: String? {
    guard path == ["train"] else { return nil }
    let value =
      rest.first { $0.hasPrefix("--version=") }.map { String($0.dropFirst(10)) }
      ?? rest.firstIndex(of: "--version").flatMap { rest[($0 + 1)...].first }
    guard let value, value.hasPrefix("5") || value.hasPrefix("4") || value.hasPrefix("6") else { return nil }
    return "--rwkv-version chooses the version of RWKV; --version shows the version of Martlet"
  }

  private var unknownCommand: String? {
    guard !choices.isEmpty, let word = rest.first, !word.hasPrefix("-") else { return nil }
    if word == "help" {
      return path.isEmpty ? ArgumentHabits(rest.dropFirst().prefix { !$0.hasPrefix("-") }).unknownCommand : nil
    }
    let parent = (["martlet"] + path).joined(separator: " ")
    let near = nearest(word).map { "`\($0)`" }
    let hint = near.isEmpty ? "" : "did you mean \(near.joined(separator: " or "))? "
    return "there is no command `\(parent) \(word.printable)`; \(hint)`\(parent) --help` lists all commands"
  }

  /// Commands that `word` may have been meant to be: those of its place, else those of any place.
  private func nearest(_ word: String) -> [String] {
    let here = choices + (path.isEmpty ? Self.commands.sorted { $0.key < $1.key }.map(Choice.init) : [])
    for known in [here, Self.everyCommand] {
      let exact = known.filter { $0.name == word.lowercased() }.map(\.command)
      let names = exact.isEmpty ? NearestNames.of(word, among: known.map(\.name)) : []
      let commands = exact + names.flatMap { name in known.filter { $0.name == name }.map(\.command) }
      var told = Set<String>()
      let each = commands.filter { told.insert($0).inserted }.prefix(3)
      if !each.isEmpty { return Array(each) }
    }
    return []
  }

  /// What is to be said about the first option that the command does not have.
  var unknownOption: String? { UnknownOption(path: path, arguments: arguments.dropFirst(path.count))?.message }

  /// What is to be said about options that others have.
  var hint: String? {
    if path == ["serve"], rest.contains(where: { $0 == "-c" || $0.hasPrefix("--ctx-size") }) {
      return "requests to a server can use the model's whole context; leave the option out"
    }
    return rest.lazy.compactMap { Self.options[String($0.prefix { $0 != "=" })] }.first
  }

  /// Commands of other programs and of Martlet's own groups.
  private static let commands = [
    "run": "martlet chat", "ask": "martlet skeleton ask", "server": "martlet serve", "pull": "martlet models pull",
    "download": "martlet models pull", "list": "martlet models list", "ls": "martlet models list",
    "rm": "martlet models rm", "cp": "martlet models cp",
    "inspect": "martlet models inspect", "show": "martlet models inspect", "info": "martlet models inspect",
    "quantize": "martlet convert", "complete": "martlet generate", "completion": "martlet generate",
    "cli": "martlet generate", "encode": "martlet tokenize", "decode": "martlet tokenize --decode",
    "benchmark": "martlet bench", "lora": "martlet finetune", "version": "martlet --version",
  ]

  private static let options: [String: String] = {
    let card = "`--device auto` runs the model on a graphics card; `martlet devices` lists them"
    let attention = "attention is always computed page by page; leave the option out"
    let memory = "models are mapped into memory and read as needed; leave the option out"
    let talk = "`martlet chat` starts a conversation with a model"
    return [
      "-ngl": card, "--gpu-layers": card, "--n-gpu-layers": card, "--main-gpu": card,
      "-fa": attention, "--flash-attn": attention, "--mlock": memory, "--no-mmap": memory,
      "-cnv": talk, "--conversation": talk, "-i": talk, "--interactive": talk,
      "-hf": "`martlet models pull OWNER/NAME` fetches a model",
      "--hf-repo": "`martlet models pull OWNER/NAME` fetches a model",
      "-np": "--sequences sets how many sequences run together",
      "--stream": "answers are always shown while they are generated",
    ]
  }()
}
