import Foundation
import MartletModels
import MartletTestSupport
import MartletTokenizers
import Testing

@testable import MartletTraining

struct DataTests {
  private func reading(context: Int = 16) -> DataReading {
    DataReading(tokenizer: ByteTokenizer(), chatFormat: ChatFormat(.plain), context: context)
  }

  private func read(_ text: String, as name: String, context: Int = 16) throws -> TrainingData {
    let scratch = try TestData.Scratch()
    try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.file(name)))
    return try reading(context: context).read(scratch.file(name))
  }

  private func problem(_ text: String, as name: String = "data.jsonl") -> String {
    do {
      _ = try read(text, as: name)
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func aTextBecomesWindowsThatPredictEveryTokenOnce() throws {
    let text = String(repeating: "abcdefgh", count: 9)
    let data = try read(text, as: "a.txt", context: 8)
    #expect(data.examples.allSatisfy { $0.count == 9 })
    var seen: [Int] = []
    for index in data.examples.indices {
      var batch = TrainingBatch()
      batch.append(data, index)
      seen += batch.targets
      #expect(zip(batch.inputs.dropFirst(), batch.targets).allSatisfy { $0 == $1 })
    }
    #expect(seen == (Array(text.utf8).map(Int.init) + [0]).dropFirst().prefix(seen.count).map { $0 })
  }

  @Test func linesOfEveryShape() throws {
    let data = try read(
      """
      {"text": "hello"}

      {"prompt": "2+2=", "completion": "4"}
      {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}
      {"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]}
      """, as: "data.jsonl")
    #expect(data.examples.count == 4)
    func counted(_ index: Int) -> String {
      let range = data.examples[index]
      return String(
        decoding: range.filter { data.counts[$0] && data.tokens[$0] != 0 }.map { UInt8(data.tokens[$0]) }, as: UTF8.self
      )
    }
    #expect((0..<4).map(counted) == ["hello", "4", "yo", "b"])
  }

  @Test func badDataIsNamedByLine() {
    #expect(problem("").contains("empty"))
    #expect(
      problem("{\"text\": \"ok\"}\n{\"text\": \"cut o").contains(
        "line 2, column 10: it is not JSON: the string has no end"))
    #expect(problem("{\"body\": \"x\"}").contains("line 1, column 1: its keys (body)"))
    #expect(problem("{\"body\": \"x\"}").contains("--text-key"))
    #expect(problem("[1]").contains("not a JSON object"))
    #expect(
      problem("{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}").contains(
        "no message has the role assistant"))
    #expect(problem("{\"messages\": [{\"role\": \"robot\", \"content\": \"x\"}]}").contains("the role \"robot\""))
    #expect(problem("{\"text\": \"\"}").contains("no line contains an example"))
    #expect(problem("x", as: "a.txt").contains("no error") || problem("x", as: "a.txt").contains("too few"))
  }

  @Test func longExamplesAreCutAndLongTextsSplit() throws {
    let long = String(repeating: "x", count: 50)
    let texts = try read("{\"text\": \"\(long)\"}", as: "data.jsonl")
    #expect(texts.examples.count == 4 && texts.notes.isEmpty)
    let answers = try read("{\"prompt\": \"p\", \"completion\": \"\(long)\"}", as: "data.jsonl")
    #expect(answers.examples[0].count == 17 && answers.notes[0].contains("35 tokens left out (35 of them count)"))
  }

  @Test func renamedKeys() throws {
    let scratch = try TestData.Scratch()
    try Data("{\"q\": \"a\", \"r\": \"b\"}".utf8).write(to: URL(fileURLWithPath: scratch.file("d.jsonl")))
    var reading = reading()
    reading.keys.prompt = "q"
    reading.keys.completion = "r"
    #expect(try reading.read(scratch.file("d.jsonl")).examples.count == 1)
  }

  @Test func binIdxReadsAndRefuses() throws {
    let scratch = try TestData.Scratch()
    let index = try IndexedTokens.write([[10, 11, 0], [12, 0]], to: "d", in: scratch)
    #expect(try reading().read(scratch.file("d.bin")).tokens == [10, 11, 0, 12, 0])
    try scratch.write(IndexedTokens.bytes([10, 11, 0]), to: "d.bin")
    #expect(throws: TrainingError.self) { try reading().read(scratch.file("d.bin")) }
    for length in 0..<index.count {
      try scratch.write(Array(index.prefix(length)), to: "d.idx")
      #expect(throws: (any Error).self) { try reading().read(scratch.file("d.bin")) }
    }
  }

  @Test func everyEpochDealsEachExampleOnce() {
    var data = TrainingData()
    for length in [3, 9, 4, 2, 17, 5] { data.append((0..<length).map { $0 }) }
    var sampler = BatchSampler(data, seed: 3)
    var lengths: [Int] = []
    while sampler.position.epoch == 0, lengths.count < 6 {
      let batch = sampler.next(rows: 16, wraps: false)
      #expect(batch.inputs.count <= 16)
      lengths += batch.spans.map { $0.count + 1 }
    }
    #expect(lengths.sorted() == [2, 3, 4, 5, 9, 17])
    var again = BatchSampler(data, seed: 3, position: sampler.position)
    #expect(again.next(rows: 16).inputs == sampler.next(rows: 16).inputs)
  }
}
