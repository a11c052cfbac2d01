import Foundation
import MartletEngine
import MartletModels
import MartletTestSupport
import MartletTokenizers

@testable import MartletEditing

/// Bytes, with a line's end as the end of an answer: the model in the box never says byte 0.
struct LineTokenizer: Tokenizer {
  var vocabularySize: Int { 256 }
  var name: String { "lines" }
  var endOfText: Set<Int> { [10] }
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { text.map(Int.init) }
  func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }
}

/// Edits of the small RWKV-5 that Martlet brings: everything but a model worth asking.
enum EditingBox {
  static func loaded() throws -> LoadedModel {
    let checkpoint = try BuiltInModel.checkpoint()
    return LoadedModel(
      model: try ModelLoading.load(checkpoint), tokenizer: LineTokenizer(), chatFormat: ChatFormat(.plain))
  }

  static func editor(_ path: String, loaded: LoadedModel, rules: CodebookRules = .nearest) throws -> Editor {
    let store = try EditStore(path: path)
    let site = EditSite(layer: "blocks.1.att.output", format: .raw, rules: rules)
    let book = try EditBook.open(loaded, store: store, site: site)
    var options = Engine.Options()
    options.interventions = book
    return Editor(engine: Engine(loaded, options: options), book: book, store: store)
  }
}
