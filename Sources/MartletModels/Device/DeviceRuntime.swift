import MartletDevice
import MartletLayers
import MartletTensor
import Synchronization

/// A model's weights and memory on a device, and the passes over them. Passes run one after the other.
final class DeviceRuntime: @unchecked Sendable {
  // Unchecked: what passes use belongs to whoever holds `lock`.

  let device: Device
  let program: any DeviceProgram
  let pool: DevicePool
  /// What is allocated before the first pass.
  let weightByteCount: Int
  /// What an empty sequence's state holds, as a saved state has it.
  let initialBytes: [UInt8]
  /// Restores a saved state for the processor, where the device is lost; nil where that fails.
  let stateOnProcessor: @Sendable ([UInt8]) -> (any SequenceState)?
  private let lock = Mutex<Void>(())
  private let failure = Mutex<ModelFailure?>(nil)
  // Guarded by `lock`.
  private var memory: DevicePassMemory?
  private var capacity = (step: 0, hidden: 0)
  private var recorded: [RecordedKey: Recorded] = [:]
  /// The logits of the last pass, as long as somebody may read them.
  private weak var unread: DeviceLogits?

  /// What the host reads after a pass.
  private enum Results {
    case hidden, logits, likeliest
  }

  private struct RecordedKey: Hashable {
    let shape: DevicePass.Shape
    let results: Results
    let isExact: Bool
  }

  private struct Recorded {
    let parts: [RecordedCommands]
    let cuts: [DevicePass.Cut]
    let download: DeviceMemory
    /// All logits; nil where none were computed.
    let logits: DeviceRange?
  }

  /// Passes of at most so many rows are recorded once and run again.
  private static let mostRecordedRows = 64
  private static let mostRecorded = 128

  init(
    device: Device, program: any DeviceProgram, initialBytes: [UInt8],
    stateOnProcessor: @escaping @Sendable ([UInt8]) -> (any SequenceState)?
  ) {
    self.stateOnProcessor = stateOnProcessor
    self.device = device
    self.program = program
    self.initialBytes = initialBytes
    weightByteCount = device.allocatedByteCount
    pool = DevicePool(device, pieceByteCount: program.stateKind.pieceByteCount)
  }

  /// Keeps the first failure for whoever asks for it.
  /// - Parameter leavesStates: whether nothing was run yet.
  func note(_ error: DeviceError, leavesStates: Bool = false) {
    failure.withLock { $0 = $0 ?? ModelFailure(error.message, leavesStates: leavesStates && !error.isLost) }
  }

  /// The first failure since the last call.
  func takeFailure() -> ModelFailure? {
    failure.withLock { failure in
      defer { failure = nil }
      return failure
    }
  }

  /// Runs a batch whose states are all of this device.
  ///
  /// - Returns: the logits of the rows that are wanted, or their hidden states.
  /// - Throws: `DeviceError`, which it has noted as a failure.
  func run(
    _ batch: Batch, states: [DeviceState], wantsLogits: Bool, wrappers: [String: any LinearWrapper]
  ) throws(DeviceError) -> Tensor {
    let count = batch.outputRows?.count ?? batch.tokens.count
    let columns = wantsLogits ? program.head.matrix.outputs : program.width
    return try run(batch, states, wantsLogits ? .logits : .hidden, temperatures: [], wrappers) { pass in
      pass.download.tensor(shape: [count, columns])
    }
  }

  /// Runs a batch whose states are all of this device, for the likeliest tokens of the rows that are wanted.
  /// - Returns: them, and what reads whole rows.
  /// - Throws: `DeviceError`, which it has noted as a failure.
  func likeliest(
    _ batch: Batch, states: [DeviceState], temperatures: [Float], wrappers: [String: any LinearWrapper]
  ) throws(DeviceError) -> (rows: [LikeliestLogits.Row], logits: DeviceLogits) {
    try run(batch, states, .likeliest, temperatures: temperatures, wrappers) { pass in
      let logits = DeviceLogits(pass.logits, columns: program.head.matrix.outputs, device: device)
      unread = logits
      return (LikeliestCommand(device).rows(in: pass.download, temperatures: temperatures), logits)
    }
  }

  private func run<Result>(
    _ batch: Batch, _ states: [DeviceState], _ results: Results, temperatures: [Float],
    _ wrappers: [String: any LinearWrapper], read: (Recorded) -> Result
  ) throws(DeviceError) -> Result {
    let result: Swift.Result<Result, DeviceError> = lock.withLock { _ in
      var hasBegun = false
      for isLast in [false, true] {
        do throws(DeviceError) {
          return .success(
            read(try locked(batch, states, results, temperatures: temperatures, wrappers, hasBegun: &hasBegun)))
        } catch {
          // Without room the pass is tried again when what nobody uses has been given back.
          if isLast || hasBegun || error.isLost {
            note(error, leavesStates: !hasBegun)
            return .failure(error)
          }
          pool.trim()
        }
      }
      preconditionFailure("the second attempt has returned")  // safe: above
    }
    return try result.get()
  }

  private func locked(
    _ batch: Batch, _ states: [DeviceState], _ results: Results, temperatures: [Float],
    _ wrappers: [String: any LinearWrapper], hasBegun: inout Bool
  ) throws(DeviceError) -> Recorded {
    // Another user of the model may still be sampling.
    unread?.moveToProcessor()
    let asked = batch.outputRows ?? Array(0..<batch.tokens.count)
    // A pass has one row of results at least.
    let outputRows = asked.isEmpty ? [0] : asked
    var stride = 1
    // Few lengths of tables, so that passes of many lengths have few shapes.
    while stride < zip(batch.spans, states).map({ $1.addressCount(for: $0.count) }).max() ?? 1 { stride *= 2 }
    let shape = DevicePass.Shape(
      rows: batch.tokens.count, sequences: states.count, outputs: outputRows.count, tableStride: stride,
      rowDataCount: program.rowDataCount, width: program.width)
    // Shaders count workgroups along an axis, and elements of an array, in 32 bits or fewer.
    guard shape.rows <= device.description.workgroupCount, outputRows.count * program.head.matrix.outputs < 1 << 32
    else {
      throw DeviceError(
        "a pass of \(shape.rows) rows, of which \(outputRows.count) return logits, is too large for \(device.description.name); give it fewer rows at a time"
      )
    }
    // The pass's own memory before that of states, which would leave no room for it.
    let memory = try memory(for: shape)
    let pass = try commands(shape, results, memory: memory, wrapped: Set(wrappers.keys))
    var addresses: [[UInt64]] = []
    for (span, state) in zip(batch.spans, states) { addresses.append(try state.addresses(for: span.count)) }
    write(batch, states, addresses, outputRows, shape, to: memory.upload)
    memory.upload.write(temperatures.map { 1 / $0 }, at: shape.scales)
    hasBegun = true
    for (index, part) in pass.parts.enumerated() {
      try part.run()
      guard pass.cuts.indices.contains(index), let wrapper = wrappers[pass.cuts[index].name] else { continue }
      try act(wrapper, at: pass.cuts[index], rows: shape.rows)
    }
    for (span, state) in zip(batch.spans, states) { state.advance(span.count) }
    return pass
  }

  /// The head alone.
  func project(_ hidden: Tensor) throws(DeviceError) -> Tensor {
    let values = hidden.values, rows = hidden.rows
    let result: Result<Tensor, DeviceError> = lock.withLock { _ in
      do throws(DeviceError) {
        let arena = DeviceArena(device, blockByteCount: 1 << 20), head = program.head
        let x = try arena.allocate(values.count * 4), y = try arena.allocate(rows * head.matrix.outputs * 4)
        try device.upload(values, to: x)
        try device.perform([
          head.command(
            rows: rows, x: Product.Rows(x, stride: program.width), y: Product.Rows(y, stride: head.matrix.outputs),
            device: device)
        ])
        return .success(Tensor(try device.download(y, as: Float.self), shape: [rows, head.matrix.outputs]))
      } catch {
        note(error)
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Whether nothing was written behind the memory of passes. For tests, on a device with canaries.
  func isIntact() throws(DeviceError) -> Bool {
    let result: Result<Bool, DeviceError> = lock.withLock { _ in
      do throws(DeviceError) { return .success(try memory?.isIntact() ?? true) } catch { return .failure(error) }
    }
    return try result.get()
  }

  // MARK: of a pass

  private func memory(for shape: DevicePass.Shape) throws(DeviceError) -> DevicePassMemory {
    let hidden = shape.outputs * shape.width * 4
    if let memory, shape.byteCount <= capacity.step, hidden <= capacity.hidden { return memory }
    // By doubling, so that passes of rising sizes are recorded anew few times.
    let wanted = (
      step: max(capacity.step, DevicePassMemory.rounded(shape.byteCount)),
      hidden: max(capacity.hidden, DevicePassMemory.rounded(hidden))
    )
    // Recorded commands name the memory that they were recorded for.
    recorded = [:]
    memory = nil
    capacity = (0, 0)
    let grown = try DevicePassMemory(device, stepByteCount: wanted.step, hiddenByteCount: wanted.hidden)
    memory = grown
    capacity = wanted
    return grown
  }

  private func commands(
    _ shape: DevicePass.Shape, _ results: Results, memory: DevicePassMemory, wrapped: Set<String>
  ) throws(DeviceError) -> Recorded {
    let key = RecordedKey(shape: shape, results: results, isExact: device.isExact)
    if wrapped.isEmpty, let known = recorded[key] { return known }
    if device.checks.poisonsMemory { try memory.poison() }
    var pass = DevicePass(
      device: device, shape: shape, step: memory.step.part(0, shape.byteCount), memory: memory, wrapped: wrapped)
    pass.append(
      Command(copy: memory.upload.range.part(0, shape.byteCount), to: memory.step.part(0, shape.byteCount)))
    try program.record(&pass)
    var result = pass.hidden.range, logits: DeviceRange?
    if results != .hidden {
      let columns = program.head.matrix.outputs
      let rows = Product.Rows(
        try memory.scratch("logits", rows: shape.outputs, rowByteCount: columns * 4), stride: columns)
      pass.append(program.head.command(rows: shape.outputs, x: pass.hidden, y: rows, device: device))
      logits = rows.range
      result = rows.range
      if results == .likeliest {
        let likeliest = LikeliestCommand(device)
        result = try memory.scratch("likeliest", rows: shape.outputs, rowByteCount: likeliest.rowByteCount)
        pass.append(
          likeliest.command(rows: shape.outputs, of: rows, scales: pass.scales, to: result, pass: pass))
      }
    }
    let download = try memory.download(result.byteCount)
    pass.append(Command(copy: result, to: download.range.part(0, result.byteCount)))
    var parts: [RecordedCommands] = []
    for list in pass.lists { parts.append(try RecordedCommands(list, on: device)) }
    let made = Recorded(parts: parts, cuts: pass.cuts, download: download, logits: logits)
    if wrapped.isEmpty, shape.rows <= Self.mostRecordedRows {
      if recorded.count >= Self.mostRecorded { recorded = [:] }
      recorded[key] = made
    }
    return made
  }

  /// Writes the step's data where the device copies it from.
  private func write(
    _ batch: Batch, _ states: [DeviceState], _ addresses: [[UInt64]], _ outputRows: [Int], _ shape: DevicePass.Shape,
    to upload: DeviceMemory
  ) {
    var positions: [Int] = [], sequenceOfRow: [Int] = []
    for (sequence, (span, state)) in zip(batch.spans, states).enumerated() {
      positions += state.position..<state.position + span.count
      sequenceOfRow += [Int](repeating: sequence, count: span.count)
    }
    let rowData = program.rowData(positions: positions)
    let x = program.embedded(batch.tokens)
    let table = addresses.flatMap { $0 + [UInt64](repeating: 0, count: shape.tableStride - $0.count) }
    upload.write(table, at: 0)
    upload.write((batch.spans.map(\.lowerBound) + [batch.tokens.count]).map(UInt32.init), at: shape.firstRows)
    upload.write(sequenceOfRow.map(UInt32.init), at: shape.sequenceOfRow)
    upload.write(positions.map(UInt32.init), at: shape.positions)
    upload.write(outputRows.map(UInt32.init), at: shape.outputRows)
    upload.write(rowData, at: shape.rowData)
    upload.write(x, at: shape.x)
  }

  /// Shows a layer's input and results to the host, and takes back what that makes of the results.
  private func act(_ wrapper: any LinearWrapper, at cut: DevicePass.Cut, rows: Int) throws(DeviceError) {
    let inputs = try device.download(cut.input.range, as: Float.self)
    var results = try device.download(cut.results.range, as: Float.self)
    func place(_ row: Int, _ column: Int) -> Int { row * cut.results.stride + column * cut.step }
    let input = Tensor(
      (0..<rows).flatMap { inputs[$0 * cut.input.stride..<$0 * cut.input.stride + cut.inputs] },
      shape: [rows, cut.inputs])
    let output = Tensor(
      (0..<rows).flatMap { row in (0..<cut.outputs).map { results[place(row, $0)] } }, shape: [rows, cut.outputs])
    let changed = wrapper.wrap(output, input: input).values
    for row in 0..<rows {
      for column in 0..<cut.outputs { results[place(row, column)] = changed[row * cut.outputs + column] }
    }
    try device.upload(results, to: cut.results.range)
  }
}
