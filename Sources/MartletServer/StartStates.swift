import MartletEngine
import MartletModels

/// The start states that requests may begin from, by name; the one without a name serves those that name none.
struct StartStates: Sendable {
  private var states: [String: StartState] = [:]

  init() {}

  /// - Parameter files: paths of files of start states by name.
  /// - Throws: when a file is of another model, or cannot be read.
  init(_ files: [String: String], loaded: LoadedModel) throws {
    for (name, path) in files { states[name] = StartState(name: name, state: try loaded.readState(path: path)) }
  }

  /// The state that a request's `martlet` object asks for.
  /// - Throws: ``APIError`` naming the states there are.
  func start(_ martlet: FieldReader?) throws -> StartState? {
    guard let name = try martlet?.string("state") else { return states[""] }
    if let state = states[name] { return state }
    let known = states.keys.filter { !$0.isEmpty }.sorted().map { "`\($0)`" }.joined(separator: ", ")
    throw APIError.invalid(
      "`martlet.state` is `\(name.prefix(100))`, which this server does not have; "
        + (known.isEmpty ? "start it with --state NAME=FILE" : "it has \(known)"), parameter: "martlet")
  }
}
