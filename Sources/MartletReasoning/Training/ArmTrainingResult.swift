import Foundation
import MartletData

/// What a run of an arm has done: `training.json` of its folder.
public struct ArmTrainingResult: Sendable, Equatable {
  /// What tells the run from runs of other examples and settings.
  public var digest: String
  /// The name of the arm.
  public var arm: String
  /// The seed of the run.
  public var seed: Int
  /// How it was trained, which tells how it is asked; nil where the record is older than this member.
  public var method: ArmSettings.Method?
  /// The number of questions, and of examples made of them.
  public var questions, examples: Int
  /// The number of examples that were left out: longer than the context, or without what the method needs.
  public var tooLong, incomplete: Int
  /// The number of optimiser steps.
  public var steps: Int
  /// The number of tokens that were read in all steps, and of those whose prediction counted.
  public var tokens, countedTokens: Int
  /// The loss of the last step in nats.
  public var loss: Double?
  /// The share of the questions that was learnt from; nil where the record is older than this member.
  public var share: Double?
  /// A digest of everything else that determines an arm but its name and seeds: runs that have it in common differ in their share of the
  /// questions alone. nil where the record is older than this member.
  public var settings: String?
  /// The processor time of training in seconds, over all processes that took part; steps that were lost by a kill are left out. nil
  /// where it was not measured.
  public var processorSeconds: Double?

  static let name = "training.json"

  /// Reads the result of a folder; nil where its run is not complete.
  /// - Throws: `FileError` where it is damaged.
  public static func read(_ folder: String) throws -> ArmTrainingResult? {
    let path = folder + "/" + name
    guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
    guard let object = try? JSONValue(parsing: bytes), let digest = object["digest"]?.string,
      let arm = object["arm"]?.string, let seed = object["seed"]?.integer,
      case let counts = Self.counts.compactMap({ object[$0]?.integer }), counts.count == Self.counts.count
    else { throw FileError(file: path, "it is damaged; remove the folder to train again") }
    return ArmTrainingResult(
      digest: digest, arm: arm, seed: seed,
      method: object["method"]?.string.flatMap { ArmSettings.Method(rawValue: $0) }, questions: counts[0],
      examples: counts[1], tooLong: counts[2],
      incomplete: counts[3], steps: counts[4], tokens: counts[5], countedTokens: counts[6],
      loss: object["loss"]?.number, share: object["share"]?.number, settings: object["settings"]?.string,
      processorSeconds: object["cpu_seconds"]?.number)
  }

  /// A digest of everything that determines the result of a run. A run that another one starts from counts by its own digest and not by
  /// its path, so that a folder may be moved.
  /// - Throws: `FileError` where the record of the run that training starts from is damaged.
  static func digest(
    _ rows: [TeachingRow], arm: ArmSettings, student: StudentSettings, seed: Int, recipeSeed: Int, start: String?
  ) throws -> String {
    let begun = try start.map { try read($0)?.digest ?? $0 } ?? ""
    var digest = SHA256()
    digest.update(Array("\(student) \(arm.description) \(seed) \(recipeSeed) \(begun)\n".utf8))
    for row in rows { digest.update(Array("\(row.json.text)\n".utf8)) }
    return digest.finalize()
  }

  /// Refuses to go on with a run that was begun with other examples or settings.
  static func check(_ folder: String, _ digest: String) throws {
    let bytes = FileManager.default.contents(atPath: folder + "/run.json") ?? Data()
    guard (try? JSONValue(parsing: bytes))?["digest"]?.string == digest else { throw otherRun(folder) }
  }

  static func otherRun(_ folder: String) -> TeachingError {
    TeachingError(
      "\(folder) holds a run of other examples or settings; give another folder, or remove this one to train again")
  }

  private static let counts = [
    "questions", "examples", "too_long", "incomplete", "steps", "tokens", "counted_tokens",
  ]

  /// The result as an object.
  public var json: JSONValue {
    var object = JSONObject()
    object.append("digest", .string(digest))
    object.append("arm", .string(arm))
    object.append("seed", .integer(seed))
    if let method { object.append("method", .string(method.rawValue)) }
    for (name, count) in zip(
      Self.counts, [questions, examples, tooLong, incomplete, steps, tokens, countedTokens])
    { object.append(name, .integer(count)) }
    for (name, number) in [("loss", loss), ("share", share), ("cpu_seconds", processorSeconds)] {
      if let number, number.isFinite { object.append(name, .number(number)) }
    }
    if let settings { object.append("settings", .string(settings)) }
    return .object(object)
  }

  func write(to folder: String) throws {
    try AtomicFile.write(Array((json.text + "\n").utf8), to: folder + "/" + Self.name)
  }
}
