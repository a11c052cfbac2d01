import Foundation
import MartletData
import MartletLayers
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletSensing

@Suite struct RecoveryFolderTests {
  /// Images of one light row or column with some noise.
  private var images: ImageSet {
    let noise = normal([40, 36], deviation: 0.1, random: RandomSource(seed: 1))
    var values = [Float](repeating: -0.9, count: 40 * 36)
    for image in 0..<40 {
      for place in 0..<6 {
        let line = image % 6
        values[image * 36 + (image % 12 < 6 ? line * 6 + place : place * 6 + line)] = 0.9
      }
    }
    return ImageSet(signals: clamp(Tensor(values, shape: [40, 36]) + noise, from: -1, to: 1), height: 6, width: 6)
  }

  private func settings(_ method: RecoverySettings.Method) -> RecoverySettings {
    var settings = RecoverySettings()
    settings.method = method
    (settings.height, settings.width, settings.measurements) = (6, 6, 5)
    (settings.hidden, settings.latents, settings.steps, settings.batch) = (12, 4, 12, 8)
    settings.measurement = method == .csgm ? .random : .linear
    (settings.phases, settings.channels, settings.searchSteps, settings.restarts) = (2, 2, 20, 2)
    return settings
  }

  @Test(arguments: RecoverySettings.Method.allCases)
  func aRunThatIsCutGoesOnBitForBit(_ method: RecoverySettings.Method) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/recovery-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let settings = settings(method), images = images
    let whole = try RecoveryFolder(folder + "/whole", settings: settings, data: "lines")
    #expect(try whole.run(training: images, heldOut: images, isInterrupted: { false }, report: { _ in }) == .steps)
    var left = 7
    let cut = try RecoveryFolder(folder + "/cut", settings: settings, data: "lines")
    let ending = try cut.run(
      training: images, heldOut: images,
      isInterrupted: {
        left -= 1
        return left < 0
      }, report: { _ in })
    #expect(ending == .interrupted && cut.run.step == 7)
    let resumed = try RecoveryFolder(folder + "/cut", settings: settings, data: "lines", resuming: true)
    #expect(resumed.run.step == 7)
    #expect(try resumed.run(training: images, heldOut: images, isInterrupted: { false }, report: { _ in }) == .steps)
    let files = FileManager.default
    #expect(files.contents(atPath: whole.modelPath) == files.contents(atPath: resumed.modelPath))

    let (model, read, data) = try RecoveryFile.read(whole.modelPath)
    #expect(read == settings && data == "lines")
    let y = model.measure(images.signals)
    let random = RandomSource(seed: 3)
    #expect(
      model.reconstruct(y, random: random).values == whole.run.model.reconstruct(y, random: random).values)

    // A run with other settings is another run.
    var other = settings
    other.learningRate *= 2
    #expect(throws: SensingError.self) {
      try RecoveryFolder(folder + "/cut", settings: other, data: "lines", resuming: true)
    }
  }

  /// A model that is trained with several numbers of measurements recovers from the first ones, and its gradient is that of the shorter model.
  @Test(arguments: RecoverySettings.Method.allCases)
  func severalNumbersOfMeasurements(_ method: RecoverySettings.Method) throws {
    var settings = settings(method)
    settings.fewerMeasurements = [2, 3]
    var run = try RecoveryRun(settings)
    while !run.isFinished { #expect(run.train(on: images.signals).isFinite) }
    let model = run.model, y = model.measure(images.signals), random = RandomSource(seed: 3)
    #expect(y.columns == 5 && model.first(2).measurementCount == 2)
    let short = model.first(3), measured = short.measure(images.signals)
    let scale = (5.0 / 3).squareRoot()
    #expect((measured - y.slice(axis: 1, 0..<3) * scale).values.allSatisfy { abs($0) < 1e-4 })
    #expect(model.reconstruct(y.slice(axis: 1, 0..<3), random: random).shape == images.signals.shape)
    #expect(run.evaluate(images, measurements: 2).l2.isFinite)

    let gradients = short.parameters(where: short.isTrained).map { Tensor.full($0.value.shape, 1) }
    let whole = model.gradients(gradients, ofFirst: 3)
    for (gradient, parameter) in zip(whole, model.parameters(where: model.isTrained)) {
      #expect(gradient.shape == parameter.value.shape)
      if parameter.name == "measurement.matrix" {
        let row = gradient.rows(0..<1).values
        #expect(row[3...] == [0, 0] && row[..<3].allSatisfy { abs(Double($0) - scale) < 1e-6 })
      }
    }
  }

  /// Rounded products give nearly the gradients of single precision.
  @Test(arguments: [RecoverySettings.Method.regression, .dcs])
  func roundedProductsLearnAlike(_ method: RecoverySettings.Method) throws {
    var losses: [Double] = []
    for precision in [MatrixPrecision.f32, .bf16] {
      var settings = settings(method)
      (settings.precision, settings.steps) = (precision, 60)
      var run = try RecoveryRun(settings), loss = 0.0
      while !run.isFinished { loss = run.train(on: images.signals) }
      losses.append(loss)
    }
    #expect(losses[0] != losses[1] && abs(losses[0] - losses[1]) < 0.05 * losses[0])
  }

  /// Every byte of the header and the settings may be wrong: a sentence says so, and nothing traps.
  @Test func damagedModelFilesAreRefused() throws {
    let path = FileManager.default.temporaryDirectory.path + "/recovery-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let settings = settings(.dcs)
    try RecoveryFile.write(try RecoveryModel(settings), settings: settings, data: "lines", to: path)
    let whole = try #require(FileManager.default.contents(atPath: path))
    let draw = RandomSource(seed: 9)
    for round in 0..<400 {
      var damaged = whole
      let place = draw.integer(3 * round, below: min(1800, damaged.count))
      damaged[damaged.startIndex + place] = UInt8(draw.integer(3 * round + 1, below: 256))
      if round % 7 == 0 { damaged = damaged.prefix(place) }
      try damaged.write(to: URL(fileURLWithPath: path))
      do { _ = try RecoveryFile.read(path) } catch { #expect(error is any ExplainedError, "\(error)") }
    }
  }

  @Test func settingsThatCannotBeAreRefused() {
    func refuses(_ change: (inout RecoverySettings) -> Void) {
      var settings = RecoverySettings()
      change(&settings)
      #expect(throws: SensingError.self) { try RecoveryModel(settings) }
    }
    refuses { $0.measurements = 785 }
    refuses { $0.measurements = 0 }
    refuses { $0.height = 0 }
    refuses { $0.learningRate = .nan }
    refuses { $0.latentSteps = -1 }
    refuses { ($0.method, $0.measurement) = (.unrolled, .network) }
    refuses { ($0.method, $0.measurement) = (.csgm, .linear) }
    refuses { $0.fewerMeasurements = [25] }
    refuses { $0.fewerMeasurements = [5, 3] }
    refuses { $0.fewerMeasurements = [0] }
    refuses { ($0.method, $0.precision, $0.isExact) = (.dcs, .bf16, false) }
    refuses { ($0.method, $0.precision, $0.measurement) = (.unrolled, .bf16, .linear) }
  }
}

@Suite struct ImageTests {
  private func idx(_ numbers: [UInt32], _ bytes: [UInt8]) -> Data {
    Data(numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } } + bytes)
  }

  @Test func imagesAndLabelsOfIDXFiles() throws {
    let path = FileManager.default.temporaryDirectory.path + "/idx-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try idx([2051, 2, 2, 2], [0, 255, 51, 0, 255, 255, 255, 255]).write(to: URL(fileURLWithPath: path))
    let images = try IDXFile.images(path)
    #expect(images.count == 2 && images.height == 2 && images.width == 2)
    let set = try ImageSet(images, padding: 1)
    #expect(set.height == 4 && set.signals.rows(0..<1).values[5..<7] == [-1, 1])
    let pooled = try ImageSet(images, pooling: 2).signals.values
    #expect(abs(pooled[0] + 0.4) < 1e-6 && abs(pooled[1] - 1) < 1e-6)
    #expect(throws: SensingError.self) { try ImageSet(images, pooling: 3) }
    #expect(throws: FileError.self) { try IDXFile.labels(path) }
    try idx([2049, 3], [7, 0, 9]).write(to: URL(fileURLWithPath: path))
    #expect(try IDXFile.labels(path) == [7, 0, 9])
    let huge = idx([2051, .max, .max, .max], [1])
    for data in [Data(), Data([0, 0, 8]), idx([2049, 4], [1]), huge] {
      try data.write(to: URL(fileURLWithPath: path))
      #expect(throws: FileError.self) { try IDXFile.images(path) }
      #expect(throws: FileError.self) { try IDXFile.labels(path) }
    }
  }

  /// The image itself has similarity 1; a constant shift has that of the formula's first factor.
  @Test func structuralSimilarity() {
    let flat = Tensor.full([1, 144], 0.5)
    #expect(abs(StructuralSimilarity.between(flat, flat, height: 12, width: 12)[0] - 1) < 1e-5)
    let shifted = Tensor.full([1, 144], 0.7)
    let expected = (2 * 0.35 + 1e-4) / (0.25 + 0.49 + 1e-4)
    #expect(abs(StructuralSimilarity.between(flat, shifted, height: 12, width: 12)[0] - expected) < 1e-4)
    // The same in double precision, also beside single precision.
    for other in [shifted, shifted.cast(to: .float64)] {
      let similarity = StructuralSimilarity.between(flat.cast(to: .float64), other, height: 12, width: 12)[0]
      #expect(abs(similarity - expected) < 1e-4)
    }
  }

  @Test func qualityOfARecovery() {
    let truth = ImageSet(signals: .full([2, 16], -1), height: 4, width: 4)
    // An error of 0.2 in every pixel from -1 to 1 is 0.1 in pixels from 0 to 1.
    let quality = RecoveryQuality(.full([2, 16], -0.8), of: truth, seconds: 4)
    #expect(abs(quality.l2 - 0.8) < 1e-5 && abs(quality.mse - 0.01) < 1e-6 && abs(quality.psnr - 20) < 1e-3)
    #expect(quality.images == 2 && quality.secondsPerImage == 2)
  }
}
