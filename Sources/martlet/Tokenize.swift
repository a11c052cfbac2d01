import ArgumentParser
import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTokenizers

struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Turns text into token ids, or ids into text.",
    discussion: """
      Examples: martlet tokenize --tokenizer rwkv-world "Hello, world!"
                martlet tokenize --tokenizer model.gguf --stdin --json < text.txt
                martlet tokenize --tokenizer rwkv-world --decode 33155,45,40213
                martlet tokenize --tokenizer tokenizer.json --lines < texts.jsonl
      """)
  @Option(
    name: [.long, .customShort("m"), .customLong("model")],
    help: "rwkv-world, bytes, a tokenizer.json, a GGUF file, or the name of a model.")
  var tokenizer = "rwkv-world"
  @Flag(help: "Read raw bytes from standard input.") var stdin = false
  @Flag(help: "The input is ids, separated by commas or spaces; write their bytes. Control tokens have no bytes.")
  var decode = false
  @Flag(help: "Print the speed of the encoding instead of the ids.") var speed = false
  @Flag(help: "Treat the names of control tokens as text.") var plain = false
  @Flag(help: #"Print {"ids":[...]} (with --decode: {"text":...})."#) var json = false
  @Flag(
    help: "Each line of standard input is a JSON string; print a JSON list of ids for each (--decode: the reverse).")
  var lines = false
  @Argument(help: "The text; - is standard input.") var text: String?

  func validate() throws {
    guard text == nil || text == "-" || !stdin && !lines else {
      throw ValidationError("the text is given twice; give it as an argument, or by --stdin or --lines")
    }
    guard !speed || !decode && !lines else {
      throw ValidationError("--speed measures the encoding of one text; leave out \(decode ? "--decode" : "--lines")")
    }
    guard !plain || !decode else { throw ValidationError("--plain applies to encoding; leave out --decode") }
  }

  func run() throws {
    // Not in validate(), which would speak before an unknown option is told.
    guard stdin || lines || text != nil else { throw ValidationError("give a text, --stdin or --lines") }
    let loaded: any Tokenizer
    if tokenizer == "rwkv-world" || tokenizer == "bytes" || FileManager.default.fileExists(atPath: tokenizer) {
      loaded = try TokenizerLoading.open(tokenizer)
    } else {
      loaded = try TokenizerLoading.open(ModelLibrary().resolve(tokenizer))
    }
    if lines { return try answerLines(loaded) }
    let input = stdin || text == "-" ? Terminal.readInput() : Array((text ?? "").utf8)
    if decode {
      let ids = try Self.ids(in: String(decoding: input, as: UTF8.self))
      try check(ids, loaded)
      let bytes = loaded.decode(ids)
      if json { return try Terminal.printJSON(["text": String(decoding: bytes, as: UTF8.self)]) }
      StandardOutput.write(bytes)
      if isatty(1) == 1 { print() }
      return
    }
    let start = DispatchTime.now().uptimeNanoseconds
    let ids = loaded.encode(input, special: !plain)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    if speed {
      let rate = Double(input.count) / 1e6 / seconds
      if json {
        return try Terminal.printJSON(["bytes": input.count, "tokens": ids.count, "megabytes_per_second": rate])
      }
      return print(String(format: "%d bytes, %d tokens, %.1f MB/s", input.count, ids.count, rate))
    }
    StandardOutput.write(json ? list(ids, between: ",", in: ("{\"ids\":[", "]}")) : list(ids, between: " "))
  }

  /// The ids of a list, which may have JSON's brackets, or be the object that `--json` prints.
  private static func ids(in text: String) throws -> [Int] {
    let list = text.trimmed
    let inside = list.hasPrefix("{\"ids\":") && list.hasSuffix("}") ? list.dropFirst(7).dropLast() : list[...]
    return try inside.split { $0.isWhitespace || ",[]".contains($0) }.map { part in
      guard let id = Int(part) else {
        throw ModelError("\"\(String(part).printable)\" is not a token id; give ids such as 5,9")
      }
      return id
    }
  }

  /// - Throws: ``ModelError`` naming the first id that is no token.
  private func check(_ ids: [Int], _ tokenizer: any Tokenizer) throws {
    if let id = ids.first(where: { !(0..<tokenizer.vocabularySize).contains($0) }) {
      throw ModelError("\(id) is not a token of this tokenizer; ids run from 0 to \(tokenizer.vocabularySize - 1)")
    }
  }

  /// A text or list of ids a line, each answered on a line of its own.
  private func answerLines(_ tokenizer: any Tokenizer) throws {
    for (number, line) in Terminal.readInput().split(separator: 10, omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy({ $0 == 32 || $0 == 13 || $0 == 9 }) {
      let value = try? JSONSerialization.jsonObject(with: Data(line), options: .fragmentsAllowed)
      if decode, let ids = value as? [Int] {
        try check(ids, tokenizer)
        let text = String(decoding: tokenizer.decode(ids), as: UTF8.self)
        StandardOutput.write(
          try JSONSerialization.data(withJSONObject: text, options: .fragmentsAllowed) + Data("\n".utf8))
      } else if !decode, let text = value as? String {
        let ids = tokenizer.encode(Array(text.utf8), special: !plain)
        StandardOutput.write(list(ids, between: ",", in: ("[", "]")))
      } else {
        throw ModelError("line \(number + 1) is not a JSON \(decode ? "list of ids" : "string")")
      }
    }
  }

  /// Numbers as text; faster than joining strings, which matters for millions of them.
  private func list(_ ids: [Int], between: String, in brackets: (String, String) = ("", "")) -> [UInt8] {
    var text = Array(brackets.0.utf8)
    text.reserveCapacity(ids.count * 6)
    for (place, id) in ids.enumerated() {
      if place > 0 { text.append(contentsOf: between.utf8) }
      var digits: [UInt8] = []
      var rest = id
      repeat {
        digits.append(UInt8(48 + rest % 10))
        rest /= 10
      } while rest > 0
      text.append(contentsOf: digits.reversed())
    }
    return text + Array(brackets.1.utf8) + [10]
  }
}
