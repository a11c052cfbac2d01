import Foundation
import Hummingbird
import MartletEngine
import MartletModels

/// POST /v1/embeddings: means of the last layer's rows, of length 1.
struct EmbeddingRoute: FeatureRoutes {
  let configuration: ServerConfiguration
  let model: ServedModel

  private enum Encoding: String, CaseIterable { case float, base64 }
  static let mostInputs = 2048

  func add(to routes: inout RouteTable) {
    routes.add(.post, "/v1/embeddings", "/embeddings") { try await answer($0, $1) }
  }

  private func answer(_ request: Request, _ context: ServerContext) async throws -> Response {
    let ready = try model.get()
    let fields = FieldReader(try await request.jsonObject(configuration, context))
    try RequestFields.embedding.check(fields)
    _ = try fields.string("model")
    let encoding = try fields.choice("encoding_format", of: Encoding.self) ?? .float
    let width = ready.loaded.model.description.width
    let dimensions = try fields.integer("dimensions", in: 1...width)
    guard let input = fields.value("input") else { throw APIError.invalid("`input` is missing", parameter: "input") }
    let texts = try TextInput.read(input, field: "input", loaded: ready.loaded)
    guard texts.count <= Self.mostInputs else {
      throw APIError.invalid(
        "`input` has \(texts.count) entries; at most \(Self.mostInputs) are taken", parameter: "input")
    }
    guard texts.allSatisfy({ !$0.tokens.isEmpty }) else {
      throw APIError.invalid("`input` has an empty text", parameter: "input")
    }
    let watch = try await context.watch
    let vectors = try await watch.cancelling {
      // A few at a time: they share forward passes, and leave room in the queue.
      var vectors = [[Float]](repeating: [], count: texts.count)
      for start in stride(from: 0, to: texts.count, by: 16) {
        try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
          for index in start..<min(texts.count, start + 16) {
            let tokens = texts[index].tokens
            group.addTask { (index, try await ready.engine.embedding(of: tokens)) }
          }
          for try await (index, vector) in group { vectors[index] = vector }
        }
      }
      return vectors
    }
    let tokens = texts.reduce(0) { $0 + $1.tokens.count }
    context.record.note(usage: Usage(promptTokens: tokens))
    return Response(json: [
      "object": "list",
      "data": .array(
        vectors.enumerated().map { index, vector in
          let vector = Self.normalized(Array(vector.prefix(dimensions ?? width)))
          return [
            "object": "embedding", "index": .integer(index),
            "embedding": encoding == .base64
              ? .string(Self.base64(vector)) : .array(vector.map { .number(Double($0)) }),
          ]
        }),
      "model": .string(configuration.modelName),
      "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
    ])
  }

  private static func normalized(_ vector: [Float]) -> [Float] {
    let norm = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return norm > 0 ? vector.map { Float(Double($0) / norm) } : vector
  }

  /// Little-endian floats.
  private static func base64(_ vector: [Float]) -> String {
    var data = Data()
    for value in vector { withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    return data.base64EncodedString()
  }
}
