// An answer that follows a JSON schema, and one that follows a regular expression.
import MartletData
import MartletEngine
import MartletModels

let engine = Engine(try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1"))
let tokenizer = engine.loaded.tokenizer

let schema: JSONValue = [
  "type": "object",
  "properties": ["name": ["type": "string", "maxLength": 20], "age": ["type": "integer", "minimum": 0]],
  "required": ["name", "age"],
  "additionalProperties": false,
]
var request = Request(tokens: tokenizer.encode("A person as JSON: "))
request.grammar = try Grammar.jsonSchema(schema)
request.maxTokens = 60
for try await event in try engine.generate(request) {
  if case .text(let piece) = event { print(piece, terminator: "") }
}
print()

request.grammar = try Grammar { grammar in
  try RegularLanguage(pattern: "^[A-Z][a-z]+, (19|20)[0-9]{2}$").text(into: &grammar)
}
for try await event in try engine.generate(request) {
  if case .text(let piece) = event { print(piece, terminator: "") }
}
print()
