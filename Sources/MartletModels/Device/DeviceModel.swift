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
    let runtime: DeviceRuntime
    /// Loads the model for the processor.
    let load: @Sendable () throws -> any LanguageModel
    let host = Mutex<(any LanguageModel)?>(nil)
    let isLost = Mutex(false)
    let log: @Sendable (String) -> Void

    init(
      _ runtime: DeviceRuntime, load: @escaping @Sendable () throws -> any LanguageModel,
      log: @escaping @Sendable (String) -> Void
    ) {
      self.runtime = runtime
      self.load = load
      self.log = log
    }
  }

  public private(set) var description: ModelDescription
  /// The model without its weights, which knows settings and the bytes of states.
  let shell: any LanguageModel
  private let shared: Shared
  private var wrappers: [String: any LinearWrapper] = [:]

  init(
    shell: any LanguageModel, runtime: DeviceRuntime, byteCount: Int, remarks: [String],
    log: @escaping @Sendable (String) -> Void, load: @escaping @Sendable () throws -> any LanguageModel
  ) {
    self.shell = shell
    shared = Shared(runtime, load: load, log: log)
    description = shell.description
    description.bytesPerToken = byteCount
    description.remarks += remarks
    description.device = runtime.device.description.name
  }

  /// The device that the model runs on.
  public var device: Device { shared.runtime.device }
  var runtime: DeviceRuntime { shared.runtime }
  private var isLost: Bool { shared.isLost.withLock { $0 } }

  /// The model on the processor, which is loaded the first time.
  /// - Throws: the errors of loading.
  public func onProcessor() throws -> any LanguageModel {
    try shared.host.withLock { host in
      if let host { return host }
      let loaded = try shared.load()
      host = loaded
      return loaded
    }
  }

  public func makeState() -> any SequenceState {
    if isLost, let host = try? onProcessor() { return host.makeState() }
    return DeviceState(runtime)
  }

  public func restoreState(_ bytes: ArraySlice<UInt8>) throws -> any SequenceState {
    let state = try shell.restoreState(bytes)
    if isLost { return try onProcessor().restoreState(bytes) }
    return DeviceState(runtime, bytes: Array(bytes), position: state.position)
  }

  /// A state of the processor's model, in the memory of the host until its first pass.
  func taking(_ state: any SequenceState) -> any SequenceState {
    DeviceState(runtime, bytes: state.serialized(), position: state.position)
  }

  public func forward(_ batch: Batch) -> Tensor { run(batch, wantsLogits: true) }
  public func hidden(_ batch: Batch) -> Tensor { run(batch, wantsLogits: false) }

  public func project(_ hidden: Tensor) -> Tensor {
    if isLost, let host = try? onProcessor() { return host.project(hidden) }
    do throws(DeviceError) { return try runtime.project(hidden) } catch {
      fail(error)
      return .full([hidden.rows, description.vocabularySize], .nan)
    }
  }

  public func takeFailure() -> ModelFailure? { runtime.takeFailure() }

  private func run(_ batch: Batch, wantsLogits: Bool) -> Tensor {
    let states = batch.states.compactMap { $0 as? DeviceState }
    if states.count == batch.states.count {
      do throws(DeviceError) {
        return try runtime.run(batch, states: states, wantsLogits: wantsLogits, wrappers: wrappers)
      } catch {
        fail(error)
      }
    } else if states.isEmpty, let host = try? onProcessor() {
      return run(batch, on: host, wantsLogits: wantsLogits)
    } else {
      // Sequences of the lost device beside those that began after it.
      fail(DeviceError("\(device.description.name) has stopped working, and the states on it are lost", isLost: true))
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

  private func fail(_ error: DeviceError) {
    runtime.note(error)
    guard error.isLost else { return }
    let isNews = shared.isLost.withLock { lost in
      defer { lost = true }
      return !lost
    }
    if isNews { shared.log("\(error.message); what begins from now on runs on the processor") }
  }
}

extension DeviceModel: LayeredModel {
  public var linearNames: [String] { runtime.program.layerNames + [description.defaults.headName] }

  public func wrapper(of layer: String) -> (any LinearWrapper)? { wrappers[layer] }

  public func wrapping(_ layer: String, with wrapper: any LinearWrapper) -> DeviceModel {
    var copy = self
    copy.wrappers[layer] = wrapper
    return copy
  }
}
