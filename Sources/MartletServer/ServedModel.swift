import Foundation
import MartletEditing
import MartletEngine
import MartletModels
import MartletSkeleton
import Synchronization

/// The model behind the routes: being loaded, or there.
final class ServedModel: Sendable {
  struct Ready: Sendable {
    let engine: Engine
    let templates: TemplateStates
    /// nil where the server takes none.
    let edits: LiveEdits?
    var starts = StartStates()
    var loaded: LoadedModel { engine.loaded }
  }
  private let ready = Mutex<Ready?>(nil)

  func set(_ value: Ready) { ready.withLock { $0 = value } }

  var current: Ready? { ready.withLock { $0 } }

  /// - Throws: 503 while the model is being loaded.
  func get() throws -> Ready {
    guard let value = current else { throw APIError.unavailable("Loading model") }
    return value
  }
}
