import Foundation
import MartletCheckpoints
import MartletData
import MartletLayers
import MartletTensor
import MartletTestSupport
import Testing

@testable import MartletModels

/// Block types that the kernels do not have keep their integers, or their errors are told.
///
/// The files are random blocks, expanded by the reader (which FileTypeTests holds to the `gguf` package).
struct RepackingTests {
  /// A GGUF file of one matrix of random blocks of a type.
  private func tensor(_ type: FileType, rows: Int, _ scratch: TestData.Scratch, name: String = "a") throws
    -> CheckpointTensor
  {
    let bytes = rows * 512 / type.blockValues * type.blockByteCount
    var random = SystemRandomNumberGenerator()
    var data = (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &random) }
    // Scales as files have them: normal halves.
    let places: [Int] =
      switch type {
      case .q2_K: [80, 82]
      case .q3_K: [108]
      case .q6_K: [208]
      case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
      case .q8_K, .mxfp4: []
      default: [0]
      }
    for block in 0..<bytes / type.blockByteCount {
      for place in places {
        let bits = Float16(Float.random(in: 0.001...0.1)).bitPattern
        data[block * type.blockByteCount + place] = UInt8(bits & 255)
        data[block * type.blockByteCount + place + 1] = UInt8(bits >> 8)
      }
      if type == .mxfp4 { data[block * 17] = UInt8.random(in: 110...135, using: &random) }
      if type == .q8_K {
        withUnsafeBytes(of: Float.random(in: 0.001...0.1)) {
          for (index, byte) in $0.enumerated() { data[block * type.blockByteCount + index] = byte }
        }
      }
    }
    try GGUF.write(to: scratch.file(name), tensors: [("w", type, [rows, 512])], metadata: []) { _, write in
      try data.withUnsafeBytes { try write($0) }
    }
    return try Checkpoint.open(scratch.file(name)).tensor("w")
  }

  private func packed(_ tensor: CheckpointTensor, _ format: WeightFormat?) throws -> (
    values: [Float], remarks: [String]
  ) {
    let checkpoint = try Checkpoint.open(tensor.path)
    let loader = WeightLoader(checkpoint, format: format)
    let linear = try loader.linear("w", outputs: tensor.shape[0], inputs: tensor.shape[1])
    guard case .packed(let matrix) = linear.weight else { return ([], []) }
    return (matrix.values, loader.remarks)
  }

  private func largestError(_ a: [Float], _ b: [Float]) -> Float {
    stride(from: 0, to: a.count, by: 32).reduce(0) { worst, start in
      let peak = a[start..<start + 32].map(abs).max() ?? 0
      let error = zip(a[start..<start + 32], b[start..<start + 32]).map { abs($0 - $1) }.max() ?? 0
      return max(worst, error / peak)
    }
  }

  @Test(arguments: [FileType.q4_0, .q4_1, .q5_0, .q8_0, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_NL, .mxfp4])
  func everyValueIsKept(type: FileType) throws {
    let scratch = try TestData.Scratch(), tensor = try tensor(type, rows: 33, scratch)
    let (values, remarks) = try packed(tensor, nil)
    #expect(try values == tensor.floats())
    #expect(remarks.isEmpty && Repacking.isExact(type))
  }

  @Test(arguments: [FileType.q8_K, .iq4_XS, .q2_K, .q5_1]) func errorsAreMeasuredAndBounded(type: FileType) throws {
    let scratch = try TestData.Scratch(), tensor = try tensor(type, rows: 33, scratch)
    let (values, remarks) = try packed(tensor, nil)
    let error = try largestError(tensor.floats(), values)
    #expect(error > 0 && error <= ([.q8_K, .iq4_XS].contains(type) ? 0.0005 : 0.0045), "\(error)")
    #expect(remarks.count == 1 && !Repacking.isExact(type))
    let words = try #require(remarks.first?.split(separator: " ")), place = try #require(words.firstIndex(of: "%"))
    let said = try #require(Float(words[place - 1])) / 100
    #expect(abs(said - error) < 0.01 * error + 1e-6, "\(remarks) for \(error)")
  }

  /// Scales of MXFP4 beyond what a half holds, and beyond single precision.
  @Test(arguments: [200, 255] as [UInt8]) func scalesBeyondTheRangeAreRefused(exponent: UInt8) throws {
    let scratch = try TestData.Scratch()
    let block = [exponent] + [UInt8](repeating: 0x77, count: 16)
    try GGUF.write(to: scratch.file("a"), tensors: [("w", .mxfp4, [2, 512])], metadata: []) { _, write in
      try Array(repeating: block, count: 2 * 512 / 32).flatMap { $0 }.withUnsafeBytes { try write($0) }
    }
    let tensor = try Checkpoint.open(scratch.file("a")).tensor("w")
    #expect(throws: FileError.self) { try packed(tensor, nil) }
    if exponent == 255 { #expect(throws: FileError.self) { try packed(tensor, .f32) } }
  }

  /// Held as Q4_1, the integers of Q4_K stay: with the same rounded scales every value lies on the file's own grid.
  @Test func theIntegersOfQ4KAreKept() throws {
    let scratch = try TestData.Scratch(), tensor = try tensor(.q4_K, rows: 16, scratch)
    let (values, _) = try packed(tensor, .q4_1)
    let truth = try tensor.floats()
    for start in stride(from: 0, to: truth.count, by: 32) {
      let a = truth[start..<start + 32], b = values[start..<start + 32]
      // Equal values stay equal, and their order stays.
      let order = a.indices.sorted { a[$0] < a[$1] }
      for (first, second) in zip(order, order.dropFirst()) {
        #expect(a[first] == a[second] ? b[first] == b[second] : b[first] < b[second])
      }
    }
  }

  /// Asking for the format a file already has changes no bit, of the tensors that it holds in a better one either.
  @Test(arguments: [
    (WeightFormat.q4_1, FileType.q4_1), (.q4_0, .q4_0), (.q8_0, .q8_0), (.q4_K, .q4_K), (.q5_K, .q5_K), (.q6_K, .q6_K),
  ])
  func theFormatThatAFileHasChangesNothing(format: WeightFormat, type: FileType) throws {
    let scratch = try TestData.Scratch()
    let body = try tensor(type, rows: 64, scratch, name: "body"),
      head = try tensor(.q8_0, rows: 16, scratch, name: "head")
    let path = scratch.file("both")
    try GGUF.write(
      to: path, tensors: [("body", type, body.shape), ("head", .q8_0, head.shape)], metadata: []
    ) { index, write in try write([body, head][index].bytes) }
    let loader = WeightLoader(try Checkpoint.open(path), format: format)
    for (name, source) in [("body", body), ("head", head)] {
      let linear = try loader.linear(name, outputs: source.shape[0], inputs: 512)
      guard case .packed(let matrix) = linear.weight else { continue }
      #expect(try matrix.values == source.floats(), "\(name)")
    }
    #expect(loader.format == nil)
    // Another format is still had for the asking.
    #expect(WeightLoader(try Checkpoint.open(path), format: .f16).format == .f16)
  }

  @Test func integersAreKeptOnRequestToo() throws {
    let scratch = try TestData.Scratch(), tensor = try tensor(.q4_0, rows: 20, scratch)
    #expect(try packed(tensor, .q8_0).values == tensor.floats())
    #expect(try packed(tensor, .f32).values == tensor.floats())
  }

  /// The real model: as it is shipped and as asked for, the same logits, and near those of f32.
  @Test(
    .enabled(
      if: TestData.smolLM2 != nil, "`make demo` fetches SmolLM2 into MARTLET_HOME; MARTLET_SMOLLM2 names it elsewhere"))
  func theShippedModel() throws {
    let path = try #require(TestData.smolLM2)
    let tokens = (0..<24).map { 1000 + 37 * $0 }
    #expect(try ModelCases.last(path, tokens, format: nil) == ModelCases.last(path, tokens, format: .q4_1))
  }
}
