import MartletData
import MartletReasoning
import Testing

@Suite struct TeachingRowTests {
  @Test func aLineKeepsWhatItDoesNotKnow() throws {
    let text = #"""
      {"id":"a","task":"svamp","split":"test","question":"How many?","answer":"8","correct":true,"body":"There are 8."}
      """#
    let row = try TeachingRow(JSONLines.Line(place: "rows", number: 1, value: JSONValue(parsing: text)))
    #expect(row.isCorrect == true)
    #expect(row.others["body"]?.string == "There are 8.")
    #expect(row.json.text == text)
  }

  @Test(arguments: [
    #"{"answer":"8"}"#, "[1]", #"{"question":"x","choices":"A"}"#, #"{"question":"x","seed":"one"}"#,
    #"{"question":["x"]}"#, #"{"question":"x","correct":"yes"}"#,
  ]) func wrongMembersAreNamed(_ text: String) throws {
    let line = JSONLines.Line(place: "rows.jsonl, line 3", number: 3, value: try JSONValue(parsing: text))
    let error = #expect(throws: FileError.self) { try TeachingRow(line) }
    #expect(error?.message.contains("line 3") == true)
  }
}
