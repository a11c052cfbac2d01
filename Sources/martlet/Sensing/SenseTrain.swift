import ArgumentParser
import Foundation
import MartletOptimization
import MartletSensing
import MartletTensor

extension RecoverySettings.Method: ExpressibleByArgument {}
extension MeasurementFunction.Mode: ExpressibleByArgument {}
extension LatentOptimization.Projection: ExpressibleByArgument {}
extension DeepCompressedSensingTrainer.Objective: ExpressibleByArgument {}

struct SenseTrain: RunCommand {
  static let path = ["sense", "train"]
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a method that recovers images from few measurements.",
    discussion: """
      IMAGES are of one size: an IDX file as MNIST has it, also compressed, or PNG, JPEG, PGM, PPM or .npy, a file or a folder of \
      them; colour is made grey. OUT/model.safetensors keeps the measurement with the model; \
      OUT/report.html shows the curves. Ctrl-C and SIGTERM save a checkpoint; `martlet sense train --resume OUT` resumes and gives \
      exactly the result of a run without interruption.

      regression is a network from measurements to images, the best at equal time on images like those of training. dcs is deep \
      compressed sensing (Wu, Rosca and Lillicrap, 2019): a generator whose latent vector takes gradient steps on the measurement \
      error, trained through these steps. unrolled learns proximal gradient descent; csgm is a search in the latent space of an \
      autoencoder, which any measurement can be given to later.

      Patent: US 12,032,523 B2 (DeepMind, granted in 2024) claims reconstruction from a measurement by optimising a latent vector \
      through a generator and a measurement network. It is for you to find out whether your use of dcs needs a licence.

      Examples:
        martlet sense train train-images-idx3-ubyte.gz --test t10k-images-idx3-ubyte.gz --out digits
        martlet sense train train-images-idx3-ubyte.gz --method dcs --steps 8000 --out latent
        martlet sense train train-images-idx3-ubyte.gz --measurements 10,25,50 --steps 20000 --out several
        martlet sense train train-images-idx3-ubyte.gz --pool 2 --measurements 16 --hidden 128 --latents 32 --lr 0.001 \
      --method dcs --steps 4000 --out small
      """)

  @Argument(help: "File or folder of images to learn from (default with --resume DIR: the run's).") var images: String?
  @Option(
    help: "File or folder of images to report on (default: the last tenth of IMAGES, which is then not learnt from).")
  var test: String?
  @Option(help: "Method: regression, dcs, unrolled or csgm.") var method = RecoverySettings.Method.regression
  @Option(
    help: "Measurement: random or linear (a matrix, fixed or learnt), or network (default: linear, for csgm random).")
  var measurement: MeasurementFunction.Mode?
  @Option(
    name: .shortAndLong,
    help:
      "Number of measurements of an image; several, as in 10,25,50, train one model that recovers from each of them.")
  var measurements = "25"
  @Option(help: "Average squares of this many pixels a side.") var pool = 1
  @Option(help: "Add background of this many pixels on every side.") var pad = 0
  @Option(help: "Width of hidden layers.") var hidden = 500
  @Option(help: "Number of values of a latent vector (default: 100, for csgm 20).") var latents: Int?
  @Option(help: "Number of steps (default: 9000 for regression, 8000 for dcs, 4000 for csgm, 1000 for unrolled).")
  var steps: Int?
  @Option(help: "Number of images of a step.") var batch = 64
  @Option(
    name: [.long, .customLong("lr")], help: "Learning rate of Adam (default: 0.0005, for csgm and unrolled 0.001).")
  var learningRate: Double?
  @Option(help: "Course of the learning rate: constant, linear or cosine.")
  var schedule = LearningRateSchedule.Shape.constant
  @Option(
    help: """
      What the factors of products are rounded to in training: f32 or bf16, which is faster where the processor has it; for \
      regression and for dcs as published, with a matrix (default: f32).
      """)
  var precision: MatrixPrecision?
  @Option(help: "Random seed; the same seed repeats the run.") var seed: UInt64 = 1
  @OptionGroup(title: "Deep compressed sensing") var latent: SenseLatentOptions
  @Option(help: "Number of phases of unrolled.") var phases: Int?
  @Option(help: "Number of channels of the convolutions of unrolled.") var channels: Int?
  @Option(help: "Number of steps of csgm's search.") var searchSteps: Int?
  @Option(help: "Number of starts of csgm's search.") var restarts: Int?
  @Option(help: "Weight of the latent vector's squared length in csgm's search.") var priorWeight: Double?
  @Option(help: "Number of images to report on at the end (default: all; for csgm 100).") var testCount: Int?
  @Option(help: "Folder of the run for the model, checkpoints, metrics and report.html.") var out: String?
  @Option(
    defaultAsFlag: "", parsing: .next, help: "Resume the run in this folder (default: --out) with its own options.")
  var resume: String?
  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print JSON objects, one a line.") var json = false

  func validate() throws {
    try checkNeeds(["<images>": images != nil, "--out <out>": out != nil])
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
    if let testCount, testCount < 1 { throw ValidationError("--test-count must be at least 1") }
    _ = try counts
    if method != .dcs, let name = latent.given { throw ValidationError("\(name) is an option of --method dcs") }
    if method != .unrolled, phases != nil || channels != nil {
      throw ValidationError("--phases and --channels are options of --method unrolled")
    }
    if method != .csgm, searchSteps != nil || restarts != nil || priorWeight != nil {
      throw ValidationError("--search-steps, --restarts and --prior-weight are options of --method csgm")
    }
    if method == .unrolled || method == .regression, latents != nil {
      throw ValidationError("--latents is an option of --method dcs and csgm")
    }
  }

  /// The numbers of measurements, in rising order.
  private var counts: [Int] {
    get throws {
      let parts = measurements.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      let numbers = try parts.map { part in
        guard let number = Int(part), number > 0 else {
          throw ValidationError(
            "--measurements: \(part.debugDescription) is no number of measurements; give 25, or several as in 10,25,50")
        }
        return number
      }
      guard Set(numbers).count == numbers.count else {
        throw ValidationError("--measurements: \(measurements) says a number twice; give each once")
      }
      return numbers.sorted()
    }
  }

  // MARK: The folder

  var isShowing: Bool { false }
  var momentaryFlags: [String] { [] }
  var results: [String] { ["model.safetensors"] }
  static var freeOptions: Set<String> { ["json", "threads", "out", "resume", "test-count"] }
  var goesOnAsBegun: Bool { resume == "" && images == nil && out != nil }

  private func settings(of images: ImageSet) throws -> RecoverySettings {
    var settings = RecoverySettings()
    settings.method = method
    settings.measurement = measurement ?? (method == .csgm ? .random : .linear)
    (settings.height, settings.width) = (images.height, images.width)
    let counts = try counts
    settings.measurements = counts.last ?? settings.measurements
    settings.fewerMeasurements = counts.count > 1 ? counts.dropLast() : nil
    settings.precision = precision
    settings.hidden = hidden
    settings.latents = latents ?? (method == .csgm ? 20 : settings.latents)
    let usual = [RecoverySettings.Method.regression: 9000, .dcs: 8000, .csgm: 4000, .unrolled: 1000]
    settings.steps = steps ?? usual[method] ?? settings.steps
    settings.batch = batch
    settings.learningRate = learningRate ?? (method == .csgm || method == .unrolled ? 1e-3 : settings.learningRate)
    settings.schedule = schedule
    settings.seed = seed
    latent.apply(to: &settings)
    settings.phases = phases ?? settings.phases
    settings.channels = channels ?? settings.channels
    settings.searchSteps = searchSteps ?? settings.searchSteps
    settings.restarts = restarts ?? settings.restarts
    settings.priorWeight = priorWeight ?? settings.priorWeight
    return settings
  }

  func run() throws {
    let (command, record) = try RunRecord.resolve(self)
    Terminal.catchInterrupts(andTermination: true)
    StandardOutput.endInOrder()
    try command.train(after: record)
  }

  private func train(after record: RunRecord?) throws {
    if let threads { Parallel.width = threads }
    // A run that goes on has the images that it began with.
    let images = images ?? ""
    let all = try ImageSet(contentsOf: images, pooling: pool, padding: pad)
    let cut = test == nil ? all.count - max(1, all.count / 10) : all.count
    let training = all[0..<cut]
    let heldOut = try test.map { try ImageSet(contentsOf: $0, pooling: pool, padding: pad) } ?? all[cut..<all.count]
    let settings = try settings(of: all)
    try RecoveryFolder.check(training: training, heldOut: heldOut, settings: settings)
    let name = (images as NSString).lastPathComponent
    let data =
      "\(training.count) images of \(training.height) x \(training.width) pixels from \(name)"
      + (pool > 1 ? ", squares of \(pool) pixels averaged" : "")
      + (pad > 0 ? ", \(pad) pixels added on every side" : "")
    let folder = try RecoveryFolder(
      out ?? "", settings: settings, data: data,
      description: RunRecord.object(self, after: record, images: training, path: images), resuming: record != nil)
    for path in folder.damagedCheckpoints {
      Terminal.note(
        "Warning: \(path) cannot be read and was renamed to .damaged; the run resumes from the checkpoint before")
    }
    let ending = try folder.run(
      training: training, heldOut: heldOut, isInterrupted: { Terminal.isInterrupted }, report: show)
    switch ending {
    case .interrupted:
      Terminal.note(
        "Interrupted; step \(folder.run.step) is saved. Resume with: martlet sense train --resume \(folder.path)")
      throw ExitCode(Terminal.interruptCode)
    case .diverged:
      throw SensingError("The loss was not a finite number at step \(folder.run.step); lower --learning-rate.")
    case .steps: try showResult(folder, heldOut)
    }
  }

  private func show(_ event: RecoveryFolder.Event) {
    switch event {
    case .resumed(let step):
      if json { try? Terminal.printJSON(["event": "resumed", "step": step]) }
      if !json { Terminal.note("resuming after step \(step)") }
    case .evaluation(let step, let loss, let quality):
      if json {
        try? Terminal.printJSON([
          "event": "evaluation", "step": step, "loss": loss, "l2": quality.l2, "psnr": quality.psnr,
          "ssim": quality.ssim,
        ])
      } else {
        Terminal.note(
          String(format: "step %d  loss %.4g  L2 %.3f  PSNR %.2f dB", step, loss, quality.l2, quality.psnr))
      }
    }
  }

  private func showResult(_ folder: RecoveryFolder, _ heldOut: ImageSet) throws {
    let settings = folder.run.settings, shown = heldOut[0..<(testCount ?? (method == .csgm ? 100 : heldOut.count))]
    let quality = folder.run.evaluate(shown)
    let fewer = (settings.fewerMeasurements ?? []).map { ($0, folder.run.evaluate(shown, measurements: $0)) }
    let steps = folder.run.step, perStep = steps > 0 ? folder.seconds / Double(steps) : 0
    if json {
      var result: [String: Any] = [
        "event": "result", "images": quality.images, "l2": quality.l2, "mse": quality.mse, "psnr": quality.psnr,
        "ssim": quality.ssim, "seconds_per_image": quality.secondsPerImage, "steps": steps,
        "training_seconds": folder.seconds, "seconds_per_step": perStep, "model": folder.modelPath,
      ]
      if !fewer.isEmpty {
        result["fewer_measurements"] = fewer.map {
          ["measurements": $0, "l2": $1.l2, "mse": $1.mse, "psnr": $1.psnr, "ssim": $1.ssim] as [String: Any]
        }
      }
      try Terminal.printJSON(result)
    } else {
      for (count, quality) in fewer + [(settings.measurements, quality)] {
        print(
          String(
            format: "%d held-out images from %d measurements: L2 %.3f, PSNR %.2f dB, SSIM %.3f, %.3g ms an image",
            quality.images, count, quality.l2, quality.psnr, quality.ssim, quality.secondsPerImage * 1000))
      }
      print(String(format: "%d steps in %.1f s of processor time, %.3g ms each", steps, folder.seconds, perStep * 1000))
      print(folder.modelPath)
    }
  }
}

/// The options of deep compressed sensing.
struct SenseLatentOptions: ParsableArguments {
  @Option(help: "Number of latent steps; 0 shows what they add to --encoder and --image-loss (default: 3).")
  var latentSteps: Int?
  @Option(help: "Where a latent vector is put back to: norm (the unit sphere) or clip (-1 to 1) (default: norm).")
  var projection: LatentOptimization.Projection?
  @Option(
    help: "Loss: joint (everything learns from the sum, as the released code) or split (the paper) (default: joint).")
  var objective: DeepCompressedSensingTrainer.Objective?
  @Option(help: "Weight of the isometry loss (default: 1, with --image-loss 0.1).") var isometryWeight: Double?
  @Flag(help: "Start latent vectors at the output of an encoder of the measurements.") var encoder = false
  @Flag(help: "Learn from the error of the image in place of that of its measurements.") var imageLoss = false
  @Flag(help: "Stop gradients at the latent steps, which learns clearly worse.") var stopGradient = false

  /// The first of them that was given; nil for none.
  var given: String? {
    let names: [(String, Bool)] = [
      ("--latent-steps", latentSteps != nil), ("--projection", projection != nil), ("--objective", objective != nil),
      ("--isometry-weight", isometryWeight != nil), ("--encoder", encoder), ("--image-loss", imageLoss),
      ("--stop-gradient", stopGradient),
    ]
    return names.first(where: \.1)?.0
  }

  func apply(to settings: inout RecoverySettings) {
    settings.latentSteps = latentSteps ?? settings.latentSteps
    settings.projection = projection ?? settings.projection
    settings.objective = objective ?? settings.objective
    settings.isometryWeight = isometryWeight
    settings.startsFromEncoder = encoder
    settings.learnsFromImages = imageLoss
    settings.isExact = !stopGradient
  }
}
