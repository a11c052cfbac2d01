import MartletTensor

/// How products with few rows are divided into workgroups on a device, as a race has found it. Cards differ, and so do drivers of one card.
public struct ProductTuning: Sendable, Equatable, Codable {
  /// A workgroup: its threads, and the outputs that it makes.
  public struct Workgroup: Sendable, Equatable, Codable {
    /// The number of threads.
    public var threads: Int
    /// The number of outputs.
    public var outputs: Int

    /// - Parameters: the properties of the same names.
    public init(threads: Int, outputs: Int) {
      self.threads = threads
      self.outputs = outputs
    }
  }

  /// The choice for matrices of few outputs and for those of many, by the format's name; what is missing is chosen by the row's length.
  public var few: [String: Workgroup] = [:]
  /// For matrices of more than 4096 outputs.
  public var many: [String: Workgroup] = [:]

  /// Whether products with many rows run on matrix cores. Some drivers report such cores and are slower with them.
  public var usesMatrixCores = false

  /// Matrices of at most so many outputs count as few: they hardly keep a large card busy.
  static let mostFewOutputs = 4096

  /// Nothing was measured.
  public init() {}

  func workgroup(_ matrix: DeviceMatrix) -> Workgroup {
    let known = (matrix.outputs <= Self.mostFewOutputs ? few : many)[matrix.format.rawValue]
    return known ?? Workgroup(threads: Self.threads(matrix.format, inputs: matrix.inputs), outputs: 2)
  }

  /// As many lanes as there are chunks of 16 bytes in a row, between 32 and 256.
  private static func threads(_ format: WeightFormat, inputs: Int) -> Int {
    let chunk =
      switch format {
      case .f32: 4
      case .f16, .bf16: 8
      case .q8_0: 16
      default: 32
      }
    var threads = 32
    while threads < 256, threads * chunk < inputs { threads *= 2 }
    return threads
  }

  /// Whether these are workgroups that every usable device has.
  public var isValid: Bool {
    [few, many].flatMap(\.values).allSatisfy {
      [32, 64, 128, 256].contains($0.threads) && [1, 2, 4].contains($0.outputs)
    }
  }

  /// Races the candidates on a device.
  ///
  /// - Parameters:
  ///   - device: the device.
  ///   - byteCount: the size of the weights; more than caches hold, or the race tells nothing.
  /// - Throws: ``DeviceError`` if the device fails.
  public static func race(on device: Device, byteCount: Int = 128 << 20) throws(DeviceError) -> ProductTuning {
    var tuning = ProductTuning()
    let inputs = 2048
    for format in [WeightFormat.f16, .q8_0, .q4_0] {
      let arena = DeviceArena(device, blockByteCount: 1 << 20)
      let rowBytes = DeviceMatrix.byteCount(format: format, outputs: 1, inputs: inputs)
      // Whole matrices of 2048 outputs, so that the same weights serve both races.
      let outputs = max(1, byteCount / rowBytes / 2048) * 2048
      let matrix = try DeviceMatrix(zeros: format, outputs: outputs, inputs: inputs, arena: arena, device: device)
      let x = Product.Rows(try arena.allocate(inputs * 4), stride: inputs)
      let y = Product.Rows(try arena.allocate(outputs * 4), stride: outputs)
      try device.fill(x.range)
      let slices = (0..<outputs / 2048).map { matrix.rows($0 * 2048, 2048) }
      for (isFew, matrices) in [(true, slices), (false, [matrix])] {
        var best: (seconds: Double, workgroup: Workgroup)?
        for threads in [32, 64, 128, 256] {
          for each in [1, 2, 4] where outputs / each <= device.description.workgroupCount {
            let candidate = Workgroup(threads: threads, outputs: each)
            var list = CommandList()
            for matrix in matrices {
              list.append(
                Product(matrix).command(rows: 1, x: x, y: y, device: device, workgroup: candidate))
            }
            let seconds = try RecordedCommands(list, on: device).bestSeconds()
            if seconds < best?.seconds ?? .infinity { best = (seconds, candidate) }
          }
        }
        // What shares a chunk size shares the choice.
        let names: [String] =
          switch format {
          case .f16: ["f16", "bf16", "f32"]
          case .q4_0: ["q4_0", "q4_1"]
          default: [format.rawValue]
          }
        for name in names {
          if isFew { tuning.few[name] = best?.workgroup } else { tuning.many[name] = best?.workgroup }
        }
      }
    }
    tuning.usesMatrixCores = try matrixCoresWin(on: device, rows: byteCount > 1 << 20 ? 512 : 64)
    return tuning
  }

  /// Races products with many rows with and without matrix cores.
  private static func matrixCoresWin(on device: Device, rows: Int) throws(DeviceError) -> Bool {
    guard DeviceSelfTest.matrixCoresAreRight(on: device) else { return false }
    let arena = DeviceArena(device, blockByteCount: 1 << 20), size = rows * 4
    let matrix = try DeviceMatrix(zeros: .f16, outputs: size, inputs: size, arena: arena, device: device)
    let x = Product.Rows(try arena.allocate(rows * size * 4), stride: size)
    let y = Product.Rows(try arena.allocate(rows * size * 4), stride: size)
    try device.fill(x.range)
    var seconds: [Double] = []
    let before = device.tuning
    defer { device.tuning = before }
    for uses in [false, true] {
      device.tuning.usesMatrixCores = uses
      var list = CommandList()
      list.append(Product(matrix).command(rows: rows, x: x, y: y, device: device))
      seconds.append(try RecordedCommands(list, on: device).bestSeconds())
    }
    return seconds[1] < seconds[0]
  }
}

extension DeviceMatrix {
  /// Weights that are all zero, for measurements.
  fileprivate init(
    zeros format: WeightFormat, outputs: Int, inputs: Int, arena: DeviceArena, device: Device
  ) throws(DeviceError) {
    try self.init(format: format, outputs: outputs, inputs: inputs, arena: arena, device: device) { _, row in
      row.initializeMemory(as: UInt8.self, repeating: 0, count: format.rowByteCount(inputs: inputs))
    }
  }
}
