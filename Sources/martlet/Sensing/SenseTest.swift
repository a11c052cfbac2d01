import ArgumentParser
import Foundation
import MartletData
import MartletSensing
import MartletTensor

extension MeasurementRefinement.Target: ExpressibleByArgument {}

struct SenseTest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Measures images and recovers them by a model of `martlet sense train`.",
    discussion: """
      The model's own measurement is taken, to which --noise adds normal noise. How close the images come is printed; --sheet \
      writes pairs of originals (above) and recovered images (below).

      --operator measures by another operator than the model was trained with, and --missing leaves measurements out: then the \
      generator of csgm and dcs is searched for an image that has the measurements (dcs with --latent-steps takes its own steps \
      instead), and regression fills in what is missing by what its own images would measure. --refine takes steps on the measurement \
      error behind regression: of its input, as a latent vector, or of a copy of its weights. With --operator, --refine input searches \
      the decoder's input from several starts. --spread recovers from other starts too and says how far the answers lie apart; \
      --answers does so several times and says what is gained by their mean or by choosing the one with the least measurement error.

      Examples:
        martlet sense test digits/model.safetensors t10k-images-idx3-ubyte.gz --count 20 --sheet digits.png
        martlet sense test prior/model.safetensors t10k-images-idx3-ubyte.gz --count 40 --operator mask --measurements 100
        martlet sense test latent/model.safetensors t10k-images-idx3-ubyte.gz --count 1000 --answers 8
      """)

  @Argument(help: "Model of `martlet sense train`, a file or the folder of its run.") var model: String
  @Argument(help: "File or folder of images.") var images: String
  @Option(help: "Number of images, from the first one (default: all).") var count: Int?
  @Option(
    name: .shortAndLong,
    help: "Number of measurements to take, the model's first ones or those of --operator (default: the model's number)."
  )
  var measurements: Int?
  @Option(
    name: .customLong("operator"),
    help: "Measure by this operator and not by the model's own; not by convolution or matrix."
  )
  var kind: OperatorDescription.Kind?
  @Option(help: "Seed of --operator.") var operatorSeed: UInt64?
  @Option(help: "Number of measurements that are missing.") var missing = 0
  @Option(help: "Take steps on the measurement error behind regression: of its input or its weights.")
  var refine: MeasurementRefinement.Target?
  @Option(help: "Number of steps of --refine (default: 20).") var refineSteps: Int?
  @Option(help: "Learning rate of --refine (default: 0.01 for input, 0.0001 for weights).") var refineRate: Double?
  @Option(
    help: """
      Weight of the squared distance of the input from its start, for --refine input; with --operator, from what the recovered image \
      gives as input (default: 0).
      """)
  var anchor: Double?
  @Option(help: "Number of dcs's own latent steps, also with --operator and --missing (default: as in training).")
  var latentSteps: Int?
  @Option(help: "Number of steps of a search of csgm and dcs (default: the model's).") var searchSteps: Int?
  @Option(help: "Number of starts of a search (default: the model's).") var restarts: Int?
  @Flag(help: "Recover a second time from other starts, and print the mean distance of both answers.") var spread =
    false
  @Option(help: "Recover so many times from other starts.") var answers: Int?
  @Option(help: "Deviation of normal noise that is added to each measurement.") var noise = 0.0
  @Option(help: "Average squares of this many pixels a side, as in training.") var pool = 1
  @Option(help: "Add background of this many pixels on every side, as in training.") var pad = 0
  @Option(help: "Random seed of noise and of starts.") var seed: UInt64 = 1
  @Option(help: "PNG or PGM file to write originals and recovered images to.") var sheet: String?
  @Flag(help: "Replace the file of --sheet.") var force = false
  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    if let measurements, measurements < 1 { throw ValidationError("--measurements must be at least 1") }
    if !(noise >= 0 && noise.isFinite) { throw ValidationError("--noise must be 0 or more") }
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
    if kind?.hasOwnCount ?? false {
      throw ValidationError("--operator takes an operator with a number of measurements")
    }
    if operatorSeed != nil, kind == nil { throw ValidationError("--operator-seed belongs to --operator") }
    if missing < 0 { throw ValidationError("--missing must be 0 or more") }
    if refine == nil, refineSteps != nil || refineRate != nil || anchor != nil {
      throw ValidationError("--refine-steps, --refine-rate and --anchor belong to --refine")
    }
    if anchor != nil, refine != .input { throw ValidationError("--anchor belongs to --refine input") }
    if let refineSteps, !(0...100_000).contains(refineSteps) {
      throw ValidationError("--refine-steps must be from 0 to 100000")
    }
    if let refineRate, !(refineRate > 0 && refineRate.isFinite) {
      throw ValidationError("--refine-rate must be above 0")
    }
    if let anchor, !(anchor >= 0 && anchor.isFinite) { throw ValidationError("--anchor must be 0 or more") }
    if let latentSteps, !(0...100_000).contains(latentSteps) {
      throw ValidationError("--latent-steps must be from 0 to 100000")
    }
    if let searchSteps, !(0...100_000).contains(searchSteps) {
      throw ValidationError("--search-steps must be from 0 to 100000")
    }
    if let restarts, !(1...1000).contains(restarts) { throw ValidationError("--restarts must be from 1 to 1000") }
    if let answers, !(2...1000).contains(answers) { throw ValidationError("--answers must be from 2 to 1000") }
    if spread, answers != nil { throw ValidationError("--spread is --answers 2; give one of both") }
    if force, sheet == nil { throw ValidationError("--force belongs to --sheet") }
  }

  func run() throws {
    if let threads { Parallel.width = threads }
    if let sheet { try ImageSheet.check(sheet, replaces: force) }
    let read = try RecoveryFile.read(RecoveryFile.path(self.model))
    var (model, settings) = (read.model, read.settings)
    try checkSearch(settings.method)
    settings.searchSteps = searchSteps ?? settings.searchSteps
    settings.restarts = restarts ?? settings.restarts
    if case .csgm(let prior, let measurement, _) = model { model = .csgm(prior, measurement, settings.search) }
    let all = try ImageSet(contentsOf: images, pooling: pool, padding: pad)
    guard all.height == settings.height, all.width == settings.width else {
      throw SensingError(
        "The images have \(all.height) x \(all.width) pixels and the model takes \(settings.height) x \(settings.width): "
          + "give --pool and --pad as in training (\(read.data)).")
    }
    guard kind != nil || measurements ?? 0 <= settings.measurements else {
      throw SensingError(
        "The model takes \(settings.measurements) measurements and cannot take \(measurements ?? 0): give --measurements that many or fewer."
      )
    }
    if kind == nil, let measurements, !settings.measurementCounts.contains(measurements) {
      let counts = settings.measurementCounts.map(String.init).joined(separator: ", ")
      Terminal.note("Warning: the model was trained with \(counts) measurements, not \(measurements).")
    }
    let taken = measurements ?? settings.measurements
    let truth = all[0..<(count ?? all.count)]
    let several = try RecoveryAnswers(
      spread ? 2 : answers ?? 1, to: test(taking: taken), truth, by: model, settings: settings)
    if let sheet { try ImageSheet.write(pairs(truth, several.first.signals), columns: 10, to: sheet, replaces: force) }
    try show(several, taken, settings)
  }

  /// Refuses options of a search where nothing is searched.
  private func checkSearch(_ method: RecoverySettings.Method) throws {
    let isOther = kind != nil || missing > 0
    let searches =
      switch method {
      case .csgm: true
      case .dcs: isOther && latentSteps == nil
      case .regression: kind != nil && refine == .input
      case .unrolled: false
      }
    if searchSteps != nil, !searches || method == .regression {
      throw SensingError(
        "--search-steps has no effect here: \(method.rawValue) \(method == .regression ? "searches by --refine-steps" : "does not search for these measurements"); leave it out."
      )
    }
    if restarts != nil, !searches {
      throw SensingError(
        "--restarts has no effect here: \(method.rawValue) does not search for these measurements; leave it out.")
    }
  }

  private func show(_ several: RecoveryAnswers, _ taken: Int, _ settings: RecoverySettings) throws {
    let first = several.first, quality = first.quality, interval = RecoveryAnswers.interval(first.errors)
    if json {
      var object: [String: Any] = [
        "images": quality.images, "measurements": taken, "method": settings.method.rawValue,
        "noise": noise, "l2": quality.l2, "mse": quality.mse, "psnr": quality.psnr, "ssim": quality.ssim,
        "l2_lower": interval.lower, "l2_upper": interval.upper,
        "measurement_error": first.misfits.reduce(0, +) / Double(max(1, first.misfits.count)),
        "seconds_per_image": quality.secondsPerImage,
      ]
      object["sheet"] = sheet
      object["spread"] = spread ? several.spread : nil
      object["operator"] = kind?.rawValue
      object["missing"] = missing > 0 ? missing : nil
      object["refine"] = refine?.rawValue
      if let answers {
        object["answers"] = [
          "count": answers, "spread": several.spread, "l2": several.l2, "l2_of_mean": several.mean.l2,
          "l2_of_least_measurement_error": several.chosen.l2, "l2_of_nearest": several.nearest.l2,
          "correlation_of_spread_and_error": several.correlation,
        ]
      }
      try Terminal.printJSON(object)
    } else {
      print(
        String(
          format: "%d images from %d numbers each (%@): L2 %.3f, PSNR %.2f dB, SSIM %.3f, %.3g ms an image",
          quality.images, taken, settings.method.rawValue, quality.l2, quality.psnr, quality.ssim,
          quality.secondsPerImage * 1000))
      if spread { print(String(format: "mean distance of two answers %.3f", several.spread)) }
      if let answers {
        print(
          String(
            format:
              "%d answers: L2 %.3f, mean distance of two %.3f, L2 of their mean %.3f, of that with the least measurement "
              + "error %.3f, of that nearest to the truth %.3f; rank correlation of distance and error %.2f",
            answers, several.l2, several.spread, several.mean.l2, several.chosen.l2, several.nearest.l2,
            several.correlation))
      }
      if let sheet { print(sheet) }
    }
  }

  private func test(taking count: Int) -> RecoveryTest {
    var test = RecoveryTest(seed: seed)
    (test.noise, test.missing, test.latentSteps) = (noise, missing, latentSteps)
    if let kind {
      test.otherOperator = OperatorDescription(kind, measurementCount: count, seed: operatorSeed ?? 1)
    } else {
      test.measurements = measurements
    }
    test.refinement = refine.map {
      MeasurementRefinement(
        $0, steps: refineSteps ?? 20, learningRate: refineRate ?? ($0 == .input ? 0.01 : 1e-4),
        anchorWeight: anchor ?? 0)
    }
    return test
  }

  /// Rows of ten originals, each above the row of what was recovered.
  private func pairs(_ truth: ImageSet, _ recovered: Tensor) -> ImageSet {
    let parts = stride(from: 0, to: truth.count, by: 10).flatMap { start -> [Tensor] in
      let end = min(start + 10, truth.count)
      let empty = Tensor.full([10 - (end - start), truth.signals.columns], -1)
      return [truth.signals.rows(start..<end), empty, recovered.rows(start..<end), empty]
    }
    return ImageSet(signals: concatenated(parts), height: truth.height, width: truth.width)
  }
}
