import Foundation
import MartletTestSupport
import Testing

@testable import MartletData

struct JSONValueTests {
  @Test func objectsKeepTheirOrder() throws {
    let text = #"{"z":1,"a":[true,null,-2.5,"x\n\"é\u0001"],"m":{}}"#
    let value = try JSONValue(parsing: text)
    #expect(value.object?.members.map(\.key) == ["z", "a", "m"])
    #expect(try JSONValue(parsing: value.text) == value)
    #expect(value["a"]?.array?[3] == .string("x\n\"é\u{1}"))
  }

  @Test func agreesWithFoundation() throws {
    for text in [
      "0", "-0", "1e3", "12.25E-2", "900719925474099", "\"\\ud83d\\ude00 \\u00e9\\/\"", "[]", " [ 1 , 2 ] ", "true",
      #"{"a":{"b":[{}]}}"#, "\"\\ud83d\"",
    ] {
      if text == "\"\\ud83d\"" { continue }  // half a pair: Foundation refuses, we put U+FFFD
      let ours = try JSONValue(parsing: text)
      let data = try JSONSerialization.data(
        withJSONObject: JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed),
        options: .fragmentsAllowed)
      let theirs = try JSONValue(parsing: data)
      #expect(theirs.number != nil ? theirs.number == ours.number : theirs == ours, "\(text)")
    }
    #expect(try JSONValue(parsing: "\"\\ud83d\"") == "\u{fffd}")
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "+1", ".5", "tru", "\"\u{1}\"", "\"\\x\"", "\"\\u12g4\"",
    "\"\\u-000\"", "\"\\u+041\"", "\"\\u 041\"", "\"\\u004\"", "\"\\ud83d\\u-e00\"", "\"\\u０041\"",
    "[1] 2",
    "{'a':1}", "nan", "1e999", "\"abc", "[\"\\\"]", "{\"a\" 1}", "\u{feff}1",
  ])
  func refusesWhatIsNoJSON(text: String) { #expect(throws: JSONError.self) { try JSONValue(parsing: text) } }

  @Test func errorsNameThePlace() {
    #expect(throws: JSONError(problem: "a : should be here", line: 2, column: 6)) {
      try JSONValue(parsing: "{\n \"a\" 1}")
    }
  }

  /// Look-ups of many members, of keys that come twice and of keys that move.
  @Test func membersAreFoundHoweverMany() throws {
    for count in [3, 8, 9, 200] {
      var object = JSONObject()
      for index in 0..<count { object.append("k\(index)", .integer(index)) }
      object.append("k1", "again")
      #expect(object["k1"] == "again" && object["k0"] == 0 && object["no"] == Optional.none)
      object["k0"] = "moved"
      object["k2"] = Optional.none
      #expect(object["k0"] == "moved" && object["k2"] == Optional.none && object.members.last?.key == "k0")
      object["k1"] = true
      #expect(object.members.filter { $0.key == "k1" }.map(\.value) == [true] && object.members.count == count - 1)
    }
  }

  @Test func depthAndInvalidTextAreRefused() {
    #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22]) }
  }

  @Test func randomBytesNeverTrap() {
    let alphabet = Array("{}[]\",:\\u0123456789eE+-.truefalsn \n\u{1}".utf8) + [0xff, 0xc3, 0xa9]
    let noise = TestData.noise(800_040, seed: 5).map { alphabet[Int(abs($0) * 1e6) % alphabet.count] }
    for start in stride(from: 0, to: 800_000, by: 40) {
      let bytes = noise[start..<start + start / 40 % 40]
      if let value = try? JSONValue(parsing: bytes) {
        #expect((try? JSONValue(parsing: value.text)) != nil)
      }
    }
  }

  /// What people change by hand has lines, and says the same.
  @Test func indentedTextSaysTheSame() throws {
    let value = try JSONValue(parsing: #"{"b":[1,2],"a":{},"c":[{"d":"x\ny"},[]],"e":null}"#)
    #expect(
      value.indentedText == """
        {
          "b": [1,2],
          "a": {},
          "c": [
            {
              "d": "x\\ny"
            },
            []
          ],
          "e": null
        }

        """)
    #expect(try JSONValue(parsing: value.indentedText) == value)
  }
}
