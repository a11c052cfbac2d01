import Foundation
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletSensing

@Suite struct ClassicReconstructionTests {
  static let operators: [any LinearOperator] = {
    do {
      return [
        try MatrixOperator.gaussian(signalCount: 84, measurementCount: 30, seed: 3),
        try MatrixOperator.bernoulli(signalCount: 84, measurementCount: 30, seed: 3),
        try RandomTransformOperator(.cosine, height: 12, width: 7, measurementCount: 30, seed: 3),
        try RandomTransformOperator(.hadamard, height: 12, width: 7, measurementCount: 30, seed: 3),
        try RandomTransformOperator(.fourier, height: 12, width: 7, measurementCount: 30, seed: 3),
        try MaskOperator(signalCount: 84, measurementCount: 30, seed: 3),
        try ConvolutionOperator(.box(radius: 1), border: .zero, step: 2, height: 12, width: 7),
        try ConvolutionOperator(.gaussian(deviation: 0.8), step: 1, height: 12, width: 7),
        try OperatorDescription(
          .hadamard, amount: .ratio(0.25), seed: 4, blocks: .init(size: 4), height: 12, width: 8
        ).linearOperator(height: 12, width: 8),
        try OperatorDescription(
          .gaussian, amount: .count(18), seed: 4, blocks: .init(size: 4, isShared: true), height: 12, width: 8
        ).linearOperator(height: 12, width: 8),
      ]
    } catch { return [] }
  }()

  @Test func theTransposeBelongsToTheOperator() {
    #expect(Self.operators.count == 10)
    for each in Self.operators { #expect(each.adjointError() < 1e-12) }
  }

  @Test func orthonormalRowsAreOrthonormal() {
    let random = RandomSource(seed: 5)
    for each in Self.operators where each.hasOrthonormalRows {
      let y = (0..<each.measurementCount).map { random.uniform($0) }
      #expect(zip(each.forward(each.adjoint(y)), y).allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }

  @Test func theCosineTransformIsThatOfItsDefinition() throws {
    let (height, width) = (6, 5), transform = try CosineTransform(height: height, width: width)
    let plane = (0..<30).map { RandomSource(seed: 9).uniform($0) }
    let got = transform.forward(plane)
    for u in 0..<height {
      for v in 0..<width {
        var sum = 0.0
        for y in 0..<height {
          for x in 0..<width {
            sum +=
              plane[y * width + x] * cos(.pi * Double(u) * (Double(y) + 0.5) / Double(height))
              * cos(.pi * Double(v) * (Double(x) + 0.5) / Double(width))
          }
        }
        sum *= ((u == 0 ? 1 : 2) / Double(height)).squareRoot() * ((v == 0 ? 1 : 2) / Double(width)).squareRoot()
        #expect(abs(sum - got[u * width + v]) < 1e-12)
      }
    }
    #expect(zip(transform.inverse(got), plane).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test(.enabled(if: TestData.shared != nil)) func totalVariationRecoversNaturalImagesFromATenth() throws {
    let images = try ImageFile.read(#require(TestData.shared) + "/images/natural-gray256")
    #expect(images.count == 10)
    var sum = 0.0
    for (name, image) in images {
      let plane = image.plane(0)
      let measured = try RandomTransformOperator(.cosine, height: 256, width: 256, measurementCount: 6554, seed: 1)
      let start = ContinuousClock.now
      let recovered = try TotalVariation().reconstruct(measured.forward(plane), of: measured, height: 256, width: 256)
      let error = try ImageError(recovered.map { min(1, max(0, $0)) }, plane)
      print(name, error.peakSignalToNoise, ContinuousClock.now - start)
      sum += error.peakSignalToNoise
    }
    print("mean", sum / 10)
    #expect(sum / 10 >= 29.9)
  }

  @Test(arguments: ["png", "pgm", "npy", "idx"]) func damagedFilesGiveSentences(kind: String) throws {
    let image = try Image(height: 5, width: 7, values: (0..<35).map { Float($0) / 35 })
    let header = Array("{'descr': '|u1', 'fortran_order': False, 'shape': (5, 7), }\n".utf8)
    let pixels = (0..<35).map { UInt8($0) }
    let whole: [UInt8] =
      switch kind {
      case "png": PNG.bytes(image)
      case "pgm": Array("P5\n7 5\n255\n".utf8) + pixels
      case "npy": [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + pixels
      default: [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 7] + pixels
      }
    let read = try ImageFile.read(whole, of: "file")
    #expect(read.first?.height == 5 && read.first?.width == 7)
    let random = RandomSource(seed: 17).stream(kind)
    for round in 0..<20_000 {
      var bytes = whole
      let source = random.stream(round)
      for change in 0..<1 + source.integer(0, below: 4) {
        let place = source.integer(3 * change + 1, below: bytes.count)
        bytes[place] = UInt8(truncatingIfNeeded: source.bits(3 * change + 2))
      }
      if source.integer(40, below: 3) == 0 { bytes.removeLast(source.integer(41, below: bytes.count)) }
      do { _ = try ImageFile.read(bytes, of: "file") } catch {
        #expect(!"\(error)".isEmpty && "\(error)".hasPrefix("file"))
      }
    }
  }
}
