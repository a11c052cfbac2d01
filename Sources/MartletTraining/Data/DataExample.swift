import MartletData

/// One example of a file of data, before it becomes tokens.
package enum DataExample {
  case text(String)
  case continuation(prompt: String, completion: String)
  case conversation(ConversationRecord)
}

/// Reads an object (a line of JSON, a row of a table) as an example, in whichever of the common forms it is.
package struct DataForm {
  package let keys: DataReading.Keys

  package init(keys: DataReading.Keys) { self.keys = keys }

  /// Whether an object with these keys is in a form that can be read.
  package func recognises(_ names: some Sequence<String>) -> Bool {
    let names = Set(names)
    func has(_ wanted: String...) -> Bool { wanted.allSatisfy(names.contains) }
    return names.contains(keys.text) || conversationKeys.contains(where: names.contains)
      || names.contains(keys.prompt) && answerKeys.contains(where: names.contains)
      || questionKeys.contains { names.contains($0) && answerKeys.contains(where: names.contains) }
      || has("prompt", "chosen", "rejected")
  }

  private var conversationKeys: [String] { [keys.messages, "conversations", "conversation", "dialog", "chat"] }
  private var questionKeys: [String] { ["instruction", "question", "query", "input"] }
  private var answerKeys: [String] { [keys.completion, "response", "output", "answer", "target"] }

  /// - Returns: the example, and the name of its form where that is none of the keys that can be renamed.
  /// - Throws: the reason why it is in no form that can be learnt.
  package func example(_ object: JSONObject) throws(FormProblem) -> (example: DataExample, form: String?) {
    if let value = object[keys.text], !value.isNull {
      guard let text = value.string else {
        throw FormProblem("\"\(keys.text)\" is \(value.kind) but must be a text", near: keys.text)
      }
      return (.text(text), nil)
    }
    let system = ["system", "system_prompt"].lazy.compactMap { object[$0]?.string }.first
    for key in conversationKeys {
      guard let value = object[key], !value.isNull else { continue }
      guard let list = value.array else {
        throw FormProblem("\"\(key)\" is \(value.kind) but must be a list of messages", near: key)
      }
      let isShareGPT = list.contains { $0["from"] != nil }
      return (
        .conversation(try ConversationRecord(list, system: system, tools: try tools(object))),
        isShareGPT ? "the format of ShareGPT (from, value)" : nil
      )
    }
    if object["chosen"] != nil, object["rejected"] != nil {
      throw FormProblem(
        "it is a pair of a chosen and a rejected answer, from which `martlet teach policy --method dpo` learns and this training does not; give it to that command, or keep the chosen answer as \"\(keys.completion)\"",
        near: "chosen")
    }
    if let prompt = object[keys.prompt], !prompt.isNull {
      if let example = try continuation(prompt, object) { return (example, nil) }
    }
    if let example = try instruction(object, system) { return example }
    throw unknown(object)
  }

  /// A prompt and what comes behind it: both texts, or both lists of messages.
  private func continuation(_ prompt: JSONValue, _ object: JSONObject) throws(FormProblem) -> DataExample? {
    guard let key = answerKeys.first(where: { object[$0] != nil }), let completion = object[key] else { return nil }
    if let question = prompt.string, let answer = completion.string {
      return .continuation(prompt: question, completion: answer)
    }
    if let question = prompt.array, let answer = completion.array {
      return .conversation(try ConversationRecord(question + answer, tools: try tools(object)))
    }
    throw FormProblem(
      "\"\(keys.prompt)\" is \(prompt.kind) and \"\(key)\" is \(completion.kind); both must be texts, or both lists of messages",
      near: prompt.string != nil || prompt.array != nil ? key : keys.prompt)
  }

  /// An instruction with its answer (Alpaca), or a question with its answer.
  private func instruction(
    _ object: JSONObject, _ system: String?
  ) throws(FormProblem) -> (example: DataExample, form: String?)? {
    guard let questionKey = questionKeys.first(where: { object[$0] != nil }),
      let answerKey = answerKeys.first(where: { object[$0] != nil && $0 != questionKey })
    else { return nil }
    var texts: [String] = []
    for key in [questionKey, answerKey] {
      guard let text = object[key]?.string else {
        throw FormProblem("\"\(key)\" is \(object[key]?.kind ?? "missing") but must be a text", near: key)
      }
      texts.append(text)
    }
    if questionKey != "input", let input = object["input"], !input.isNull {
      guard let text = input.string else {
        throw FormProblem("\"input\" is \(input.kind) but must be a text", near: "input")
      }
      if !text.allSatisfy(\.isWhitespace) { texts[0] += "\n\n" + text }
    }
    var conversation = ConversationRecord(system: system, question: texts[0], answer: texts[1])
    if let history = object["history"], !history.isNull {
      let turns = (history.array ?? []).compactMap { turn -> (question: String, answer: String)? in
        guard let pair = turn.array, pair.count == 2, let question = pair[0].string, let answer = pair[1].string else {
          return nil
        }
        return (question, answer)
      }
      guard turns.count == history.array?.count else {
        throw FormProblem("\"history\" must be a list of pairs of texts, [question, answer]", near: "history")
      }
      conversation.insertHistory(turns)
    }
    return (
      .conversation(conversation),
      questionKey == "instruction"
        ? "the format of Alpaca (instruction, input, output)" : "the format \(questionKey), \(answerKey)"
    )
  }

  private func tools(_ object: JSONObject) throws(FormProblem) -> [JSONValue] {
    guard let value = object["tools"] ?? object["functions"], !value.isNull else { return [] }
    var list = value.array
    if let text = value.string { list = text.isEmpty ? [] : (try? JSONValue(parsing: text))?.array }
    guard let list else {
      throw FormProblem("\"tools\" is \(value.kind) but must be a list of functions", near: "tools")
    }
    return list.map { $0["function"] != nil ? $0 : ["type": "function", "function": $0] }
  }

  private func unknown(_ object: JSONObject) -> FormProblem {
    let found = object.members.map(\.key).prefix(6).joined(separator: ", ")
    let nulls = [keys.text, keys.messages, keys.prompt].filter { object[$0]?.isNull ?? false }
    if let key = nulls.first { return FormProblem("\"\(key)\" is null, so there is nothing to learn", near: key) }
    if object[keys.prompt] != nil {
      return FormProblem("it has a \"\(keys.prompt)\" but no \"\(keys.completion)\"", near: keys.prompt)
    }
    return FormProblem(
      object.isEmpty
        ? "it is an empty object"
        : "its keys (\(found)) are none of \"\(keys.text)\", \"\(keys.messages)\", \"\(keys.prompt)\" with \"\(keys.completion)\", or \"instruction\" with \"output\"; rename them with --text-key, --messages-key, --prompt-key and --completion-key"
    )
  }
}
