import Foundation
import MartletData
import MartletSensing

/// A benchmark of recovering images as one self-contained page: images side by side, errors against the number of measurements, the
/// table, and where asked for the phase transition and the latent path of an image.
public struct RecoveryPage: Sendable {
  /// The latent path of one image by one model.
  public struct Path: Sendable {
    /// The name of the method.
    public var method: String
    /// The image, `[height * width]`.
    public var original: [Double]
    /// Its path.
    public var path: LatentPath

    /// - Parameters:
    ///   - method: the name of the method.
    ///   - original: the image, `[height * width]`.
    ///   - path: its path.
    public init(method: String, original: [Double], path: LatentPath) {
      (self.method, self.original, self.path) = (method, original, path)
    }
  }

  /// The benchmark whose images are shown.
  public var benchmark: RecoveryBenchmark
  /// The means.
  public var table: RecoveryTable
  /// The images that are shown.
  public var pictures: [RecoveryBenchmark.Picture]
  /// Latent paths.
  public var paths: [Path]
  /// The map of the phase transition.
  public var phaseTransition: HeatMap?

  /// - Parameters:
  ///   - benchmark: the benchmark whose images are shown.
  ///   - table: the means.
  ///   - pictures: the images that are shown.
  ///   - paths: latent paths.
  ///   - phaseTransition: the map of the phase transition.
  public init(
    _ benchmark: RecoveryBenchmark, table: RecoveryTable, pictures: [RecoveryBenchmark.Picture], paths: [Path] = [],
    phaseTransition: HeatMap? = nil
  ) {
    (self.benchmark, self.table, self.pictures) = (benchmark, table, pictures)
    (self.paths, self.phaseTransition) = (paths, phaseTransition)
  }

  private static let colors = [
    "#1f5fbf", "#d2691e", "#2e8b57", "#8a4fbf", "#b8860b", "#c2185b", "#00838f", "#6d4c41", "#7f7f7f", "#9e9d24",
  ]

  /// The page.
  public var html: String {
    let noises = Array(Set(table.entries.map(\.conditions.noise))).sorted()
    let charts = noises.flatMap { noise in
      [
        chart("PSNR in dB\(Self.words(noise))", .psnr, noise), chart("SSIM\(Self.words(noise))", .ssim, noise),
        chart("L2 with pixels from -1 to 1\(Self.words(noise))", .l2, noise),
      ]
    }
    let parts =
      [
        """
        <p>\(table.entries.first?.images ?? 0) images of \(benchmark.height)x\(benchmark.width) pixels from
        \(escaped(benchmark.name)). Intervals of 95 % are over images; what is noisy has normal noise in parts of the root mean square
        of the measurements.</p>
        """, charts.joined(separator: "\n"), tableHTML, gallery,
      ] + paths.map(pathHTML) + [phaseTransition?.html ?? ""]
    return LineChart.page(
      title: "Recovering \(benchmark.name) from few measurements", parts.filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  private static func words(_ noise: Double) -> String { noise > 0 ? String(format: ", noise %g", noise) : "" }

  private static func name(_ conditions: RecoveryConditions) -> String {
    "\(conditions.method), \(conditions.measuredBy)"
  }

  private func escaped(_ text: String) -> String { LineChart.escaped(text) }

  private func chart(_ title: String, _ metric: RecoveryRow.Metric, _ noise: Double) -> String {
    let entries = table.entries.filter { $0.conditions.noise == noise }
    var names: [String] = []
    for entry in entries where !names.contains(Self.name(entry.conditions)) {
      names.append(Self.name(entry.conditions))
    }
    let lines = names.enumerated().map { place, name in
      let own = entries.filter { Self.name($0.conditions) == name }
        .sorted { $0.conditions.measurements < $1.conditions.measurements }
      return LineChart.Line(
        name, own.map { (Double($0.conditions.measurements), $0[metric]) },
        color: Self.colors[place % Self.colors.count],
        intervals: own.compactMap { entry in
          entry.estimates[metric].map { (Double(entry.conditions.measurements), $0.lower, $0.upper) }
        })
    }
    return LineChart(title, lines, over: "measurements", isLogarithmicX: true).html
  }

  private var tableHTML: String {
    let head = [
      "method", "measured by", "m", "m/n", "noise", "L2", "PSNR, dB", "interval", "seeds", "SSIM", "MSE", "ms an image",
    ]
    let rows = table.entries.map { entry -> [String] in
      let conditions = entry.conditions, psnr = entry.estimates[.psnr]
      func text(_ format: String, _ value: Double?) -> String { value.map { String(format: format, $0) } ?? "" }
      let overSeeds =
        entry.seeds > 1
        ? "\(entry.seeds): \(text("%.2f", psnr?.seedLower)) to \(text("%.2f", psnr?.seedUpper))" : "\(entry.seeds)"
      return [
        conditions.method, conditions.measuredBy, "\(conditions.measurements)", text("%.3f", conditions.ratio),
        text("%g", conditions.noise), text("%.2f", entry[.l2]), text("%.2f", entry[.psnr]),
        "\(text("%.2f", psnr?.lower)) to \(text("%.2f", psnr?.upper))", overSeeds, text("%.3f", entry[.ssim]),
        text("%.5f", entry[.mse]), text("%.3g", entry[.seconds] * 1000),
      ]
    }
    return """
      <h2>Table</h2>
      <div class="table"><table class="numbers">
      <tr>\(head.map { "<th>\(escaped($0))</th>" }.joined())</tr>
      \(rows.map { row in "<tr>\(row.map { "<td>\(escaped($0))</td>" }.joined())</tr>" }.joined(separator: "\n"))
      </table></div>
      """
  }

  // MARK: Images

  private func image(_ plane: [Double], height: Int, width: Int, title: String) -> String {
    guard let image = try? Image(planes: [plane.map { $0.isNaN ? 0 : $0 }], height: height, width: width) else {
      return ""
    }
    let size = min(128, max(56, width))
    let data = Data(ImageFile.png(image)).base64EncodedString()
    return
      "<img width='\(size)' alt='\(escaped(title))' title='\(escaped(title))' style='image-rendering:pixelated' src='data:image/png;base64,\(data)'>"
  }

  /// The measurements as a square of greys, of which the middle one is 0.
  private func measurements(_ values: [Double]) -> String {
    let side = Int(Double(values.count).squareRoot().rounded(.up)), most = values.map(abs).max() ?? 0
    let shades = values.map { most > 0 ? 0.5 + 0.5 * $0 / most : 0.5 }
    let plane = shades + [Double](repeating: 1, count: side * side - shades.count)
    return image(plane, height: side, width: side, title: "\(values.count) measurements")
  }

  /// For each number of measurements the originals, what was measured, and what each method made of it; of the first seed.
  private var gallery: String {
    guard !pictures.isEmpty else { return "" }
    var seen: [RecoveryConditions] = []
    for picture in pictures where !seen.contains(picture.conditions) { seen.append(picture.conditions) }
    let groups = Dictionary(grouping: seen) { [Double($0.measurements), $0.noise] }
      .sorted { ($0.key[0], $0.key[1]) < ($1.key[0], $1.key[1]) }
    let parts = groups.map { key, conditions -> String in
      let shown = conditions.map { one -> (RecoveryConditions, [RecoveryBenchmark.Picture]) in
        let own = pictures.filter { $0.conditions == one }
        return (one, own.filter { $0.seed == own.first?.seed })
      }
      let images = Array(Set(shown.flatMap { $0.1.map(\.image) })).sorted()
      let originals = images.map { index -> String in
        guard benchmark.originals.indices.contains(index) else { return "<td></td>" }
        let original = benchmark.originals[index]
        return
          "<td>\(image(original.plane, height: benchmark.height, width: benchmark.width, title: original.name))</td>"
      }
      var lines = ["<tr><th>original</th>\(originals.joined())</tr>"]
      var measuredBy: Set<String> = []
      for (one, own) in shown {
        func line(_ title: String, _ cell: (RecoveryBenchmark.Picture) -> String) -> String {
          let cells = images.map { index in "<td>\(own.first { $0.image == index }.map(cell) ?? "")</td>" }
          return "<tr><th>\(escaped(title))</th>\(cells.joined())</tr>"
        }
        if measuredBy.insert(one.measuredBy).inserted {
          lines.append(line("measured: \(one.measuredBy)") { measurements($0.measurements) })
        }
        lines.append(
          line(one.method) {
            image($0.recovered, height: benchmark.height, width: benchmark.width, title: one.method)
          })
      }
      return """
        <h3>\(Int(key[0])) measurements\(Self.words(key[1]))</h3>
        <div class="table"><table>\(lines.joined(separator: "\n"))</table></div>
        """
    }
    return "<h2>Originals, measurements and what came back</h2>\n" + parts.joined(separator: "\n")
  }

  private func pathHTML(_ one: Path) -> String {
    let steps = one.path.steps
    let cells = steps.map { step in
      let picture = image(
        step.image, height: benchmark.height, width: benchmark.width, title: "after \(step.number) steps")
      return "<td>\(picture)<br>\(step.number)</td>"
    }
    let original = image(one.original, height: benchmark.height, width: benchmark.width, title: "original")
    let errors = steps.map { (Double($0.number), $0.measurementError) }
    return """
      <h2>\(escaped(one.method)): latent steps of one image</h2>
      <div class="table"><table><tr><td>\(original)<br>original</td>\(cells.joined())</tr></table></div>
      \(LineChart("Measurement error by latent step", [.init(one.method, errors, color: Self.colors[0])], over: "latent steps", isLogarithmicY: true).html)
      """
  }
}
