import ArgumentParser
import Foundation

/// `martlet manual`: the man page, made of what `--help` says.
struct Manual: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Prints the man page of all commands (`make install` puts it in its place).",
    discussion: "Example: martlet manual | man -l -",
    shouldDisplay: false)

  func run() throws {
    let root = try JSONDecoder().decode(Help.self, from: Data(Martlet._dumpHelp().utf8)).command
    var page = ManualPage(version: Martlet.configuration.version)
    page.add(root, path: [])
    print(page.text, terminator: "")
  }

  struct Help: Decodable { let command: Command }

  struct Command: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let shouldDisplay: Bool?
    let subcommands: [Command]?
    let arguments: [Argument]?
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String
      var text: String { (kind == "long" ? "--" : "-") + name }
    }
    let kind: String
    let shouldDisplay: Bool
    let isOptional: Bool
    let isRepeating: Bool
    let names: [Name]?
    let valueName: String?
    let defaultValue: String?
    let abstract: String?
    let discussion: String?
  }
}

/// A man page in roff.
struct ManualPage {
  private(set) var text: String

  init(version: String) {
    text = """
      .TH MARTLET 1 "" "Martlet \(version)" "User Commands"
      .nh

      """
  }

  /// Adds a command and those below it; `path` are the commands above it.
  mutating func add(_ command: Manual.Command, path: [String]) {
    let name = (path + [command.commandName]).joined(separator: " ")
    let arguments = (command.arguments ?? []).filter { $0.shouldDisplay && !isHelp($0) }
    let commands = (command.subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
    if path.isEmpty {
      text += ".SH NAME\n\(name) \\- \(escaped(command.abstract ?? ""))\n.SH SYNOPSIS\n.B \(name)\ncommand [options]\n"
      text += ".SH DESCRIPTION\n"
    } else {
      text += ".SH \"\(escaped(name).uppercased())\"\n\(escaped(command.abstract ?? ""))\n.PP\n.B \(escaped(name))\n"
      text += synopsis(arguments, commands) + "\n"
    }
    add(paragraphs: command.discussion ?? "")
    for argument in arguments { add(argument) }
    for command in commands where path.isEmpty {
      text += ".TP\n.B \(escaped(command.commandName))\n\(escaped(command.abstract ?? ""))\n"
    }
    for below in commands { add(below, path: path + [command.commandName]) }
  }

  private func synopsis(_ arguments: [Manual.Argument], _ commands: [Manual.Command]) -> String {
    let places = arguments.filter { $0.kind == "positional" }.map { argument in
      let name = (argument.valueName ?? "value") + (argument.isRepeating ? " ..." : "")
      return argument.isOptional ? "[\(name)]" : name
    }
    let rest = arguments.count > places.count ? ["[options]"] : []
    return escaped(((commands.isEmpty ? [] : ["command"]) + rest + places).joined(separator: " "))
  }

  private mutating func add(_ argument: Manual.Argument) {
    let value = argument.valueName ?? "value"
    let names = (argument.names ?? []).map(\.text).sorted { $0.count > $1.count }.joined(separator: ", ")
    let label = argument.kind == "positional" ? value : names + (argument.kind == "option" ? " \(value)" : "")
    let fallback = argument.defaultValue.map { " Default: \($0)." } ?? ""
    text += ".TP\n.B \(escaped(label))\n\(escaped((argument.abstract ?? "") + fallback))\n"
    if let discussion = argument.discussion { text += escaped(discussion) + "\n" }
  }

  private mutating func add(paragraphs: String) {
    for paragraph in paragraphs.components(separatedBy: "\n\n") where !paragraph.isEmpty {
      // Lines that are indented are examples: as they stand.
      let isExample = paragraph.contains("\n ")
      text += ".PP\n" + (isExample ? ".nf\n" : "") + escaped(paragraph) + "\n" + (isExample ? ".fi\n" : "")
    }
  }

  private func isHelp(_ argument: Manual.Argument) -> Bool {
    ["help", "version"].contains { name in argument.names?.contains { $0.name == name } == true }
  }

  /// Backslashes, hyphens, and dots and quotes that begin a line mean something in roff.
  private func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "\\", with: "\\e").replacingOccurrences(of: "-", with: "\\-")
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }.joined(separator: "\n")
  }
}
