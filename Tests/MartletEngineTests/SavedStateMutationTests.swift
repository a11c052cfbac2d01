import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletTestSupport
import Testing

@testable import MartletEngine

/// Saved states damaged by what their fields mean, with the checksum put right again: they are refused, or they are states
/// that the model can go on from. `MARTLET_FUZZ_ROUNDS` sets the number of files.
struct SavedStateMutationTests {
  static let rounds = ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"].flatMap(Int.init) ?? 1_000

  @Test(arguments: ["llama", "rwkv-5.2.pth"]) func savedStates(model name: String) throws {
    let model = try ModelLoading.load(Checkpoint.open(TestData.fixtures + "/" + name))
    let vocabulary = model.description.vocabularySize
    let tokens = [1, 2, 3, 4, 5]
    let state = model.makeState()
    _ = model.forward(Batch(tokens, state: state))
    let scratch = try TestData.Scratch()
    let path = scratch.file("state")
    try SavedState.save(state, tokens: tokens, model: model, to: path)
    #expect(try SavedState.load(path, model: model).tokens == tokens)

    var file = FieldFile()
    file.put(.payload, "MARTLETS".utf8)
    file.put(.type, UInt32(1))
    let fingerprint = model.description.fingerprint.utf8
    file.put(.length, UInt32(fingerprint.count))
    file.put(.payload, fingerprint)
    file.beginGroup()
    file.put(.count, UInt64(tokens.count))
    for token in tokens { file.put(.value, UInt32(token)) }
    file.beginGroup()
    let body = state.serialized()
    file.put(.length, UInt64(body.count))
    file.put(.count, body.prefix(8))
    file.put(.payload, body.dropFirst(8))

    var random = TestRandom(seed: 9)
    var refused = 0
    for _ in 0..<Self.rounds {
      var bytes = file.mutated(using: &random).bytes
      var digest = SHA256()
      digest.update(bytes)
      bytes += Array(digest.finalize().utf8)
      try scratch.write(bytes, to: "state")
      do {
        let loaded = try SavedState.load(path, model: model)
        #expect(loaded.state.position <= loaded.tokens.count && loaded.tokens.allSatisfy { $0 < vocabulary })
        _ = model.forward(Batch([7], state: loaded.state))
      } catch is FileError { refused += 1 } catch is ModelError { refused += 1 }
    }
    #expect(refused > Self.rounds / 2)
  }
}
