import Foundation
import MartletData
import MartletModels
import MartletTokenizers

/// Reads training data in common file formats.
public struct DataReading: Sendable {
  /// The keys of a JSON record.
  public struct Keys: Sendable, Codable, Equatable {
    /// The key of a text.
    public var text = "text"
    /// The key of a conversation.
    public var messages = "messages"
    /// The key of a prompt.
    public var prompt = "prompt"
    /// The key of the answer to the prompt.
    public var completion = "completion"
    /// The usual keys.
    public init() {}
  }

  /// The tokenizer.
  public var tokenizer: any Tokenizer
  /// The chat format for conversations.
  public var chatFormat: ChatFormat
  /// The largest number of predicting tokens in one example.
  public var context: Int
  /// The keys of JSON records.
  public var keys = Keys()
  /// Whether the loss includes the prompt.
  public var trainsOnPrompt = false
  /// Whether names of control tokens in raw text are encoded as those tokens; nil does so if any text contains one.
  public var parsesControlTokens: Bool?
  /// Whether unusable lines are counted and skipped instead of being an error.
  public var skipsBadLines = false

  /// A reading with the usual keys.
  public init(tokenizer: any Tokenizer, chatFormat: ChatFormat, context: Int) {
    self.tokenizer = tokenizer
    self.chatFormat = chatFormat
    self.context = context
  }

  /// Reads a text file, JSON (one object per line, or an array) or a table, compressed or not; a `.bin` with its
  /// `.idx`, given by either name or their common stem; or a folder of text files.
  /// - Throws: ``TrainingError`` that names the file, the line and the remedy.
  public func read(_ path: String) throws -> TrainingData {
    var isFolder: ObjCBool = false
    let files = FileManager.default
    guard files.fileExists(atPath: path, isDirectory: &isFolder) else {
      if files.fileExists(atPath: path + ".idx") { return try BinIdx.read(path + ".idx", context: context) }
      throw TrainingError("\(path): this file or folder of data does not exist")
    }
    if isFolder.boolValue { return try readFolder(path) }
    if path.hasSuffix(".bin") || path.hasSuffix(".idx") { return try BinIdx.read(path, context: context) }
    let text = try DataText(path: path)
    guard let records = try DataRecords(text, form: DataForm(keys: keys)) else {
      return try data(fromTexts: [text], path: path)
    }
    return try data(from: records)
  }

  /// The texts of a folder; where it holds none, its files of JSON and tables, those for validation and tests left out.
  private func readFolder(_ path: String) throws -> TrainingData {
    let enumerator = FileManager.default.enumerator(atPath: path)
    let names = (enumerator?.allObjects as? [String] ?? []).sorted().filter { name in
      !name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    func files(_ endings: [String]) -> [String] {
      names.filter { name in
        let plain = name.lowercased().replacing(/\.(gz|zst)$/, with: "")
        return endings.contains { plain.hasSuffix($0) }
      }
    }
    let texts = files([".txt", ".md", ".text"])
    let records = texts.isEmpty ? files(DataRecords.jsonEndings + DataRecords.tableEndings) : []
    let apart = records.filter { name in
      let stem = (name as NSString).lastPathComponent.lowercased()
      return ["valid", "dev.", "test", "eval"].contains { stem.hasPrefix($0) }
    }
    let used = texts.isEmpty ? records.filter { !apart.contains($0) } : texts
    guard !used.isEmpty else {
      throw TrainingError(
        "\(path): the folder contains no text (.txt, .md), JSON lines or table for training; give the file itself")
    }
    var data: TrainingData
    if texts.isEmpty {
      data = TrainingData()
      for name in used { data.append(try read(path + "/" + name)) }
    } else {
      data = try self.data(fromTexts: texts.map { try DataText(path: path + "/" + $0) }, path: path)
    }
    var isFolder: ObjCBool = false
    let others = names.filter { name in
      !used.contains(name) && FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
        && !isFolder.boolValue
    }
    if !others.isEmpty {
      let shown = others.prefix(3).joined(separator: ", ") + (others.count > 3 ? ", ..." : "")
      data.notes.append("\(used.count) files of \(path) are read; \(others.count) others (\(shown)) are ignored")
    }
    return data
  }

  // MARK: Texts

  /// One stream of all texts, each ended by the end-of-text token where the tokenizer has one.
  private func data(fromTexts texts: [DataText], path: String) throws -> TrainingData {
    for text in texts where !text.isUTF8 && !(tokenizer is ByteTokenizer) {
      throw text.notUTF8(at: DataText.firstInvalid(text.bytes) ?? 0)
    }
    let (isSpecial, note) = controlTokens(in: texts.lazy.map(\.bytes))
    var ids: [Int] = []
    for text in texts {
      ids += tokenizer.encode(text.bytes, special: isSpecial)
      if let end = tokenizer.endOfText.min(), !isSpecial || !endsWithEnd(ids) { ids.append(end) }
    }
    guard ids.count >= 2 else {
      throw TrainingError("\(path): \(ids.count) tokens are too few for training; give a text of some kilobytes")
    }
    var data = TrainingData(stream: ids, context: context)
    data.notes = texts.flatMap(\.notes) + [note].compactMap { $0 }
    if texts.contains(where: { !$0.isUTF8 }) {
      data.notes.append("\(path) is not completely UTF-8; its bytes are used unchanged")
    }
    return data
  }

  /// Whether names of control tokens are read as those tokens, and what is to be said about it.
  private func controlTokens(in texts: some Sequence<[UInt8]>) -> (isSpecial: Bool, note: String?) {
    if let parsesControlTokens { return (parsesControlTokens, nil) }
    var finder = ControlTokens(tokenizer)
    var name: String?
    var holding = 0, count = 0
    for text in texts {
      count += 1
      guard let found = finder.first(in: text) else { continue }
      holding += 1
      name = name ?? found
    }
    guard let name else { return (false, nil) }
    return (
      true,
      "\(holding) of \(count) texts contain names of control tokens (\(name.printable)); they become those tokens, as in tokenize and generate (--no-parse-special reads them as text)"
    )
  }

  /// Whether an end token is the last thing in a text, but for white space.
  private func endsWithEnd(_ ids: [Int]) -> Bool {
    for id in ids.reversed() {
      if tokenizer.endOfText.contains(id) { return true }
      let bytes = tokenizer.bytes(of: id)
      if bytes.isEmpty || !bytes.allSatisfy({ [0x20, 0x09, 0x0a, 0x0d].contains($0) }) { return false }
    }
    return false
  }

  // MARK: Records

  private func data(from source: DataRecords) throws -> TrainingData {
    var records = source, collected: [(example: DataExample, line: Int, offset: Int)] = []
    var log = ReadingLog(path: source.text.path, keys: keys, skipsBadLines: skipsBadLines, place: source.text.place)
    log.notes = source.notes
    while let record = records.next() {
      do throws(BadRecord) {
        let (example, form) = try record.example.get()
        if let form { log.count(form: form) }
        if case .conversation(let conversation) = example { log.count(conversation.remarks) }
        if record.hasHalfPairs { log.halfPairs += 1 }
        collected.append((example, record.line, record.offset))
      } catch {
        try log.skip(error)
      }
    }
    let texts = collected.lazy.flatMap { item -> [[UInt8]] in
      switch item.example {
      case .text(let text): [Array(text.utf8)]
      case .continuation(let prompt, let completion): [Array(prompt.utf8), Array(completion.utf8)]
      case .conversation: []
      }
    }
    let (isSpecial, note) = controlTokens(in: texts)
    if let note { log.notes.append(note) }
    var data = TrainingData()
    for (example, _, offset) in collected {
      do throws(BadRecord) {
        let pieces = try pieces(example, isSpecial: isSpecial, offset: offset)
        var isText = false
        if case .text = example { isText = true }
        add(pieces, isText: isText, to: &data, &log)
      } catch {
        try log.skip(error)
      }
    }
    data.notes = try log.finish(examples: data.examples.count, context: context)
    return data
  }

  private struct Piece {
    let ids: [Int]
    let counts: Bool
  }

  /// The parts of an example, and whether each counts in the loss.
  private func pieces(_ example: DataExample, isSpecial: Bool, offset: Int) throws(BadRecord) -> [Piece] {
    func encoded(_ text: String) -> [Int] { tokenizer.encode(text, special: isSpecial) }
    switch example {
    case .text(let text):
      return text.isEmpty ? [] : framed([Piece(ids: encoded(text), counts: true)], isSpecial: isSpecial)
    case .continuation(let prompt, let completion):
      // The end alone is no answer.
      guard !completion.allSatisfy(\.isWhitespace) || trainsOnPrompt && !prompt.isEmpty else { return [] }
      return framed(
        [Piece(ids: encoded(prompt), counts: trainsOnPrompt), Piece(ids: encoded(completion), counts: true)],
        isSpecial: isSpecial)
    case .conversation(let conversation):
      let written: [(ids: [Int], isAnswer: Bool)]
      do { written = try chatFormat.trainingPieces(conversation.messages, tokenizer: tokenizer) } catch {
        throw BadRecord(offset: offset, problem: "\(error)")
      }
      var answers = conversation.answersCount.makeIterator()
      return written.map { piece in
        Piece(ids: piece.ids, counts: piece.isAnswer ? answers.next() ?? true : trainsOnPrompt)
      }
    }
  }

  /// With the tokens that begin and end a text, where they are not written in it.
  private func framed(_ pieces: [Piece], isSpecial: Bool) -> [Piece] {
    var result = pieces
    let ids = pieces.flatMap(\.ids)
    if let begin = tokenizer.beginOfText, !isSpecial || ids.first != begin {
      result.insert(Piece(ids: [begin], counts: false), at: 0)
    }
    if let end = tokenizer.endOfText.min(), !isSpecial || !endsWithEnd(ids) {
      result.append(Piece(ids: [end], counts: true))
    }
    return result
  }

  /// Adds an example, in windows where it is a long text, and counts what does not fit.
  private func add(_ pieces: [Piece], isText: Bool, to data: inout TrainingData, _ log: inout ReadingLog) {
    let ids = pieces.flatMap(\.ids)
    let mask = pieces.flatMap { [Bool](repeating: $0.counts, count: $0.ids.count) }
    guard ids.count >= 2, mask.dropFirst().contains(true) else {
      log.empty += 1
      return
    }
    if ids.count <= context + 1 {
      data.append(ids, counts: mask)
    } else if isText {
      // A long text becomes several examples, the last of them as short as it is.
      let long = TrainingData(stream: ids, context: context)
      for range in long.examples { data.append(ids[range]) }
    } else if mask[1...context].contains(true) {
      log.cut(ids.count - context - 1, counting: mask[(context + 1)...].count { $0 }, needed: ids.count - 1)
      data.append(ids.prefix(context + 1), counts: Array(mask.prefix(context + 1)))
    } else {
      log.leaveOut(ids.count, needed: ids.count - 1)
    }
  }
}
