import MartletData
import MartletDevice
import MartletLayers
import MartletTensor
import Synchronization

/// A model that runs on a device. Results differ from those of the processor by rounding; a row's bits may depend on how many rows share its
/// pass, as few and many rows have kernels of their own.
///
/// If the device is lost, the pass that notices it fails (``LanguageModel/takeFailure()``), states on the device are lost with it, and new
/// sequences run on the processor, for which the weights are then loaded.
public struct DeviceModel: LanguageModel {
  /// What every copy of the model shares.
  private final class Shared: Sendable {
    /// Loads the model for the processor.
    let load: @Sendable () throws -> any LanguageModel
    let log: @Sendable (String) -> Void
    private let host = Mutex<Result<any LanguageModel, any Error>?>(nil)
    private let hasLoggedLoss = Mutex(false)

    init(load: @escaping @Sendable () throws -> any LanguageModel, log: @escaping @Sendable (String) -> Void) {
      self.load = load
      self.log = log
    }

    /// The model on the processor, which is loaded the first time.
    func onProcessor() throws -> any LanguageModel {
      try host.withLock { host in
        let loaded = host ?? Result { try load() }
        host = loaded
        return loaded
      }.get()
    }

    /// Says once that the device is lost, and loads the model for the processor.
    func noteLoss(_ message: String) {
      let isNews = hasLoggedLoss.withLock { logged in
        defer { logged = true }
        return !logged
      }
      guard isNews else { return }
      do {
        _ = try onProcessor()
        log("\(message); what begins from now on runs on the processor")
      } catch { log("\(message), and the model cannot be loaded for the processor: \(error)") }
    }
  }

  private var described: ModelDescription
  /// With the device's name as long as it works.
  public var description: ModelDescription {
    guard isLost else { return described }
    var description = described
    description.device = nil
    return description
  }
  /// The model without its weights, which knows settings and the bytes of states.
  let shell: any LanguageModel
  private let shared: Shared
  let runtime: DeviceRuntime
  private var wrappers: [String: any LinearWrapper] = [:]

  init(
    shell: any LanguageModel, device: Device, program: any DeviceProgram, byteCount: Int, remarks: [String],
    log: @escaping @Sendable (String) -> Void, load: @escaping @Sendable () throws -> any LanguageModel
  ) {
    self.shell = shell
    let shared = Shared(load: load, log: log)
    self.shared = shared
    runtime = DeviceRuntime(
      device: device, program: program, initialBytes: Array(shell.makeState().serialized().dropFirst(8))
    ) { bytes in
      try? shared.onProcessor().restoreState(bytes[...])
    }
    described = shell.description
    described.bytesPerToken = byteCount
    described.remarks += remarks.filter { !shell.description.remarks.contains($0) }
    described.device = device.description.name
  }

  /// The device that the model runs on.
  public var device: Device { runtime.device }
  private var isLost: Bool { device.isLost }

  /// The model on the processor, which is loaded the first time.
  /// - Throws: the errors of loading.
  public func onProcessor() throws -> any LanguageModel { try shared.onProcessor() }

  public func makeState() -> any SequenceState {
    if isLost, let host = try? onProcessor() { return host.makeState() }
    return DeviceState(runtime)
  }

  /// A quarter of what the weights leave.
  public var deviceStateByteCapacity: Int? {
    device.hasOwnMemory ? max(0, device.memoryLimit - runtime.weightByteCount) / 4 : nil
  }

  public func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState {
    let state = try shell.restoreState(bytes)
    if isLost { return try onProcessor().restoreState(bytes) }
    return DeviceState(runtime, bytes: Array(bytes), position: state.position)
  }

  /// A state of the processor's model, in the memory of the host until its first pass.
  func taking(_ state: any SequenceState) -> any SequenceState {
    if isLost, let moved = runtime.stateOnProcessor(state.serialized()) { return moved }
    return DeviceState(runtime, bytes: state.serialized(), position: state.position)
  }

  public func forward(_ batch: Batch) -> Tensor { run(batch, wantsLogits: true) }

  public func likeliest(_ batch: Batch, temperatures: [Float]) -> LikeliestLogits? {
    let states = batch.states.compactMap { $0 as? DeviceState }
    // Sums that the device makes differ from the processor's by rounding, and whether it makes them depends on the number of rows.
    guard !states.isEmpty, states.count == batch.states.count, !device.isExact else { return nil }
    do throws(DeviceError) {
      let (rows, logits) = try runtime.likeliest(batch, states: states, temperatures: temperatures, wrappers: wrappers)
      return LikeliestLogits(rows: rows) { [runtime, shared] row in
        do throws(DeviceError) { return try logits.row(row) } catch {
          runtime.note(error)
          if error.isLost { shared.noteLoss(error.message) }
          return nil
        }
      }
    } catch {
      if error.isLost { shared.noteLoss(error.message) }
      return LikeliestLogits(rows: []) { _ in nil }
    }
  }

  public func hidden(_ batch: Batch) -> Tensor { run(batch, wantsLogits: false) }

  public func project(_ hidden: Tensor) -> Tensor {
    if isLost, let host = try? onProcessor() { return host.project(hidden) }
    do throws(DeviceError) { return try runtime.project(hidden) } catch {
      if error.isLost { shared.noteLoss(error.message) }
      return .full([hidden.rows, description.vocabularySize], .nan)
    }
  }

  public func takeFailure() -> ModelFailure? { runtime.takeFailure() }

  private func run(_ batch: Batch, wantsLogits: Bool) -> Tensor {
    let states = batch.states.compactMap { $0 as? DeviceState }
    if states.isEmpty, !batch.states.isEmpty, let host = try? onProcessor() {
      return run(batch, on: host, wantsLogits: wantsLogits)
    }
    if states.count == batch.states.count {
      do throws(DeviceError) {
        return try runtime.run(batch, states: states, wantsLogits: wantsLogits, wrappers: wrappers)
      } catch {
        if error.isLost { shared.noteLoss(error.message) }
      }
    } else if let failure = states.first?.failure {
      // Sequences of the lost device beside those that began after it.
      runtime.note(DeviceError(failure.message, isLost: true))
    }
    let rows = batch.outputRows?.count ?? batch.tokens.count
    return .full([rows, wantsLogits ? description.vocabularySize : description.width], .nan)
  }

  private func run(_ batch: Batch, on host: any LanguageModel, wantsLogits: Bool) -> Tensor {
    var host = host
    if let layered = host as? any LayeredModel, !wrappers.isEmpty {
      host = wrappers.reduce(layered) { $0.wrapping($1.key, with: $1.value) }
    }
    return wantsLogits ? host.forward(batch) : host.hidden(batch)
  }
}

extension DeviceModel: LayeredModel {
  /// The head is not among them: it receives the rows alone whose results are wanted.
  public var linearNames: [String] { runtime.program.layerNames }

  public func wrapper(of layer: String) -> (any LinearWrapper)? { wrappers[layer] }

  public func wrapping(_ layer: String, with wrapper: any LinearWrapper) -> DeviceModel {
    var copy = self
    copy.wrappers[layer] = wrapper
    return copy
  }
}
