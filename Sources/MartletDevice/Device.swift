import CMartletGPU
import MartletData
import Synchronization

/// An open device: memory, compiled shaders and one queue. What is submitted runs one after the other, whichever thread asks.
public final class Device: @unchecked Sendable {
  // Unchecked: the C device is used only while `state` is locked.

  /// What is done besides running, in tests.
  package struct Checks: Sendable {
    /// Runs the dispatches between two barriers from the last to the first, so that a missing barrier shows on drivers that run in order.
    package var reversesGroups = false
    /// Leaves out this barrier of every list, as a fault to be found.
    package var droppedBarrier: Int?
    /// Bytes behind each piece of memory that nothing may write.
    package var canaryBytes = 0
    /// Fills the memory of passes with NaN before their commands are recorded.
    package var poisonsMemory = false
    /// How many of the likeliest tokens of a row a pass tells; fewer than 256 so that small vocabularies have others.
    package var likeliestCount = 256
    /// Lets the device have no more memory than this, in bytes.
    package var memoryLimit: Int?
    /// Makes the device fail with this submission, as a lost one does.
    package var lostAtSubmission: Int?

    package init() {}
  }

  private struct PipelineKey: Hashable {
    let shader: String
    let constants: [UInt32]
  }

  /// What belongs to whoever uses the C device. It stays locked while work runs.
  private struct State {
    var pipelines: [PipelineKey: UnsafeMutableRawPointer] = [:]
  }

  /// What may be asked at any time.
  private struct Facts {
    var submissions = 0
    var isLost = false
    var allocated = 0
    var tuning = ProductTuning()
    var isExact = false
  }

  /// What the device is.
  public let description: DeviceDescription
  package let checks: Checks
  private let gpu: OpaquePointer
  private let state = Mutex(State())
  private let facts = Mutex(Facts())
  /// The tiles of the device's matrix cores, if the driver has enabled them: rows, outputs and inputs.
  let matrixTile: [Int]?

  /// How long a submission may take before the device counts as lost, in nanoseconds. Processors that stand in for a card compile
  /// shaders at their first use.
  private static let patience: UInt64 = 300_000_000_000

  /// Opens a device.
  /// - Throws: ``DeviceError`` if it cannot be used.
  public convenience init(_ description: DeviceDescription) throws { try self.init(description, checks: Checks()) }

  package init(_ description: DeviceDescription, checks: Checks) throws {
    if let problem = description.problem { throw DeviceError("\(description.name) cannot be used: \(problem)") }
    let (gpu, problem) = DeviceCalls.explained { martlet_gpu_open(Int32(description.index), $0, $1) }
    guard let gpu else { throw DeviceError("\(description.name) cannot be used: \(problem)") }
    self.gpu = gpu
    self.description = description
    self.checks = checks
    matrixTile = martlet_gpu_has_matrices(gpu) ? description.matrixTile : nil
  }

  // A lost device may still be at work: what it might touch stays.
  deinit { if !isLost { martlet_gpu_close(gpu) } }

  /// The bytes that are allocated on the device.
  public var allocatedByteCount: Int { facts.withLock { $0.allocated } }

  /// Whether the bits of a row's results must not depend on the rows beside it: passes of few and of many rows then run the same kernels,
  /// and few rows take longer. It holds for all models on the device.
  public var isExact: Bool {
    get { facts.withLock { $0.isExact } }
    set { facts.withLock { $0.isExact = newValue } }
  }

  /// How many bytes may be allocated on the device.
  package var memoryLimit: Int { min(checks.memoryLimit ?? .max, description.freeMemory) }

  /// Whether the device's memory is not the processor's.
  package var hasOwnMemory: Bool {
    description.kind == .discrete || description.kind == .virtual || checks.memoryLimit != nil
  }

  /// How products are divided into workgroups.
  public var tuning: ProductTuning {
    get { facts.withLock { $0.tuning } }
    set { facts.withLock { $0.tuning = newValue } }
  }

  /// The number of submissions so far.
  package var submissionCount: Int { facts.withLock { $0.submissions } }

  /// Whether the device has failed. All further work fails too.
  public var isLost: Bool { facts.withLock { $0.isLost } }

  /// A digest of all shaders, which changes with them.
  public static let shaderDigest: String = {
    var count: Int32 = 0, digest = SHA256()
    let shaders = UnsafeBufferPointer(start: martlet_gpu_shaders(&count), count: Int(count))
    for shader in shaders { digest.update(Array(UnsafeBufferPointer(start: shader.bytes, count: shader.count))) }
    return digest.finalize()
  }()

  // MARK: for the types of this module

  func allocate(_ byteCount: Int, _ place: martlet_gpu_place) throws(DeviceError) -> martlet_gpu_memory {
    var memory = martlet_gpu_memory()
    let isLocal = place == MARTLET_GPU_LOCAL
    // Counted before, so that threads together keep to the limit of a test.
    let isWithinLimit = facts.withLock { facts in
      guard isLocal else { return true }
      guard facts.allocated + byteCount <= checks.memoryLimit ?? .max else { return false }
      facts.allocated += byteCount
      return true
    }
    let result =
      isWithinLimit
      ? state.withLock { _ in martlet_gpu_allocate(gpu, UInt64(byteCount), place, &memory) }
      : Int32(MARTLET_GPU_OUT_OF_MEMORY)
    guard result == 0 else {
      if isLocal, isWithinLimit { facts.withLock { $0.allocated -= byteCount } }
      throw error(result, "\(byteCount) bytes of memory were asked for")
    }
    return memory
  }

  func free(_ memory: martlet_gpu_memory, _ place: martlet_gpu_place) {
    if place == MARTLET_GPU_LOCAL { facts.withLock { $0.allocated -= Int(memory.bytes) } }
    // A lost device may still be at work on it.
    guard !isLost else { return }
    var memory = memory
    state.withLock { _ in martlet_gpu_free(gpu, &memory) }
  }

  /// Records commands, each group behind a barrier.
  func record(_ groups: [[Command]]) throws(DeviceError) -> OpaquePointer {
    let checks = checks
    var groups = groups
    if let dropped = checks.droppedBarrier, groups.indices.dropFirst().contains(dropped) {
      groups[dropped - 1] += groups.remove(at: dropped)
    }
    let recorded: Result<OpaquePointer, DeviceError> = state.withLock { [groups] state in
      guard let list = martlet_gpu_begin(gpu) else { return .failure(error(-1, "commands were to be recorded")) }
      for (index, group) in groups.enumerated() {
        if index > 0 { martlet_gpu_barrier(list) }
        for command in checks.reversesGroups ? group.reversed() : group {
          switch command.work {
          case .copy(let from, let to):
            var source = from.memory.block, target = to.memory.block
            martlet_gpu_copy(
              list, &source, UInt64(from.offset), &target, UInt64(to.offset), UInt64(min(from.byteCount, to.byteCount)))
          case .fill(let range, let word):
            var target = range.memory.block
            martlet_gpu_fill(list, &target, UInt64(range.offset), UInt64(range.byteCount), word)
          case .dispatch(let shader, let arguments, let groups):
            guard let pipeline = pipeline(shader, &state) else {
              martlet_gpu_discard(list)
              return .failure(DeviceError("\(description.name): its driver does not compile the shader \(shader.name)"))
            }
            arguments.bytes.withUnsafeBytes {
              martlet_gpu_dispatch(
                list, pipeline, $0.baseAddress, UInt32($0.count), UInt32(groups.x), UInt32(groups.y), UInt32(groups.z))
            }
          }
        }
      }
      let result = martlet_gpu_end(list)
      guard result == 0 else {
        martlet_gpu_discard(list)
        return .failure(error(result, "commands were to be recorded"))
      }
      return .success(list)
    }
    return try recorded.get()
  }

  func discard(_ lists: [OpaquePointer]) {
    guard !isLost else { return }
    state.withLock { _ in for list in lists { martlet_gpu_discard(list) } }
  }

  /// Runs recorded lists one after the other and waits for the last.
  func run(_ lists: [OpaquePointer]) throws(DeviceError) {
    let result: Int32 = state.withLock { _ in
      let mayRun = facts.withLock { facts in
        facts.submissions += 1
        if facts.submissions == checks.lostAtSubmission { facts.isLost = true }
        return !facts.isLost
      }
      guard mayRun else { return Int32(MARTLET_GPU_LOST) }
      let optional = lists.map(Optional.some)
      let result = optional.withUnsafeBufferPointer {
        martlet_gpu_run(gpu, $0.baseAddress, Int32($0.count), Self.patience)
      }
      // Whatever has gone wrong, nothing that was computed can be trusted.
      if result != 0 { facts.withLock { $0.isLost = true } }
      return result
    }
    guard result == 0 else { throw error(result, "work was submitted", isLost: true) }
  }

  private func pipeline(_ shader: Shader, _ state: inout State) -> UnsafeMutableRawPointer? {
    let key = PipelineKey(shader: shader.name, constants: shader.constants)
    if let known = state.pipelines[key] { return known }
    let made = martlet_gpu_pipeline(gpu, shader.name, shader.constants, Int32(shader.constants.count))
    state.pipelines[key] = made
    return made
  }

  private func error(_ result: Int32, _ occasion: String, isLost: Bool = false) -> DeviceError {
    switch result {
    case Int32(MARTLET_GPU_OUT_OF_MEMORY), Int32(MARTLET_GPU_TOO_MANY_OBJECTS), -1:
      DeviceError(
        "\(description.name) has no memory left where \(occasion); use a smaller format (--format q4_0), fewer sequences at once, or --device cpu",
        isLost: isLost)
    case Int32(MARTLET_GPU_TIMEOUT):
      DeviceError("\(description.name) did not finish its work in time", isLost: isLost)
    case Int32(MARTLET_GPU_LOST):
      DeviceError(
        "\(description.name) has stopped working (its driver reports that the device is lost)", isLost: isLost)
    default: DeviceError("\(description.name): its driver reports error \(result) where \(occasion)", isLost: isLost)
    }
  }
}
