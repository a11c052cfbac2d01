import Foundation
import MartletCheckpoints
import MartletModels
import MartletTokenizers

/// Reads the data that people already have.
public struct DataReading: Sendable {
  /// Names of the keys of a JSON line.
  public struct Keys: Sendable, Codable, Equatable {
    public var text = "text"
    public var messages = "messages"
    public var prompt = "prompt"
    public var completion = "completion"
    public init() {}
  }

  public var tokenizer: any Tokenizer
  public var chatFormat: ChatFormat
  /// Most tokens that predict in one example.
  public var context: Int
  public var keys = Keys()
  /// Whether the loss counts the prompt too.
  public var trainsOnPrompt = false

  public init(tokenizer: any Tokenizer, chatFormat: ChatFormat, context: Int) {
    self.tokenizer = tokenizer
    self.chatFormat = chatFormat
    self.context = context
  }

  /// A text file, a `.jsonl` file, a `.bin` with its `.idx`, or a folder of texts.
  /// - Throws: ``TrainingError`` naming the file, the line and the cure.
  public func read(_ path: String) throws -> TrainingData {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw TrainingError("\(path): there is no such file or folder of data")
    }
    if isFolder.boolValue { return try readFolder(path) }
    if path.hasSuffix(".jsonl") || path.hasSuffix(".json") { return try readJSONLines(path) }
    if path.hasSuffix(".bin") || path.hasSuffix(".idx") { return try BinIdx.read(path, context: context) }
    return try data(fromTexts: [readText(path)], path: path)
  }

  private func readText(_ path: String) throws -> [UInt8] {
    let bytes = try MappedFile.contents(of: path)
    guard !bytes.isEmpty else { throw TrainingError("\(path): the file is empty; give a text of some kilobytes") }
    if bytes.starts(with: [0x1f, 0x8b]) {
      throw TrainingError("\(path): this is a gzip file; unpack it first, e.g. gunzip -c \(path) > text.txt")
    }
    guard tokenizer is ByteTokenizer || String(validating: bytes, as: UTF8.self) != nil else {
      throw TrainingError("\(path): it is not UTF-8 text; convert it first, e.g. with iconv")
    }
    return bytes
  }

  private func readFolder(_ path: String) throws -> TrainingData {
    let names = (FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []).sorted()
    let texts = names.filter { name in [".txt", ".md", ".text"].contains { name.hasSuffix($0) } }
    guard !texts.isEmpty else { throw TrainingError("\(path): the folder holds no .txt or .md file to train on") }
    return try data(fromTexts: texts.map { try readText(path + "/" + $0) }, path: path)
  }

  /// One stream of all texts, each ended by the end-of-text token where the tokenizer has one.
  private func data(fromTexts texts: [[UInt8]], path: String) throws -> TrainingData {
    var ids: [Int] = []
    for text in texts {
      ids += tokenizer.encode(text, special: false)
      if let end = tokenizer.endOfText.min() { ids.append(end) }
    }
    guard ids.count >= 2 else {
      throw TrainingError("\(path): \(ids.count) tokens are too few to train on; give a text of some kilobytes")
    }
    return TrainingData(stream: ids, context: context)
  }

  private func readJSONLines(_ path: String) throws -> TrainingData {
    let bytes = try MappedFile.contents(of: path)
    var data = TrainingData()
    var shortened = 0, tooShort = 0
    for (number, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) { continue }
      func fail(_ problem: String) -> TrainingError { TrainingError("\(path), line \(number + 1): \(problem)") }
      guard let value = try? MetadataValue(json: Data(line)) else {
        throw fail("it is not valid JSON; the line may have been cut off")
      }
      guard let object = value.object else { throw fail("it is not a JSON object ({...})") }
      let pieces = try pieces(object, fail)
      var ids: [Int] = [], mask: [Bool] = []
      for piece in pieces {
        ids += piece.ids
        mask += [Bool](repeating: piece.counts, count: piece.ids.count)
      }
      if object[keys.text]?.string != nil, ids.count > context + 1 {
        // A long text becomes several examples.
        let long = TrainingData(stream: ids, context: context)
        for range in long.examples { data.append(ids[range]) }
        continue
      }
      if ids.count > context + 1 {
        shortened += 1
        ids = Array(ids.prefix(context + 1))
        mask = Array(mask.prefix(context + 1))
      }
      if ids.count < 2 || !mask.dropFirst().contains(true) {
        tooShort += 1
        continue
      }
      data.append(ids, counts: mask)
    }
    if shortened > 0 {
      data.notes.append(
        "\(shortened) examples were longer than the context of \(context) tokens and were cut off there")
    }
    if tooShort > 0 {
      data.notes.append("\(tooShort) examples had nothing to learn (empty, or all prompt) and were left out")
    }
    guard !data.examples.isEmpty else {
      throw TrainingError(
        "\(path): no line holds an example to learn; each needs \"\(keys.text)\", \"\(keys.messages)\", or \"\(keys.prompt)\" and \"\(keys.completion)\""
      )
    }
    return data
  }

  private struct Piece {
    let ids: [Int]
    let counts: Bool
  }

  /// The parts of an example, and whether each counts in the loss.
  private func pieces(_ object: [String: MetadataValue], _ fail: (String) -> TrainingError) throws -> [Piece] {
    let start = Piece(ids: tokenizer.beginOfText.map { [$0] } ?? [], counts: false)
    let end = Piece(ids: tokenizer.endOfText.min().map { [$0] } ?? [], counts: true)
    if let text = object[keys.text]?.string {
      return [start, Piece(ids: tokenizer.encode(text, special: false), counts: true), end]
    }
    if let messages = object[keys.messages]?.array {
      return try messagePieces(messages, fail)
    }
    if let prompt = object[keys.prompt], let completion = object[keys.completion] {
      if let question = prompt.string, let answer = completion.string {
        return [
          start, Piece(ids: tokenizer.encode(question, special: false), counts: trainsOnPrompt),
          Piece(ids: tokenizer.encode(answer, special: false), counts: true), end,
        ]
      }
      if let question = prompt.array, let answer = completion.array {
        return try messagePieces(question + answer, fail)
      }
      throw fail("\"\(keys.prompt)\" and \"\(keys.completion)\" must both be texts, or both lists of messages")
    }
    let found = object.keys.sorted().prefix(6).joined(separator: ", ")
    throw fail(
      "its keys (\(found)) are none of \"\(keys.text)\", \"\(keys.messages)\", or \"\(keys.prompt)\" with \"\(keys.completion)\"; rename them with --text-key, --messages-key, --prompt-key and --completion-key"
    )
  }

  /// A conversation in the model's chat format; the assistant's turns count.
  private func messagePieces(_ messages: [MetadataValue], _ fail: (String) -> TrainingError) throws -> [Piece] {
    var turns: [ChatMessage] = []
    for message in messages {
      guard let object = message.object, let name = object["role"]?.string, let content = object["content"]?.string
      else {
        throw fail("a message needs \"role\" and \"content\"")
      }
      guard let role = ChatMessage.Role(rawValue: name) else {
        throw fail("the role \(name) is none of system, user and assistant")
      }
      turns.append(ChatMessage(role, content))
    }
    guard turns.contains(where: { $0.role == .assistant }) else { throw fail("no message is the assistant's") }
    return try chatFormat.trainingPieces(turns, tokenizer: tokenizer).map {
      Piece(ids: $0.ids, counts: $0.isAnswer || trainsOnPrompt)
    }
  }
}
