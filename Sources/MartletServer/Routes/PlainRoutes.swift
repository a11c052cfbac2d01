import CMartletData
import Foundation
import Hummingbird
import MartletData
import MartletEngine
import MartletModels
import MartletSkeleton
import MartletTokenizers

/// Models, health, metrics, tokens.
struct PlainRoutes: Sendable {
  let configuration: ServerConfiguration
  let model: ServedModel
  let metrics: ServerMetrics
  let host: HostWatch
  let started = Int(Date().timeIntervalSince1970)

  func health() throws -> Response {
    _ = try model.get()
    return Response(json: ["status": "ok"])
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
        "edits": .bool(ready.edits != nil),
      ],
    ]
  }

  func models() throws -> Response { Response(json: ["object": "list", "data": [try entry()]]) }

  func model(_ wanted: String) throws -> Response {
    guard wanted == configuration.modelName else {
      throw APIError.notFound(
        "the model `\(wanted.prefix(100))` does not exist; this server has `\(configuration.modelName)`",
        code: "model_not_found")
    }
    return Response(json: try entry())
  }

  func metricsText() -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text(model.current?.engine.statistics) + host.metrics)))
  }

  /// `content` (llama.cpp), `prompt` (vLLM) or `messages`.
  func tokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
    let loaded = try model.get().loaded
    let fields = FieldReader(try await request.jsonObject(configuration, context))
    try RequestFields.tokenize.check(fields)
    let tokens: [Int]
    if let messages = try fields.objects("messages") {
      tokens = try loaded.chatFormat.encode(ChatMessages.read(messages), tokenizer: loaded.tokenizer)
    } else {
      guard let text = try fields.string("content") ?? fields.string("prompt") ?? fields.string("text") else {
        throw APIError.invalid("`content` is missing", parameter: "content")
      }
      let special = try fields.bool("add_special") ?? fields.bool("add_special_tokens") ?? false
      tokens =
        (special ? loaded.tokenizer.beginOfText.map { [$0] } ?? [] : [])
        + loaded.tokenizer.encode(text, special: try fields.bool("parse_special") ?? true)
    }
    let pieces = try fields.bool("with_pieces") ?? false
    return Response(json: [
      "tokens": .array(
        tokens.map { token in
          guard pieces else { return .integer(token) }
          let bytes = loaded.tokenizer.bytes(of: token)
          return [
            "id": .integer(token),
            "piece": String(validating: bytes, as: UTF8.self).map(JSONValue.string)
              ?? .array(bytes.map { .integer(Int($0)) }),
          ]
        }),
      "count": .integer(tokens.count),
      "max_model_len": loaded.model.description.contextLength.map(JSONValue.integer) ?? .null,
    ])
  }

  func detokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
    let loaded = try model.get().loaded
    let fields = FieldReader(try await request.jsonObject(configuration, context))
    try RequestFields.detokenize.check(fields)
    guard let list = try fields.array("tokens") else {
      throw APIError.invalid("`tokens` is missing", parameter: "tokens")
    }
    let size = loaded.model.description.vocabularySize
    let tokens = try list.map { item in
      guard let token = item.integer, (0..<size).contains(token) else {
        throw APIError.invalid(
          "`tokens` has the entry \(item.text.prefix(40)), which is not a token id from 0 to \(size - 1)",
          parameter: "tokens")
      }
      return token
    }
    let text = String(decoding: loaded.tokenizer.decode(tokens), as: UTF8.self)
    return Response(json: ["content": .string(text), "prompt": .string(text)])
  }

  /// Names of the page's files.
  static let pageFiles: [String] = (0...).lazy.map { martlet_page($0).name.map { String(cString: $0) } }
    .prefix { $0 != nil }.compactMap { $0 }

  /// A file of the page.
  static func page(_ name: String) -> Response {
    let types = ["html": "text/html", "css": "text/css", "js": "text/javascript"]
    let type = "\(types[String(name.split(separator: ".").last ?? "")] ?? "text/plain"); charset=utf-8"
    let file = martlet_find(martlet_page, name)
    guard let bytes = file.bytes else {
      return APIError.notFound("there is no file \(name)").response
    }
    var buffer = ByteBuffer()
    buffer.writeBytes(UnsafeRawBufferPointer(start: bytes, count: file.size))
    var response = Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"], body: ResponseBody(byteBuffer: buffer))
    // Nothing from elsewhere is loaded or run, and no other site may frame the page.
    response.headers[.contentSecurityPolicy] =
      "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
      + "form-action 'none'; frame-ancestors 'none'"
    response.headers[.xContentTypeOptions] = "nosniff"
    return response
  }
}
