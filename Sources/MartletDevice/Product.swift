import MartletTensor

/// A product of rows with a matrix on a device, and what is done to its results before they are stored.
public struct Product: Sendable {
  /// What becomes of a result t.
  public enum Epilogue: UInt32, Sendable {
    /// y = t
    case store
    /// y += t
    case add
    /// y = t; silu(t) in the last part.
    case siluLast
    /// y = max(t, 0)^2; sigmoid(t) in the last part.
    case squareSigmoid
    /// y += t * gate
    case addGated
    /// Outputs 2j and 2j + 1 are gate and up: y_j = silu(t_2j) t_2j+1.
    case swiglu
  }

  /// The weights: one matrix, or several with the same number of inputs, stacked.
  public var matrix: DeviceMatrix
  /// Added to the results, `[outputs]`; nil for none.
  public var bias: DeviceRange?
  /// The number of stacked matrices.
  public var parts: Int
  /// The outputs of each part; the last has the rest.
  public var partOutputs: Int
  /// What becomes of the results.
  public var epilogue: Epilogue
  /// Whether inputs may be rounded to halves, for matrix cores. Not where they are squares, which halves cannot hold.
  public var allowsHalves: Bool

  /// - Parameters: the properties of the same names; one part by default.
  public init(
    _ matrix: DeviceMatrix, bias: DeviceRange? = nil, parts: Int = 1, partOutputs: Int? = nil,
    epilogue: Epilogue = .store,
    allowsHalves: Bool = true
  ) {
    self.matrix = matrix
    self.bias = bias
    self.parts = parts
    self.partOutputs = partOutputs ?? matrix.outputs
    self.epilogue = epilogue
    self.allowsHalves = allowsHalves
  }

  /// Rows of floats in memory.
  public struct Rows: Sendable {
    /// The memory.
    public var range: DeviceRange
    /// From one row to the next, in floats.
    public var stride: Int

    /// - Parameters: the properties of the same names.
    public init(_ range: DeviceRange, stride: Int) {
      self.range = range
      self.stride = stride
    }
  }

  /// The command for a number of rows.
  ///
  /// - Parameters:
  ///   - rows: the number of rows.
  ///   - x: the input; with `partStride`, each part has rows of its own.
  ///   - partStride: from the rows of one part to those of the next, in floats.
  ///   - y: the output.
  ///   - gate: what ``Epilogue/addGated`` multiplies by.
  ///   - device: the device.
  public func command(
    rows: Int, x: Rows, partStride: Int = 0, y: Rows, gate: Rows? = nil, device: Device
  ) -> Command {
    command(
      rows: rows, x: x, partStride: partStride, y: y, gate: gate, device: device,
      workgroup: device.tuning.workgroup(matrix))
  }

  func command(
    rows: Int, x: Rows, partStride: Int = 0, y: Rows, gate: Rows? = nil, device: Device,
    workgroup: ProductTuning.Workgroup
  ) -> Command {
    let shader: Shader, groups: (x: Int, y: Int, z: Int)
    let outputs = matrix.outputs
    // A tile of 64 outputs reads the rows of one part.
    let isExact = device.isExact
    let tiles = (rows > Self.mostRows || isExact) && (parts == 1 || partStride == 0 || partOutputs % 64 == 0)
    if tiles {
      let suffix = [0, 0, 0, epilogue.rawValue, bias == nil ? 0 : 1]
      groups = ((outputs + 63) / 64, (rows + 63) / 64, 1)
      // Weights in single precision are not rounded unasked.
      if let tile = device.matrixTile?.map(UInt32.init), device.tuning.usesMatrixCores, allowsHalves,
        matrix.format != .f32
      {
        let threads = Self.matrixSubgroups * device.description.subgroupSize
        shader = Shader(
          "product_matrix_\(matrix.format.rawValue)",
          [UInt32(threads), tile[0], tile[1]] + suffix[3...] + [tile[2], UInt32(Self.matrixSubgroups)])
      } else {
        shader = Shader("product_tile_\(matrix.format.rawValue)", suffix)
      }
    } else {
      // Gate and up are two outputs of one workgroup.
      var each = epilogue == .swiglu ? max(2, workgroup.outputs) : workgroup.outputs
      while (outputs + each - 1) / each > device.description.workgroupCount { each *= 2 }
      let together = isExact ? Self.mostRows : min(rows, Self.mostRows)
      shader = Shader(
        "product_rows_\(matrix.format.rawValue)",
        [
          UInt32(workgroup.threads), UInt32(each), UInt32(together),
          epilogue.rawValue, bias == nil ? 0 : 1,
        ])
      groups = ((outputs + each - 1) / each, (rows + together - 1) / together, 1)
    }
    let arguments = Arguments().addresses(
      matrix.weights, matrix.scales, x.range, y.range, gate?.range, bias
    ).numbers(
      matrix.inputs, outputs, rows, partOutputs, parts, partStride, x.stride, y.stride, gate?.stride ?? 0)
    var reads = [Resource.memory(x.range)]
    if epilogue == .add || epilogue == .addGated { reads.append(.memory(y.range)) }
    if let gate { reads.append(.memory(gate.range)) }
    return Command(
      shader, arguments, groups: groups, reads: reads, writes: [.memory(y.range)], cost: rows * outputs * matrix.inputs)
  }

  /// What the epilogue does, as a command of its own: for results `[rows, outputs]` that the host has seen and perhaps changed. The bias is in
  /// them.
  public func epilogueCommand(rows: Int, results: Rows, y: Rows, gate: Rows? = nil) -> Command {
    let columns = epilogue == .swiglu ? matrix.outputs / 2 : matrix.outputs
    let arguments = Arguments().addresses(nil, nil, results.range, y.range, gate?.range, nil).numbers(
      matrix.inputs, matrix.outputs, rows, partOutputs, parts, 0, results.stride, y.stride, gate?.stride ?? 0)
    var reads = [Resource.memory(results.range)]
    if epilogue == .add || epilogue == .addGated { reads.append(.memory(y.range)) }
    if let gate { reads.append(.memory(gate.range)) }
    return Command(
      Shader("epilogue", [0, 0, 0, epilogue.rawValue]), arguments, groups: ((columns + 255) / 256, rows, 1),
      reads: reads,
      writes: [.memory(y.range)])
  }

  /// Subgroups of a workgroup on matrix cores.
  private static let matrixSubgroups = 4

  /// The most rows of which a workgroup reads the weights once without shared memory.
  static let mostRows = 8
}
