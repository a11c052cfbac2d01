import Hummingbird
import MartletData
import MartletEngine
import MartletModels
import MartletTokenizers

/// POST /tokenize and /detokenize, texts as tokens and back, and GET /tokenizer_info.
struct TokenRoutes: FeatureRoutes {
  let configuration: ServerConfiguration
  let model: ServedModel

  func add(to routes: inout RouteTable) {
    routes.add(.post, "/tokenize") { try await tokenize($0, $1) }
    routes.add(.post, "/detokenize") { try await detokenize($0, $1) }
    routes.add(.get, "/tokenizer_info") { _, _ in try tokenizerInfo() }
  }

  /// `content` (llama.cpp), `prompt` (vLLM) or `messages`.
  private func tokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
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

  private func detokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
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

  /// Which tokens begin and end texts (vLLM), by which lm-evaluation-harness finds that it can encode with `/tokenize`.
  private func tokenizerInfo() throws -> Response {
    let tokenizer = try model.get().loaded.tokenizer
    func name(_ token: Int?) -> JSONValue { token.flatMap(tokenizer.name(of:)).map(JSONValue.string) ?? .null }
    let prefix = tokenizer.prefixToken.flatMap { tokenizer.endOfText.contains($0) ? nil : $0 }
    return Response(json: [
      "tokenizer_class": .string(tokenizer.name), "bos_token": name(tokenizer.beginOfText ?? prefix),
      "eos_token": name(tokenizer.endOfText.min()), "add_bos_token": .bool(tokenizer.beginOfText != nil),
    ])
  }
}
