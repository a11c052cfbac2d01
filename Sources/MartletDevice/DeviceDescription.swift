import CMartletGPU
import Foundation
import MartletData

/// What is known of a graphics card, or of another device that runs Vulkan's compute shaders, before it is opened.
public struct DeviceDescription: Sendable, Equatable {
  /// The kind of a device.
  public enum Kind: String, Sendable {
    /// A card with memory of its own.
    case discrete
    /// A part of the processor that shares its memory.
    case integrated
    /// A part of a card that a virtual machine was given.
    case virtual
    /// The processor itself, by a driver such as Mesa's llvmpipe.
    case cpu
    /// Something else.
    case other
  }

  /// The place in the driver's list, which `vulkan:0` names.
  public let index: Int
  /// The name that the driver gives it.
  public let name: String
  /// The name and the version of the driver.
  public let driver: String
  /// The kind of the device.
  public let kind: Kind
  /// The device's own identity and its driver's, by which measurements are kept.
  public let identity: String
  /// The memory of the device in bytes.
  public let memory: Int
  /// The memory that may be taken, in bytes: what the driver says, or nine tenths of all.
  public let freeMemory: Int
  /// The number of lanes that run together.
  public let subgroupSize: Int
  /// The version of Vulkan, e.g. `1.3`.
  public let version: String
  /// Why the device cannot be used: one sentence; nil if it can.
  public let problem: String?
  /// The tiles of the matrix cores that shaders can use: rows, outputs and inputs; nil without.
  public let matrixTile: [Int]?
  /// The largest number of threads of a workgroup.
  let workgroupSize: Int
  /// The largest number of workgroups along an axis.
  package let workgroupCount: Int

  /// The number of threads that read one row of logits: a power of two.
  package var likeliestThreads: Int { workgroupSize >= 1024 ? 1024 : workgroupSize >= 512 ? 512 : 256 }

  /// The devices of this machine, in the driver's order.
  /// - Throws: ``DeviceError`` if there are none, with the reason and the cure.
  public static func all() throws -> [DeviceDescription] {
    let (count, problem) = DeviceCalls.explained { martlet_gpu_count($0, $1) }
    guard count > 0 else {
      throw DeviceError(
        "no graphics card can be used: \(problem); \(remedy)")
    }
    return (0..<Int(count)).compactMap(DeviceDescription.init)
  }

  /// What helps where no driver is found.
  private static var remedy: String {
    let environment = ProcessInfo.processInfo.environment
    for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
      if let files = environment[name], !files.isEmpty {
        return
          "\(name) is set to \(files), so only the driver that this file names is looked for: correct it, or unset it"
      }
    }
    return
      "install the driver of your card with its Vulkan part, and in a container give it the device and the driver's "
      + "ICD file (VK_DRIVER_FILES names one by hand)"
  }

  private init?(index: Int) {
    var facts = martlet_gpu_facts()
    guard martlet_gpu_describe(Int32(index), &facts) else { return nil }
    self.index = index
    name = DeviceCalls.text(facts.name)
    let info = DeviceCalls.text(facts.driver_info)
    driver = (DeviceCalls.text(facts.driver) + " " + info).printable
    kind =
      switch facts.kind {
      case MARTLET_GPU_DISCRETE: .discrete
      case MARTLET_GPU_INTEGRATED: .integrated
      case MARTLET_GPU_VIRTUAL: .virtual
      case MARTLET_GPU_CPU: .cpu
      default: .other
      }
    let uuid = withUnsafeBytes(of: facts.uuid) { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    identity = "\(uuid)-\(facts.driver_version)"
    memory = Int(clamping: facts.memory)
    freeMemory = Int(clamping: facts.free_memory)
    subgroupSize = Int(facts.subgroup_size)
    version = "\(facts.api_version >> 22).\(facts.api_version >> 12 & 1023)"
    workgroupSize = Int(facts.workgroup_size)
    workgroupCount = Int(facts.workgroups)
    matrixTile =
      facts.matrix_m > 0 ? [facts.matrix_m, facts.matrix_n, facts.matrix_k].map(Int.init) : nil
    problem = Self.problem(of: facts, driverInfo: info)
  }

  private static func problem(of facts: martlet_gpu_facts, driverInfo: String) -> String? {
    if facts.api_version < 1 << 22 | 2 << 12 { return "its driver is older than Vulkan 1.2; update it" }
    let missing = [
      (facts.has_addresses, "buffer device addresses"), (facts.has_halves, "half precision"),
      (facts.has_half_storage, "16-bit storage"), (facts.has_scalar_layout, "scalar block layout"),
      (facts.has_subgroup_sums, "sums over subgroups"),
    ].filter { !$0.0 }.map(\.1)
    if !missing.isEmpty { return "its driver has no \(missing.joined(separator: ", ")); update it, or use the CPU" }
    if facts.push_bytes < 128 || facts.workgroup_size < 256 || facts.shared_memory < 32_768 || facts.subgroup_size < 4 {
      return "it is too small: workgroups of 256 threads with 32 KiB of shared memory are needed"
    }
    // Loops of more than 65,535 iterations in all end early there, without an error.
    if facts.kind == MARTLET_GPU_CPU, let version = mesaVersion(driverInfo), version < 25 {
      return "Mesa \(version) computes long loops wrongly on the processor; 25.0 or newer is needed"
    }
    return nil
  }

  private static func mesaVersion(_ info: String) -> Int? {
    guard let range = info.range(of: "Mesa ") else { return nil }
    return Int(info[range.upperBound...].prefix { $0.isNumber })
  }
}

extension DeviceDescription: CustomStringConvertible {
  /// A line for people, e.g. `NVIDIA H100 (discrete, NVIDIA 580.65)`.
  public var description: String { "\(name) (\(kind.rawValue), \(driver))" }
}

/// Why something cannot be done on a device: one sentence with the remedy.
public struct DeviceError: ExplainedError {
  /// One sentence that names what is wrong and what helps.
  public let message: String
  /// Whether the device has stopped working and must be opened anew.
  public let isLost: Bool

  /// - Parameters: the properties of the same names. Characters that a terminal would interpret are replaced.
  public init(_ message: String, isLost: Bool = false) {
    self.message = message.printable
    self.isLost = isLost
  }
}
