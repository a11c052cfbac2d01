import ArgumentParser
import Foundation
import MartletData
import MartletModels

/// An option that a command does not have. The parser speaks of what is missing first; what stands there and cannot be
/// meant is nearer to the mistake.
struct UnknownOption {
  /// One sentence, as the parser would say it.
  let message: String

  /// - Parameters:
  ///   - path: names of the command.
  ///   - arguments: what follows them.
  /// - Returns: nil where every option is known.
  init?(path: [String], arguments: some Sequence<String>) {
    guard let known = Self.options(of: path) else { return nil }
    let takesValue = Dictionary(
      known.flatMap { option in (option.names ?? []).map { ($0.text, option.kind == "option") } }
    ) { first, _ in first }
    var isValue = false
    for argument in arguments {
      if argument == "--" { return nil }
      guard !isValue else {
        isValue = false
        continue
      }
      guard argument.hasPrefix("-"), argument != "-", Double(argument.dropFirst()) == nil else { continue }
      let name = String(argument.prefix { $0 != "=" })
      if let takes = takesValue[name] {
        isValue = takes && name == argument
      } else if name.hasPrefix("--") || !name.dropFirst().allSatisfy({ takesValue["-\($0)"] != nil }) {
        let near = NearestNames.of(name, among: takesValue.keys.sorted()).first.map { ". Did you mean '\($0)'?" }
        message = "Unknown option '\(name.printable)'" + (near ?? "")
        return
      }
    }
    return nil
  }

  private static func options(of path: [String]) -> [Manual.Argument]? {
    guard var command = try? JSONDecoder().decode(Manual.Help.self, from: Data(Martlet._dumpHelp().utf8)).command
    else { return nil }
    for name in path {
      guard let next = command.subcommands?.first(where: { $0.commandName == name }) else { return nil }
      command = next
    }
    return command.arguments
  }
}
