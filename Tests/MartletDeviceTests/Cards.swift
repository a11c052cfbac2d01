import MartletDevice
import MartletTestSupport
import Testing

/// The device under test.
enum Card {
  /// - Throws: what is wrong where there is none.
  static func open(_ checks: Device.Checks = Device.Checks()) throws -> Device {
    let all = try DeviceDescription.all()
    let index = try #require(TestDevice.index, "\(TestDevice.absence)")
    return try Device(try #require(all.first { $0.index == index }), checks: checks)
  }

  /// Whether the device under test has matrix cores.
  static let hasMatrixCores = (try? open())?.description.matrixTile != nil

  /// Checks in tests of shaders: dispatches between barriers run backwards, and canaries lie behind all memory.
  static var strict: Device.Checks {
    var checks = Device.Checks()
    checks.reversesGroups = true
    checks.canaryBytes = 4096
    return checks
  }
}

/// Pseudo-random numbers from -1 to 1, the same in every run.
struct Noise {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
  }
  mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

/// The largest difference, relative to the largest value wanted. Not a number where a value is not.
func difference(_ got: [Float], _ wanted: [Double]) -> Double {
  guard got.count == wanted.count else { return .nan }
  let largest = wanted.reduce(0) { max($0, abs($1)) }
  return zip(got, wanted).reduce(0) { worst, pair in
    let d = abs(Double(pair.0) - pair.1)
    return d <= worst ? worst : d.isNaN ? .infinity : d
  } / max(largest, 1e-30)
}
