import Foundation
import MartletTestSupport
import Testing

@testable import MartletHostCheck

/// Containers built here after their descriptions; Scripts/check_host.sh holds the readers against iucode_tool and
/// Debian's packages.
@Suite struct MicrocodeTests {
  static func bytes(_ words: [UInt32]) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } }
  }

  /// One update with `data` words of contents and more signatures behind them.
  static func intel(
    signature: UInt32 = 0x606a6, mask: UInt32 = 0x87, revision: UInt32 = 0x0d00_03b9, more: [(UInt32, UInt32)] = []
  ) -> [UInt8] {
    let data: [UInt32] = [1, 2, 3, 4]
    var table: [UInt32] = more.flatMap { [$0.0, $0.1, 0] }
    if !more.isEmpty { table = [UInt32(more.count), 0, 0, 0, 0] + table }
    var header: [UInt32] = [
      1, revision, 0x0901_2023, signature, 0, 1, mask, UInt32(data.count * 4),
      UInt32(48 + data.count * 4 + table.count * 4), 0, 0, 0,
    ]
    header[4] = 0 &- (header + data).reduce(0, &+)
    return bytes(header + data + table)
  }

  static func amd(revision: UInt32 = 0x0a00_11d1, signature: UInt32 = 0xa00f11) -> [UInt8] {
    var patch = [UInt32](repeating: 0, count: 16)
    (patch[0], patch[1], patch[6]) = (0x0710_2023, revision, 0xa011)
    return bytes([0x0041_4d44, 0, 32, signature, 0, 0, 0xa011, 0, 0, 0, 0, 1, 64] + patch)
  }

  @Test func intelUpdatesAndTheirMoreSignatures() throws {
    let file =
      Self.intel() + Self.intel(signature: 0x806f8, revision: 0x2b00_04d0, more: [(0x806f7, 0x87), (0x806f4, 0x10)])
    let found = try IntelMicrocode.read(file, path: "file")
    #expect(found.map(\.signature) == [0x606a6, 0x806f8, 0x806f7, 0x806f4])
    #expect(found.map(\.revision) == [0x0d00_03b9, 0x2b00_04d0, 0x2b00_04d0, 0x2b00_04d0])
    #expect(found.map(\.platformMask) == [0x87, 0x87, 0x87, 0x10])
    #expect(found[0].date == "2023-09-01")
  }

  @Test func damagedIntelFilesAreRefused() throws {
    var wrong = Self.intel()
    wrong[50] ^= 1
    let whole = Self.intel()
    for (file, words) in [
      (wrong, "checksum"), (Array(whole.dropLast(4)), "does not fit"), (Array(whole.prefix(20)), "cut off"),
      ([UInt8](repeating: 7, count: 64), "header version"),
    ] {
      let error = #expect(throws: HostCheckError.self) { try IntelMicrocode.read(file, path: "some/file") }
      #expect(error?.description.contains(words) == true && error?.description.contains("some/file") == true)
    }
  }

  @Test func containersOfAMD() throws {
    let found = try AMDMicrocode.read(Self.amd() + Self.amd(revision: 0x0a00_1234, signature: 0xa00f12), path: "file")
    #expect(found.map(\.signature) == [0xa00f11, 0xa00f12])
    #expect(found.map(\.revision) == [0x0a00_11d1, 0x0a00_1234])
    #expect(found[0].date == "2023-07-10")
  }

  @Test func damagedContainersAreRefused() throws {
    for (file, words) in [
      ([UInt8](Self.amd().dropFirst(1)), "does not begin"), ([UInt8](Self.amd().dropLast(8)), "does not fit"),
      ([UInt8](Self.amd().prefix(10)), "cut off"),
    ] {
      let error = #expect(throws: HostCheckError.self) { try AMDMicrocode.read(file, path: "some/file") }
      #expect(error?.description.contains(words) == true && error?.description.contains("some/file") == true)
    }
  }

  /// Files of Debian's packages (MARTLET_MICROCODE: a folder with intel-ucode and amd-ucode) against lists that other
  /// programs made of the same files.
  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["MARTLET_MICROCODE"] != nil && DecisionTests.data != nil,
      "needs MARTLET_MICROCODE and the shared data"))
  func realFilesAreReadAsOthersReadThem() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["MARTLET_MICROCODE"])
    let data = try #require(DecisionTests.data)
    var known: Set<String> = []
    for row in try DecisionTests.table(data + "/intel_microcode_releases.tsv") {
      known.insert(
        [row["signature"], row["platform_mask"], row["revision"], row["build_date"]].map { $0 ?? "" }.joined())
    }
    for row in try DecisionTests.table(data + "/microcode_history.tsv") where row["vendor"] == "AMD" {
      known.insert([row["signature"], "", row["revision"], row["build_date"]].map { $0 ?? "" }.joined())
    }
    var found = 0, missing: [String] = []
    for kind in ["intel-ucode", "amd-ucode"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder + "/" + kind).sorted()
      where kind == "intel-ucode" || name.hasSuffix(".bin") {
        let path = "\(folder)/\(kind)/\(name)"
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let isIntel = kind == "intel-ucode"
        for update in try isIntel ? IntelMicrocode.read(bytes, path: path) : AMDMicrocode.read(bytes, path: path) {
          found += 1
          let mask = update.platformMask
          let text = isIntel ? "0x" + (mask < 16 ? "0" : "") + String(mask, radix: 16) : ""
          let key = update.signature.hexadecimal8 + text + update.revision.hexadecimal8 + update.date
          if !known.contains(key) { missing.append("\(name) \(key)") }
          // From family 17h on AMD's revisions begin with family, model and stepping.
          let signature = update.signature
          if !isIntel, signature >> 20 >= 8 {
            let begin = (signature >> 20) << 16 | (signature >> 16 & 0xf) << 12 | signature & 0xff
            #expect(update.revision >> 8 == begin, "\(key)")
          }
        }
      }
    }
    print("\(found) updates read, \(missing.count) in no list: \(missing.prefix(40))")
    #expect(found > 150 && missing.count * 10 < found)
  }

  /// Random damage and random bytes: an error or an answer, never a trap.
  @Test func fuzz() throws {
    let rounds = Int(ProcessInfo.processInfo.environment["MARTLET_FUZZ_ROUNDS"] ?? "") ?? 5_000
    var noise = SplitMix(seed: 5)
    let seeds = [Self.intel(), Self.intel(more: [(1, 2), (3, 4)]), Self.amd(), Self.amd() + Self.amd()]
    for _ in 0..<rounds {
      let bytes = noise.damaged(seeds[Int(noise.next() % 4)])
      _ = try? IntelMicrocode.read(bytes, path: "f")
      _ = try? AMDMicrocode.read(bytes, path: "f")
    }
  }
}

/// Reproducible damage.
struct SplitMix {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// Bytes changed, cut, doubled or inserted, up to eight times.
  mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...next() % 8 {
      let place = Int(next() % UInt64(bytes.count + 1))
      switch next() % 5 {
      case 0 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 1: bytes.removeSubrange(place...)
      case 2: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
      case 3: bytes += bytes.prefix(place)
      default:
        let extreme: [UInt8] = [[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0xff, 0xff, 0xff, 0x7f]][Int(next() % 3)]
        bytes.insert(contentsOf: extreme, at: place)
      }
    }
    return bytes
  }
}
