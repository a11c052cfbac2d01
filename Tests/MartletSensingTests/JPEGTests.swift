import Foundation
import MartletTensor
import Testing

@testable import MartletSensing

/// Files that Pillow 12 wrote of a small ramp, and the pixels that it reads from them. Where libturbojpeg is not installed the files are
/// refused with what to install.
struct JPEGTests {
  private static let grey =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAB//EABoQAAAHAAAAAAAAAAAAAAAAAAAHCCQzQlH/2gAIAQEAAD8ACi2TbE1yo//Z"
  private static let color =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAIAAgDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABgQAAIDAAAAAAAAAAAAAAAAAAAFBiIx/8QAFQEBAQAAAAAAAAAAAAAAAAAABgf/xAAbEQABBAMAAAAAAAAAAAAAAAAABAUGMQchIv/aAAwDAQACEQMRAD8AYYyLbApAw1ojUfx/XB//2Q=="
  private static let printed =
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAcJ/8QAHhAAAQMEAwAAAAAAAAAAAAAAAAcIJAYzQlEjMqH/2gAOBEMATQBZAEsAAD8ACk2bbai6xHNSXJXZW8g6ppNunF4VTP/Z"

  private func bytes(_ text: String) throws -> [UInt8] { try [UInt8](#require(Data(base64Encoded: text))) }

  @Test(.enabled(if: JPEG.isAvailable, "libturbojpeg is not installed")) func pixelsAreThoseOfAnotherReader() throws {
    let grey = try #require(ImageFile.read(bytes(Self.grey), of: "grey.jpg").first)
    #expect((grey.height, grey.width, grey.channels) == (8, 8, 1))
    let places = [(0, 0), (7, 7), (3, 5)]
    for ((row, column), value) in zip(places, [0, 168, 88]) {
      #expect(abs(grey.values[row * 8 + column] * 255 - Float(value)) <= 1.01)
    }
    let color = try #require(ImageFile.read(bytes(Self.color), of: "color.jpg").first)
    #expect((color.height, color.width, color.channels) == (8, 8, 3))
    for ((row, column), values) in zip(places, [[2, 253, 60], [166, 89, 143], [90, 166, 102]]) {
      for (channel, value) in values.enumerated() {
        #expect(abs(color.values[(row * 8 + column) * 3 + channel] * 255 - Float(value)) <= 1.01)
      }
    }
  }

  @Test func whatCannotBeReadIsSaid() throws {
    let cure = JPEG.isAvailable ? "save it as RGB or grey" : "libturbojpeg0"
    #expect { try ImageFile.read(bytes(Self.printed), of: "printed.jpg") } throws: {
      "\($0)".hasPrefix("printed.jpg") && "\($0)".contains(cure)
    }
    let whole = try bytes(Self.color), random = RandomSource(seed: 3)
    #expect(throws: (any Error).self) { try ImageFile.read(Array(whole.prefix(250)), of: "cut.jpg") }
    for round in 0..<5_000 {
      var damaged = whole
      let source = random.stream(round)
      for change in 0..<1 + source.integer(0, below: 4) {
        damaged[source.integer(2 * change + 1, below: damaged.count)] = UInt8(
          truncatingIfNeeded: source.bits(2 * change + 2))
      }
      do { _ = try ImageFile.read(damaged, of: "file") } catch { #expect("\(error)".hasPrefix("file")) }
    }
  }
}
