import MartletTestSupport
import MartletTokenizers
import Testing

struct StreamingDecoderTests {
  @Test func pieceByPieceEqualsTheWhole() {
    let texts: [[UInt8]] = [
      Array("aé中😀👩‍👩‍👧z".utf8), [0xff, 0x41, 0xc3], [0xe4, 0xb8, 0x41], [0xf0, 0x9f, 0x98], [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80, 0x42], [0x80, 0x80, 0xe2, 0x82, 0xac], [0xe0, 0x80, 0x80],
    ]
    for bytes in texts {
      for size in 1...3 {
        var decoder = StreamingDecoder()
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: size) {
          text += decoder.push(bytes[start..<min(bytes.count, start + size)])
        }
        text += decoder.finish()
        #expect(
          Array(text.unicodeScalars) == Array(String(decoding: bytes, as: UTF8.self).unicodeScalars),
          "\(bytes) by \(size)")
      }
    }
  }

  @Test func halfACodePointWaits() {
    var decoder = StreamingDecoder()
    #expect(decoder.push([0xf0, 0x9f]) == "")
    #expect(decoder.push([0x98]) == "")
    #expect(decoder.push([0x80, 0x21]) == "😀!")
  }
}
