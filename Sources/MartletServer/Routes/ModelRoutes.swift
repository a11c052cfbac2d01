import Foundation
import Hummingbird
import MartletData
import MartletEngine
import MartletModels
import MartletSkeleton

/// GET /v1/models, /v1/models/* and /health: the served model, and whether it is loaded.
struct ModelRoutes: FeatureRoutes {
  let configuration: ServerConfiguration
  let model: ServedModel
  let started = Int(Date().timeIntervalSince1970)

  func add(to routes: inout RouteTable) {
    routes.add(.get, "/v1/models", "/models") { _, _ in try models() }
    routes.add(.get, "/v1/models/*") { _, context in try model(context.pathTail) }
    routes.add(.get, "/health", "/v1/health") { _, _ in try health() }
  }

  private func health() throws -> Response {
    guard let device = try model.get().loaded.model.description.device else { return Response(json: ["status": "ok"]) }
    return Response(json: ["status": "ok", "device": .string(device)])
  }

  private func entry() throws -> JSONValue {
    let ready = try model.get()
    let description = ready.loaded.model.description
    return [
      "id": .string(configuration.modelName), "object": "model", "created": .integer(started), "owned_by": "martlet",
      "meta": [
        "architecture": .string(description.architecture), "n_params": .integer(description.parameterCount),
        "n_vocab": .integer(description.vocabularySize), "n_embd": .integer(description.width),
        "n_ctx": description.contextLength.map(JSONValue.integer) ?? .null,
        "skeleton": .string(configuration.skeletonMode.rawValue),
        "skeleton_suits": .bool(description.parameterCount >= SkeletonOptions.leastParameters),
        "edits": .bool(ready.edits != nil), "sensing": .bool(configuration.recoveryPath != nil),
      ],
    ]
  }

  private func models() throws -> Response { Response(json: ["object": "list", "data": [try entry()]]) }

  private func model(_ wanted: String) throws -> Response {
    guard wanted == configuration.modelName else {
      throw APIError.notFound(
        "the model `\(wanted.prefix(100))` does not exist; this server has `\(configuration.modelName)`",
        code: "model_not_found")
    }
    return Response(json: try entry())
  }
}
