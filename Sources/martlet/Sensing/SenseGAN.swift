import ArgumentParser
import Foundation
import MartletSensing
import MartletTensor

extension GANSettings.LatentStep: ExpressibleByArgument {}

struct SenseGAN: RunCommand {
  static let path = ["sense", "gan"]
  static let configuration = CommandConfiguration(
    commandName: "gan",
    abstract: "Trains CS-GAN or LOGAN on images, and judges what it generates.",
    discussion: """
      The latent vectors of CS-GAN take gradient steps towards what the discriminator holds for real, in training and afterwards \
      (Wu, Rosca and Lillicrap, 2019); with --latent-steps 0 it is a plain GAN with spectral norm. --natural takes the natural \
      gradient (LOGAN, Wu et al., 2019). Both networks are small and convolutional.

      With --labels and --test, images are judged by a classifier that is trained here: the Fréchet distance of its features, its \
      score, the number of classes that are generated, and how much images of one class differ. The classifier is not the \
      Inception network, so the figures cannot be compared with published FID and Inception scores.

      OUT/samples shows generated images over training. Ctrl-C and SIGTERM save a checkpoint; `martlet sense gan --resume OUT` \
      resumes and gives exactly the result of a run without interruption.

      Patent: US 12,032,523 B2 (DeepMind, granted in 2024) claims reconstruction from a measurement by optimising a latent vector \
      through a generator and a measurement network. It is for you to find out whether your use needs a licence.

      Example:
        martlet sense gan train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --test t10k-images-idx3-ubyte.gz \
      --test-labels t10k-labels-idx1-ubyte.gz --out digits-gan
      """)

  @Argument(help: "File or folder of images to learn from (default with --resume DIR: the run's).") var images: String?
  @Option(help: "IDX file of the images' labels, for the classifier.") var labels: String?
  @Option(help: "File or folder of images to compare with.") var test: String?
  @Option(help: "IDX file of the labels of --test, for the classifier's accuracy.") var testLabels: String?
  @Option(help: "Number of latent steps; 0 for a plain GAN.") var latentSteps = 3
  @Flag(help: "Take the natural gradient (LOGAN).") var natural = false
  @Option(help: "Weight of the transport cost (default: 3, with --natural 300).") var transportWeight: Double?
  @Option(help: "Average squares of this many pixels a side.") var pool = 1
  @Option(help: "Add background of this many pixels on every side.") var pad = 0
  @Option(help: "Number of values of a latent vector.") var latents = 64
  @Option(help: "Channels of the largest maps.") var channels = 8
  @Option(help: "Number of steps, each of both networks.") var steps = 2000
  @Option(help: "Number of images of a step.") var batch = 64
  @Option(name: [.long, .customLong("lr")], help: "Learning rate of Adam.") var learningRate = 2e-4
  @Option(help: "Number of generated images to judge.") var samples = 10_000
  @Option(help: "Random seed; the same seed repeats the run.") var seed: UInt64 = 1
  @Option(help: "Folder of the run for the networks, samples, checkpoints, metrics and report.html.") var out: String?
  @Option(
    defaultAsFlag: "", parsing: .next, help: "Resume the run in this folder (default: --out) with its own options.")
  var resume: String?
  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print JSON objects, one a line.") var json = false

  func validate() throws {
    try checkNeeds(["<images>": images != nil, "--out <out>": out != nil])
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
    if (labels == nil) != (test == nil) {
      throw ValidationError("judging needs both --labels of the images and --test images: give both or neither")
    }
    if testLabels != nil, test == nil { throw ValidationError("--test-labels belongs to --test") }
    if !(2...1_000_000).contains(samples) { throw ValidationError("--samples must be from 2 to 1000000") }
    if natural, latentSteps == 0 { throw ValidationError("--natural needs latent steps; leave one of both out") }
  }

  var isShowing: Bool { false }
  var momentaryFlags: [String] { [] }
  var results: [String] { ["model.safetensors", "samples"] }
  static var freeOptions: Set<String> {
    ["json", "threads", "out", "resume", "samples", "labels", "test", "test-labels"]
  }
  var goesOnAsBegun: Bool { resume == "" && images == nil && out != nil }

  private func settings(side: Int) -> GANSettings {
    var settings = GANSettings()
    settings.side = side
    (settings.latents, settings.channels, settings.latentSteps) = (latents, channels, latentSteps)
    settings.latentStep = natural ? .natural : .gradient
    settings.transportWeight = transportWeight ?? (natural ? 300 : settings.transportWeight)
    (settings.steps, settings.batch, settings.learningRate, settings.seed) = (steps, batch, learningRate, seed)
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
    let training = try ImageSet(contentsOf: images, pooling: pool, padding: pad)
    // Files that judge are read first, so that a wrong one shows before the training.
    let judged = try judges(of: training)
    let name = (images as NSString).lastPathComponent
    let settings = settings(side: training.height)
    try GANFolder.check(training: training, settings: settings)
    let folder = try GANFolder(
      out ?? "", settings: settings, data: "\(training.count) images from \(name)",
      description: RunRecord.object(self, after: record, images: training, path: images), resuming: record != nil)
    for path in folder.damagedCheckpoints {
      Terminal.note(
        "Warning: \(path) cannot be read and was renamed to .damaged; the run resumes from the checkpoint before")
    }
    let ending = try folder.run(training: training, isInterrupted: { Terminal.isInterrupted }) { step, d, g in
      if json {
        try? Terminal.printJSON(["event": "losses", "step": step, "discriminator_loss": d, "generator_loss": g])
      } else {
        Terminal.note(String(format: "step %d  discriminator %.3f  generator %.3f", step, d, g))
      }
    }
    switch ending {
    case .interrupted:
      Terminal.note(
        "Interrupted; step \(folder.run.step) is saved. Resume with: martlet sense gan --resume \(folder.path)")
      throw ExitCode(Terminal.interruptCode)
    case .diverged:
      throw SensingError("The losses were not finite numbers at step \(folder.run.step); lower --learning-rate.")
    case .steps: try showResult(folder, training, judged)
    }
  }

  private struct Judges {
    let labels: [Int], test: ImageSet, testLabels: [Int]?
  }

  /// What judges; whatever does not fit the images of training is told before they are learnt from.
  private func judges(of training: ImageSet) throws -> Judges? {
    guard let labels, let test else { return nil }
    let judges = Judges(
      labels: try IDXFile.labels(labels), test: try ImageSet(contentsOf: test, pooling: pool, padding: pad),
      testLabels: try testLabels.map { try IDXFile.labels($0) })
    for (file, count, images) in [
      (labels, judges.labels.count, training.count),
      (testLabels ?? "", judges.testLabels?.count ?? judges.test.count, judges.test.count),
    ] where count != images {
      throw SensingError("\(file) has \(count) labels for \(images) images; give the labels of these images.")
    }
    guard (judges.test.height, judges.test.width) == (training.height, training.width) else {
      throw SensingError(
        "\(test) has images of \(judges.test.height)x\(judges.test.width) pixels where \(training.height)x\(training.width) are generated; give images of the same size."
      )
    }
    return judges
  }

  private func showResult(_ folder: GANFolder, _ training: ImageSet, _ judges: Judges?) throws {
    let steps = folder.run.step, perStep = steps > 0 ? folder.seconds / Double(steps) : 0
    var result: [String: Any] = [
      "event": "result", "steps": steps, "training_seconds": folder.seconds, "seconds_per_step": perStep,
      "model": folder.modelPath,
    ]
    var text = String(
      format: "%d steps in %.1f s of processor time, %.3g ms each\n", steps, folder.seconds, perStep * 1000)
    if let judges {
      let classes = (judges.labels.max() ?? 0) + 1
      let classifier = try ImageClassifier.train(
        training.signals, labels: judges.labels, classes: max(2, classes),
        random: RandomSource(seed: 1).stream("judge"))
      let random = RandomSource(seed: seed).stream("judged samples")
      let quality = try SampleQuality(
        of: folder.run.generate(samples, random: random), against: judges.test.signals, by: classifier)
      let real = try SampleQuality(
        of: training[0..<samples].signals, against: judges.test.signals, by: classifier)
      for (name, quality) in [("generated", quality), ("real", real)] {
        result[name] = [
          "frechet_distance": quality.frechetDistance, "classifier_score": quality.classifierScore,
          "mode_count": quality.modeCount, "confident_share": quality.confidentShare, "diversity": quality.diversity,
        ]
        text += String(
          format:
            "%@ images: Fréchet distance %.3f, classifier score %.3f, %d classes, %.1f %% confident, diversity %.3f\n",
          name, quality.frechetDistance, quality.classifierScore, quality.modeCount, quality.confidentShare * 100,
          quality.diversity)
      }
      if let labels = judges.testLabels {
        let accuracy = classifier.accuracy(judges.test.signals, labels: labels)
        result["classifier_accuracy"] = accuracy
        text += String(format: "accuracy of the classifier: %.2f %%\n", accuracy * 100)
      }
    }
    if json { try Terminal.printJSON(result) } else { print(text + folder.modelPath) }
  }
}
