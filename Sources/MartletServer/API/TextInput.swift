import MartletData
import MartletEngine
import MartletModels
import MartletTokenizers

/// A text, several, ids, or several lists of ids, as completions and embeddings take them.
enum TextInput {
  static func read(
    _ value: JSONValue, field: String, loaded: LoadedModel
  ) throws -> [(tokens: [Int], text: String)] {
    func refuse(_ problem: String) -> APIError { .invalid("`\(field)` \(problem)", parameter: field) }
    func encode(_ text: String) -> (tokens: [Int], text: String) {
      ((loaded.tokenizer.beginOfText.map { [$0] } ?? []) + loaded.tokenizer.encode(text, special: true), text)
    }
    func ids(_ list: [JSONValue]) throws -> (tokens: [Int], text: String) {
      let size = loaded.model.description.vocabularySize
      let tokens = try list.map { item in
        guard let token = item.integer, (0..<size).contains(token) else {
          throw refuse("has the entry \(item.text.prefix(40)), which is not a token id from 0 to \(size - 1)")
        }
        return token
      }
      return (tokens, String(decoding: loaded.tokenizer.decode(tokens), as: UTF8.self))
    }
    switch value {
    case .string(let text): return [encode(text)]
    case .array(let list):
      guard let first = list.first else { throw refuse("is an empty array") }
      switch first {
      case .integer, .number: return [try ids(list)]
      case .string:
        return try list.map { item in
          guard let text = item.string else { throw refuse("mixes strings and \(item.kind)") }
          return encode(text)
        }
      case .array:
        return try list.map { item in
          guard let list = item.array else { throw refuse("mixes arrays and \(item.kind)") }
          return try ids(list)
        }
      default: throw refuse("must be a string, an array of strings, token ids, or arrays of token ids")
      }
    default: throw refuse("must be a string or an array, not \(value.kind)")
    }
  }
}
