import ArgumentParser
import MartletData
import MartletSensing

extension OperatorDescription.Kind: ExpressibleByArgument {}
extension ConvolutionOperator.Border: ExpressibleByArgument {}
extension MeasurementNoise.Kind: ExpressibleByArgument {}

struct SenseMeasure: ParsableCommand {
  enum Kernel: String, ExpressibleByArgument, CaseIterable { case gaussian, box }

  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Takes few measurements of images and writes them to a file.",
    discussion: """
      IMAGES is a PNG, JPEG, PGM, PPM, IDX or .npy file (also packed with gzip), or a folder of such images. Each line of the output is a \
      JSON object with the measurements of one image, a list for each channel, what the operator is made of, and the noise.

      cosine, hadamard and fourier are random coefficients of a transform of pixels with random signs and need no matrix. gaussian and \
      bernoulli are random matrices, mask sees random pixels, convolution blurs, and matrix is that of a file. --block measures \
      square blocks one by one.

      Examples:
        martlet sense measure photos --ratio 0.1 --out photos.jsonl
        martlet sense measure photos --operator hadamard --block 16 --ratio 0.25 --noise gaussian --noise-level 0.01 --out noisy.jsonl
        martlet sense measure photos --operator convolution --kernel gaussian --kernel-size 1.5 --step 2 --out blurred.jsonl
      """)

  @Argument(help: "File of images, or a folder.") var images: String
  @Option(help: "Number of measurements of each image and channel.") var measurements: Int?
  @Option(help: "Measurements as a part of the pixels, instead of --measurements: 0.1 is a tenth.") var ratio: Double?
  @Option(
    name: .customLong("operator"),
    help: "How to measure: cosine, hadamard, fourier, gaussian, bernoulli, mask, convolution or matrix.")
  var kind = OperatorDescription.Kind.cosine
  @Option(help: "Measure square blocks of this many pixels a side one by one.") var block: Int?
  @Flag(help: "Measure all blocks alike, not each by an operator of its own.") var sameBlocks = false
  @Option(help: "Kernel of a convolution: gaussian or box.") var kernel: Kernel?
  @Option(help: "Deviation of the Gaussian kernel in pixels, or how many pixels a box reaches to each side.")
  var kernelSize: Double?
  @Option(help: "What a convolution sees beyond the edge: circular (the other edge) or zero (default: circular).")
  var border: ConvolutionOperator.Border?
  @Option(help: "Keep every so many rows and columns of a convolution (default: 1).") var step: Int?
  @Option(
    help:
      "File of a matrix: .npy [measurements, pixels], or a model of `martlet sense train`, a file or the folder of its run."
  )
  var matrix: String?
  @Option(help: "Noise: gaussian, poisson, salt-and-pepper or quantization.") var noise: MeasurementNoise.Kind?
  @Option(
    help:
      "Strength of the noise: deviation (gaussian), events for a measurement of 1 (poisson), part (salt-and-pepper) or bits (quantization)."
  )
  var noiseLevel: Double?
  @Option(help: "Seed of the operator and of the noise.") var seed: UInt64 = 1
  @Option(help: "The most images.") var limit: Int?
  @Option(name: .shortAndLong, help: "File of measurements to write (JSON Lines).") var out: String
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if kind.hasOwnCount {
      guard measurements == nil, ratio == nil else {
        throw ValidationError("--operator \(kind.rawValue) gives as many measurements as it has; leave out the number")
      }
    } else {
      guard (measurements == nil) != (ratio == nil) else {
        throw ValidationError("give either --measurements or --ratio")
      }
    }
    guard measurements.map({ $0 > 0 }) ?? true else { throw ValidationError("--measurements must be 1 or more") }
    guard ratio.map({ $0 > 0 && $0 <= 1 }) ?? true else {
      throw ValidationError("--ratio must be above 0 and at most 1")
    }
    guard limit.map({ $0 > 0 }) ?? true else { throw ValidationError("--limit must be 1 or more") }
    guard block.map({ $0 > 0 }) ?? true else { throw ValidationError("--block must be 1 or more") }
    guard !sameBlocks || block != nil else { throw ValidationError("--same-blocks belongs to --block") }
    let isBlur = kind == .convolution
    guard isBlur || (kernel == nil && kernelSize == nil && border == nil && step == nil) else {
      throw ValidationError("--kernel, --kernel-size, --border and --step are options of --operator convolution")
    }
    guard !isBlur || (kernel != nil && kernelSize != nil) else {
      throw ValidationError("--operator convolution needs --kernel and --kernel-size")
    }
    guard !isBlur || block == nil else {
      throw ValidationError("a convolution goes over the edges of blocks; leave out --block")
    }
    guard kernelSize.map({ $0 > 0 && $0 <= 10_000 && (kernel != .box || $0 == $0.rounded()) }) ?? true else {
      throw ValidationError("--kernel-size must be above 0, and for a box a whole number")
    }
    guard step.map({ (1...100_000).contains($0) }) ?? true else { throw ValidationError("--step must be 1 or more") }
    guard (kind == .matrix) == (matrix != nil) else {
      throw ValidationError("--operator matrix and --matrix belong together")
    }
    guard (noise == nil) == (noiseLevel == nil) else {
      throw ValidationError("--noise and --noise-level belong together")
    }
    do { _ = try measurementNoise() } catch let error as SensingError { throw ValidationError(error.message) }
  }

  func run() throws {
    try OutputTarget.check(out, replaces: force)
    let read = try ImageFile.read(images, limit: limit ?? .max)
    let noise = try measurementNoise()
    var text: [UInt8] = [], operators = OperatorTable(), descriptions: [[Int]: OperatorDescription] = [:]
    for (name, image) in read {
      do {
        let size = [image.height, image.width]
        let description = try descriptions[size] ?? description(height: image.height, width: image.width)
        descriptions[size] = description
        try MeasuredImage(image, name: name, by: description, noise: noise, sharing: &operators).json.write(to: &text)
      } catch let error as SensingError {
        throw FileError(file: images, "\(name): \(error.message)")
      }
      text.append(10)
    }
    try AtomicFile.write(text, to: out, replaces: force)
    if json { return try Terminal.printJSON(["images": read.count, "file": out] as [String: Any]) }
    Terminal.note("measured \(read.count) image\(read.count == 1 ? "" : "s"): \(out)")
  }

  private func measurementNoise() throws -> MeasurementNoise? {
    guard let noise, let noiseLevel else { return nil }
    return try MeasurementNoise(noise, level: noiseLevel, seed: seed)
  }

  private func description(height: Int, width: Int) throws -> OperatorDescription {
    let amount: OperatorDescription.Amount =
      measurements.map { .count($0) } ?? ratio.map { .ratio($0) } ?? .own
    let blur = kernel.map { kernel in
      let size = kernelSize ?? 1
      return OperatorDescription.Blur(
        kernel == .box ? .box(radius: Int(size)) : .gaussian(deviation: size), border: border ?? .circular,
        step: step ?? 1)
    }
    return try OperatorDescription(
      kind, amount: amount, seed: seed, blocks: block.map { .init(size: $0, isShared: sameBlocks) }, blur: blur,
      matrixPath: matrix.map(RecoveryFile.path), height: height, width: width)
  }
}
