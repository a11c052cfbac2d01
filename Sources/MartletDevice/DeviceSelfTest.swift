import MartletTensor

/// Whether a device computes what it should. Drivers that return wrong numbers without an error exist; a model on one would write nonsense.
public enum DeviceSelfTest {
  /// Compares products of every format, with few and with many rows, to double precision. Matrix cores that compute wrong results are
  /// not used.
  /// - Throws: ``DeviceError`` that names the first product that is wrong, or what the driver refuses.
  public static func check(_ device: Device) throws(DeviceError) {
    try checkProducts(on: device)
  }

  /// Whether the products of the device's matrix cores are right.
  static func matrixCoresAreRight(on device: Device) -> Bool {
    guard device.matrixTile != nil else { return false }
    let before = device.tuning
    defer { device.tuning = before }
    device.tuning.usesMatrixCores = true
    do throws(DeviceError) { try checkProducts(on: device) } catch { return false }
    return true
  }

  private static func checkProducts(on device: Device) throws(DeviceError) {
    let outputs = 70, inputs = 96
    for format in DeviceMatrix.formats {
      // Two values, which every format holds but for the rounding of a scale, in an order that shows each misplaced weight.
      let weights = (0..<outputs * inputs).map { (index: Int) -> Float in
        let isDrawn = (index &* 2_654_435_761) >> 7 & 1 == 1
        return index % 32 == 0 || isDrawn ? -0.5 : 0
      }
      let arena = DeviceArena(device, blockByteCount: 1 << 20)
      let matrix = try DeviceMatrix(
        format: format, outputs: outputs, inputs: inputs, arena: arena, device: device
      ) { row, target in
        format.encode(inputs: inputs, into: target) { values in
          for column in 0..<inputs { values[column] = weights[row * inputs + column] }
        }
      }
      for rows in [3, 66] {
        let x = (0..<rows * inputs).map { (index: Int) -> Float in Float(index * 5 % 17 - 8) / 8 }
        let input = try arena.allocate(x.count * 4), output = try arena.allocate(rows * outputs * 4)
        try device.upload(x, to: input)
        try device.fill(output, word: 0x7FC0_0000)
        try device.perform([
          Product(matrix).command(
            rows: rows, x: Product.Rows(input, stride: inputs), y: Product.Rows(output, stride: outputs), device: device
          )
        ])
        let results = try device.download(output, as: Float.self)
        for row in 0..<rows {
          for column in 0..<outputs {
            let wanted = (0..<inputs).reduce(0.0) {
              $0 + Double(weights[column * inputs + $1]) * Double(x[row * inputs + $1])
            }
            guard abs(Double(results[row * outputs + column]) - wanted) < 0.005 * max(1, abs(wanted)) else {
              throw DeviceError(
                "\(device.description.name) computes wrong results (a product of \(format.rawValue) weights with \(rows) rows); update its driver, or use --device cpu"
              )
            }
          }
        }
      }
    }
  }

  /// Bytes that the device reads and writes a second while it copies memory.
  /// - Throws: ``DeviceError`` if it has no memory.
  public static func copyBandwidth(_ device: Device) throws(DeviceError) -> Double {
    let byteCount = min(256 << 20, max(1 << 20, device.description.freeMemory / 8))
    let from = try DeviceMemory(device, byteCount: byteCount), to = try DeviceMemory(device, byteCount: byteCount)
    var list = CommandList()
    list.append(Command(copy: from.range, to: to.range))
    return try 2 * Double(byteCount) / RecordedCommands(list, on: device).bestSeconds()
  }
}
