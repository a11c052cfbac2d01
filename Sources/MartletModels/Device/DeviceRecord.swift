import Foundation
import MartletData
import MartletDevice

/// What is known of a device and its driver from its first use: that its results are right, and which workgroups are fast. It is kept in
/// `MARTLET_HOME/devices`, so that later uses begin at once.
struct DeviceRecord: Codable {
  /// Changes with the shaders, whose results and speed are recorded.
  private let shaders: String
  private let tuning: ProductTuning

  /// Checks a device and races its kernels, or takes what was recorded of it.
  /// - Throws: `DeviceError` if it computes wrong results.
  static func prepare(_ device: Device) throws {
    let path = MartletHome.folder + "/devices/" + device.description.identity + ".json"
    let shaders = Device.shaderDigest
    if let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
      let record = try? JSONDecoder().decode(DeviceRecord.self, from: data), record.shaders == shaders,
      record.tuning.isValid
    {
      device.tuning = record.tuning
      return
    }
    try DeviceSelfTest.check(device)
    // Before the race: should that lose the device, the next use does not begin it again.
    save(ProductTuning(), shaders, to: path)
    // A processor that stands in for a card has nothing to choose, and takes minutes.
    guard device.description.kind != .cpu else { return }
    device.tuning = try ProductTuning.race(on: device)
    save(device.tuning, shaders, to: path)
  }

  /// Where it cannot be kept, the next use measures again.
  private static func save(_ tuning: ProductTuning, _ shaders: String, to path: String) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try? MartletHome.makeFolder(of: path)
    try? AtomicFile.write(Array(encoder.encode(DeviceRecord(shaders: shaders, tuning: tuning))), to: path)
  }
}
