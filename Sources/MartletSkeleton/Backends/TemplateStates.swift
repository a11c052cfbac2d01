import Foundation
import MartletData
import MartletEngine
import MartletModels
import Synchronization

/// The states of the model after the common prefixes of prompts: the system message and the constant part of the
/// skeleton and point prompts. They are computed once and saved for the next start.
public final class TemplateStates: Sendable {
  private struct Entry: Sendable {
    let tokens: [Int]
    let state: any SequenceState
  }
  private let entries: [Entry]

  /// Computes or loads the states of the prefixes of `prompts` and of plain questions.
  ///
  /// - Parameters:
  ///   - engine: the engine that reads the prefixes.
  ///   - prompts: the prompts whose prefixes are read.
  ///   - folder: the folder in which states are saved; nil does not save them. Files that do not fit are replaced.
  public init(_ engine: Engine, prompts: PromptSet, folder: String?) async throws {
    var entries: [Entry] = []
    for tokens in try Self.beginnings(engine.loaded, prompts) {
      let path = folder.map { "\($0)/\(Self.name(tokens, engine.loaded.model)).state" }
      if let path, FileManager.default.fileExists(atPath: path),
        let saved = try? SavedState.load(path, model: engine.loaded.model), saved.tokens == tokens
      {
        entries.append(Entry(tokens: tokens, state: saved.state))
        continue
      }
      let state = try await engine.read(tokens).state
      entries.append(Entry(tokens: tokens, state: state))
      if let folder, let path {
        // A cache that cannot be written costs time only.
        try? OutputTarget.makeFolder(folder)
        try? SavedState.save(state, tokens: tokens, model: engine.loaded.model, to: path)
      }
    }
    self.entries = entries.sorted { $0.tokens.count > $1.tokens.count }
  }

  /// The default folder: `states` in MARTLET_HOME.
  public static var defaultFolder: String {
    ModelLibrary().folder.parentFolder + "/states"
  }

  /// The lengths of the available prefixes in tokens, longest first.
  public var lengths: [Int] { entries.map(\.tokens.count) }

  /// The longest state that has seen a true beginning of `tokens`. It must not be changed, only copied.
  func longest(beginning tokens: [Int]) -> (state: any SequenceState, count: Int)? {
    entries.first { $0.tokens.count < tokens.count && tokens.starts(with: $0.tokens) }
      .map { ($0.state, $0.tokens.count) }
  }

  /// What prompts of a kind have in common: questions that begin in every way there is show where they part.
  static func beginnings(_ loaded: LoadedModel, _ prompts: PromptSet) throws -> [[Int]] {
    let questions = ["How", "a", "7", "\"x", "(", "Éa", "中", "  b", "\n", "-c"]
    let point = Skeleton.Point(index: 1, head: "x")
    let kinds: [(String) -> [ChatMessage]] = [
      { [ChatMessage(.user, prompts.skeletonTurn($0).user)] },
      { [ChatMessage(.user, prompts.pointTurn($0, outline: "1. x", point: point).user)] },
      { [ChatMessage(.user, $0)] },
    ]
    var found: [[Int]] = []
    for kind in kinds {
      let all = try questions.map { try loaded.chatFormat.encode(kind($0), tokenizer: loaded.tokenizer) }
      guard let first = all.first else { continue }
      let common = all.reduce(first.count) { min($0, zip(first, $1).prefix { $0 == $1 }.count) }
      // Shorter ones are read faster than their states are copied; those that fill the context can begin no prompt.
      let fits = common < loaded.model.description.contextLength ?? .max
      if common >= 8, fits, !found.contains(Array(first[..<common])) { found.append(Array(first[..<common])) }
    }
    return found
  }

  private static func name(_ tokens: [Int], _ model: any LanguageModel) -> String {
    var digest = SHA256()
    digest.update(Array(model.description.fingerprint.utf8))
    digest.update(Array(tokens.map(String.init).joined(separator: ",").utf8))
    return String(digest.finalize().prefix(32))
  }
}
