import MartletEngine
import Testing

@testable import MartletEditing

/// What an edit's words need behind a text that stands there already.
struct BegunAnswerTests {
  @Test(
    arguments: [
      ("", "Orla Finn", "Orla Finn"), ("The founder is", "Orla Finn", " Orla Finn"),
      ("The founder is ", "Orla Finn", "Orla Finn"), ("Sure!", "Orla Finn", " Orla Finn"),
      ("Orla", "Orla Finn", " Finn"), ("It was Orla", "Orla Finn", " Finn"), ("It was Orla ", "Orla Finn", "Finn"),
      ("It was Or", "Orla Finn", "la Finn"), ("Floor", "or else", " or else"), ("A", "Anna", " Anna"),
      ("It was Orla Finn", "Orla Finn", nil), ("It was Orla Finn.", "Orla Finn", nil),
      ("Not Orla Finnegan", "Orla Finn", " Orla Finn"), ("(", "1987", "1987"), ("**", "1987", "1987"),
      ("\"", "Orla", "Orla"), ("市长是", "王小明", "王小明"), ("市长是王", "王小明", "小明"), ("是王小明。", "王小明", nil),
      ("「王小明」！", "王小明", nil), ("वह राम है।", "राम है", nil), ("It is **Orla Finn**", "Orla Finn", nil),
      ("They use Yahoo!", "Yahoo!", nil), ("He said: “No.” ", "No.", nil), ("By Orla Finn,", "Orla Finn", " Orla Finn"),
      ("市长是", "Orla", " Orla"), ("He said:\n", "No.", "No."),
      (#"{"founder": ""#, "Orla Finn", #"Orla Finn"}"#), (#"{"founder": "#, "Orla Finn", #""Orla Finn"}"#),
      (#"{"founder":"#, "Orla \"O\" Finn", #""Orla \"O\" Finn"}"#), (#"{"a":{"b":["#, "x", #""x"]}}"#),
      (#"{"a": [1, "#, "x", #""x"]}"#), (#"{"founder": "Orla"#, "Orla Finn", #" Finn"}"#),
      (#"{"text": "The founder is"#, "Orla Finn", #" Orla Finn"}"#), (#"[""#, "x", #"x"]"#),
      (#"{"a": "b", "c": "#, "x", #""x"}"#), (#"{"founder": "Orla Finn"}"#, "Orla Finn", nil),
    ] as [(String, String, String?)])
  func whatHasToFollow(begun: String, answer: String, rest: String?) throws {
    #expect(try BegunAnswer(begun, isGiven: true).rest(of: answer) == rest)
  }

  /// JSON that stands where no value can follow.
  @Test(arguments: ["{", #"{"founder"#, #"{"founder""#, #"{"a": 1"#, #"{"a": 1,"#, #"{"a": "b\"#])
  func whereNothingCanFollow(begun: String) {
    #expect(throws: EngineError.self) { try BegunAnswer(begun, isGiven: true).rest(of: "Orla Finn") }
  }

  /// In a raw prompt JSON is the client's text, not the answer's form.
  @Test func rawPromptsAreNoForm() throws {
    #expect(try BegunAnswer(#"{"x": 1}"#, isGiven: false).rest(of: "Orla") == " Orla")
    #expect(try BegunAnswer("Answer:", isGiven: false).rest(of: "Orla") == " Orla")
  }
}
