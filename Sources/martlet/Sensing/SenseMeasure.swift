import ArgumentParser
import MartletData
import MartletSensing

extension OperatorDescription.Kind: ExpressibleByArgument {}

struct SenseMeasure: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Takes few measurements of images and writes them to a file.",
    discussion: """
      IMAGES is a PNG, JPEG, PGM, PPM, IDX or .npy file (also packed with gzip), or a folder of such images. Each line of the output is a JSON \
      object with the measurements of one image, a list for each channel, and what the operator is made of.

      Example: martlet sense measure photos --ratio 0.1 --out photos.jsonl
      """)

  @Argument(help: "File of images, or a folder.") var images: String
  @Option(help: "Number of measurements of each image and channel.") var measurements: Int?
  @Option(help: "Measurements as a part of the pixels, instead of --measurements: 0.1 is a tenth.") var ratio: Double?
  @Option(
    name: .customLong("operator"), help: "How to measure: cosine (needs no matrix), gaussian, bernoulli, or mask.")
  var kind = OperatorDescription.Kind.cosine
  @Option(help: "Seed of the operator.") var seed: UInt64 = 1
  @Option(help: "The most images.") var limit: Int?
  @Option(name: .shortAndLong, help: "File of measurements to write (JSON Lines).") var out: String
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (measurements == nil) != (ratio == nil) else {
      throw ValidationError("give either --measurements or --ratio")
    }
    guard measurements.map({ $0 > 0 }) ?? true else { throw ValidationError("--measurements must be 1 or more") }
    guard ratio.map({ $0 > 0 && $0 <= 1 }) ?? true else {
      throw ValidationError("--ratio must be above 0 and at most 1")
    }
    guard limit.map({ $0 > 0 }) ?? true else { throw ValidationError("--limit must be 1 or more") }
  }

  func run() throws {
    try OutputTarget.check(out, replaces: force)
    let read = try ImageFile.read(images, limit: limit ?? .max)
    var text: [UInt8] = []
    for (name, image) in read {
      let count = measurements ?? max(1, Int(((ratio ?? 1) * Double(image.height * image.width)).rounded()))
      do {
        try MeasuredImage(image, name: name, by: OperatorDescription(kind, measurementCount: count, seed: seed)).json
          .write(to: &text)
      } catch let error as SensingError {
        throw FileError(file: images, "\(name): \(error.message)")
      }
      text.append(10)
    }
    try AtomicFile.write(text, to: out, replaces: force)
    if json { return try Terminal.printJSON(["images": read.count, "file": out] as [String: Any]) }
    Terminal.note("measured \(read.count) image\(read.count == 1 ? "" : "s"): \(out)")
  }
}
