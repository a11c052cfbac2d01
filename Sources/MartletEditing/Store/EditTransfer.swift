import Foundation
import MartletData
import MartletEngine
import MartletModels
import MartletTensor

extension Correction {
  /// Reads a correction from a line of JSON.
  /// - Throws: ``EditError`` that names the member that is wrong.
  public init(json line: String) throws {
    let object: JSONValue
    do { object = try JSONValue(parsing: Array(line.utf8)) } catch let error as JSONError {
      throw EditError("it is not JSON (\(error.problem), column \(error.column)); \(Self.form)")
    }
    try self.init(object)
  }

  private static let form = "a line is one JSON object, {\"prompt\": …, \"answer\": …}"

  init(_ object: JSONValue) throws {
    func text(_ name: String) throws -> String? {
      guard let value = object[name], !value.isNull else { return nil }
      guard let string = value.string else { throw EditError("\"\(name)\" must be a string, not \(value.kind)") }
      return string
    }
    func list(_ name: String) throws -> [String] {
      guard let value = object[name], !value.isNull else { return [] }
      guard let array = value.array, array.allSatisfy({ $0.string != nil }) else {
        throw EditError("\"\(name)\" must be an array of strings")
      }
      return array.compactMap(\.string)
    }
    guard let prompt = try text("prompt"), let answer = try text("answer") else {
      throw EditError("it needs \"prompt\" and \"answer\"; \(Self.form)")
    }
    self.init(prompt: prompt, answer: answer)
    subject = try text("subject")
    author = try text("author")
    aliases = try list("aliases")
    rewordings = try list("rewordings")
  }
}

extension EditStore {
  /// Exports edits as JSON Lines, including the values, so that they can be imported without training. `body` is called
  /// with each line.
  public func export(all: Bool, _ body: (String) throws -> Void) throws {
    guard let (binding, _) = try binding() else { return }
    for record in try records() where all || record.status == .live {
      guard let id = record.id, let value = try value(of: id) else { continue }
      let keys = try keys(of: id)
      var object = JSONObject()
      object.append("prompt", .string(record.prompt))
      object.append("answer", .string(record.answer))
      object.append("subject", record.subject.map(JSONValue.string) ?? .null)
      object.append("author", record.author.map(JSONValue.string) ?? .null)
      object.append("rewordings", .array(keys.dropFirst().map { .string($0.prompt) }))
      object.append("status", .string(record.status.rawValue))
      object.append("created", .string((record.created + 0.0001).formatted(EditOrigin.dates)))
      object.append("before", .string(record.before))
      object.append("after", .string(record.after))
      object.append("label", .string(record.label))
      object.append("loss", .number(record.loss))
      object.append("iterations", .integer(record.iterations))
      object.append("model", .string(binding.model))
      object.append("layer", .string(binding.site.layer))
      object.append("format", .string(binding.site.format.rawValue))
      object.append("rules", .string(binding.site.rules.rawValue))
      object.append("kernels", .string(binding.kernels))
      object.append("value", .string(value.base64EncodedString()))
      try body(JSONValue.object(object).text)
    }
  }

  /// The questions of an edit: its prompt first, then its rewordings.
  public func questions(of edit: Int) throws -> [String] { try keys(of: edit).map(\.prompt) }
}

/// The result of an import.
public struct EditImportResult: Sendable {
  /// The number of edits whose values were copied from the file.
  public var taken = 0
  /// The number of edits that were trained again, because the file has no value that fits this model.
  public var learned = 0
  /// The number of edits that were in force already.
  public var known = 0
  /// The number of lines with edits that were not in force in their original store.
  public var leftOut = 0
  /// The reasons why lines were rejected.
  public var refused: [String] = []
}

extension Editor {
  /// Imports lines that ``EditStore/export(all:_:)`` wrote, or plain corrections.
  ///
  /// - Parameters:
  ///   - path: the file, or `-` for standard input.
  ///   - progress: a callback that is called with the number of processed lines and the total.
  public func importEdits(
    _ path: String, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> EditImportResult {
    let lines = try JSONLines.read(path)
    var result = EditImportResult()
    for (index, line) in lines.enumerated() {
      let object = line.value
      if let status = object["status"]?.string, status != "live" {
        result.leftOut += 1
        continue
      }
      do {
        let correction = try Correction(object)
        let origin = try EditOrigin(object, fits: fitsHere(object))
        switch try await add(correction, origin: origin) {
        case .made: if origin.value != nil { result.taken += 1 } else { result.learned += 1 }
        case .alreadyRight, .duplicate: result.known += 1
        }
      } catch let error as EditError {
        result.refused.append("line \(line.number): \(error)")
      }
      progress(index + 1, lines.count)
    }
    return result
  }

  private nonisolated func fitsHere(_ object: JSONValue) throws -> Bool {
    guard let binding = try book.binding(in: store) else { return false }
    return object["model"]?.string == binding.model && object["layer"]?.string == binding.site.layer
      && object["format"]?.string == binding.site.format.rawValue && object["kernels"]?.string == binding.kernels
  }
}

/// Where an edit that comes in was made before.
struct EditOrigin: Sendable {
  /// One that was learned for this very model, layer and format; nil learns it anew.
  var value: Data?
  var created: Date?
  var loss: Double?
  var iterations: Int?

  /// Dates to the millisecond, as the store keeps them. Formatting cuts: what is a hair below its millisecond is put above.
  static let dates = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// - Throws: ``EditError`` that names the member that is wrong.
  init(_ object: JSONValue, fits: Bool) throws {
    if let text = object["created"], !text.isNull {
      created = try? text.string.map { try Self.dates.parse($0) }
      if created == nil { created = try? text.string.map { try Date.ISO8601FormatStyle().parse($0) } }
      guard created != nil else {
        throw EditError("\"created\" is not a date; give one like 2026-11-26T14:05:22.000Z, or leave it out")
      }
    }
    func number(_ name: String) throws -> Double? {
      guard let value = object[name], !value.isNull else { return nil }
      guard let number = value.number, number.isFinite, number >= 0 else {
        throw EditError("\"\(name)\" is not valid; give a number of 0 or more, or leave it out")
      }
      return number
    }
    loss = try number("loss")
    iterations = try number("iterations").map { Int(exactly: $0.rounded()) ?? 0 }
    if fits, let text = object["value"], !text.isNull {
      value = text.string.flatMap { Data(base64Encoded: $0) }
      guard value != nil else { throw EditError("\"value\" is not base64; leave it out to train the edit again") }
    }
  }
}
