import Foundation
import MartletData
import MartletTestSupport
import Testing

@testable import MartletCheckpoints

/// One dictionary of tensors as torch.save writes it in many ways (Scripts/make_pytorch_fixtures.py); torch gave the values.
struct PyTorchVariantTests {
  private static let folder = TestData.fixtures + "/pytorch"

  private func holdsTheValues(_ name: String) throws {
    let checkpoint = try Checkpoint.open("\(Self.folder)/\(name).pth")
    let truth = try TestData.json(Self.folder + "/values.json") as! [String: [String: Any]]
    for (key, entry) in truth {
      let tensor = try checkpoint.tensor(key)
      #expect(tensor.shape == entry["shape"] as? [Int], "\(name) \(key)")
      #expect(try tensor.floats() == (entry["values"] as! [Double]).map(Float.init), "\(name) \(key)")
    }
  }

  @Test(arguments: 1...5) func everyProtocol(number: Int) throws {
    try holdsTheValues("protocol\(number)")
    try holdsTheValues("old-protocol\(number)")
  }

  @Test(arguments: ["views", "old-views"]) func views(name: String) throws {
    try holdsTheValues(name)
    let checkpoint = try Checkpoint.open("\(Self.folder)/\(name).pth")
    #expect(try checkpoint.tensor("extra.broadcast").floats() == [Float](repeating: 1, count: 20))
  }

  @Test(arguments: [
    "lightning", "deepspeed", "msd", "nested", "only-one", "peft", "compiled-parallel", "parameters", "random-state",
    "metadata",
  ])
  func wrappings(name: String) throws { try holdsTheValues("wrapped-" + name) }

  @Test func unusedTypesAreNoObstacle() throws {
    try holdsTheValues("odd-types")
    let checkpoint = try Checkpoint.open(Self.folder + "/odd-types.pth")
    #expect(checkpoint["u16"]?.type == .u16 && checkpoint["f8"]?.type == .f8_e4m3 && checkpoint["c64"]?.type == .c64)
    for name in ["u16", "f8", "c64", "flags"] {
      let error = #expect(throws: FileError.self) { try checkpoint.tensor(name).floats() }
      #expect(error?.problem.contains("which Martlet does not support") == true)
    }
  }

  @Test func tensorsWithoutValuesSayWhyWhenAskedFor() throws {
    try holdsTheValues("no-values")
    let checkpoint = try Checkpoint.open(Self.folder + "/no-values.pth")
    for (name, words) in [("m", "without its values"), ("s", "sparse"), ("q", "quantised")] {
      let error = #expect(throws: FileError.self) { try checkpoint.tensor(name) }
      #expect(error?.problem.contains(words) == true)
    }
  }

  @Test(arguments: [
    ("model", "save"), ("list", "not a dictionary of tensors"),
    ("two-models", "several dictionaries of tensors (generator, discriminator)"), ("function", "print"),
  ])
  func whatIsNoStateDictionaryIsRefused(name: String, words: String) throws {
    let error = #expect(throws: FileError.self) { try Checkpoint.open("\(Self.folder)/refused-\(name).pth") }
    #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
  }

  // MARK: Hostile pickles

  private func refusal(_ bytes: [UInt8]) -> String? {
    let error = #expect(throws: FileError.self) {
      try bytes.withUnsafeBytes {
        var reader = ByteReader($0, file: "x.pth")
        let graph = try Pickle.load(&reader)
        _ = try StateDictionary(graph, path: "x.pth")
      }
    }
    return error?.problem
  }

  private static let head: [UInt8] = [0x80, 2]
  private static func text(_ string: String) -> [UInt8] { [0x8c, UInt8(string.utf8.count)] + Array(string.utf8) }

  @Test func depthCostsNoRecursion() {
    // {"state_dict": ((((...))))}, 900,000 deep, and as lists, and dictionaries in dictionaries.
    let many = 300_000
    let tuples = [UInt8](repeating: 0x85, count: many)
    let dictionary: [UInt8] = [0x7d] + Self.text("state_dict")
    #expect(refusal(Self.head + dictionary + [0x4e] + tuples + [0x73, 0x2e])?.contains("no tensors") == true)
    let lists = [UInt8](repeating: 0x5d, count: many) + [UInt8](repeating: 0x61, count: many - 1)
    #expect(refusal(Self.head + dictionary + lists + [0x73, 0x2e])?.contains("no tensors") == true)
    let deep = Array(repeating: dictionary, count: 50_000).joined() + [0x4e]
    #expect(
      refusal(Self.head + deep + [UInt8](repeating: 0x73, count: 50_000) + [0x2e])?.contains("no tensors") == true)
  }

  @Test func cyclesEnd() {
    // d = {}; d["model"] = d; and with a tensor beside: still no model at its end.
    let cycle: [UInt8] = Self.head + [0x7d, 0x71, 0] + Self.text("model") + [0x68, 0, 0x73]
    #expect(refusal(cycle + [0x2e])?.contains("no tensors") == true)
    let list: [UInt8] = Self.head + [0x5d, 0x71, 0, 0x68, 0, 0x61, 0x2e]
    #expect(refusal(list)?.contains("not a dictionary") == true)
  }

  @Test(
    arguments: [
      ("empty tuples", [0x29]), ("dictionaries", [0x7d]), ("marks", [0x28]), ("memos", [0x4e, 0x94]),
      ("sets", [0x8f]),
    ] as [(String, [UInt8])])
  func manyValuesOfAByteAreRefused(name: String, opcodes: [UInt8]) {
    let bytes = Self.head + Array(repeating: opcodes, count: 3_000_000).joined()
    #expect(refusal(bytes)?.contains("builds more than 1000000 values") == true)
  }

  /// A list that is remembered once and turned into a dictionary again and again would grow with the square of the file.
  @Test func copiesOfRememberedListsAreCounted() {
    let pair: [UInt8] = [0x4e, 0x4e, 0x86, 0x61]
    var bytes: [UInt8] = Self.head + [0x5d] + Array(repeating: pair, count: 100_000).joined() + [0x71, 0]
    let ordered = Array("ccollections\nOrderedDict\n".utf8) + [0x71, 1]
    bytes += ordered + Array(repeating: [0x68, 1, 0x68, 0, 0x85, 0x52] as [UInt8], count: 100_000).joined() + [0x2e]
    #expect(refusal(bytes)?.contains("builds more than") == true)
  }

  @Test(arguments: [
    "os system", "builtins eval", "builtins exec", "builtins getattr", "__builtin__ print", "posix system",
    "nt system", "subprocess Popen", "torch.hub load", "torch.storage _load_from_bytes", "numpy load",
    "numpy.testing._private.utils runstring", "transformers.utils get_file", "__main__ run", "operator attrgetter",
    "runpy run_path", "webbrowser open", "pickle loads", "torch.nn.modules.linear Linear", "collections ",
    " system", "argparse", "types FunctionType", "functools partial",
  ])
  func namesThatWeightsDoNotNeedAreRefused(name: String) {
    #expect(!PickleNames.isKnown(name))
    let parts = name.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let bytes = Self.head + Self.text(parts[0]) + Self.text(parts.count > 1 ? parts[1] : "") + [0x93, 0x2e]
    #expect(refusal(bytes)?.contains("refused") == true)
  }
}
