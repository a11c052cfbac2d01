import Foundation
import MartletData
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletSensing

/// Images to learn from: files of all formats give the same signals.
@Suite struct ImageSetTests {
  private func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

  @Test(arguments: [1, 2]) func aFolderHoldsWhatAnIDXFileHolds(pooling: Int) throws {
    let scratch = try TestData.Scratch(), folder = scratch.file("images"), idx = scratch.file("images.idx")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let pixels: [UInt8] = (0..<72).map { (place: Int) -> UInt8 in UInt8((place * 37 + 11) % 256) }
    let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 6]
    try write(header + pixels, to: idx)
    for image in 0..<3 {
      try write(Array("P5\n6 4\n255\n".utf8) + pixels[image * 24..<image * 24 + 24], to: folder + "/\(image).pgm")
    }
    let packed = try ImageSet(contentsOf: idx, pooling: pooling, padding: 1)
    let single = try ImageSet(contentsOf: folder, pooling: pooling, padding: 1)
    #expect(single.signals.shape == packed.signals.shape && single.height == 4 / pooling + 2)
    let worst = zip(single.signals.values, packed.signals.values).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-6)
    // The definition: the mean of the first square, from -1 to 1, behind a border of one pixel.
    var sum = 0.0
    for row in 0..<pooling { for column in 0..<pooling { sum += Double(pixels[row * 6 + column]) } }
    let mean = sum / Double(pooling * pooling) / 255 * 2 - 1
    #expect(abs(Double(packed.signals.values[6 / pooling + 2 + 1]) - mean) < 1e-6)
  }

  @Test func imagesOfSeveralSizesAreNamed() throws {
    let scratch = try TestData.Scratch(), folder = scratch.file("images")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(Array("P5\n2 1\n255\n".utf8) + [1, 2], to: folder + "/a.pgm")
    try write(Array("P5\n1 2\n255\n".utf8) + [1, 2], to: folder + "/b.pgm")
    let error = try #require(throws: FileError.self) { try ImageSet(contentsOf: folder) }
    #expect("\(error)".contains("b has 2 x 1 pixels and a 1 x 2; give images of one size"), "\(error)")
  }
}
