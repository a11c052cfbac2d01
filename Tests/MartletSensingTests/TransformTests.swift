import Foundation
import MartletTensor
import Testing

@testable import MartletSensing

@Suite struct TransformTests {
  static let plane = (0..<16 * 24).map { RandomSource(seed: 9).uniform($0) - 0.3 }

  @Test func transformsKeepLengthsAndComeBack() throws {
    let transforms: [any PlaneTransform] = [
      try CosineTransform(height: 16, width: 24), try FourierTransform(height: 16, width: 24),
      WaveletTransform(.haar, height: 16, width: 24), WaveletTransform(.daubechies4, height: 16, width: 24),
    ]
    for each in transforms {
      let found = each.forward(Self.plane)
      #expect(abs(dot(found, found) - dot(Self.plane, Self.plane)) < 1e-10)
      #expect(distance(each.inverse(found), Self.plane) < 1e-10)
    }
    let hadamard = HadamardTransform(atLeast: 300)
    #expect(hadamard.count == 512)
    #expect(distance(Array(hadamard.inverse(hadamard.forward(Self.plane)).prefix(384)), Self.plane) < 1e-10)
  }

  @Test func theFourierTransformIsThatOfItsDefinition() throws {
    let (height, width) = (6, 5), transform = try FourierTransform(height: height, width: width)
    let plane = Array(Self.plane.prefix(30)), found = transform.forward(plane)
    for u in 0..<height {
      for v in 0..<width {
        var real = 0.0, imaginary = 0.0
        for y in 0..<height {
          for x in 0..<width {
            let angle = -2 * Double.pi * (Double(u * y) / Double(height) + Double(v * x) / Double(width))
            real += plane[y * width + x] * cos(angle)
            imaginary += plane[y * width + x] * sin(angle)
          }
        }
        let place = u * width + v, other = (height - u) % height * width + (width - v) % width
        let scale = ((place == other ? 1 : 2) / 30.0).squareRoot()
        if place <= other { #expect(abs(found[place] - real * scale) < 1e-12) }
        if place < other { #expect(abs(found[other] - imaginary * scale) < 1e-12) }
      }
    }
  }

  /// A cubic has no detail under a filter with four vanishing moments, away from the edges.
  @Test func daubechiesWaveletsDoNotSeeCubics() {
    let size = 64
    let plane = (0..<size * size).map { index in
      let x = Double(index % size) / Double(size)
      return 1 - 2 * x + x * x - 3 * x * x * x
    }
    let found = WaveletTransform(.daubechies4, height: size, width: size).forward(plane)
    for column in size / 2..<size - 4 { #expect(abs(found[column]) < 1e-9) }
  }

  @Test func noiseHasItsLength() throws {
    let exact = (0..<4000).map { 2 + sin(Double($0)) }
    for (kind, level) in [(MeasurementNoise.Kind.gaussian, 0.1), (.poisson, 30), (.poisson, 3), (.quantization, 6)] {
      let noise = try MeasurementNoise(kind, level: level, seed: 3)
      let seen = noise.added(to: exact, name: "a")
      #expect(seen == noise.added(to: exact, name: "a"))
      let ratio = distance(seen, exact) / noise.expectedLength(of: seen)
      #expect(abs(ratio - 1) < 0.07, "\(kind) \(level): \(ratio)")
    }
    let spiked = try MeasurementNoise(.saltAndPepper, level: 0.25).added(to: exact)
    let changed = zip(spiked, exact).count { $0 != $1 }
    #expect((881..<1120).contains(changed))
    #expect(throws: SensingError.self) { try MeasurementNoise(.quantization, level: 2.5) }
    #expect(throws: SensingError.self) { try MeasurementNoise(.gaussian, level: .nan) }
  }
}
