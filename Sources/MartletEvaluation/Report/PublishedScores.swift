import MartletData
import MartletModels

/// Scores of a model as its makers published them: of all rows, with another version of the harness, and not measured here.
public struct PublishedScores: Sendable, Equatable {
  /// The name by which `--compare` asks for them, such as `rwkv-5-world`.
  public let name: String
  /// The model as the table names it.
  public let title: String
  /// Where the table is from.
  public let source: String
  /// The number of weights, in billions.
  public let billions: Double
  /// The perplexity on LAMBADA.
  public let lambadaPerplexity: Double
  /// The values by the columns of the tables, in percent; `english_avg` and `xavg` are the averages.
  public let columns: [String: Double]

  /// The published value of an average or of one of its members, in percent.
  public func percent(_ average: TableAverage) -> Double? {
    columns[average == .english ? "english_avg" : "xavg"]
  }

  /// All published rows.
  public static let all: [PublishedScores] = {
    let lines = table.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    guard let head = lines.first else { return [] }
    return lines.dropFirst().compactMap { fields in
      let values = zip(head, fields).dropFirst(3).compactMap { name, text in Double(text).map { (name, $0) } }
      guard fields.count == head.count, values.count == head.count - 3 else { return nil }
      let columns = Dictionary(values) { first, _ in first }
      return PublishedScores(
        name: fields[0], title: fields[2], source: "RWKV's table of \(fields[1])",
        billions: columns["params_b"] ?? .nan, lambadaPerplexity: columns["lambada_ppl"] ?? .nan, columns: columns)
    }
  }()

  /// The scores of that name.
  /// - Throws: ``EvaluationError`` with the nearest names.
  public static func named(_ name: String) throws -> PublishedScores {
    if let scores = all.first(where: { $0.name == name.lowercased() }) { return scores }
    let names = NearestNames.of(name, among: all.map(\.name))
    let list =
      names.isEmpty
      ? "there are \(all.map(\.name).joined(separator: ", "))" : "did you mean \(names.joined(separator: " or "))?"
    throw EvaluationError("no published scores have the name \(name); \(list)")
  }

  /// Typed off the images `RWKV-v5-benchmark-1.png` of github.com/BlinkDL/RWKV-LM (Apache-2.0) at the commits 1aaa92e and 271496d.
  private static let table = """
    name,date,model,params_b,lambada_ppl,english_avg,lambada,piqa,storycloze16,hellaswag_norm,winogrande,arc_challenge_norm,arc_easy,headqa_en_norm,openbookqa_norm,sciq,record_em,copa,xavg,xlambada,xstorycloze,xwinograd,xcopa
    rwkv-5-world,2023-10-28,RWKV-5 World v2 ctx4096,1.58,5.11,61.8,65.5,71.2,72.5,55.0,59.8,33.5,64.3,33.6,36.4,89.7,82.7,77.0,55.1,39.8,56.3,66.9,57.5
    rwkv-4-world,2023-10-28,RWKV-4 World v1,1.58,6.14,58.9,60.1,71.4,70.9,51.6,56.8,30.1,59.9,31.8,35.2,85.1,77.5,76.0,51.2,33.1,54.8,62.2,54.9
    rwkv-4-pile,2023-10-28,RWKV-4 Pile ctx1k,1.52,6.91,58.5,57.4,72.1,68.0,52.8,54.7,29.2,60.6,34.8,34.0,84.2,77.0,77.0,47.8,29.6,50.9,57.1,53.5
    pythia-1.4b,2023-10-28,pythia-1.4b-v0,1.41,6.58,58.1,60.4,71.2,67.7,50.8,57.0,28.6,57.7,33.3,31.0,85.5,81.4,73.0,46.7,27.6,50.1,57.1,52.2
    bloom-1b7,2023-10-28,bloom-1b7,1.72,12.58,55.3,46.2,68.7,65.9,48.0,56.9,26.9,56.3,32.6,30.0,85.1,77.6,70.0,49.7,26.7,55.2,61.8,55.1
    falcon-rw-1b,2023-10-28,falcon-rw-1b,1.31,7.37,62.1,55.0,75.2,71.4,61.6,61.0,32.3,63.2,33.3,35.0,89.9,84.9,82.0,43.0,16.4,49.3,53.9,52.3
    rwkv-5-eagle,2024-02-07,RWKV-5 Eagle World v2 ctx4k,7.52,3.36,70.2,74.2,77.3,79.7,70.8,68.4,46.1,74.9,41.3,41.2,95.1,88.5,85.0,61.4,47.8,62.1,73.5,62.4
    rwkv-4-dove,2024-02-07,RWKV-4 Dove World v1 ctx4k,7.52,3.93,65.8,70.2,75.3,75.6,65.3,62.0,36.6,68.0,35.8,39.8,91.2,84.1,86.0,57.4,41.6,59.5,68.7,60.0
    pythia-6.9b,2024-02-07,pythia-6.9b-v0,6.86,4.30,65.1,67.9,74.5,73.0,63.9,61.4,35.3,67.0,38.3,38.2,90.3,86.5,85.0,50.8,35.2,52.1,61.6,54.4
    mistral-7b,2024-02-07,Mistral-7B-v0.1,7.24,3.18,74.7,75.7,80.6,80.8,81.0,74.1,53.7,81.1,46.5,44.2,95.9,91.4,91.0,58.2,46.0,57.2,73.8,55.8
    llama-2-7b,2024-02-07,Llama-2-7b,6.74,3.40,71.0,73.9,78.1,78.4,76.0,69.1,46.3,76.3,40.3,44.2,93.7,90.4,86.0,56.6,45.0,55.6,69.4,56.7
    falcon-7b,2024-02-07,falcon-7b,6.92,3.37,70.7,74.5,79.4,78.8,76.4,67.3,43.6,74.7,40.0,44.2,94.0,89.2,86.0,55.8,45.5,53.8,68.0,56.0
    mpt-7b,2024-02-07,mpt-7b-8k,6.65,3.29,70.5,72.9,78.7,77.7,75.0,68.8,43.1,75.9,40.0,43.8,94.4,88.9,87.0,55.6,44.3,55.3,67.9,55.1
    """
}
