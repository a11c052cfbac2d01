import ArgumentParser
import Foundation
import MartletData
import MartletLaboratory
import MartletSensing

struct SenseAdvise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advise",
    abstract: "Says which method to use for so many measurements, so much noise, with or without training images.",
    discussion: """
      The advice comes from a table of measured recoveries: the one that is part of the program (digits of 28x28 and natural images of \
      256x256 pixels), or the output of `martlet sense bench --json` as --table, which knows images like yours. Ratios and noises \
      further away than by a factor of 2 are not covered, which is said.

      Example: martlet sense advise --ratio 0.05 --training train-images-idx3-ubyte.gz
      """)

  @Option(help: "Measurements as a part of the pixels, above 0 and at most 1.") var ratio: Double
  @Option(help: "Deviation of the noise in parts of the measurements' root mean square.") var noise = 0.0
  @Option(help: "File or folder of images of the kind, if there are any; methods may then learn from them.")
  var training: String?
  @Option(help: "Output of `martlet sense bench --json` to look into instead of the table of the program.")
  var table: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard ratio > 0, ratio <= 1 else { throw ValidationError("--ratio must be above 0 and at most 1") }
    guard noise >= 0, noise.isFinite else { throw ValidationError("--noise must be a number of 0 or more") }
  }

  func run() throws {
    let found = try table.map { try RecoveryTable($0) } ?? RecoveryTable.shipped()
    let first = try training.map { try ImageFile.read($0, limit: 1) }?.first?.image
    let pixels = first.map { $0.height * $0.width }
    func looked(_ hasTraining: Bool) -> RecoveryAdvice {
      RecoveryAdvice(.init(ratio: ratio, noise: noise, hasTraining: hasTraining, pixels: pixels), by: found)
    }
    let advice = looked(training != nil), taught = looked(true).choices.map(\.best)
    if json {
      try Terminal.printJSON([
        "ratio": ratio, "noise": noise, "training": training != nil,
        "choices": advice.choices.map { choice in
          [
            "images": choice.best.conditions.images, "best": choice.best.json.foundation,
            "undecided": choice.undecided.map(\.json.foundation), "others": choice.others.map(\.json.foundation),
          ]
        }, "gaps": advice.gaps,
      ])
    } else {
      for choice in advice.choices {
        print(text(choice, taught: taught.first { $0.conditions.images == choice.best.conditions.images }) + "\n")
      }
      for gap in advice.gaps { print(gap) }
    }
    if advice.choices.isEmpty { throw ExitCode.failure }
  }

  private func name(_ entry: RecoveryTable.Entry) -> String { entry.conditions.method }

  private func decibels(_ entry: RecoveryTable.Entry) -> String { String(format: "%.2f dB", entry[.psnr]) }

  /// - Parameters:
  ///   - choice: what is recommended.
  ///   - taught: what would be if there were training images.
  private func text(_ choice: RecoveryAdvice.Choice, taught: RecoveryTable.Entry?) -> String {
    let best = choice.best, conditions = best.conditions, psnr = best.estimates[.psnr]
    var lines = [
      "For images like \(conditions.images), use \(name(best)).",
      String(
        format:
          "It came closest from %d measurements of %d pixels (%.3g)%@: %.2f dB (%.2f to %.2f over %d images), SSIM %.3f, %.3g ms an image.",
        conditions.measurements, conditions.pixels, conditions.ratio,
        conditions.noise > 0 ? String(format: " with noise %g", conditions.noise) : " without noise", best[.psnr],
        psnr?.lower ?? .nan, psnr?.upper ?? .nan, best.images, best[.ssim], best[.seconds] * 1000),
    ]
    lines.append(
      conditions.learnsFromImages
        ? "It learns from images of the kind; measured by: \(conditions.measuredBy)." : "It needs no training images.")
    let others = choice.others.prefix(4).map { "\(name($0)) \(decibels($0))" }.joined(separator: ", ")
    if !others.isEmpty { lines.append("Others: \(others).") }
    let undecided = choice.undecided.map(name).joined(separator: ", ")
    if !undecided.isEmpty { lines.append("The table does not tell it apart from: \(undecided).") }
    if conditions.learnsFromImages, let untaught = choice.others.first(where: { !$0.conditions.learnsFromImages }) {
      lines.append("The best that needs no training: \(name(untaught)), \(decibels(untaught)).")
    }
    if training == nil, let taught, taught[.psnr] > best[.psnr] {
      lines.append("With images of the kind to learn from (--training), \(name(taught)) came to \(decibels(taught)).")
    }
    return lines.joined(separator: "\n")
  }
}
