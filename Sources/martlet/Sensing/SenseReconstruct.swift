import ArgumentParser
import Foundation
import MartletData
import MartletSensing

struct SenseReconstruct: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Recovers images from the measurements of a file.",
    discussion: """
      The method is total variation, which needs no training. FILE is what `martlet sense measure` writes. Each image is written as PNG to \
      the folder of --out. With --originals, the error of each image is printed; originals are never used to recover.

      Example: martlet sense reconstruct photos.jsonl --out recovered --originals photos
      """)

  @Argument(help: "File of measurements.") var file: String
  @Option(name: .shortAndLong, help: "Folder for the recovered images.") var out: String
  @Option(help: "The most steps.") var iterations = 300
  @Option(help: "Euclidean length of the noise of an image's measurements; 0 fits them exactly.") var noise = 0.0
  @Option(help: "The images that were measured, to print errors.") var originals: String?
  @Flag(help: OutputOptions.forceHelp) var force = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard iterations > 0 else { throw ValidationError("--iterations must be 1 or more") }
    guard noise >= 0, noise.isFinite else { throw ValidationError("--noise must be a number of 0 or more") }
  }

  func run() throws {
    // Everything that can be refused is refused before the first image takes time.
    var names: Set<String> = []
    try OutputTarget.makeFolder(out)
    let read = try JSONLines.read(file).map { line in
      let image = try MeasuredImage(line)
      guard !image.name.isEmpty, !image.name.contains("/") else {
        throw line.failure("the name \"\(image.name)\" cannot be that of a file; change it")
      }
      guard names.insert(image.name).inserted else {
        throw line.failure("the name \"\(image.name)\" stands in the file before; give each image a name of its own")
      }
      let path = (out as NSString).appendingPathComponent(image.name + ".png")
      try OutputTarget.check(path, replaces: force)
      return (line: line, image: image, path: path)
    }
    let known = try originals.map { path in
      try Dictionary(ImageFile.read(path).map { ($0.name, $0.image) }, uniquingKeysWith: { first, _ in first })
    }
    let method = TotalVariation(iterations: iterations, noise: noise)
    var rows: [[String: Any]] = []
    for (line, image, path) in read {
      let start = ContinuousClock.now
      let recovered: Image
      do { recovered = try image.reconstruct(by: method) } catch let error as SensingError {
        throw line.failure(error.message)
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      try ImageFile.write(recovered, to: path, replaces: force)
      var row: [String: Any] = ["name": image.name, "file": path, "seconds": seconds]
      var text = "\(image.name): \(String(format: "%.2f", seconds)) s"
      if let known {
        guard let original = known[image.name], original.channels == recovered.channels,
          original.height == recovered.height, original.width == recovered.width
        else {
          throw line.failure(
            "--originals has no image \"\(image.name)\" of this size; give the images that were measured")
        }
        let error = try ImageError(recovered.values.map(Double.init), original.values.map(Double.init))
        (row["psnr"], row["mse"], row["l2"]) = (error.peakSignalToNoise, error.meanSquaredError, error.euclideanLength)
        text += String(format: ", PSNR %.2f dB, L2 %.3f", error.peakSignalToNoise, error.euclideanLength)
      }
      rows.append(row)
      if !json { print(text) }
    }
    let psnr = rows.compactMap { $0["psnr"] as? Double }
    let mean = psnr.isEmpty ? nil : psnr.reduce(0, +) / Double(psnr.count)
    if json {
      var summary: [String: Any] = ["method": "total variation", "images": rows]
      summary["mean_psnr"] = mean
      try Terminal.printJSON(summary)
    } else if let mean {
      print(String(format: "mean PSNR %.2f dB", mean))
    }
  }
}
