import Foundation
import MartletCheckpoints
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletTensor
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletEditing

struct EndlessTokenizer: Tokenizer {
  var vocabularySize: Int { 256 }
  var name: String { "endless" }
  var endOfText: Set<Int> { [] }
  func encode(_ text: some Collection<UInt8>, special: Bool) -> [Int] { text.map(Int.init) }
  func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }
}

struct EditStoreTests {
  private func message(_ body: () throws -> some Any) -> String {
    do {
      _ = try body()
      return ""
    } catch { return "\(error)" }
  }

  @Test func anotherModelLayerOrFormatIsRefused() throws {
    let loaded = try EditingBox.loaded(), scratch = try TestData.Scratch()
    let store = try EditStore(path: scratch.file("e.sqlite"))
    let site = EditSite(layer: "blocks.1.att.output", format: .raw)
    let book = try EditBook.open(loaded, store: store, site: site)
    #expect(try store.binding() == nil, "a store is bound by its first edit")
    try book.bind(store)
    var other = site
    other.layer = "blocks.2.att.output"
    #expect(message { try EditBook.open(loaded, store: store, site: other) }.contains("blocks.1.att.output"))
    other = site
    other.format = .chat
    #expect(message { try EditBook.open(loaded, store: store, site: other) }.contains("format raw"))
    let tiny = LoadedModel(
      model: try ModelLoading.load(Checkpoint.open(TestData.fixtures + "/llama")), tokenizer: loaded.tokenizer,
      chatFormat: loaded.chatFormat)
    #expect(message { try EditBook.open(tiny, store: store) }.contains("another model"))
    let fresh = try EditStore(path: scratch.file("f.sqlite"))
    #expect(
      message { try EditBook.open(loaded, store: fresh, site: EditSite(layer: "nowhere")) }.contains("no layer nowhere")
    )
    // The same weights in another format have other activations.
    let rounded = LoadedModel(
      model: try ModelLoading.load(BuiltInModel.checkpoint(), options: LoadedModel.Options(format: .q4_0)),
      tokenizer: loaded.tokenizer, chatFormat: loaded.chatFormat)
    let difference = message { try EditBook.open(rounded, store: store) }
    #expect(difference.contains("weights in") && difference.contains("q4_0"), "\(difference)")
    // An adapter makes other weights of the same file.
    var model = try ModelLoading.loadTrainable(BuiltInModel.checkpoint(), frozen: true)
    model.noteAdapter(digest: "an adapter")
    let adapted = LoadedModel(model: model, tokenizer: loaded.tokenizer, chatFormat: loaded.chatFormat)
    let refusal = message { try EditBook.open(adapted, store: store) }
    #expect(refusal.contains("without this adapter or with another one, so they do not apply"), "\(refusal)")
    #expect(refusal.contains("leave --adapter out") && !refusal.contains("another file of this model"), "\(refusal)")
  }

  @Test func damagedAndForeignFilesAreRefused() throws {
    let scratch = try TestData.Scratch()
    try Data("this is no database, only a text of some length ".utf8).write(
      to: URL(fileURLWithPath: scratch.file("text.sqlite")))
    #expect(message { try EditStore(path: scratch.file("text.sqlite")) }.contains("damaged or not a database"))
    #expect(message { try EditStore(path: scratch.file("none/there.sqlite")) }.contains("cannot be opened"))
    let loaded = try EditingBox.loaded()
    let path = scratch.file("e.sqlite")
    let store = try EditStore(path: path)
    _ = try EditBook.open(loaded, store: store, site: EditSite(layer: "blocks.1.att.output", format: .raw))
    try store.close()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for place in stride(from: 100, to: bytes.count, by: 37) { bytes[place] ^= 0x5a }
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(
      !message { try EditBook.open(loaded, store: EditStore(path: path)) }.isEmpty, "a damaged file was taken as whole")
    // Truncated at every eighth of its length.
    for part in 1..<8 {
      try bytes.prefix(bytes.count * part / 8).write(to: URL(fileURLWithPath: path))
      _ = message { try EditBook.open(loaded, store: EditStore(path: path)) }
    }
  }

  @Test func correctionsFromStrangersAreRead() throws {
    let whole = try Correction(
      json: #"{"prompt":"p","answer":"a","subject":null,"aliases":["x"],"rewordings":["y","z"],"author":"me"}"#)
    #expect(whole.aliases == ["x"] && whole.rewordings == ["y", "z"] && whole.author == "me" && whole.subject == nil)
    for line in [
      "", "[]", "{}", #"{"prompt":"p"}"#, #"{"prompt":1,"answer":"a"}"#, #"{"prompt":"p","answer":"a","aliases":[1]}"#,
      "{\"prompt\"",
    ] {
      #expect(throws: EditError.self) { try Correction(json: line) }
    }
  }

  @Test(.enabled(if: TestData.shared != nil, "MARTLET_DATA names no folder with the shared data"))
  func rowsOfAllSetsAreRead() throws {
    let shared = try #require(TestData.shared)
    let zsre = try EditRow.read(shared + "/editing/zsre.jsonl.gz")
    #expect(
      zsre.count == 1052 && zsre[0].rewordings == ["What family are Epaspidoceras?"] && zsre[0].neighbours.count == 2)
    let counterfact = try EditRow.read(shared + "/editing/counterfact.jsonl.gz")
    #expect(counterfact.count == 17_991 && counterfact[0].answer == "English" && counterfact[0].neighbours.count == 1)
    let wiki = try EditRow.read(shared + "/editing/wiki_counterfact.jsonl.gz")
    #expect(wiki.count == 1123 && wiki[0].rewordings.count == 1)
    #expect(try EditRow.questions(shared + "/editing/nq_open_dev.jsonl.gz").count == 2000)
  }
}
