import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

/// Variants of one model as people have them (torch.load and safetensors' own reader give the right values): each loads
/// with the base's values, or is refused with a sentence.
struct SharedCaseTests {
  private static let cases = TestData.cases

  private func difference(_ path: String, from base: Checkpoint) throws -> Float {
    let checkpoint = try Checkpoint.open(path)
    var worst: Float = 0
    for name in base.names {
      let right = try base.tensor(name), read = try checkpoint.tensor(name)
      #expect(read.shape == right.shape, "\(path) \(name)")
      worst = max(worst, TestData.largestDifference(try read.floats(), try right.floats()))
    }
    return worst
  }

  @Test(
    .enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      "plain", "dp", "f64", "legacy", "meta", "module", "msd", "nested", "np", "ns", "od", "param", "proto4", "proto5",
      "transposed", "views",
    ])
  func pyTorchVariantsHoldTheBase(name: String) throws {
    let cases = try #require(Self.cases)
    let base = try Checkpoint.open(cases + "/inference/st/base")
    #expect(try difference(cases + "/inference/pth/" + name, from: base) == 0)
  }

  @Test(.enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"))
  func halfTypesHoldTheBaseRounded() throws {
    let cases = try #require(Self.cases)
    let base = try Checkpoint.open(cases + "/inference/st/base")
    // Half of the last place of bf16 (8 bits) and f16 (11 bits) at the largest weight, which is below 2.
    #expect(try difference(cases + "/inference/pth/bf16", from: base) <= 1.0 / 256)
    #expect(try difference(cases + "/inference/st/st_bf16", from: base) <= 1.0 / 256)
    #expect(try difference(cases + "/inference/st/st_f16", from: base) <= 1.0 / 2048)
  }

  @Test(
    .enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      "C64", "F4", "F8", "I8", "U32", "U64", "lead", "pad", "prefix", "scalar", "sharded", "zero_size",
    ])
  func safetensorsVariantsHoldTheBase(name: String) throws {
    let cases = try #require(Self.cases)
    let base = try Checkpoint.open(cases + "/inference/st/base")
    #expect(try difference(cases + "/inference/st/st_" + name, from: base) == 0)
  }

  @Test(
    .enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("st/st_gap", "leaves a gap"), ("st/st_trail", "follow the last tensor"), ("st/st_meta", "__metadata__"),
      ("st/st_sharded_missing", "fetch model-00002-of-00002.safetensors too"),
      ("gguf/bigendian.gguf", "big-endian"), ("gguf/v1.gguf", "convert the model again"),
      ("gguf/v4.gguf", "update Martlet"),
    ])
  func whatTheFormatsOwnReaderRefusesIsRefused(path: String, words: String) throws {
    let cases = try #require(Self.cases)
    let error = #expect(throws: FileError.self) { try Checkpoint.open("\(cases)/inference/\(path)") }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test(
    .enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["C64", "F4", "F8", "I8", "U32", "U64"])
  func anOddTypeIsSaidWhereItIsAskedFor(name: String) throws {
    let cases = try #require(Self.cases)
    let odd = try Checkpoint.open(cases + "/inference/st/st_" + name).tensor("x")
    let error = #expect(throws: FileError.self) { try odd.floats() }
    #expect(error?.description.contains("which Martlet does not support") == true)
  }

  @Test(
    .enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["deepspeed", "module", "extra"])
  func rwkvVariantsHoldTheBase(name: String) throws {
    let cases = try #require(Self.cases)
    let base = try Checkpoint.open(cases + "/inference/pth/rwkv_half.pth")
    #expect(try difference(cases + "/inference/pth/rwkv_\(name).pth", from: base) < 4e-8)  // f16's least step is 6e-8
  }

  @Test(.enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"))
  func aPrefixOfRWKVIsTakenOff() throws {
    let cases = try #require(Self.cases)
    let base = try Checkpoint.open(cases + "/rwkv/base.pth")
    #expect(try difference(cases + "/rwkv/prefix-module.pth", from: base) == 0)
  }

  @Test(
    .enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: ["align8", "align64", "align1024", "align_u64", "kv_array", "kv_i64", "eps_f64"])
  func ggufVariantsHoldTheBase(name: String) throws {
    let cases = try #require(Self.cases)
    let base = try Checkpoint.open(cases + "/inference/gguf/base.gguf")
    #expect(try difference(cases + "/inference/gguf/\(name).gguf", from: base) == 0)
  }

  @Test(.enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"), arguments: [1, 2])
  func anyPartOpensTheWholeModel(part: Int) throws {
    let cases = try #require(Self.cases)
    let base = try Checkpoint.open(cases + "/inference/gguf/base.gguf")
    let path = "\(cases)/inference/gguf/splitm-0000\(part)-of-00002.gguf"
    #expect(try difference(path, from: base) == 0)
    #expect(try Checkpoint.open(path).metadata["llama.block_count"] == base.metadata["llama.block_count"])
  }

  @Test(
    .enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"),
    arguments: [
      ("cyclic.pth", "no tensors"), ("deeptuple2.pth", "damaged"), ("two.pth", "2 pickles"),
      ("embd0dims.gguf", "0 axes"),
    ])
  func attacksEndWithASentence(name: String, words: String) throws {
    let cases = try #require(Self.cases)
    let start = ContinuousClock.now
    let error = #expect(throws: FileError.self) { try Checkpoint.open("\(cases)/attack/\(name)") }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    #expect(ContinuousClock.now - start < .seconds(1))
  }

  @Test(.enabled(if: Self.cases != nil, "MARTLET_DATA names no folder with the shared data"))
  func theLeastIntegerIsANumberLikeOthers() throws {
    let cases = try #require(Self.cases)
    let configuration = try Checkpoint.open(cases + "/attack/intmin").configuration
    #expect(configuration.values.contains(.integer(.min)))
  }
}
