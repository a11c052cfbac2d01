import Foundation
import MartletEditing
import MartletEngine
import MartletEvaluation
import MartletModels
import MartletTensor

/// How a store of very many edits behaves. Their vectors are random: nothing is learned, everything else is real.
public enum StoreBenchmark {
  public struct Report: Sendable, Codable {
    public var edits: Int
    /// Opening the file until edits can fire, seconds.
    public var startSeconds: Double
    /// What the process grew by, and the file, bytes.
    public var residentBytes: Int
    public var fileBytes: Int
    /// Deciding on a question by its words and keys on one core, milliseconds. The pass that makes the question's key,
    /// run only when the words leave a candidate, is apart.
    public var lookupMedian, lookup99: Double
    public var keyPass: Double
    /// Share of the questions that needed that pass.
    public var keyPassShare: Double
    /// Exact nearest key by sketch and bound, milliseconds, and rows measured in full, of all.
    public var nearestMedian, nearest99: Double
    public var nearestMeasured: Double
    /// One edit into file and memory besides learning, milliseconds.
    public var insertMedian, insert99: Double
    /// 100 prompt tokens, milliseconds, on all threads.
    public var prefill: Double
  }

  /// - Parameters:
  ///   - loaded: the model that is edited.
  ///   - count: how many edits are stored.
  ///   - rows: edits to use; facts are made up once they run out.
  ///   - questions: what is asked.
  ///   - path: of a new store.
  ///   - progress: called with the number of edits stored, and how many there will be.
  public static func run(
    _ loaded: LoadedModel, count: Int, rows: [EditRow], questions: [String], path: String,
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) throws -> Report {
    let model = try loaded.editable
    let site = EditSite(model)
    var store = try EditStore(path: path)
    var book = try EditBook.open(loaded, store: store, site: site)
    try book.bind(store)
    let width = (book.snapshot.keyWidth, book.snapshot.valueWidth)
    let table = VectorTable(width: width.0, element: .int8), values = VectorTable(width: width.1, element: .float16)
    // A few hundred vectors serve for all: what they hold does not matter to the time.
    let random = (0..<256).map { number in
      Array(normal([width.0], deviation: 1, random: RandomSource(seed: UInt64(number))).values)
    }
    func direction(_ number: Int) -> [Float] {
      let a = random[number % 256], b = random[number / 256 % 256]
      let mixed = zip(a, b).map { $0 + 0.7 * $1 }
      let length = mixed.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return mixed.map { $0 / length }
    }
    func fact(_ number: Int) -> EditRow {
      if number < rows.count { return rows[number] }
      let person = Self.name(number), place = Self.name(number / 7 + 13)
      return EditRow(id: "", prompt: "In which town of \(place) was \(person) born?", answer: Self.name(number / 3))
    }
    func record(_ row: EditRow) -> Edit {
      Edit(
        created: Date(), prompt: row.prompt, answer: row.answer, before: "", after: row.answer, status: .live,
        radius: Double(book.snapshot.calibration.radius), action: "add", label: "", rows: 1, loss: 0, iterations: 0,
        seconds: 0, isVerified: false, verified: Date())
    }
    let value = Data(values.encoded([Float](repeating: 0.5, count: width.1)))
    for start in stride(from: 0, to: count, by: 5000) {
      try store.insertAll(
        (start..<min(count, start + 5000)).map { number in
          let row = fact(number)
          return (record(row), [(row.prompt, nil, Data(table.encoded(direction(number))))], value)
        })
      progress(min(count, start + 5000), count)
    }
    try store.close()

    let before = residentBytes()
    let start = Date()
    store = try EditStore(path: path)
    book = try EditBook.open(loaded, store: store)
    let startSeconds = Date().timeIntervalSince(start)
    let resident = residentBytes() - before

    var snapshot = book.snapshot
    let asked = questions + (0..<1000).map { fact($0 * 97 % count).prompt.replacing("?", with: ", please?") }
    let query = direction(12345)
    var lookups: [Double] = []
    var needed = 0
    for question in asked {
      lookups.append(
        milliseconds {
          _ = snapshot.decide(MessageParts(question)) { _ in
            needed += 1
            return query
          }
        })
    }
    let keyPass = (0..<20).map { number in milliseconds { _ = book.canonicalKey(asked[number % asked.count]) } }.median

    var nearest: [Double] = []
    var measured = 0
    let index = NearestVectors(snapshot.keys)
    for number in 0..<300 {
      var near = snapshot.keys.vector(number * 331 % count)
      for i in near.indices { near[i] += random[number % 256][i] * 0.005 }
      nearest.append(milliseconds { measured += index.nearest(to: near, within: 0.3)?.measured ?? 0 })
    }

    var inserts: [Double] = []
    for number in 0..<200 {
      let row = fact(count + number), key = table.encoded(direction(number * 7))
      try inserts.append(
        milliseconds {
          let made = try store.insert(record(row), keys: [(row.prompt, nil, Data(key))], value: value, superseded: [])
            .record
          var next = book.snapshot
          next.add(
            LoadedEdit(
              edit: made.id ?? 0, questions: [(QuestionWords(row.prompt), key)], value: [[UInt8](value)],
              answer: "\(number)", isLive: true))
          book.snapshot = next
        })
    }
    snapshot = book.snapshot
    let tokens = (0..<100).map { ($0 * 37 + 11) % model.description.vocabularySize }
    let prefill = (0..<9).map { _ in
      milliseconds { _ = model.forward(Batch(tokens, state: model.makeState())) }
    }.median
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    return Report(
      edits: count, startSeconds: startSeconds, residentBytes: resident, fileBytes: size, lookupMedian: lookups.median,
      lookup99: lookups.quantile(0.99), keyPass: keyPass, keyPassShare: Double(needed) / Double(asked.count),
      nearestMedian: nearest.median, nearest99: nearest.quantile(0.99),
      nearestMeasured: Double(measured) / Double(nearest.count), insertMedian: inserts.median,
      insert99: inserts.quantile(0.99), prefill: prefill)
  }

  /// Two made-up words, different for different numbers.
  private static func name(_ number: Int) -> String {
    let syllables = ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu", "da", "fe", "gi", "ho", "pa", "wy"]
    func word(_ number: Int) -> String {
      let text = [number % 16, number / 16 % 16, number / 256 % 16].map { syllables[$0] }.joined()
      return text.prefix(1).uppercased() + text.dropFirst()
    }
    return word(number % 4096) + " " + word(number / 4096 + number * 31 % 4096)
  }

  private static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    try body()
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
  }

  private static func residentBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
      let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return 0 }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }
}
