import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletOptimization
import MartletTensor
/// A grokking run in a folder: `state.safetensors` and `state.json` for resuming, `snapshots/` for the progress
/// measures, and at the end `grokking.json` and `grokking.html`.
public struct GrokkingFolder: Sendable {
  /// The path of the folder.
  public let path: String

  /// A folder by its path.
  public init(_ path: String) { self.path = path }

  /// Whether the folder contains the saved state of a run.
  public var holdsRun: Bool { FileManager.default.fileExists(atPath: path + "/state.json") }

  /// Saves the state of a run. The record names the file of the tensors, so that a crash between writing the two leaves
  /// the previous pair intact.
  public func save(_ run: GrokkingRun) throws {
    let files = FileManager.default
    try OutputTarget.makeFolder(path + "/snapshots")
    let (tensors, record) = run.saved
    let name = "state-\(record.step).safetensors"
    try TensorFile.write(tensors, to: path + "/" + name)
    try AtomicFile.write(JSONEncoder().encode(record), to: path + "/state.json")
    for old in (try? files.contentsOfDirectory(atPath: path)) ?? []
    where old.hasPrefix("state-") && old.hasSuffix(".safetensors") && old != name {
      try? files.removeItem(atPath: path + "/" + old)
    }
  }

  /// The run as it was last saved.
  public func load() throws -> GrokkingRun {
    guard let data = FileManager.default.contents(atPath: path + "/state.json"),
      let record = try? JSONDecoder().decode(GrokkingRun.Record.self, from: data),
      [record.step, record.optimizerStep].allSatisfy({ (0...1 << 48).contains($0) })
    else { throw FileError(file: path + "/state.json", "it cannot be read; begin again without --resume") }
    var run = try GrokkingRun(record.settings)
    let file = try Checkpoint.open(path + "/state-\(record.step).safetensors")
    try run.restore(record) { name, shape in
      guard let entry = file[name] else { return nil }
      guard entry.shape == shape else {
        throw FileError(file: file.path, "\(name) has shape \(entry.shape), not \(shape)")
      }
      return Tensor(try entry.floats(), shape: shape)
    }
    return run
  }

  /// Saves the current parameters for the progress measures.
  public func snapshot(_ run: GrokkingRun) throws {
    try OutputTarget.makeFolder(path + "/snapshots")
    try TensorFile.write(run.model.parameters, to: path + String(format: "/snapshots/%07d.safetensors", run.step))
  }

  /// Writes `grokking.json` and `grokking.html`.
  public func writeReport(_ run: GrokkingRun) throws {
    let keys = run.model.unembeddingSpectrum.keyFrequencies
    let measured: [ProgressMeasures] =
      [.add, .subtract].contains(run.settings.operation) && !keys.isEmpty ? try measures(run, keys: keys) : []
    func object(_ value: some Encodable) throws -> Any {
      try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(value))
    }
    var report: [String: Any] = [
      "settings": try object(run.settings), "steps": run.step, "curves": try object(run.points),
      "embedding_spectrum": run.model.embeddingSpectrum.energy,
      "unembedding_spectrum": run.model.unembeddingSpectrum.energy, "key_frequencies": keys,
      "progress": try object(measured),
    ]
    report["memorised_at"] = run.memorisedAt
    report["generalised_at"] = run.generalisedAt
    try writeJSON(report, to: path + "/grokking.json")
    try AtomicFile.write(page(run, measured).utf8, to: path + "/grokking.html")
  }

  private func measures(_ run: GrokkingRun, keys: [Int]) throws -> [ProgressMeasures] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path + "/snapshots")) ?? []
    return try names.filter { $0.hasSuffix(".safetensors") }.sorted().compactMap { name in
      guard let step = Int(name.prefix(7)), step <= run.step else { return nil }
      let parameters = try TensorFile.read(
        path + "/snapshots/" + name, run.model.parameters.map { ($0.name, $0.value.shape) })
      return run.model.replacingParameters(parameters).progress(step: step, task: run.task, keys: keys)
    }
  }

  private func page(_ run: GrokkingRun, _ measured: [ProgressMeasures]) -> String {
    func curve(_ value: (GrokkingPoint) -> Double) -> [(x: Double, y: Double)] {
      run.points.map { (Double($0.step), value($0)) }
    }
    func progress(_ value: (ProgressMeasures) -> Double) -> [(x: Double, y: Double)] {
      measured.map { (Double($0.step), value($0)) }
    }
    func spectrum(_ energy: [Double]) -> [(x: Double, y: Double)] {
      energy.enumerated().map { (Double($0.offset + 1), $0.element) }
    }
    let blue = "#1f5fbf", orange = "#d2691e", green = "#2e8b57"
    var charts = [
      LineChart(
        "Accuracy",
        [
          .init("training", curve(\.trainingAccuracy), color: blue),
          .init("test", curve(\.testAccuracy), color: orange),
        ],
        over: "step", isLogarithmicX: true),
      LineChart(
        "Loss",
        [.init("training", curve(\.trainingLoss), color: blue), .init("test", curve(\.testLoss), color: orange)],
        over: "step", isLogarithmicX: true, isLogarithmicY: true),
    ]
    if !measured.isEmpty {
      charts += [
        LineChart(
          "Progress measures",
          [
            .init("restricted loss", progress(\.restrictedLoss), color: green),
            .init("excluded loss", progress(\.excludedLoss), color: orange),
          ], over: "step", isLogarithmicX: true, isLogarithmicY: true),
        LineChart(
          "Gini coefficient of Fourier norms",
          [
            .init("embedding", progress(\.embeddingGini), color: blue),
            .init("W_out W_U", progress(\.unembeddingGini), color: green),
          ], over: "step", isLogarithmicX: true),
      ]
    }
    charts += [
      LineChart(
        "Sum of squared weights", [.init("weights", curve(\.squaredWeights), color: blue)], over: "step",
        isLogarithmicX: true),
      LineChart(
        "Share of each Fourier frequency",
        [
          .init("embedding", spectrum(run.model.embeddingSpectrum.energy), color: blue),
          .init("W_out W_U", spectrum(run.model.unembeddingSpectrum.energy), color: green),
        ], over: "frequency"),
    ]
    let settings = run.settings
    let memorised = run.memorisedAt.map { "memorised at step \($0)" } ?? "not yet memorised"
    let generalised = run.generalisedAt.map { "generalised at step \($0)" } ?? "not yet generalised"
    let keys = run.model.unembeddingSpectrum.keyFrequencies.map(String.init).joined(separator: ", ")
    return LineChart.page(
      title: "Grokking: \(settings.operation.rawValue) modulo \(settings.modulus)",
      """
      <p>\(Int((settings.share * 100).rounded())) % of the pairs, seed \(settings.seed): \(memorised), \(generalised).
      Key frequencies: \(keys.isEmpty ? "none" : keys).</p>
      \(charts.map(\.html).joined(separator: "\n"))
      """)
  }
}
