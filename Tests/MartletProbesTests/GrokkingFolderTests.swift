import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletProbes

struct GrokkingFolderTests {
  /// Settings that grok within a thousand steps.
  private var tuned: GrokkingSettings {
    var settings = GrokkingSettings()
    settings.modulus = 31
    settings.share = 0.6
    settings.learningRate = 3e-3
    settings.weightDecay = 2
    settings.steps = 2000
    return settings
  }

  private func lines(_ folder: String) throws -> [JSONValue] {
    try JSONLines.read(folder + "/metrics.jsonl").map(\.value)
  }

  @Test func memorisesThenGeneralises() throws {
    let scratch = try TestData.Scratch()
    let folder = try GrokkingFolder(scratch.file("run"), settings: tuned)
    #expect(try folder.run(isInterrupted: { false }, report: { _ in }) == .target)
    let memorised = try #require(folder.run.memorisedAt), generalised = try #require(folder.run.generalisedAt)
    #expect(memorised < generalised)
    let lines = try lines(folder.path)
    let last = try #require(lines.last)
    #expect(last["generalised_at"]?.integer == generalised && last["ending"]?.string == "target")
    #expect((last["embedding_spectrum"]?.array?.count, last["unembedding_spectrum"]?.array?.count) == (15, 15))
    #expect(last["key_frequencies"]?.array?.isEmpty == false)
    let measures = lines.filter { $0["restricted_loss"] != nil }
    #expect(measures.count > 2)
    let end = try #require(measures.last)
    #expect(end["step"]?.integer == folder.run.step)
    #expect((end["restricted_accuracy"]?.number ?? 0) > 0.99 && (end["excluded_loss"]?.number ?? 0) > 1)
    #expect((end["unembedding_gini"]?.number ?? 0) > (measures[0]["unembedding_gini"]?.number ?? 1))
    let evaluations = lines.filter { $0["test_accuracy"] != nil }
    #expect(evaluations.count == folder.run.points.count)
    for key in ["training_loss", "test_loss", "training_accuracy", "squared_weights"] {
      #expect(evaluations.allSatisfy { $0[key]?.number != nil }, "\(key)")
    }
    let page = try String(contentsOfFile: folder.path + "/report.html", encoding: .utf8)
    #expect(page.contains("Progress measures") && page.contains("generalised at step") && !page.contains("http"))
  }

  /// However often a run is interrupted, its files end the same; Grokfast's means are part of a checkpoint.
  @Test func aResumedRunEndsTheSame() throws {
    let scratch = try TestData.Scratch()
    var settings = tuned
    settings.modulus = 13
    settings.width = 32
    settings.steps = 150
    settings.interval = 10
    settings.grokfastAmplification = 2
    settings.target = 2
    let whole = try GrokkingFolder(scratch.file("whole"), settings: settings)
    #expect(try whole.run(isInterrupted: { false }, report: { _ in }) == .steps)
    var step = 0
    for stop in [0, 7, 40, 93, 1000] {
      let part = try GrokkingFolder(scratch.file("parts"), settings: settings, resuming: step > 0 || stop > 0)
      #expect(part.run.step == step)
      let ending = try part.run(
        isInterrupted: {
          defer { step += 1 }
          return step == stop
        }, report: { _ in })
      #expect(ending == (stop == 1000 ? .steps : .interrupted))
      step = part.run.step
    }
    for file in ["metrics.jsonl", "checkpoints/step-00000150/parameters.safetensors"] {
      let both = ["whole", "parts"].map { FileManager.default.contents(atPath: scratch.file("\($0)/\(file)")) }
      #expect(both[0] != nil && both[0] == both[1], "\(file)")
    }
    // It can go on for longer, but not as another run.
    settings.steps = 160
    let more = try GrokkingFolder(scratch.file("parts"), settings: settings, resuming: true)
    #expect(try more.run(isInterrupted: { false }, report: { _ in }) == .steps && more.run.step == 160)
    settings.weightDecay = 1
    #expect(throws: ProbeError.self) {
      try GrokkingFolder(scratch.file("parts"), settings: settings, resuming: true)
    }
  }

  @Test func divergenceIsAnEnding() throws {
    let scratch = try TestData.Scratch()
    var settings = tuned
    settings.modulus = 7
    settings.width = 16
    settings.learningRate = 1e30
    settings.interval = 5
    for isResumed in [false, true] {
      let folder = try GrokkingFolder(scratch.file("run"), settings: settings, resuming: isResumed)
      #expect(try folder.run(isInterrupted: { false }, report: { _ in }) == .diverged)
      #expect(try lines(folder.path).last?["ending"]?.string == "diverged")
    }
  }
}
