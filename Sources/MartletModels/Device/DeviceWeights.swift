import MartletCheckpoints
import MartletData
import MartletDevice
import MartletTensor

/// The weights of a checkpoint on a device, as the program of a family asks for them.
public final class DeviceWeights {
  /// The device.
  public let device: Device
  private let loader: WeightLoader
  private let arena: DeviceArena
  private(set) var matrixByteCount = 0

  init(_ loader: WeightLoader, device: Device) {
    self.loader = loader
    self.device = device
    arena = DeviceArena(device)
  }

  /// Checks that the weights fit into the device's memory.
  /// - Throws: ``ModelError`` if they do not.
  func checkMemory() throws {
    let needed = loader.linearLayers.reduce(0) { total, tensor in
      let format = DeviceMatrix.format(for: loader.format ?? tensor.type.nativeFormat)
      return total + DeviceMatrix.byteCount(format: format, outputs: tensor.shape[0], inputs: tensor.shape[1])
    }
    let free = device.description.freeMemory
    guard needed < free else {
      throw ModelError(
        "\(loader.checkpoint.path) needs \(SystemMemory.text(needed)) of memory, but \(device.description.name) has only \(SystemMemory.text(free)) left; "
          + "round it to a smaller format with --format q4_0, use a smaller model, or --device cpu")
    }
  }

  /// Numbers in single precision.
  /// - Throws: `DeviceError` if the device has no memory left.
  public func vector(_ values: [Float]) throws -> DeviceRange {
    let range = try arena.allocate(values.count * 4)
    try device.upload(values, to: range)
    return range
  }

  /// Numbers in single precision; nil for none.
  /// - Throws: `DeviceError` if the device has no memory left.
  public func vector(_ tensor: Tensor?) throws -> DeviceRange? { try tensor.map { try vector($0.values) } }

  /// The weights of linear layers with the same number of inputs, stacked.
  ///
  /// - Parameters:
  ///   - names: the names of the weights, as the family uses them.
  ///   - takingTurns: whether the rows of the layers take turns instead of following each other. They must be equally many.
  /// - Throws: ``ModelError`` for a width that shaders cannot read, `FileError` that names a tensor whose values are not finite,
  ///   `DeviceError` if the device has no memory left.
  public func matrix(_ names: [String], takingTurns: Bool = false) throws -> DeviceMatrix {
    let matrix = try loader.upload(names, takingTurns: takingTurns, arena: arena, device: device)
    matrixByteCount += matrix.byteCount
    return matrix
  }

  /// Biases of stacked layers, zeros where a layer has none; nil if none has.
  /// - Throws: `DeviceError` if the device has no memory left.
  public func bias(_ biases: [(bias: Tensor?, outputs: Int)], takingTurns: Bool = false) throws -> DeviceRange? {
    guard biases.contains(where: { $0.bias != nil }) else { return nil }
    let parts = biases.map { $0.bias?.values ?? [Float](repeating: 0, count: $0.outputs) }
    let values = takingTurns ? (0..<parts[0].count).flatMap { row in parts.map { $0[row] } } : parts.flatMap { $0 }
    return try vector(values)
  }

  /// Whether the file is GGUF, which has names of its own.
  var isGGUF: Bool { loader.checkpoint.format == .gguf }

  /// Remarks for the user on how the weights are stored, one sentence each.
  var remarks: [String] {
    guard let format = loader.format, DeviceMatrix.format(for: format) != format else { return loader.remarks }
    return loader.remarks + [
      "graphics cards do not read \(format.rawValue); the weights are held as \(DeviceMatrix.format(for: format).rawValue)"
    ]
  }
}
