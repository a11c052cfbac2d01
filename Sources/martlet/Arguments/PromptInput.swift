import ArgumentParser
import Foundation
import MartletData
import MartletModels

/// Which of the arguments is a model, and where the text comes from.
struct PromptInput {
  private let model: String
  private let prompt: String?
  private let file: String?

  /// - Parameters:
  ///   - model: the first argument. Alone it may be a prompt for the small model in the box.
  ///   - prompt: the text; `-` is standard input.
  ///   - file: the file that holds the text instead.
  init(model: String?, prompt: String?, file: String?) {
    if model == "-", prompt == nil, file == nil {
      (self.model, self.prompt) = (BuiltInModel.name, "-")
    } else {
      (self.model, self.prompt) = (model ?? BuiltInModel.name, prompt)
    }
    self.file = file
    hasText = prompt != nil || file != nil || model == nil || model == "-"
  }

  /// Whether the text's place is clear whatever the first argument is.
  private let hasText: Bool

  /// The model to load. The first argument alone is a prompt where it names no model, resembles none, and standard input
  /// brings no text either.
  /// - Parameter note: told where an argument is taken for a prompt.
  func resolveModel(note: (String) -> Void) throws -> String {
    if model == BuiltInModel.name { return model }
    let library = ModelLibrary()
    do {
      _ = try library.resolve(model)
      return model
    } catch let error as ModelError {
      if hasText { throw error }
      let isWord = !model.contains(where: \.isWhitespace)
      let endings = [".gguf", ".safetensors", ".pth", ".st", ".bin"]
      let isPath = endings.contains(where: model.hasSuffix) || model.contains("/") && isWord
      if model.isEmpty || isPath || isWord && !library.names(near: model).isEmpty { throw error }
      if Self.standardInputHasText(waits: isWord) {
        throw ModelError(
          "\(error.description). (The text is read from standard input, so the argument must be a model; `martlet generate box TEXT` "
            + "continues the argument)")
      }
      note("no model has that name, so the argument is used as a prompt for the built-in model `box`")
      return BuiltInModel.name
    }
  }

  /// The text to go on with.
  /// - Parameter quiet: whether not to say that standard input is waited for.
  func text(quiet: Bool) throws -> String {
    if let file {
      return file == "-" ? try Self.standardInput(what: "prompt", quiet: quiet) : try Self.contents(of: file)
    }
    if let prompt { return prompt == "-" ? try Self.standardInput(what: "prompt", quiet: quiet) : prompt }
    return isPromptAlone ? model : try Self.standardInput(what: "prompt", quiet: quiet)
  }

  /// Whether the only argument is the prompt.
  private var isPromptAlone: Bool {
    !hasText && model != BuiltInModel.name && (try? ModelLibrary().resolve(model)) == nil
  }

  // MARK: Reading

  /// Standard input to its end, without its last line break.
  static func standardInput(what: String, quiet: Bool = false) throws -> String {
    if isatty(0) == 1, !quiet { Terminal.note(Terminal.dim("(type the \(what); Ctrl-D ends it)")) }
    guard let text = text(Terminal.readInput()) else {
      throw ModelError("the \(what) on standard input is not UTF-8; convert it first, e.g. with iconv")
    }
    return text
  }

  private static func contents(of file: String) throws -> String {
    guard let text = text(try MappedFile.contents(of: file, limit: 1 << 30)) else {
      throw ModelError("\(file) is not UTF-8; convert it first, e.g. with iconv")
    }
    return text
  }

  /// Editors and `echo` end a text with a line break that nobody means, and some begin it with a byte order mark.
  private static func text(_ bytes: [UInt8]) -> String? {
    var bytes = bytes[...]
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    if bytes.last == 10 { bytes.removeLast() }
    if bytes.last == 13 { bytes.removeLast() }
    return String(validating: bytes, as: UTF8.self)
  }

  /// Whether somebody has put a text on standard input.
  /// - Parameter waits: whether to wait for a pipe that brings nothing yet.
  private static func standardInputHasText(waits: Bool) -> Bool {
    var status = stat()
    guard isatty(0) == 0, fstat(0, &status) == 0 else { return false }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return status.st_size > lseek(0, 0, SEEK_CUR)
    case S_IFIFO, S_IFSOCK:
      var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      guard poll(&descriptor, 1, waits ? -1 : 0) > 0 else { return false }
      var count: Int32 = 0
      return ioctl(0, UInt(FIONREAD), &count) == 0 && count > 0
    default: return false
    }
  }
}
