import Foundation
import MartletEditing
import MartletEngine
import MartletModels
import Synchronization

/// The edits of the served model: opened with it where there are some, made with the first correction where there are
/// none.
final class ServedEdits: PromptEditor {
  private let path: String
  private let current = Mutex<EditBook?>(nil)
  private let opening = Mutex<Task<Editor, any Error>?>(nil)

  init(path: String) { self.path = path }

  func edit(for question: Question, promptCount: Int) -> (any PromptEdit)? {
    current.withLock { $0 }?.edit(for: question, promptCount: promptCount)
  }

  /// Whether there are any, or were.
  var isPresent: Bool { FileManager.default.fileExists(atPath: path) }

  /// Opens the edits that there are.
  /// - Throws: when they are of another model, or damaged.
  func openIfPresent(_ engine: Engine) async throws -> Int {
    guard isPresent else { return 0 }
    return try await editor(engine).book.snapshot.liveCount
  }

  /// The editor, which makes an empty store where there is none.
  func editor(_ engine: Engine) async throws -> Editor {
    let path = path
    let task = opening.withLock { known in
      if let known { return known }
      let task = Task { [self] in
        let store = try EditStore(path: path)
        let book = try EditBook.open(engine.loaded, store: store)
        current.withLock { $0 = book }
        return Editor(engine: engine, book: book, store: store)
      }
      known = task
      return task
    }
    do { return try await task.value } catch {
      // The next call tries again.
      opening.withLock { $0 = nil }
      throw error
    }
  }

  /// Edits in force; nil before there are any.
  var liveCount: Int? { current.withLock { $0 }?.snapshot.liveCount }
}
