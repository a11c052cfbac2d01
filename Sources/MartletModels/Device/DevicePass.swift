import MartletDevice

/// The commands of one pass over the rows of a batch, as they are recorded, with the memory that they use.
public struct DevicePass {
  /// What the commands of a pass depend on. Passes of one shape run the same commands on other data.
  struct Shape: Hashable, Sendable {
    /// The numbers of rows, of sequences, and of rows whose results are wanted.
    var rows, sequences, outputs: Int
    /// The addresses of each sequence: 1 for a recurrent state, else the longest table of pages.
    var tableStride: Int
    /// Floats of a row's data and of a row.
    var rowDataCount, width: Int

    /// Where the parts of the step's data begin, in bytes: addresses, four lists of indices, the scales of logits, row data, rows.
    var firstRows: Int { sequences * tableStride * 8 }
    var sequenceOfRow: Int { firstRows + (sequences + 1) * 4 }
    var positions: Int { sequenceOfRow + rows * 4 }
    var outputRows: Int { positions + rows * 4 }
    var scales: Int { outputRows + outputs * 4 }
    var rowData: Int { Self.aligned(scales + outputs * 4) }
    var x: Int { Self.aligned(rowData + rows * rowDataCount * 4) }
    var byteCount: Int { x + rows * width * 4 }

    private static func aligned(_ offset: Int) -> Int { (offset + 255) / 256 * 256 }
  }

  /// A place where the host acts between two parts of the commands: on the results of a layer, before they are used.
  struct Cut {
    /// The layer.
    let name: String
    /// The layer's input and its raw results: rows, floats from row to row, and the number of columns that are the layer's.
    let input, results: Product.Rows
    let inputs, outputs: Int
    /// From column to column of the results, as gate and up may take turns.
    let step: Int
  }

  /// The device.
  public let device: Device
  let shape: Shape
  private let step: DeviceRange
  private let memory: DevicePassMemory
  /// Layers on whose results the host acts.
  private let wrapped: Set<String>
  private(set) var lists = [CommandList()]
  private(set) var cuts: [Cut] = []

  init(device: Device, shape: Shape, step: DeviceRange, memory: DevicePassMemory, wrapped: Set<String>) {
    self.device = device
    self.shape = shape
    self.step = step
    self.memory = memory
    self.wrapped = wrapped
  }

  /// The number of rows.
  public var rows: Int { shape.rows }
  /// The number of sequences.
  public var sequences: Int { shape.sequences }
  /// The number of rows whose results are wanted.
  public var outputs: Int { shape.outputs }
  /// The number of addresses that ``states`` has for each sequence.
  public var tableStride: Int { shape.tableStride }
  /// The addresses of the sequences' states, or of their pages.
  public var states: DeviceRange { step.part(0, shape.firstRows) }
  /// Where the rows of each sequence begin, and where the last ends.
  public var firstRows: DeviceRange { step.part(shape.firstRows, (sequences + 1) * 4) }
  /// The sequence that each row belongs to.
  public var sequenceOfRow: DeviceRange { step.part(shape.sequenceOfRow, rows * 4) }
  /// Where each row stands in its sequence.
  public var positions: DeviceRange { step.part(shape.positions, rows * 4) }
  /// The rows whose results are wanted.
  public var outputRows: DeviceRange { step.part(shape.outputRows, outputs * 4) }
  /// The reciprocal temperatures of the rows whose results are wanted.
  var scales: DeviceRange { step.part(shape.scales, outputs * 4) }
  /// What the program has said of the rows, plane by plane.
  public func rowData(from start: Int, count: Int) -> DeviceRange {
    step.part(shape.rowData + rows * start * 4, rows * count * 4)
  }
  /// The residual stream, `[rows, width]`.
  public var x: Product.Rows { Product.Rows(step.part(shape.x, rows * shape.width * 4), stride: shape.width) }
  /// The normalised output of the last layer, `[outputs, width]`.
  public var hidden: Product.Rows {
    Product.Rows(memory.hidden.part(0, outputs * shape.width * 4), stride: shape.width)
  }

  /// Memory for something between the layers, `[rows, columns]`, the same each time the name is asked for.
  /// - Throws: `DeviceError` if there is none.
  public func scratch(_ name: String, columns: Int) throws(DeviceError) -> Product.Rows {
    Product.Rows(try memory.scratch(name, rows: rows, rowByteCount: columns * 4), stride: columns)
  }

  /// What a command reads that asks for the rows' sequences, positions or states.
  public var stepData: Resource { .memory(step.part(0, shape.x)) }

  /// Threads of a workgroup that norms a row.
  var normThreads: Int { shape.width > 1024 ? 256 : shape.width > 256 ? 128 : 64 }

  /// The RMS norm of all rows.
  func rmsNorm(_ x: Product.Rows, weight: DeviceRange, to y: Product.Rows, epsilon: Double) -> Command {
    norm(x, rows: rows, source: nil, weight: weight, bias: nil, to: y, epsilon: epsilon)
  }

  /// Appends the norm of the rows whose results are wanted: a layer norm with a bias, else an RMS norm.
  public mutating func appendOutputNorm(weight: DeviceRange, bias: DeviceRange?, epsilon: Double) {
    append(norm(x, rows: outputs, source: outputRows, weight: weight, bias: bias, to: hidden, epsilon: epsilon))
  }

  private func norm(
    _ x: Product.Rows, rows: Int, source: DeviceRange?, weight: DeviceRange, bias: DeviceRange?, to y: Product.Rows,
    epsilon: Double
  ) -> Command {
    Command(
      Shader("norm", [UInt32(normThreads), bias == nil ? 1 : 0, source == nil ? 0 : 1]),
      Arguments().addresses(x.range, y.range, weight, bias, source).numbers(shape.width).float(epsilon),
      groups: (rows, 1, 1), reads: [.memory(x.range), stepData], writes: [.memory(y.range)],
      cost: rows * shape.width * 4)
  }

  /// Appends a command.
  public mutating func append(_ command: Command) { lists[lists.count - 1].append(command) }

  /// Appends a product of linear layers with rows of their own.
  ///
  /// - Parameters:
  ///   - product: the product.
  ///   - layers: the names of its stacked layers, one a part; for `Product.Epilogue.swiglu` gate and up.
  ///   - x: the input; with `partStride`, each part has rows of its own.
  ///   - partStride: from the rows of one part to those of the next, in floats.
  ///   - y: the output.
  ///   - gate: what `Product.Epilogue.addGated` multiplies by.
  /// - Throws: `DeviceError` if there is no memory.
  public mutating func append(
    _ product: Product, layers: [String], x: Product.Rows, partStride: Int = 0, y: Product.Rows,
    gate: Product.Rows? = nil
  ) throws(DeviceError) {
    let outputs = product.matrix.outputs, last = outputs - (layers.count - 1) * product.partOutputs
    let widths =
      product.epilogue == .swiglu
      ? [outputs / 2, outputs / 2]
      : [Int](repeating: product.partOutputs, count: layers.count - 1) + [last]
    try append(product, layers: layers, widths: widths, x: x, partStride: partStride, y: y, gate: gate)
  }

  /// Appends a product of linear layers with these numbers of outputs.
  /// - Throws: `DeviceError` if there is no memory.
  mutating func append(
    _ product: Product, layers: [String], widths: [Int], x: Product.Rows, partStride: Int = 0, y: Product.Rows,
    gate: Product.Rows? = nil
  ) throws(DeviceError) {
    guard layers.contains(where: wrapped.contains) else {
      append(product.command(rows: rows, x: x, partStride: partStride, y: y, gate: gate, device: device))
      return
    }
    let outputs = product.matrix.outputs, takesTurns = product.epilogue == .swiglu
    let results = try scratch("results", columns: outputs)
    var raw = product
    raw.epilogue = .store
    append(raw.command(rows: rows, x: x, partStride: partStride, y: results, device: device))
    for (part, name) in layers.enumerated() where wrapped.contains(name) {
      let first = takesTurns ? part : widths[..<part].reduce(0, +)
      cuts.append(
        Cut(
          name: name,
          input: Product.Rows(
            x.range.part(part * partStride * 4, x.range.byteCount - part * partStride * 4), stride: x.stride),
          results: Product.Rows(
            results.range.part(first * 4, results.range.byteCount - first * 4), stride: results.stride),
          inputs: product.matrix.inputs, outputs: widths[part], step: takesTurns ? 2 : 1))
      lists.append(CommandList())
    }
    append(product.epilogueCommand(rows: rows, results: results, y: y, gate: gate))
  }
}

/// The memory of passes, which grows with the largest of them.
final class DevicePassMemory {
  private let device: Device
  private let arena: DeviceArena
  private var named: [String: DeviceRange] = [:]
  /// The step's data.
  let step: DeviceRange
  /// The normalised output of the last layer.
  let hidden: DeviceRange
  /// What the host writes before a pass.
  let upload: DeviceMemory
  private var downloads: DeviceMemory?

  init(_ device: Device, stepByteCount: Int, hiddenByteCount: Int) throws(DeviceError) {
    self.device = device
    arena = DeviceArena(device, blockByteCount: 1 << 20)
    step = try arena.allocate(stepByteCount)
    hidden = try arena.allocate(hiddenByteCount)
    upload = try DeviceMemory(device, byteCount: stepByteCount, place: .upload)
  }

  func scratch(_ name: String, rows: Int, rowByteCount: Int) throws(DeviceError) -> DeviceRange {
    let byteCount = rows * rowByteCount
    if let known = named[name], known.byteCount >= byteCount { return known.part(0, byteCount) }
    // What smaller passes use under this name stays with them, so it grows by doubling.
    let range = try arena.allocate(Self.rounded(rows) * rowByteCount)
    named[name] = range
    return range.part(0, byteCount)
  }

  /// The next power of two.
  static func rounded(_ count: Int) -> Int { count < 2 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount) }

  /// What the host reads after a pass, at least so many bytes.
  func download(_ byteCount: Int) throws(DeviceError) -> DeviceMemory {
    if let downloads, downloads.byteCount >= byteCount { return downloads }
    let grown = try DeviceMemory(device, byteCount: byteCount, place: .download)
    downloads = grown
    return grown
  }

  /// For tests.
  func poison() throws(DeviceError) { try arena.poison() }
  func isIntact() throws(DeviceError) -> Bool { try arena.isIntact() }
}
