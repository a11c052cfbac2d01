import MartletDevice
import Synchronization

/// The logits of a pass, which lie in memory that the next pass writes again.
final class DeviceLogits: Sendable {
  private enum Place {
    case device(DeviceRange?)
    case processor(Result<[Float], DeviceError>)
  }

  private let place: Mutex<Place>
  private let columns: Int
  private let device: Device

  init(_ range: DeviceRange?, columns: Int, device: Device) {
    place = Mutex(.device(range))
    self.columns = columns
    self.device = device
  }

  /// All logits of a row.
  /// - Throws: `DeviceError` if the device has failed.
  func row(_ row: Int) throws(DeviceError) -> [Float] {
    let result: Result<[Float], DeviceError> = place.withLock { place in
      switch place {
      case .device(let range):
        return Self.read(range?.part(row * columns * 4, columns * 4), device)
      case .processor(let all):
        return all.map { Array($0[row * columns..<(row + 1) * columns]) }
      }
    }
    return try result.get()
  }

  /// Reads all rows, before the next pass takes their memory.
  func moveToProcessor() {
    place.withLock { place in
      if case .device(let range) = place { place = .processor(Self.read(range, device)) }
    }
  }

  private static func read(_ range: DeviceRange?, _ device: Device) -> Result<[Float], DeviceError> {
    guard let range else { return .success([]) }
    do throws(DeviceError) { return .success(try device.download(range, as: Float.self)) } catch {
      return .failure(error)
    }
  }
}
