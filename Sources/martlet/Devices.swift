import ArgumentParser
import Foundation
import MartletData
import MartletDevice
import MartletModels

struct Devices: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "Lists the graphics cards of this machine, and whether models can run on them.",
    discussion: """
      Each usable card is opened, its products are compared with double precision, and its memory is copied to see how \
      fast it is. --device of other commands takes the place (vulkan:0) or a part of the name.

      Example: martlet devices --json
      """)
  @Flag(help: "Print one JSON object.") var json = false

  private struct Finding {
    let device: DeviceDescription
    var problem: String?
    var bandwidth: Double?
  }

  func run() throws {
    let devices: [DeviceDescription]
    do { devices = try DeviceDescription.all() } catch {
      // A machine without a card is no failure.
      if json { try Terminal.printJSON(["devices": [Any](), "problem": "\(error)"]) } else { print("\(error)") }
      return
    }
    let findings = devices.map(Self.look)
    if json {
      return try Terminal.printJSON([
        "devices": findings.map { finding -> [String: Any] in
          let device = finding.device
          var object: [String: Any] = [
            "place": "vulkan:\(device.index)", "name": device.name.printable, "kind": device.kind.rawValue,
            "driver": device.driver, "vulkan": device.version, "memory_bytes": device.memory,
            "free_memory_bytes": device.freeMemory, "subgroup_size": device.subgroupSize,
            "is_usable": finding.problem == nil,
          ]
          object["problem"] = finding.problem
          object["copy_bytes_per_second"] = finding.bandwidth
          return object
        }
      ])
    }
    for finding in findings {
      let device = finding.device
      print("vulkan:\(device.index)  \(device.description.printable)")
      print(
        "          Vulkan \(device.version), \(SystemMemory.text(device.memory)) of memory, \(SystemMemory.text(device.freeMemory)) free, \(device.subgroupSize) lanes together"
      )
      if let problem = finding.problem {
        print("          cannot be used: \(problem)")
      } else if let bandwidth = finding.bandwidth {
        print(String(format: "          products are right; memory is read and written at %.1f GB/s", bandwidth / 1e9))
        if device.kind == .cpu {
          print("          is the processor itself, slower than --device cpu; it is used only where it is named")
        }
      }
    }
  }

  private static func look(_ device: DeviceDescription) -> Finding {
    var finding = Finding(device: device, problem: device.problem)
    guard finding.problem == nil else { return finding }
    do {
      let opened = try Device(device)
      try DeviceSelfTest.check(opened)
      finding.bandwidth = try DeviceSelfTest.copyBandwidth(opened)
    } catch { finding.problem = "\(error)" }
    return finding
  }
}
