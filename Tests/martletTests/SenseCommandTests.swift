import Foundation
import MartletTestSupport
import Testing

/// `martlet sense`: from a folder of images to recovered ones, models, tables and advice.
struct SenseCommandTests {
  /// Three grey images of 8x8 pixels, the same at one pixel each but for their brightness, and forty patterns as MNIST lays them out.
  private func images(in scratch: TestData.Scratch) throws -> (folder: String, patterns: String) {
    let folder = scratch.file("photos"), patterns = scratch.file("patterns.idx")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for number in 0..<3 {
      let pixels = (0..<64).map { UInt8(20 * ($0 % 8 / 2) + 30 * number + 10 * ($0 / 32)) }
      try (Data("P5\n8 8\n255\n".utf8) + Data(pixels)).write(to: URL(fileURLWithPath: folder + "/p\(number).pgm"))
    }
    var data = Data([0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 8, 0, 0, 0, 8])
    for number in 0..<40 {
      data += Data(
        (0..<64).map { UInt8(($0 % 8 + number) % 4 == 0 ? 60 : 0) + (($0 / 8 + number / 4) % 4 == 0 ? 100 : 0) })
    }
    try data.write(to: URL(fileURLWithPath: patterns))
    return (folder, patterns)
  }

  private func objects(_ result: MartletCommand.Result) throws -> [[String: Any]] {
    #expect(result.code == 0, "\(result.errors)")
    return try result.text.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func aFolderIsMeasuredAndRecovered() throws {
    let scratch = try TestData.Scratch(), (folder, _) = try images(in: scratch)
    let file = scratch.file("measured.jsonl"), out = scratch.file("recovered")
    let measured = try MartletCommand.run(["sense", "measure", folder, "--measurements", "32", "--out", file])
    #expect(measured.code == 0, "\(measured.errors)")
    let arguments = ["sense", "reconstruct", file, "--out", out, "--originals", folder, "--json"]
    let summary = try #require(objects(MartletCommand.run(arguments)).first)
    // Steps of brightness are what total variation is for: half of the coefficients are plenty.
    #expect(try #require(summary["mean_psnr"] as? Double) > 35)
    #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == ["p0.png", "p1.png", "p2.png"])
    // Nothing is overwritten unasked.
    let again = try MartletCommand.run(arguments)
    #expect(
      again.code == 1 && (again.text + again.errors).contains("it exists already; choose another name, or add --force"))
    #expect(try MartletCommand.run(arguments + ["--force"]).code == 0)
  }

  @Test func whatDoesNotFitIsSaidBeforeAnythingIsDone() throws {
    let scratch = try TestData.Scratch(), (folder, patterns) = try images(in: scratch), run = scratch.file("run")
    func failure(_ arguments: [String]) throws -> String {
      let result = try MartletCommand.run(["sense"] + arguments)
      #expect(result.code == 1, "\(arguments): \(result.errors)")
      return result.text + result.errors
    }
    let train = ["train", patterns, "--measurements", "4", "--pool", "2", "--hidden", "8", "--steps", "4"]
    #expect(try MartletCommand.run(["sense"] + train + ["--method", "dcs", "--latents", "4", "--out", run]).code == 0)
    // A model of 4x4 pixels beside images of 8x8, which the page would show too.
    let page = scratch.file("page.html")
    let bench = try failure([
      "bench", folder, "--methods", "tv", "--ratios", "0.5", "--models", run, "--html", page,
    ])
    #expect(bench.contains("takes images of 4x4 pixels and photos has 8x8"), "\(bench)")
    #expect(!FileManager.default.fileExists(atPath: page))
    // A sheet has one of two forms.
    let sheet = try failure(["test", run, patterns, "--sheet", scratch.file("sheet.jpg")])
    #expect(sheet.contains("choose a name that ends in .png or .pgm"), "\(sheet)")
    // A run has the images that it began with.
    var other = try Data(contentsOf: URL(fileURLWithPath: patterns))
    other[100] ^= 1
    try other.write(to: URL(fileURLWithPath: patterns))
    #expect(try failure(["train", "--resume", run]).contains("the images have changed since the run in"))
    // No measurements are no success, and hidden files no images.
    let empty = scratch.file("empty.jsonl"), measured = scratch.file("measured.jsonl")
    try Data().write(to: URL(fileURLWithPath: empty))
    #expect(try failure(["reconstruct", empty, "--out", scratch.file("none")]).contains("it has no measurements"))
    try Data("no image".utf8).write(to: URL(fileURLWithPath: folder + "/._p0.pgm"))
    let result = try MartletCommand.run(["sense", "measure", folder, "--measurements", "9", "--out", measured])
    #expect(result.code == 0, "\(result.errors)")
    #expect(try String(contentsOfFile: measured, encoding: .utf8).split(separator: "\n").count == 3)
  }

  @Test func aModelRecoversWhatItsOwnMatrixMeasured() throws {
    let scratch = try TestData.Scratch(), (folder, patterns) = try images(in: scratch)
    let run = scratch.file("run"), file = scratch.file("measured.jsonl"), out = scratch.file("recovered")
    let trained = try MartletCommand.run([
      "sense", "train", patterns, "--measurements", "16", "--hidden", "16", "--steps", "20", "--out", run, "--json",
    ])
    #expect(try objects(trained).last?["steps"] as? Int == 20)
    // Photographs are tested on as they lie in their folder.
    let tested = try MartletCommand.run(["sense", "test", run + "/model.safetensors", folder, "--json"])
    #expect(try objects(tested).first?["images"] as? Int == 3)
    let measured = try MartletCommand.run([
      "sense", "measure", folder, "--operator", "matrix", "--matrix", run + "/model.safetensors", "--out", file,
    ])
    #expect(measured.code == 0, "\(measured.errors)")
    let summary = try #require(
      objects(MartletCommand.run(["sense", "reconstruct", file, "--model", run, "--out", out, "--json"])).first)
    #expect(summary["method"] as? String == "regression" && (summary["images"] as? [Any])?.count == 3)
    // Another matrix under the same name is not the one that measured.
    try FileManager.default.moveItem(atPath: run, toPath: scratch.file("moved"))
    let retrained = try MartletCommand.run([
      "sense", "train", patterns, "--measurements", "16", "--hidden", "16", "--steps", "21", "--out", run,
    ])
    #expect(retrained.code == 0, "\(retrained.errors)")
    let stale = try MartletCommand.run(["sense", "reconstruct", file, "--out", scratch.file("stale")])
    #expect(stale.code == 1 && (stale.text + stale.errors).contains("another matrix now than the one that measured"))
    // What another operator measured is no input of a decoder.
    let other = scratch.file("other.jsonl")
    #expect(try MartletCommand.run(["sense", "measure", folder, "--measurements", "16", "--out", other]).code == 0)
    let wrong = try MartletCommand.run([
      "sense", "reconstruct", other, "--model", run, "--out", scratch.file("wrong"),
    ])
    #expect(
      wrong.code == 1 && wrong.errors.contains("line 1: The measurements were not taken by the model's own matrix"))
  }

  @Test func aTableOfTheBenchAdvises() throws {
    let scratch = try TestData.Scratch(), (_, patterns) = try images(in: scratch)
    let table = scratch.file("table.jsonl"), page = scratch.file("bench.html"), rows = scratch.file("rows.jsonl")
    let bench = try MartletCommand.run([
      "sense", "bench", patterns, "--measurements", "16", "--methods", "tv,pca", "--training", patterns, "--limit", "5",
      "--seeds", "2", "--html", page, "--rows", rows, "--json",
    ])
    #expect(try objects(bench).compactMap { $0["method"] as? String } == ["tv", "pca"])
    #expect(try String(contentsOfFile: rows, encoding: .utf8).split(separator: "\n").count == 2 * 5 * 2)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("</html>"))
    try Data(bench.output).write(to: URL(fileURLWithPath: table))
    func advice(_ more: [String]) throws -> String? {
      let result = try objects(
        MartletCommand.run(["sense", "advise", "--ratio", "0.25", "--table", table, "--json"] + more)
      ).first
      let choice = (result?["choices"] as? [[String: Any]])?.first
      return (choice?["best"] as? [String: Any])?["method"] as? String
    }
    // The patterns lie in few dimensions, which only training images tell.
    #expect(try advice(["--training", patterns]) == "pca")
    #expect(try advice([]) == "tv")
  }

  @Test func filesThatJudgeAreCheckedBeforeTheTraining() throws {
    let scratch = try TestData.Scratch(), (_, patterns) = try images(in: scratch)
    let labels = scratch.file("labels.idx"), few = scratch.file("few.idx")
    try Data([0, 0, 8, 1, 0, 0, 0, 40] + [UInt8](repeating: 1, count: 40)).write(to: URL(fileURLWithPath: labels))
    try Data([0, 0, 8, 1, 0, 0, 0, 2, 0, 1]).write(to: URL(fileURLWithPath: few))
    let out = scratch.file("gan")
    for (given, problem) in [
      (["--labels", few, "--test", patterns], "\(few) has 2 labels for 40 images"),
      (["--labels", labels, "--test", patterns, "--test-labels", few], "\(few) has 2 labels for 40 images"),
    ] {
      let result = try MartletCommand.run(
        ["sense", "gan", patterns, "--steps", "1000000", "--out", out] + given)
      #expect(result.code == 1 && result.errors.contains(problem), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: out))
    }
  }

  /// What cannot be trained is refused before a folder is begun, which would refuse the next attempt.
  @Test func aRunThatCannotBeginLeavesNoFolder() throws {
    let scratch = try TestData.Scratch(), (folder, patterns) = try images(in: scratch), out = scratch.file("run")
    let one = scratch.file("one.pgm"), small = scratch.file("wide.pgm")
    try (Data("P5\n8 8\n255\n".utf8) + Data(count: 64)).write(to: URL(fileURLWithPath: one))
    try (Data("P5\n8 4\n255\n".utf8) + Data(count: 32)).write(to: URL(fileURLWithPath: small))
    for (arguments, problem) in [
      (["train", one], "0 images to learn from and 1 to test on: give more images"),
      (["train", patterns, "--test", small], "images of 4 x 8 pixels where the model takes 8 x 8"),
      (["train", patterns, "--pool", "4000000000"], "take a divisor of both"),
      (["gan", small], "give square images"),
    ] {
      let result = try MartletCommand.run(
        ["sense"] + arguments + ["--steps", "1", "--out", out]
          + (arguments[0] == "train" ? ["--measurements", "4", "--hidden", "4"] : []))
      #expect(result.code == 1 && result.errors.contains(problem), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: out))
    }
    // A model may be named by its folder wherever one is asked for.
    let trained = try MartletCommand.run(
      ["sense", "train", patterns, "--measurements", "4", "--hidden", "4", "--steps", "1", "--out", out])
    #expect(trained.code == 0, "\(trained.errors)")
    #expect(try MartletCommand.run(["sense", "test", out, folder]).code == 0)
    let measured = [
      "sense", "measure", folder, "--operator", "matrix", "--matrix", out, "--out", scratch.file("m.jsonl"),
    ]
    #expect(try MartletCommand.run(measured).code == 0)
  }

  @Test func listsThatNameNothingAreRefused() throws {
    let scratch = try TestData.Scratch(), (folder, _) = try images(in: scratch)
    for arguments in [["--measurements", "4", "--methods", ","], ["--methods", "none", "--models", ""]] {
      let result = try MartletCommand.run(["sense", "bench", folder] + arguments)
      #expect(result.code == 64 && result.errors.contains("names nothing"), "\(result.errors)")
    }
  }
}
