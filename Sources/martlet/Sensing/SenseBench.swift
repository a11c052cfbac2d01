import ArgumentParser
import Foundation
import MartletData
import MartletLaboratory
import MartletSensing
import MartletTensor

struct SenseBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Compares methods on the same images and numbers of measurements.",
    discussion: """
      IMAGES are of one size; colour is made grey. Classic methods recover them from --measurements (or --ratios) taken by --operator, each \
      seed with an operator of its own. A model of --models, a run of `martlet sense train`, recovers them from the measurements that it \
      takes itself; runs that differ in their seed alone are one method over several seeds.

      --noise is the deviation of normal noise in parts of the root mean square of the measurements (what a black image gives left \
      out). Classic methods are told it, models are not. Weights are chosen by the noise or on --training, never on IMAGES.

      Intervals are of 95 % over images, by resampling, and the smallest and largest mean of a seed. Times are processor time of \
      recovering all images together, divided by their number. --json prints the table that `martlet sense advise --table` reads.

      Example:
        martlet sense bench t10k-images-idx3-ubyte.gz --training train-images-idx3-ubyte.gz --models digits,latent \\
          --measurements 10,25,50,100 --operator gaussian --seeds 3 --html bench.html
      """)

  @Argument(help: "File of images, or a folder.") var images: String
  @Option(
    help: ArgumentHelp(
      "Methods, separated by commas: tv, fista, ista, omp, basis-pursuit, bpdn, mmse, pca; those for sparse images may name their basis, as "
        + "in fista:haar (pixel, cosine, haar, db4); `none` runs --models alone (default: \(Self.usualMethods))."))
  var methods: String?
  @Option(help: "Numbers of measurements of an image, separated by commas.") var measurements: String?
  @Option(help: "Measurements as parts of the pixels, instead of --measurements: 0.04,0.1,0.25.") var ratios: String?
  @Option(
    name: .customLong("operator"),
    help: "How classic methods measure, as in `martlet sense measure`; not by convolution.")
  var kind = OperatorDescription.Kind.cosine
  @Option(
    help:
      "File of the matrix of --operator matrix: .npy, or a model of `martlet sense train`, whose measurements classic methods then take."
  ) var matrix: String?
  @Option(help: "Runs of `martlet sense train`, folders or model files, separated by commas.") var models: String?
  @Option(help: "Noise of the measurements, one or several numbers separated by commas.") var noise = "0"
  @Option(help: "File or folder of training images of the same size, for mmse and pca and for weights of the others.")
  var training: String?
  @Option(help: "The most training images.") var trainingLimit = 2000
  @Option(help: "Name of the images in rows, table and page (default: that of the file).") var name: String?
  @Option(help: "Number of seeds of operators and noise.") var seeds = 1
  @Option(help: "The most images.") var limit = 20
  @Option(help: "Number of images on the page.") var shown = 6
  @Option(help: "Page to write: images side by side, charts, the table, and latent paths of the models.")
  var html: String?
  @Flag(help: "Draw the phase transition of basis pursuit on the page (takes minutes).") var phaseTransition = false
  @Option(help: "File of rows to write, one for each image, method and seed (JSON Lines).") var rows: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print a JSON object for each line of the table.") var json = false

  static let usualMethods = "tv,fista:haar,fista:db4,omp:haar,mmse,pca"

  // MARK: Options

  private func list(_ text: String) -> [String] { text.split(separator: ",").map { String($0).trimmed } }

  /// What a list names; one that names nothing is a mistake.
  private func named(_ option: String, _ text: String) throws -> [String] {
    let found = list(text).filter { !$0.isEmpty }
    guard !found.isEmpty else {
      throw ValidationError("\(option) names nothing; name one, or several separated by commas")
    }
    return found
  }

  private func numbers(_ name: String, _ text: String, _ range: ClosedRange<Double>) throws -> [Double] {
    let found = list(text).map { Double($0) }
    guard !found.isEmpty, found.allSatisfy({ $0.map(range.contains) ?? false }) else {
      throw ValidationError(
        "\(name) must be numbers from \(range.lowerBound) to \(range.upperBound), separated by commas")
    }
    return found.compactMap(\.self)
  }

  private struct Method {
    let name: String
    let settings: ReconstructionSettings
  }

  private func chosenMethods() throws -> [Method] {
    guard methods != "none" else { return [] }
    return try named("--methods", methods ?? Self.usualMethods).compactMap { name in
      let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
      guard let first = parts.first, let method = ReconstructionSettings.Method(rawValue: first) else {
        let known = ReconstructionSettings.Method.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--methods names \"\(name)\", which is none of \(known)")
      }
      var settings = ReconstructionSettings(method)
      if parts.count > 1 {
        guard method.hasBasis, let basis = SparseBasis(rawValue: parts[1]) else {
          throw ValidationError(
            "--methods names \"\(name)\"; \(method.hasBasis ? "bases are \(SparseBasis.allCases.map(\.rawValue).joined(separator: ", "))" : "\(first) has no basis")"
          )
        }
        settings.basis = basis
      }
      if method.needsTraining, training == nil {
        guard methods == nil else { throw ValidationError("the method \(first) learns from images; give --training") }
        return nil
      }
      return Method(name: method.hasBasis ? "\(first) \(settings.basis.rawValue)" : first, settings: settings)
    }
  }

  func validate() throws {
    if measurements != nil, ratios != nil { throw ValidationError("give either --measurements or --ratios") }
    let hasAmount = (measurements ?? ratios) != nil
    if kind == .convolution {
      throw ValidationError("--operator convolution cannot be compared here; use martlet sense measure and reconstruct")
    }
    if (kind == .matrix) != (matrix != nil) {
      throw ValidationError("--operator matrix and --matrix belong together")
    }
    if methods == "none" {
      if models == nil { throw ValidationError("--methods none needs --models") }
      if hasAmount {
        throw ValidationError(
          "models take their own number of measurements: leave out --measurements and --ratios, or --methods none")
      }
      if matrix != nil { throw ValidationError("--operator is for classic methods: leave it out, or --methods none") }
    } else if hasAmount == (kind == .matrix) {
      throw ValidationError(
        hasAmount
          ? "a matrix has its own number of measurements: leave out --measurements and --ratios"
          : "give --measurements or --ratios, or --methods none to run --models alone")
    }
    if let measurements {
      guard try numbers("--measurements", measurements, 1...1e8).allSatisfy({ $0 == $0.rounded() }) else {
        throw ValidationError("--measurements must be whole numbers; --ratios takes parts of the pixels")
      }
    }
    if let html, html == rows { throw ValidationError("--html and --rows cannot be the same file") }
    if let ratios { _ = try numbers("--ratios", ratios, 1e-6...1) }
    _ = try numbers("--noise", noise, 0...100)
    _ = try chosenMethods()
    _ = try models.map { try named("--models", $0) }
    for (name, value) in [
      ("--training-limit", trainingLimit), ("--seeds", seeds), ("--limit", limit), ("--shown", shown),
    ] where !(1...1_000_000).contains(value) {
      throw ValidationError("\(name) must be from 1 to 1000000")
    }
    if phaseTransition, html == nil { throw ValidationError("--phase-transition belongs to --html") }
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
  }

  // MARK: Running

  private struct Model {
    let name: String
    let model: RecoveryModel
    let settings: RecoverySettings
  }

  /// The models, those with the same settings but for the seed under one name.
  private func chosenModels() throws -> [Model] {
    var names: [(settings: RecoverySettings, name: String)] = []
    return try (models.map { try named("--models", $0) } ?? []).map { path in
      let (model, settings, _) = try RecoveryFile.read(RecoveryFile.path(path))
      var kind = settings
      kind.seed = 0
      if let known = names.first(where: { $0.settings == kind }) {
        return Model(name: known.name, model: model, settings: settings)
      }
      let rivals = names.filter { $0.settings.method == kind.method && $0.settings.measurement == kind.measurement }
      let isTaken = rivals.contains { $0.settings.measurements == kind.measurements }
      let folder =
        (path as NSString).lastPathComponent == "model.safetensors"
        ? ((path as NSString).deletingLastPathComponent as NSString).lastPathComponent
        : (path as NSString).lastPathComponent
      let name = isTaken ? "\(kind.method.rawValue) \(folder)" : kind.method.rawValue
      names.append((kind, name))
      return Model(name: name, model: model, settings: settings)
    }
  }

  /// The recovery of all images by one method under some conditions.
  private struct Job {
    let name: String, measurements: Int, noise: Double, seed: UInt64
    let run: () throws -> RecoveryBenchmark.Outcome
  }

  func run() throws {
    if let threads { Parallel.width = threads }
    for path in [html, rows].compactMap(\.self) { try OutputTarget.check(path, replaces: force) }
    let models = try chosenModels()
    let benchmark = try RecoveryBenchmark(
      name ?? (images as NSString).lastPathComponent, images: ImageFile.read(images, limit: limit),
      shownImages: html == nil ? 0 : shown)
    for model in models { try benchmark.check(model.settings, named: model.name) }
    let planes = try training.map { try ImageFile.read($0, limit: trainingLimit).map(\.image.luminance) } ?? []
    let jobs = try jobs(benchmark, models, training: planes)
    Terminal.catchInterrupts()
    var outcomes: [RecoveryBenchmark.Outcome] = []
    for job in jobs where !Terminal.isInterrupted {
      let started = ContinuousClock.now
      do { outcomes.append(try job.run()) } catch {
        // What a method cannot do is said; what the others have measured before is kept.
        if !outcomes.isEmpty { try finish(benchmark, models, outcomes) }
        throw error
      }
      let seconds = String(format: "%.1f", (ContinuousClock.now - started) / .seconds(1))
      Terminal.note(
        "\(job.name), \(job.measurements) measurements, noise \(job.noise), seed \(job.seed): \(seconds) s")
    }
    // What was measured before an interrupt is shown and written all the same.
    if !outcomes.isEmpty { try finish(benchmark, models, outcomes) }
    if outcomes.count < jobs.count {
      Terminal.note("Interrupted after \(outcomes.count) of \(jobs.count) parts; the figures are of these alone.")
      throw ExitCode(Terminal.interruptCode)
    }
  }

  private func jobs(_ benchmark: RecoveryBenchmark, _ models: [Model], training: [[Double]]) throws -> [Job] {
    var jobs: [Job] = []
    let methods = try chosenMethods()
    for noise in try numbers("--noise", noise, 0...100) {
      for amount in methods.isEmpty ? [] : try amounts() {
        for method in methods {
          for seed in 1...UInt64(seeds) {
            let description = try OperatorDescription(
              kind, amount: amount, seed: seed, matrixPath: matrix.map(RecoveryFile.path), height: benchmark.height,
              width: benchmark.width)
            jobs.append(
              Job(name: method.name, measurements: description.measurementCount, noise: noise, seed: seed) {
                try benchmark.run(
                  method.settings, named: method.name, measuredBy: description, noise: noise, training: training)
              })
          }
        }
      }
      for model in models {
        for count in model.settings.measurementCounts {
          jobs.append(
            Job(name: model.name, measurements: count, noise: noise, seed: model.settings.seed) {
              try benchmark.run(
                model.model, settings: model.settings, named: model.name, measurements: count, noise: noise)
            })
        }
      }
    }
    return jobs
  }

  private func finish(
    _ benchmark: RecoveryBenchmark, _ models: [Model], _ outcomes: [RecoveryBenchmark.Outcome]
  ) throws {
    let all = outcomes.flatMap(\.rows), table = RecoveryTable(all)
    if let rows {
      var text: [UInt8] = []
      for row in all {
        row.json.write(to: &text)
        text.append(10)
      }
      try AtomicFile.write(text, to: rows, replaces: force)
    }
    if let html {
      let page = RecoveryPage(
        benchmark, table: table, pictures: outcomes.flatMap(\.pictures), paths: paths(models, benchmark),
        phaseTransition: phaseTransition && !Terminal.isInterrupted ? try transitionMap() : nil)
      try AtomicFile.write(page.html.utf8, to: html, replaces: force)
    }
    show(table)
    for path in [html, rows].compactMap(\.self) { Terminal.note("wrote \(path)") }
  }

  /// How many measurements classic methods get.
  private func amounts() throws -> [OperatorDescription.Amount] {
    if kind == .matrix { return [.own] }
    if let measurements { return try numbers("--measurements", measurements, 1...1e8).map { .count(Int($0)) } }
    return try numbers("--ratios", ratios ?? "", 1e-6...1).map { .ratio($0) }
  }

  /// Where basis pursuit finds signals of 200 values.
  private func transitionMap() throws -> HeatMap {
    let transition = PhaseTransition(trials: 10)
    let deltas = stride(from: 0.1, through: 0.91, by: 0.1).map(\.self)
    let rhos = stride(from: 0.05, through: 0.96, by: 0.1).map(\.self)
    let shares = try rhos.map { rho in
      try deltas.map { delta in try transition.successShare(delta: delta, rho: rho) as Double? }
    }
    Terminal.note("measured the phase transition at \(deltas.count * rhos.count) points")
    return HeatMap(
      "Phase transition of basis pursuit: signals of 200 values, 10 for each square", columns: deltas, rows: rhos,
      shares: shares,
      curve: stride(from: 0.05, through: 0.951, by: 0.01).map { ($0, PhaseTransition.curve(delta: $0)) },
      curveName: "Donoho and Tanner", shadeName: "all are found", over: "measurements for each value",
      and: "values that are not zero for each measurement")
  }

  /// The latent path of the first image by every model that has one.
  private func paths(_ models: [Model], _ benchmark: RecoveryBenchmark) -> [RecoveryPage.Path] {
    guard let original = benchmark.originals.first?.plane else { return [] }
    let image = Tensor(original.map { Float($0 * 2 - 1) }, shape: [1, original.count])
    return models.compactMap { model in
      let random = RandomSource(seed: model.settings.seed).stream("benchmark path")
      return LatentPath(from: model.model.measure(image).detached(), by: model.model, random: random).map {
        RecoveryPage.Path(
          method: "\(model.name), \(model.settings.measurements) measurements", original: original, path: $0)
      }
    }
  }

  private func show(_ table: RecoveryTable) {
    if json {
      for entry in table.entries { print(entry.json.text) }
      return
    }
    let width = max(6, table.entries.map { $0.conditions.method.count }.max() ?? 0)
    let measured = max(11, table.entries.map { $0.conditions.measuredBy.count }.max() ?? 0)
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    print(
      "\(padded("method", width))  \(padded("measured by", measured))      m  noise      L2  PSNR, dB  interval        SSIM  ms an image  seeds"
    )
    for entry in table.entries {
      let conditions = entry.conditions, psnr = entry.estimates[.psnr]
      let overSeeds =
        entry.seeds > 1
        ? String(format: "  %d: %.2f to %.2f dB", entry.seeds, psnr?.seedLower ?? .nan, psnr?.seedUpper ?? .nan) : "  1"
      print(
        "\(padded(conditions.method, width))  \(padded(conditions.measuredBy, measured))"
          + String(
            format: " %6d %6g %7.2f %9.2f  %5.2f to %5.2f %6.3f %12.3g", conditions.measurements, conditions.noise,
            entry[.l2],
            entry[.psnr], psnr?.lower ?? .nan, psnr?.upper ?? .nan, entry[.ssim], entry[.seconds] * 1000) + overSeeds)
    }
  }
}
