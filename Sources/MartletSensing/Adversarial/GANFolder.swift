import Foundation
import MartletData
import MartletOptimization
import MartletTensor

/// Training of a generative adversarial network in a folder, which is laid out like that of any training run:
///
///     run.json            what the run was asked to do
///     metrics.jsonl       one line an interval: the losses and the transport cost's step size
///     report.html         curves
///     checkpoints/        the latest moments
///     samples/            generated images over training, with and without latent steps
///     model.safetensors   the finished networks (see ``GANFile``)
public final class GANFolder {
  /// The path of the folder.
  public var path: String { folder.files.path }
  /// The finished networks.
  public var modelPath: String { path + "/model.safetensors" }
  /// The run with the current networks.
  public var run: GANRun { folder.run }
  /// The processor time of all steps, in seconds.
  public var seconds: Double { folder.seconds }
  /// Checkpoints that could not be read, in place of which an earlier one was used; they were renamed to `.damaged`.
  public var damagedCheckpoints: [String] { folder.files.damagedCheckpoints }
  private let folder: TrainingFolder<GANRun>
  private let data: String

  /// Begins a run, or resumes the run in a folder from its latest readable checkpoint.
  /// - Parameters:
  ///   - path: the folder of the run.
  ///   - settings: the settings; a run that is resumed must have those it began with.
  ///   - data: one sentence on the images, which the model file keeps.
  ///   - description: what `run.json` says.
  ///   - resuming: whether to resume the run in the folder.
  /// - Throws: ``SensingError`` for settings that cannot be or are not those of the run; `FileError` where the folder cannot be read or
  ///   written.
  public init(
    _ path: String, settings: GANSettings, data: String, description: [String: Any] = [:], resuming: Bool = false
  ) throws {
    self.data = data
    folder = try TrainingFolder(path, settings: settings, description: description, resuming: resuming)
  }

  /// Whether networks can be trained on images; asked before a folder is begun, so that none is left where they cannot.
  /// - Parameters:
  ///   - training: the images that are learnt from.
  ///   - settings: the settings of the networks.
  /// - Throws: ``SensingError`` for none, or for images of another size.
  public static func check(training: ImageSet, settings: GANSettings) throws {
    guard training.count > 0, training.height == settings.side, training.width == settings.side else {
      throw SensingError(
        "There are \(training.count) images of \(training.height) x \(training.width) pixels where \(settings.side) x \(settings.side) "
          + "are generated: give square images.")
    }
  }

  /// Runs to the last step, or until `isInterrupted` returns true; a checkpoint is written in each case.
  /// - Parameters:
  ///   - training: the images that are learnt from.
  ///   - isInterrupted: called before every step; true saves and ends the run.
  ///   - report: is given the step and the mean losses of the discriminator and the generator, now and then.
  /// - Throws: ``SensingError`` for images of another size; `FileError` where the folder cannot be written.
  public func run(
    training: ImageSet, isInterrupted: () -> Bool,
    report: (_ step: Int, _ discriminatorLoss: Double, _ generatorLoss: Double) -> Void
  ) throws -> RecoveryFolder.Ending {
    let settings = run.settings
    try Self.check(training: training, settings: settings)
    let (data, path, modelPath) = (data, path, modelPath)
    return try folder.run(
      isInterrupted: isInterrupted,
      train: { run in
        let losses = run.train(on: training.signals)
        return [losses.discriminator, losses.generator]
      },
      measure: { run, losses, seconds in
        report(run.step, losses[0], losses[1])
        try Self.writeSamples(run, to: path + "/samples")
        return [
          "step": run.step, "discriminator_loss": losses[0], "generator_loss": losses[1],
          "latent_step_size": exp(run.model.logStep).scalar, "seconds": seconds,
        ]
      },
      finish: { try GANFile.write($0, data: data, to: modelPath, replaces: true) }, report: .adversarial(settings))
  }

  /// A hundred images from the same start vectors at every step of training.
  private static func writeSamples(_ run: GANRun, to folder: String) throws {
    let settings = run.settings, random = RandomSource(seed: settings.seed).stream("samples")
    try OutputTarget.makeFolder(folder)
    var kinds = [("", settings.latentSteps)]
    if settings.latentSteps > 0 { kinds.append(("-without-latent-steps", 0)) }
    for (name, steps) in kinds {
      let images = ImageSet(
        signals: run.generate(100, random: random, latentSteps: steps), height: settings.side, width: settings.side)
      let file = folder + "/" + String(format: "step-%08d", run.step) + name + ".png"
      try ImageSheet.write(images, to: file, replaces: true)
    }
  }
}

extension RunReport {
  /// The page of a run that trains a generative adversarial network.
  static func adversarial(_ settings: GANSettings) -> RunReport {
    RunReport(
      title: "Generative adversarial network with \(settings.latentSteps) latent steps, run",
      charts: [
        Chart(
          "Loss",
          [
            Curve("discriminator", "discriminator_loss", color: "#1f5fbf"),
            Curve("generator", "generator_loss", color: "#d2691e"),
          ]),
        Chart(
          "Size of a latent step", [Curve("step size", "latent_step_size", color: "#2e8b57")], isLogarithmicY: true),
      ], pictures: { samples(in: $0) }
    ) { metrics in
      """
      Images of \(settings.side) x \(settings.side) pixels, \(settings.latentStep.rawValue) steps, seed \(settings.seed), \
      \(metrics.lines.last?["step"]?.integer ?? 0) of \(settings.steps) steps of training.
      """
    }
  }

  /// The generated images of at most six steps, from the first to the last, beside those without latent steps.
  private static func samples(in folder: String) -> String {
    let plain = "-without-latent-steps.png"
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder + "/samples")) ?? [])
    let steps = names.filter { $0.hasPrefix("step-") && $0.hasSuffix(".png") && !$0.hasSuffix(plain) }.sorted()
    guard let last = steps.last else { return "" }
    let every = max(1, (steps.count + 3) / 5)
    var shown = stride(from: 0, to: steps.count, by: every).map { steps[$0] }
    if shown.last != last { shown.append(last) }
    func image(_ name: String) -> String {
      guard names.contains(name) else { return "" }
      return "<img src='samples/\(LineChart.escaped(name))' alt='\(LineChart.escaped(name))' style='width:100%'>"
    }
    let hasPlain = names.contains { $0.hasSuffix(plain) }
    let rows = shown.map { name -> String in
      let step = name.dropFirst("step-".count).dropLast(".png".count)
      let other = "<td>\(image("step-\(step)\(plain)"))</td>"
      return "<tr><th>\(Int(step) ?? 0)</th><td>\(image(name))</td>\(hasPlain ? other : "")</tr>"
    }
    let head = hasPlain ? "<th>with latent steps</th><th>without</th>" : "<th>generated</th>"
    return """
      <h2>Generated images over training</h2>
      <p>The same start vectors after each number of steps.</p>
      <div class="table"><table><tr><th>step</th>\(head)</tr>
      \(rows.joined(separator: "\n"))
      </table></div>
      """
  }
}
