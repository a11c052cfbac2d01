import ArgumentParser
import Foundation

@main
enum Entry {
  static func main() async {
    StandardOutput.prepare()
    EndingSignals.prepare()
    // Without the libraries' farewells, which take longer than the check.
    if let look = HostLook(plain: Array(CommandLine.arguments.dropFirst())) { _exit(look.run()) }
    // Swift repairs arguments that are not UTF-8; a repaired prompt would be another prompt.
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else { continue }
      Terminal.note("Error: argument \(index) is not UTF-8; convert it first, e.g. with iconv")
      StandardOutput.finish(ExitCode.validationFailure.rawValue)
    }
    let habits = ArgumentHabits(Array(CommandLine.arguments.dropFirst()))
    if let problem = habits.problem { fail(problem, .validationFailure, habits) }
    var parsed: (any ParsableCommand.Type)?
    do {
      var command = try Martlet.parseAsRoot(habits.arguments)
      parsed = type(of: command)
      for remark in EnvironmentCheck.remarks() { Terminal.note("Warning: \(remark)") }
      if var asynchronous = command as? AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      end(error, habits, command: parsed)
    }
    StandardOutput.finish(0)
  }

  /// Says why a command ends, and ends it. Help and version are such ends too.
  /// - Parameter command: the command that ran, nil where the arguments did not get that far.
  private static func end(
    _ error: any Error, _ habits: ArgumentHabits, command: (any ParsableCommand.Type)?
  ) -> Never {
    let code = Martlet.exitCode(for: error)
    guard code == .failure || code == .validationFailure, !(error is ExitCode) else {
      let text = Martlet.fullMessage(for: error)
      if !text.isEmpty { code.isSuccess ? print(text) : Terminal.note(text) }
      StandardOutput.finish(code.rawValue)
    }
    let message = Martlet.message(for: error)
    let unknown = message.hasPrefix("Missing expected argument") ? habits.unknownOption : nil
    if code == .validationFailure, !habits.wantsJSON {
      var text = Martlet.fullMessage(for: error)
      if let command {
        let name = (["martlet"] + habits.path).joined(separator: " ")
        let usage = Martlet.usageString(for: command)
        text = "Error: \(message)\nUsage: \(usage)\n  See '\(name) --help' for more information."
      } else if let unknown {
        let usage = text.range(of: "\nUsage:").map { String(text[$0.lowerBound...]) }
        text = "Error: \(unknown)" + (usage ?? "")
      }
      Terminal.note(text + (habits.hint.map { "\nHint: \($0)." } ?? ""))
      StandardOutput.finish(code.rawValue)
    }
    fail(SystemError(error)?.description ?? unknown ?? message, code, habits)
  }

  /// Says why a command failed, and ends. Programs get one JSON object.
  private static func fail(_ message: String, _ code: ExitCode, _ habits: ArgumentHabits) -> Never {
    if habits.wantsJSON {
      Terminal.showJSONError(message, code: code.rawValue)
    } else {
      Terminal.showError(message)
    }
    StandardOutput.finish(code.rawValue)
  }
}

struct Martlet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "Runs, serves, fine-tunes and edits small language models on your machine.",
    discussion: """
      A model is a path (GGUF, safetensors, PyTorch .pth/.bin, rwkv.cpp .bin, or a Hugging Face folder), or the name \
      of a model under MARTLET_HOME (default ~/.martlet).

      Example: martlet generate model.gguf "The capital of France is"

      Common options of llama.cpp and ollama work too: -m MODEL, -p TEXT, -f FILE, -n TOKENS, -c TOKENS, -t THREADS, \
      -s SEED, --temp, --repeat-penalty, --typical, --lora, -r TEXT, --system-prompt.

      Exit codes: 0 success, 1 failure (the reason is on standard error), 64 the command line was not \
      understood, 130 interrupted.

      Environment: MARTLET_HOME, MARTLET_THREADS (number of threads), MARTLET_DEVICE (as --device), \
      MARTLET_SIMD (portable, avx2, avx512, ...: selects a lower set of kernels).
      """,
    version: "0.1.0",
    subcommands: [
      Generate.self, Chat.self, Serve.self, SkeletonCommand.self, EditCommand.self, HostCommand.self, Train.self,
      Finetune.self, Merge.self, Evaluate.self, Score.self, Perplexity.self, ProbeCommand.self, Grok.self,
      TeachCommand.self, SenseCommand.self, Models.self,
      Convert.self, Tokenize.self, Logits.self, Bench.self, Devices.self,
      Manual.self,
    ])
}
