import Foundation
import MartletData
import MartletDevice

/// Where a model is to run, as people write it: `cpu`, `auto`, `vulkan:0`, or a part of a card's name.
public enum DeviceChoice: Sendable, Equatable {
  /// The processor.
  case processor
  /// The first card that can be used, a card of its own before a part of the processor; else the processor.
  case automatic
  /// The device at this place in the driver's list.
  case index(Int)
  /// The device whose name contains this text.
  case name(String)

  /// Reads a choice. Upper and lower case are the same.
  /// - Throws: ``ModelError`` if the text is empty.
  public init(_ text: String) throws {
    let text = text.trimmingCharacters(in: .whitespaces), lower = text.lowercased()
    switch lower {
    case "": throw ModelError("--device is empty; give auto, cpu, vulkan:0 or a part of a card's name")
    case "cpu": self = .processor
    case "auto": self = .automatic
    default:
      let place = lower.hasPrefix("vulkan:") ? lower.dropFirst(7) : lower[...]
      if let index = Int(place), index >= 0 {
        self = .index(index)
      } else if lower.hasPrefix("vulkan:") || Int(place) != nil {
        throw ModelError("--device \(text): \"\(place)\" is not the place of a device; `martlet devices` lists them")
      } else {
        self = .name(text)
      }
    }
  }

  /// Opens the device.
  ///
  /// - Parameter note: takes a sentence that says why ``automatic`` chooses the processor.
  /// - Returns: the device; nil for the processor.
  /// - Throws: `DeviceError` if there is no such device or it cannot be used.
  public func open(note: (String) -> Void = { _ in }) throws -> Device? {
    switch self {
    case .processor: return nil
    case .automatic: return Self.automatic(note)
    case .index(let index):
      let all = try DeviceDescription.all()
      guard let device = all.first(where: { $0.index == index }) else {
        throw DeviceError("there is no device vulkan:\(index); \(Self.list(all))")
      }
      return try Self.checked(device)
    case .name(let text):
      let all = try DeviceDescription.all()
      let found = all.filter { $0.name.lowercased().contains(text.lowercased()) }
      guard let device = found.first else {
        throw DeviceError("no device has \"\(text)\" in its name; \(Self.list(all))")
      }
      guard found.count == 1 else {
        throw DeviceError("several devices have \"\(text)\" in their names; give one by its place: \(Self.list(found))")
      }
      return try Self.checked(device)
    }
  }

  private static func list(_ devices: [DeviceDescription]) -> String {
    "there are " + devices.map { "vulkan:\($0.index) (\($0.name))" }.joined(separator: ", ")
  }

  /// An opened device whose kernels compute what they should.
  private static func checked(_ description: DeviceDescription) throws -> Device {
    let device = try Device(description)
    try DeviceRecord.prepare(device)
    return device
  }

  private static func automatic(_ note: (String) -> Void) -> Device? {
    do {
      let all = try DeviceDescription.all()
      var problems: [String] = []
      for kind in [DeviceDescription.Kind.discrete, .integrated, .virtual] {
        for description in all where description.kind == kind {
          do { return try checked(description) } catch { problems.append("\(error)") }
        }
      }
      note(
        "The model runs on the processor: "
          + (problems.isEmpty ? "the driver knows no graphics card." : problems.joined(separator: "; ")))
    } catch { note("The model runs on the processor: \(error)") }
    return nil
  }
}
