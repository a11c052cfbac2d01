import Foundation
import MartletData
import MartletTestSupport
import Testing

/// The compiled shaders are committed, so that building needs no shader compiler.
struct ShaderDigestTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources/CMartletGPU/Shaders")

  @Test func compiledShadersAreThoseOfTheirSources() throws {
    let text = try String(contentsOf: Self.folder.appendingPathComponent("digests.txt"), encoding: .utf8)
    var known: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      try #require(parts.count == 2)
      known[parts[1].trimmingCharacters(in: .whitespaces)] = String(parts[0])
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { name in
      ["comp", "glsl", "spv"].contains((name as NSString).pathExtension)
    }
    #expect(Set(files) == Set(known.keys), "a shader was added or removed; run Scripts/build_shaders.sh")
    for file in files {
      var digest = SHA256()
      digest.update(Array(try Data(contentsOf: Self.folder.appendingPathComponent(file))))
      #expect(digest.finalize() == known[file], "\(file) has changed; run Scripts/build_shaders.sh")
    }
  }
}
