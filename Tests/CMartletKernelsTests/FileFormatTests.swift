import Foundation
import CMartletKernels
import MartletTestSupport
import Testing

/// Block formats against the `gguf` package's own expansion and rounding (Tests/Fixtures/blocks.json).
struct FileFormatTests {
  private func fixture() throws -> [String: Any] {
    try #require(TestData.json(TestData.fixtures + "/blocks.json") as? [String: Any])
  }

  @Test func expansionEqualsGGUF() throws {
    let cases = try #require(fixture()["expand"] as? [String: [String: String]])
    for (type, pair) in cases {
      let raw = Data(base64Encoded: pair["raw"]!)!, truth = Data(base64Encoded: pair["values"]!)!
      var values = [Float](repeating: 0, count: truth.count / 4)
      raw.withUnsafeBytes { martlet_file_expand(Int32(type)!, $0.baseAddress, Int64(values.count), &values) }
      #expect(values.withUnsafeBytes { Data($0) } == truth, "type \(type)")
    }
  }

  @Test func roundingEqualsGGUF() throws {
    let input = try #require(Data(base64Encoded: fixture()["input"] as? String ?? ""))
    let cases = try #require(fixture()["round"] as? [String: String])
    for (type, text) in cases {
      let truth = Data(base64Encoded: text)!
      var bytes = [UInt8](repeating: 0, count: truth.count)
      let done = input.withUnsafeBytes {
        martlet_file_round(Int32(type)!, $0.bindMemory(to: Float.self).baseAddress, Int64(input.count / 4), &bytes)
      }
      #expect(done && Data(bytes) == truth, "type \(type)")
    }
  }

  @Test func halvesSurviveARoundTrip() {
    var bits = (0...UInt16.max).filter { $0 & 0x7c00 != 0x7c00 }
    var floats = [Float](repeating: 0, count: bits.count)
    let original = bits
    martlet_file_expand(Int32(MARTLET_FILE_F16.rawValue), bits, Int64(bits.count), &floats)
    #expect(zip(original, floats).allSatisfy { Float(Float16(bitPattern: $0)) == $1 })
    #expect(martlet_file_round(Int32(MARTLET_FILE_F16.rawValue), floats, Int64(bits.count), &bits))
    #expect(bits == original)
  }
}
