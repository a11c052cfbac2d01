import Foundation
import Hummingbird
import MartletData
import MartletEditing
import MartletEngine

/// /martlet/edits: corrections of the served model, in force at once.
struct EditRoutes: FeatureRoutes {
  let configuration: ServerConfiguration
  let model: ServedModel

  func add(to routes: inout RouteTable) {
    routes.add(.get, "/martlet/edits") { try await list($0, $1) }
    routes.add(.post, "/martlet/edits") { try await add($0, $1) }
    routes.add(.delete, "/martlet/edits/*") { try await undo($0, $1) }
  }

  private func editor() async throws -> Editor {
    let (edits, ready) = (try served(), try model.get())
    return try await refusing { try await edits.editor(ready.engine) }
  }

  /// An error of edits as an answer to a request that could have gone well.
  private func refusing<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as EditError {
      throw APIError(status: .conflict, type: "edit_error", message: error.description)
    }
  }

  private func served() throws -> LiveEdits {
    let ready = try model.get()
    guard let edits = ready.edits else {
      throw APIError.notFound("this server accepts no edits; start it without --no-edits")
    }
    guard configuration.isLoopback || !configuration.apiKeys.isEmpty else {
      throw APIError(
        status: .forbidden, type: "permission_error",
        message: "a server that other machines can reach accepts edits only with an API key; start it with --api-key")
    }
    return edits
  }

  private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
    let wanted = request.uri.queryParameters["status"].map(String.init)
    var status: Edit.Status?
    if let wanted {
      guard let known = Edit.Status(rawValue: wanted) else {
        throw APIError.invalid("`status` must be `live`, `superseded` or `undone`", parameter: "status")
      }
      status = known
    }
    // Looking makes no file, and needs none that can be written.
    let edits = try served()
    let records = try await refusing { try await edits.store()?.records(status: status) ?? [] }
    return Response(json: ["object": "list", "data": .array(records.map(\.json))])
  }

  private func add(_ request: Request, _ context: ServerContext) async throws -> Response {
    let editor = try await editor()
    let fields = FieldReader(try await request.jsonObject(configuration, context))
    try RequestFields.edit.check(fields)
    func strings(_ name: String) throws -> [String] {
      guard let list = try fields.array(name) else { return [] }
      let texts = list.compactMap(\.string)
      guard texts.count == list.count, texts.count <= 64 else {
        throw APIError.invalid("`\(name)` must be an array of at most 64 strings", parameter: name)
      }
      return texts
    }
    guard let prompt = try fields.string("prompt"), let answer = try fields.string("answer") else {
      throw APIError.invalid("`prompt` and `answer` are required", parameter: "prompt")
    }
    var correction = Correction(prompt: prompt, answer: answer)
    correction.subject = try fields.string("subject")
    correction.author = try fields.string("author")
    correction.aliases = try strings("aliases")
    correction.rewordings = try strings("rewordings")
    do {
      switch try await editor.add(correction) {
      case .made(let record): return Response(json: ["outcome": "made", "edit": record.json], status: .created)
      case .alreadyRight: return Response(json: ["outcome": "already right", "edit": .null])
      case .duplicate(let record): return Response(json: ["outcome": "duplicate", "edit": record.json])
      }
    } catch let error as EditError {
      throw APIError(
        status: .unprocessableContent, type: "edit_error", message: error.description, code: "edit_refused")
    }
  }

  private func undo(_ request: Request, _ context: ServerContext) async throws -> Response {
    let editor = try await editor()
    guard let id = Int(context.pathTail) else {
      throw APIError.notFound("give the number of the edit, as in /martlet/edits/12")
    }
    guard let record = try editor.store.record(id) else { throw APIError.notFound("there is no edit \(id)") }
    guard record.status != .undone else {
      throw APIError(status: .conflict, type: "edit_error", message: "edit \(id) is undone already")
    }
    return Response(json: try await refusing { try await editor.undo(id).json })
  }
}
