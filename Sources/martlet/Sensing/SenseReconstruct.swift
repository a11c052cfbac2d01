import ArgumentParser
import Foundation
import MartletData
import MartletSensing
import MartletTensor

extension ReconstructionSettings.Method: ExpressibleByArgument {}
extension SparseBasis: ExpressibleByArgument {}

struct SenseReconstruct: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case png, npy }

  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Recovers images from the measurements of a file.",
    discussion: """
      FILE is what `martlet sense measure` writes. Each image is written to the folder of --out. With --originals, the error of each image \
      is printed; originals are never used to recover.

      tv is least total variation. fista and ista are the lasso in a basis, omp chooses coefficients one by one, basis-pursuit and bpdn \
      take the least sum of coefficients that fits exactly or within the noise. mmse and pca learn from --training. auto takes mmse where \
      there are training images and fewer measurements than a quarter of the pixels, else tv. --model takes a model of `martlet sense train` \
      for images that its own matrix measured (--operator matrix --matrix RUN/model.safetensors); csgm and dcs take any operator.

      How strongly a method regularises is decided by the noise, whose length the file tells or --noise, or on --training images that are \
      measured alike; without both, the lasso takes a thousandth of the weight that leaves nothing and omp a quarter of the measurements.

      Examples:
        martlet sense reconstruct photos.jsonl --out recovered --originals photos
        martlet sense reconstruct noisy.jsonl --method bpdn --basis haar --out recovered
        martlet sense reconstruct digits.jsonl --method mmse --training train-images-idx3-ubyte.gz --out recovered
        martlet sense reconstruct digits.jsonl --model run --out recovered
      """)

  @Argument(help: "File of measurements.") var file: String
  @Option(
    name: .customLong("method"),
    help: "Method: tv, fista, ista, omp, basis-pursuit, bpdn, mmse, pca or auto (default: tv).")
  var givenMethod: ReconstructionSettings.Method?
  @Option(help: "Model of `martlet sense train`, a file or the folder of its run, instead of a method.")
  var model: String?
  @Option(help: "Where images are sparse: pixel, cosine, haar or db4 (default: db4).") var basis: SparseBasis?
  @Option(help: "The most steps (default: tv and lasso 300, basis pursuit 1000).") var iterations: Int?
  @Option(help: "Relative change of a step below which the steps end (default: tv 1e-4, else 1e-5).")
  var tolerance: Double?
  @Option(help: "Weight of the lasso's sum of absolute coefficients.") var weight: Double?
  @Option(help: "Number of coefficients of omp, or of components of pca.") var count: Int?
  @Option(help: "Euclidean length of the noise of an image's measurements; 0 fits them exactly (default: by the file).")
  var noise: Double?
  @Option(help: "File or folder of images of the same kind and size, to learn from or to choose by.")
  var training: String?
  @Option(help: "The most images of --training (default: 10000).") var trainingLimit: Int?
  @Option(name: .shortAndLong, help: "Folder for the recovered images.") var out: String
  @Option(help: "Form of the recovered images: png, or npy, whose values are not cut off at 0 and 1.")
  var format = Format.png
  @Option(help: "File for objective and residual of each step (JSON Lines).") var log: String?
  @Option(help: "The images that were measured, to print errors.") var originals: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  private var method: ReconstructionSettings.Method { givenMethod ?? .totalVariation }

  func validate() throws {
    func need(_ isRight: Bool, _ problem: String) throws { if !isRight { throw ValidationError(problem) } }
    let others: [Any?] = [givenMethod, basis, iterations, tolerance, weight, count, noise, training, log]
    try need(
      model == nil || others.allSatisfy { $0 == nil },
      "--model is a method of its own; leave out --method and the options of methods")
    let name = "--method \(method.rawValue)"
    try need(basis == nil || method.hasBasis, "--basis is no option of \(name)")
    try need(
      iterations == nil && tolerance == nil || method.isIterative,
      "--iterations and --tolerance are no options of \(name)")
    try need(weight == nil || method == .fista || method == .ista, "--weight is an option of --method fista and ista")
    try need(
      count == nil || method == .matchingPursuit || method == .principalComponents,
      "--count is an option of --method omp and pca")
    try need(
      noise == nil || method != .basisPursuit && method != .principalComponents,
      "--noise is no option of \(name); bpdn is basis pursuit with noise")
    try need(training == nil || method.usesTraining, "--training is no option of \(name)")
    try need(training != nil || !method.needsTraining, "\(name) learns from images: give --training")
    try need(trainingLimit == nil || training != nil, "--training-limit belongs to --training")
    try need(trainingLimit.map { $0 > 1 } ?? true, "--training-limit must be 2 or more")
    try need(weight == nil || noise == nil && training == nil, "--weight cannot stand beside --noise or --training")
    try need(
      log == nil || method.isIterative || method == .matchingPursuit, "--log is no option of \(name)")
    try need(iterations.map { $0 > 0 } ?? true, "--iterations must be 1 or more")
    try need(tolerance.map { $0 >= 0 && $0.isFinite } ?? true, "--tolerance must be a number of 0 or more")
    try need(weight.map { $0 >= 0 && $0.isFinite } ?? true, "--weight must be a number of 0 or more")
    try need(count.map { $0 > 0 } ?? true, "--count must be 1 or more")
    try need(noise.map { $0 >= 0 && $0.isFinite } ?? true, "--noise must be a number of 0 or more")
  }

  /// Images that one operator measured.
  private struct Group: Hashable {
    let measured: OperatorDescription
    let height: Int, width: Int
  }
  private typealias Entry = (line: JSONLines.Line, image: MeasuredImage, path: String)

  func run() throws {
    // Everything that can be refused is refused before the first image takes time.
    try OutputTarget.makeFolder(out)
    if let log { try OutputTarget.check(log, replaces: force) }
    let entries = try readEntries()
    guard !entries.isEmpty else {
      throw FileError(file: file, "it has no measurements; write some with martlet sense measure")
    }
    let known = try originals.map { path in
      try Dictionary(ImageFile.read(path).map { ($0.name, $0.image) }, uniquingKeysWith: { first, _ in first })
    }
    let planes = try training.map { path in
      try ImageFile.read(path, limit: trainingLimit ?? 10_000).flatMap { read in
        (0..<read.image.channels).map {
          (name: read.name, size: [read.image.height, read.image.width], plane: read.image.plane($0))
        }
      }
    }
    let learned = try model.map { path in
      let read = try RecoveryFile.read(RecoveryFile.path(path))
      return LearnedReconstruction(read.model, settings: read.settings)
    }
    var rows: [[String: Any]] = [], logged: [UInt8] = [], methods: Set<String> = []
    var order: [Group] = [], groups: [Group: [Entry]] = [:]
    for entry in entries {
      let group = Group(measured: entry.image.measured, height: entry.image.height, width: entry.image.width)
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append(entry)
      if let known { _ = try original(of: entry, in: known) }
      if let wrong = planes?.first(where: { $0.size != [group.height, group.width] }) {
        throw entry.line.failure(
          "it is an image of \(group.height)x\(group.width), and \(wrong.name) of --training has \(wrong.size[0])x\(wrong.size[1]); give training images of the measured size"
        )
      }
    }
    for group in order {
      let entries = groups[group] ?? []
      let linear = try linearOperator(entries)
      let mean = entries.reduce(0) { $0 + $1.image.noiseLength } / Double(entries.count)
      var solver: (any Reconstruction)?
      let settings = settings, chosen = settings.chosenMethod(for: linear, hasTraining: planes != nil)
      let name = learned?.settings.method.rawValue ?? chosen.rawValue
      methods.insert(name)
      // Models and linear methods, which are worked out once, recover all images of the group at once.
      if learned != nil || chosen.needsTraining {
        let start = ContinuousClock.now
        let all: [[Double]]
        do {
          let solver =
            try learned
            ?? settings.reconstruction(
              for: linear, height: group.height, width: group.width, noise: noise ?? mean,
              training: planes?.map(\.plane) ?? [])
          all = try solver.reconstruct(
            planes: entries.flatMap(\.image.measurements), of: linear, height: group.height, width: group.width)
        } catch let error as SensingError { throw entries[0].line.failure(error.message) }
        let seconds = (ContinuousClock.now - start) / .seconds(1) / Double(entries.count)
        var next = 0
        for entry in entries {
          let count = entry.image.measurements.count
          rows.append(try finish(entry, Array(all[next..<next + count]), seconds, name, known))
          next += count
        }
        continue
      }
      for entry in entries {
        let start = ContinuousClock.now
        let found: [[Double]]
        do {
          let length = noise ?? (planes == nil ? entry.image.noiseLength : mean)
          guard chosen != .basisPursuitDenoising || length > 0 else {
            throw SensingError(
              "the file tells of no noise; give --noise with its length, or take --method basis-pursuit")
          }
          // What training images chose holds for all of the group; else the noise is each image's own.
          let method =
            try solver
            ?? settings.reconstruction(
              for: linear, height: group.height, width: group.width, noise: length, training: planes?.map(\.plane) ?? []
            )
          if planes != nil { solver = method }
          found = try recover(entry.image, by: method, linear, &logged)
        } catch let error as SensingError { throw entry.line.failure(error.message) }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        rows.append(try finish(entry, found, seconds, name, known))
      }
    }
    if let log { try AtomicFile.write(logged, to: log, replaces: force) }
    try show(rows, methods.sorted())
  }

  private var settings: ReconstructionSettings {
    var settings = ReconstructionSettings(method)
    settings.basis = basis ?? settings.basis
    (settings.iterations, settings.tolerance) = (iterations, tolerance)
    (settings.weight, settings.count) = (weight, count)
    return settings
  }

  private func readEntries() throws -> [Entry] {
    var names: Set<String> = []
    return try JSONLines.read(file).map { line in
      let image = try MeasuredImage(line)
      guard !image.name.isEmpty, !image.name.contains("/"),
        !image.name.unicodeScalars.contains(where: { $0.value < 32 })
      else {
        throw line.failure("the name \"\(image.name)\" cannot be that of a file; change it")
      }
      guard names.insert(image.name).inserted else {
        throw line.failure("the name \"\(image.name)\" stands in the file before; give each image a name of its own")
      }
      let path = (out as NSString).appendingPathComponent(image.name + "." + format.rawValue)
      try OutputTarget.check(path, replaces: force)
      return (line, image, path)
    }
  }

  private func linearOperator(_ entries: [Entry]) throws -> any LinearOperator {
    let (line, image, _) = entries[0]
    do { return try image.measured.linearOperator(height: image.height, width: image.width) } catch let error
      as SensingError
    {
      throw line.failure(error.message)
    }
  }

  private func recover(
    _ image: MeasuredImage, by solver: any Reconstruction, _ linear: any LinearOperator, _ logged: inout [UInt8]
  ) throws -> [[Double]] {
    guard log != nil else {
      return try solver.reconstruct(planes: image.measurements, of: linear, height: image.height, width: image.width)
    }
    return try image.measurements.enumerated().map { channel, values in
      var steps: [ConvergenceStep] = []
      let plane = try solver.reconstruct(values, of: linear, height: image.height, width: image.width) {
        steps.append($0)
      }
      for step in steps {
        let line: JSONValue = [
          "name": .string(image.name), "channel": .init(integerLiteral: channel),
          "iteration": .init(integerLiteral: step.iteration), "objective": .init(floatLiteral: step.objective),
          "residual": .init(floatLiteral: step.residual),
        ]
        line.write(to: &logged)
        logged.append(10)
      }
      return plane
    }
  }

  private func original(of entry: Entry, in known: [String: Image]) throws -> Image {
    guard let original = known[entry.image.name], original.channels == entry.image.measurements.count,
      original.height == entry.image.height, original.width == entry.image.width
    else {
      throw entry.line.failure(
        "--originals has no image \"\(entry.image.name)\" of this size; give the images that were measured")
    }
    return original
  }

  /// Writes an image, and prints what is known of it.
  private func finish(
    _ entry: Entry, _ planes: [[Double]], _ seconds: Double, _ method: String,
    _ known: [String: Image]?
  ) throws -> [String: Any] {
    let (height, width) = (entry.image.height, entry.image.width)
    let recovered = try Image(planes: planes, height: height, width: width)
    switch format {
    case .png: try ImageFile.write(recovered, to: entry.path, replaces: force)
    case .npy:
      try AtomicFile.write(
        NumPyArray.bytes(planes: planes, height: height, width: width), to: entry.path, replaces: force)
    }
    var row: [String: Any] = ["name": entry.image.name, "file": entry.path, "seconds": seconds]
    row["method"] = method
    var text = "\(entry.image.name): \(String(format: "%.2f", seconds)) s"
    if let known {
      let original = try original(of: entry, in: known)
      let error = try ImageError(recovered.values.map(Double.init), original.values.map(Double.init))
      func tensor(_ image: Image) -> Tensor {
        Tensor(doubles: (0..<image.channels).flatMap(image.plane), shape: [image.channels, height * width])
      }
      let similarities = StructuralSimilarity.between(tensor(recovered), tensor(original), height: height, width: width)
      let ssim = similarities.reduce(0, +) / Double(max(1, similarities.count))
      (row["psnr"], row["mse"], row["l2"]) = (error.peakSignalToNoise, error.meanSquaredError, error.euclideanLength)
      row["ssim"] = ssim
      text += String(
        format: ", PSNR %.2f dB, SSIM %.3f, L2 %.3f", error.peakSignalToNoise, ssim, error.euclideanLength)
    }
    if !json { print(text) }
    return row
  }

  private func show(_ rows: [[String: Any]], _ methods: [String]) throws {
    let psnr = rows.compactMap { $0["psnr"] as? Double }
    let mean = psnr.isEmpty ? nil : psnr.reduce(0, +) / Double(psnr.count)
    if json {
      var summary: [String: Any] = ["method": methods.joined(separator: ", "), "images": rows]
      summary["mean_psnr"] = mean
      try Terminal.printJSON(summary)
    } else if let mean {
      print(String(format: "mean PSNR %.2f dB (%@)", mean, methods.joined(separator: ", ")))
    }
  }
}
