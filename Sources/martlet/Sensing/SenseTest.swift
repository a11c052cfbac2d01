import ArgumentParser
import Foundation
import MartletData
import MartletSensing
import MartletTensor

struct SenseTest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Measures images and recovers them by a model of `martlet sense train`.",
    discussion: """
      The model's own measurement is taken, to which --noise adds normal noise. How close the images come is printed; --sheet \
      writes pairs of originals (above) and recovered images (below).

      Example: martlet sense test digits/model.safetensors t10k-images-idx3-ubyte.gz --count 20 --sheet digits.pgm
      """)

  @Argument(help: "The model.safetensors of a run of `martlet sense train`.") var model: String
  @Argument(help: "IDX file of images.") var images: String
  @Option(help: "Number of images, from the first one (default: all).") var count: Int?
  @Option(name: .shortAndLong, help: "Number of measurements to take, the model's first ones (default: all).")
  var measurements: Int?
  @Option(help: "Deviation of normal noise that is added to each measurement.") var noise = 0.0
  @Option(help: "Average squares of this many pixels a side, as in training.") var pool = 1
  @Option(help: "Add background of this many pixels on every side, as in training.") var pad = 0
  @Option(help: "Random seed of noise and of starts.") var seed: UInt64 = 1
  @Option(help: "PGM file to write originals and recovered images to.") var sheet: String?
  @Flag(help: "Replace the file of --sheet.") var force = false
  @Option(name: .shortAndLong, help: "Number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    if let measurements, measurements < 1 { throw ValidationError("--measurements must be at least 1") }
    if !(noise >= 0 && noise.isFinite) { throw ValidationError("--noise must be 0 or more") }
    if let threads, !(1...64).contains(threads) { throw ValidationError("--threads must be from 1 to 64") }
    if force, sheet == nil { throw ValidationError("--force belongs to --sheet") }
  }

  func run() throws {
    if let threads { Parallel.width = threads }
    if let sheet { try OutputTarget.check(sheet, replaces: force) }
    let (model, settings, data) = try RecoveryFile.read(model)
    let all = try ImageSet(IDXFile.images(images), pooling: pool, padding: pad)
    guard all.height == settings.height, all.width == settings.width else {
      throw SensingError(
        "The images have \(all.height) x \(all.width) pixels and the model takes \(settings.height) x \(settings.width): "
          + "give --pool and --pad as in training (\(data)).")
    }
    guard measurements ?? 0 <= settings.measurements else {
      throw SensingError(
        "The model takes \(settings.measurements) measurements and cannot take \(measurements ?? 0): give --measurements that many or fewer."
      )
    }
    if let measurements, !settings.measurementCounts.contains(measurements) {
      Terminal.note(
        "Warning: the model was trained with \(settings.measurementCounts.map(String.init).joined(separator: ", ")) measurements, not \(measurements)."
      )
    }
    let taken = measurements ?? settings.measurements
    let truth = all[0..<(count ?? all.count)]
    let (recovered, quality) = model.recover(
      truth, measurements: measurements, noise: noise, random: RandomSource(seed: seed))
    if let sheet { try ImageSheet.write(pairs(truth, recovered), columns: 10, to: sheet, replaces: force) }
    if json {
      var object: [String: Any] = [
        "images": quality.images, "measurements": taken, "method": settings.method.rawValue,
        "noise": noise, "l2": quality.l2, "mse": quality.mse, "psnr": quality.psnr, "ssim": quality.ssim,
        "seconds_per_image": quality.secondsPerImage,
      ]
      object["sheet"] = sheet
      try Terminal.printJSON(object)
    } else {
      print(
        String(
          format: "%d images from %d numbers each (%@): L2 %.3f, PSNR %.2f dB, SSIM %.3f, %.3g ms an image",
          quality.images, taken, settings.method.rawValue, quality.l2, quality.psnr, quality.ssim,
          quality.secondsPerImage * 1000))
      if let sheet { print(sheet) }
    }
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
