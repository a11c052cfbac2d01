import MartletDevice
import Testing

@testable import MartletModels

/// What `--device` says, which needs no device to be read.
struct DeviceChoiceTests {
  @Test func choicesAreRead() throws {
    #expect(try DeviceChoice("CPU") == .processor)
    #expect(try DeviceChoice("Auto") == .automatic)
    #expect(try DeviceChoice("vulkan:0") == .index(0))
    #expect(try DeviceChoice("VULKAN:12") == .index(12))
    #expect(try DeviceChoice("RTX 4090") == .name("RTX 4090"))
    #expect(try DeviceChoice(" 1 ") == .index(1))
    for text in ["vulkan:", "vulkan:-1", "vulkan:99999999999999999999", "-1"] {
      #expect(throws: ModelError.self) { try DeviceChoice(text) }
    }
    #expect(throws: ModelError.self) { try DeviceChoice("") }
    #expect(throws: ModelError.self) { try DeviceChoice("  ") }
  }

  @Test func theProcessorNeedsNoDriver() throws {
    #expect(try DeviceChoice.processor.open() == nil)
  }
}
