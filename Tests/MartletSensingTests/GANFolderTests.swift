import Foundation
import MartletData
import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct GANFolderTests {
  @Test(arguments: [GANSettings.LatentStep.gradient, .natural])
  func aRunThatIsCutGoesOnBitForBit(_ kind: GANSettings.LatentStep) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/gan-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var settings = GANSettings()
    (settings.side, settings.latents, settings.channels, settings.latentSteps) = (8, 4, 2, 2)
    (settings.steps, settings.batch, settings.latentStep) = (6, 4, kind)
    let images = ImageSet(
      signals: uniform([10, 64], from: -1, to: 1, random: RandomSource(seed: 1)), height: 8, width: 8)
    func train(_ name: String, resuming: Bool = false, stops: Int = .max) throws -> GANFolder {
      let run = try GANFolder(folder + "/" + name, settings: settings, data: "noise", resuming: resuming)
      var left = stops
      let ending = try run.run(
        training: images,
        isInterrupted: {
          left -= 1
          return left < 0
        }, report: { _, _, _ in })
      #expect(ending == (stops < 6 ? .interrupted : .steps))
      return run
    }
    let whole = try train("whole"), cut = try train("cut", stops: 3)
    #expect(cut.run.step == 3)
    let resumed = try train("cut", resuming: true)
    let files = FileManager.default
    #expect(files.contents(atPath: whole.modelPath) == files.contents(atPath: resumed.modelPath))
    let sheet = try ImageFile.read(folder + "/whole/samples/step-00000006.png")
    #expect(sheet.first?.image.height == 91 && sheet.first?.image.width == 91)
    // The page shows samples from the first to the last, those without latent steps beside them.
    let page = String(decoding: try #require(files.contents(atPath: folder + "/whole/report.html")), as: UTF8.self)
    let shown = page.matches(of: /src='(samples\/[^']+)'/).map { String($0.1) }
    #expect(
      shown.count == 12 && Set(shown).count == 12 && shown.contains("samples/step-00000006-without-latent-steps.png"))
    #expect(shown.allSatisfy { files.fileExists(atPath: folder + "/whole/" + $0) })

    let (run, data) = try GANFile.read(whole.modelPath)
    let random = RandomSource(seed: 5)
    #expect(data == "noise")
    #expect(run.generate(6, random: random).values == whole.run.generate(6, random: random).values)
    #expect(throws: FileError.self) { try RecoveryFile.read(whole.modelPath) }
  }

  @Test func settingsThatCannotBeAreRefused() {
    func refuses(_ change: (inout GANSettings) -> Void) {
      var settings = GANSettings()
      change(&settings)
      #expect(throws: SensingError.self) { try GANRun(settings) }
    }
    refuses { $0.side = 30 }
    refuses { $0.latents = 0 }
    refuses { $0.batch = 1 }
    refuses { $0.learningRate = -1 }
    refuses { $0.transportWeight = .infinity }
  }
}
