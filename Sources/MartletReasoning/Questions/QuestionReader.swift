import Foundation
import MartletData
import MartletEvaluation
import MartletTensor

/// Reads questions from files in the shapes that people have.
///
///     let reader = QuestionReader(folders: ["data"], seed: 1)
///     let rows = try reader.rows(of: recipe.questions)
public struct QuestionReader: Sendable {
  /// Folders in which files with relative names are looked for, the first first.
  public var folders: [String]
  /// The seed by which rows are drawn where a number is limited.
  public var seed: Int

  /// - Parameters:
  ///   - folders: where files with relative names are looked for, besides the current folder.
  ///   - seed: decides which rows are drawn where their number is limited.
  public init(folders: [String] = [], seed: Int = 1) {
    self.folders = folders
    self.seed = seed
  }

  /// The rows of several files, in their order.
  /// - Throws: `FileError` that names the file, the line and the cure; also where two questions have one identifier.
  public func rows(of sources: [QuestionSource]) throws -> [TeachingRow] {
    var all: [TeachingRow] = []
    var seen: [String: String] = [:]
    for source in sources {
      let rows = try rows(of: source)
      for id in Set(rows.map(\.id)).sorted() {
        if let other = seen.updateValue(source.file, forKey: id) {
          throw FileError(
            file: source.file,
            "it has a question with the identifier \"\(id)\", as \(other) has; give one of the two another `task` or `split`"
          )
        }
      }
      all += rows
    }
    return all
  }

  /// The rows of one file, or of a generator.
  /// - Throws: `FileError` that names the file, the line and the cure.
  public func rows(of source: QuestionSource) throws -> [TeachingRow] {
    if let generator = source.generator { return try generated(generator, source.limits) }
    let path = path(of: source.file)
    let lines = try Self.lines(path)
    guard let first = lines.first else { throw FileError(file: path, "it has no rows; give a file of questions") }
    guard let shape = try source.shape ?? first.value.object.map(detect(first)) else {
      throw first.failure("it is \(first.value.kind), but each row must be an object")
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let form = QuestionForm(
      shape: shape, task: source.task ?? shape.task ?? String(name.prefix { $0 != "." }),
      split: source.split ?? Self.split(of: name), teacher: source.teacher ?? "data")
    var rows = try lines.map { line in
      var row = try form.row(line)
      if let rule = source.rule { row.rule = rule }
      if !source.keepsResponses { (row.response, row.teacher) = (nil, nil) }
      try check(row, line)
      return row
    }
    if shape != .rows { try checkIdentifiers(rows, lines) }
    rows = try chosen(rows, source.tasks, \.task, "task", of: path)
    setValidationApart(&rows, source)
    rows = try chosen(rows, source.splits, \.split, "split", of: path)
    return try limited(rows, source, path)
  }

  private func generated(_ generator: QuestionSource.Generator, _ limits: [String: Int]) throws -> [TeachingRow] {
    let names = ["train": 2, "validation": 2, "test": 2, "test_ood3": 3, "test_ood4": 4]
    let wanted = ["train", "validation", "test", "test_ood3", "test_ood4"].compactMap { split in
      limits[split].map { (name: split, names: names[split] ?? 2, count: $0) }
    }
    let seed = UInt64(max(0, seed))
    return switch generator {
    case .coinFlip: try SymbolicQuestions(.coinFlip, seed: seed).rows(wanted)
    case .lastLetter: try SymbolicQuestions(.lastLetter, seed: seed).rows(wanted)
    case .arithmetic: try ArithmeticQuestions(seed: seed).rows(wanted.map { ($0.name, $0.count) })
    }
  }

  /// Refuses a question without a text, a rule that there is not, and a right answer that its rule cannot compare: it would make every response wrong.
  private func check(_ row: TeachingRow, _ line: JSONLines.Line) throws {
    guard row.question.contains(where: { !$0.isWhitespace }) else {
      throw line.failure("its question is empty; correct or remove the row")
    }
    guard let name = row.rule else { return }
    let rule: AnswerRule
    do { rule = try AnswerRule.named(name) } catch { throw line.failure("\(error)") }
    guard let answer = row.answer, !rule.canCompare(answer: answer, choices: row.choices) else { return }
    throw line.failure(
      "its answer \"\(answer.prefix(60))\" is none that the rule \(name) can compare; correct one of the two")
  }

  /// At most so many rows of each task in each split, drawn by the seed, in their order.
  public func limited(_ rows: [TeachingRow], to limit: Int) -> [TeachingRow] {
    let kept = Set(groups(rows) { _ in true }.flatMap { drawn($0, limit, "limit") })
    return rows.indices.filter(kept.contains).map { rows[$0] }
  }

  /// The file: as it is named, or in the first of the folders that has it.
  public func path(of file: String) -> String {
    if file == "-" || file.hasPrefix("/") { return file }
    let places = [file] + folders.map { $0 + "/" + file }
    return places.first { FileManager.default.fileExists(atPath: $0) } ?? file
  }

  private func detect(_ line: JSONLines.Line) -> (JSONObject) throws -> QuestionShape {
    {
      guard let shape = QuestionShape.of($0) else {
        let keys = $0.members.map(\.key).prefix(6).joined(separator: ", ")
        let shapes = QuestionShape.allCases.map(\.rawValue).joined(separator: ", ")
        throw line.failure(
          "its members (\(keys)) are those of no shape that is known (\(shapes)); rename them, or convert the file to rows with a \"question\""
        )
      }
      return shape
    }
  }

  /// The rows of a file: its lines, or the elements of one list.
  static func lines(_ path: String) throws -> [JSONLines.Line] {
    let bytes = try JSONLines.contents(path)
    guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") else { return try JSONLines.lines(bytes, of: path) }
    let node = try JSONNode(Array(bytes), of: path, as: "a list of questions")
    return try node.elements.enumerated().map { number, element in
      JSONLines.Line(place: "\(path), element \(number + 1)", number: number + 1, value: element.value)
    }
  }

  /// The split that a file's name tells.
  static func split(of name: String) -> String {
    let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }
    if words.contains("test") { return "test" }
    if words.contains("dev") || words.contains("valid") || words.contains("validation") { return "validation" }
    return "train"
  }

  private func checkIdentifiers(_ rows: [TeachingRow], _ lines: [JSONLines.Line]) throws {
    var seen: [String: Int] = [:]
    for (row, line) in zip(rows, lines) {
      if let before = seen.updateValue(line.number, forKey: row.id) {
        throw line.failure(
          "it has the identifier \"\(row.id)\", as line \(before) has; identifiers tell questions apart, so change one")
      }
    }
  }

  /// The rows with one of the names, each of which must occur.
  private func chosen(
    _ rows: [TeachingRow], _ names: [String], _ name: (TeachingRow) -> String, _ kind: String, of path: String
  ) throws -> [TeachingRow] {
    guard !names.isEmpty else { return rows }
    let present = Set(rows.map(name))
    if let missing = names.first(where: { !present.contains($0) }) {
      throw FileError(
        file: path,
        "it has no \(kind) \"\(missing)\"; it has \(present.sorted().prefix(20).map { "\"\($0)\"" }.joined(separator: ", "))"
      )
    }
    return rows.filter { names.contains(name($0)) }
  }

  private func setValidationApart(_ rows: inout [TeachingRow], _ source: QuestionSource) {
    guard source.validation > 0 else { return }
    for places in groups(rows, where: { $0.split == "train" }) {
      for place in drawn(places, source.validation, "validation") { rows[place].split = "validation" }
    }
  }

  private func limited(_ rows: [TeachingRow], _ source: QuestionSource, _ path: String) throws -> [TeachingRow] {
    let present = Set(rows.map(\.split))
    if let missing = source.limits.keys.sorted().first(where: { !present.contains($0) }) {
      throw FileError(
        file: path,
        "`limits` names the split \"\(missing)\", but there are only \(present.sorted().map { "\"\($0)\"" }.joined(separator: ", "))"
      )
    }
    guard !source.limits.isEmpty else { return rows }
    var kept = Set(rows.indices)
    for places in groups(rows, where: { source.limits[$0.split] != nil }) {
      guard let first = places.first, let limit = source.limits[rows[first].split] else { continue }
      kept.subtract(places)
      kept.formUnion(drawn(places, limit, "limit"))
    }
    return rows.indices.filter(kept.contains).map { rows[$0] }
  }

  /// Places of rows that have a task and a split in common.
  private func groups(_ rows: [TeachingRow], where isWanted: (TeachingRow) -> Bool) -> [[Int]] {
    let places = rows.indices.filter { isWanted(rows[$0]) }
    return Dictionary(grouping: places) { [rows[$0].task, rows[$0].split] }
      .sorted { ($0.value.first ?? 0) < ($1.value.first ?? 0) }.map(\.value)
  }

  /// Some of the places, whichever the seed says.
  private func drawn(_ places: [Int], _ count: Int, _ purpose: String) -> [Int] {
    let order = RandomSource(seed: UInt64(max(0, seed))).stream(purpose).permutation(places.count)
    return order.prefix(count).map { places[$0] }
  }
}
