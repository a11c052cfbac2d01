import Foundation
import MartletData

/// Why a chat template cannot be read or rendered.
enum TemplateError: ExplainedError, Equatable {
  /// The template uses something that Martlet does not do.
  case notUnderstood(line: Int, String)
  /// The template itself refuses the conversation (`raise_exception`).
  case refused(String)
  /// Rendering went wrong as it would in Jinja, for example where an undefined value is added to a text.
  case failed(line: Int, String)

  var message: String {
    switch self {
    case .notUnderstood(let line, let what): "line \(line): \(what)"
    case .refused(let words): words
    case .failed(let line, let what): "line \(line): \(what)"
    }
  }
}
