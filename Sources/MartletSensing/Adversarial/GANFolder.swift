import Foundation
import MartletData
import MartletLayers
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
  /// What a checkpoint remembers beside parameters and moments.
  struct State: Codable {
    var step, metricsByteCount: Int
    /// Processor time of the steps.
    var seconds: Double
    /// The sums of the losses since the last line of the metrics, and their number.
    var discriminatorSum, generatorSum: Double
    var lossCount: Int
    var settings: GANSettings
  }

  /// The path of the folder.
  public var path: String { files.path }
  /// The finished networks.
  public var modelPath: String { path + "/model.safetensors" }
  /// The run with the current networks.
  public private(set) var run: GANRun
  /// The processor time of all steps, in seconds.
  public private(set) var seconds = 0.0
  /// Checkpoints that could not be read, in place of which an earlier one was used; they were renamed to `.damaged`.
  public var damagedCheckpoints: [String] { files.damagedCheckpoints }
  private var files: RunFolder
  private var discriminatorSum = 0.0, generatorSum = 0.0, lossCount = 0
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
    var run = try GANRun(settings)
    self.data = data
    files = try RunFolder(path, description: description, resuming: resuming)
    let state = resuming ? try files.latest { try Self.restore(&run, from: $0) } : nil
    self.run = run
    if let state {
      (seconds, lossCount) = (state.seconds, state.lossCount)
      (discriminatorSum, generatorSum) = (state.discriminatorSum, state.generatorSum)
    }
    try files.begin(keeping: resuming ? state?.metricsByteCount ?? 0 : nil)
  }

  private static func restore(_ run: inout GANRun, from folder: String) throws -> State {
    let state = try RunCheckpoint.state(State.self, in: folder)
    guard state.settings == run.settings else {
      throw SensingError(
        "\(folder) was made with other settings; resume the run with its own, or choose another folder.")
    }
    guard (0...run.settings.steps).contains(state.step), state.metricsByteCount >= 0, state.seconds.isFinite,
      state.lossCount >= 0
    else {
      throw FileError(
        file: folder + "/state.json", "it is damaged; remove the folder \(folder) to resume from the checkpoint before")
    }
    let tensors = try TensorFile.read(
      folder + "/parameters.safetensors", run.tensors.map { ($0.name, $0.value.shape) })
    let (_, optimizer) = try RunCheckpoint.tensors(
      in: folder, run.model.parameters.map { ($0.name, $0.value.shape) }, settings: run.optimizer.settings,
      optimizerStep: state.step)
    run.restore(tensors: tensors, optimizer: optimizer, step: state.step)
    return state
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
    guard training.count > 0, training.height == settings.side, training.width == settings.side else {
      throw SensingError(
        "There are \(training.count) images of \(training.height) x \(training.width) pixels where \(settings.side) x \(settings.side) "
          + "are generated: give square images.")
    }
    let interval = max(1, settings.steps / 20)
    while !run.isFinished {
      if isInterrupted() {
        try save()
        try close()
        return .interrupted
      }
      let before = ProcessorTime.seconds
      let losses = run.train(on: training.signals)
      seconds += ProcessorTime.seconds - before
      discriminatorSum += losses.discriminator
      generatorSum += losses.generator
      lossCount += 1
      guard discriminatorSum.isFinite, generatorSum.isFinite else {
        try close()
        return .diverged
      }
      guard run.step % interval == 0 || run.isFinished else { continue }
      let count = Double(lossCount), (discriminator, generator) = (discriminatorSum / count, generatorSum / count)
      (discriminatorSum, generatorSum, lossCount) = (0, 0, 0)
      try files.append([
        "step": run.step, "discriminator_loss": discriminator, "generator_loss": generator,
        "latent_step_size": exp(run.model.logStep).scalar, "seconds": seconds,
      ])
      report(run.step, discriminator, generator)
      try writeSamples()
      try save()
    }
    try save()
    try GANFile.write(run, data: data, to: modelPath, replaces: true)
    try close()
    return .steps
  }

  /// A hundred images from the same start vectors at every step of training.
  private func writeSamples() throws {
    let settings = run.settings, random = RandomSource(seed: settings.seed).stream("samples")
    try OutputTarget.makeFolder(path + "/samples")
    var kinds = [("", settings.latentSteps)]
    if settings.latentSteps > 0 { kinds.append(("-without-latent-steps", 0)) }
    for (name, steps) in kinds {
      let images = ImageSet(
        signals: run.generate(100, random: random, latentSteps: steps), height: settings.side, width: settings.side)
      let file = path + "/samples/" + String(format: "step-%08d", run.step) + name + ".png"
      try ImageSheet.write(images, to: file, replaces: true)
    }
  }

  private func save() throws {
    try files.synchronize()
    try files.save(
      step: run.step, parameters: run.tensors, optimizer: run.optimizer,
      state: State(
        step: run.step, metricsByteCount: files.metricsByteCount, seconds: seconds, discriminatorSum: discriminatorSum,
        generatorSum: generatorSum, lossCount: lossCount, settings: run.settings),
      kept: 2, best: nil)
  }

  private func close() throws {
    try files.synchronize()
    try files.writeReport(.adversarial(run.settings))
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
