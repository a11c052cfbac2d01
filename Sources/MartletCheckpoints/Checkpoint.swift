import MartletData
import MartletTensor

/// One tensor of a file: where its bytes lie. Nothing is read before it is asked for.
public struct CheckpointTensor: Sendable {
  /// As the file, or what unwrapped its names, calls it.
  public let name: String
  /// Type of the elements.
  public let type: FileType
  /// Row-major: `[outputs, inputs]` for a matrix.
  public let shape: [Int]
  let file: MappedFile
  /// Place of the bytes in the file.
  public let range: Range<Int>
  /// Distances between neighbours, in elements, for the rare tensor saved as a view; nil when row-major.
  let strides: [Int]?

  init(name: String, type: FileType, shape: [Int], file: MappedFile, range: Range<Int>, strides: [Int]? = nil) {
    self.name = name
    self.type = type
    self.shape = shape
    self.file = file
    self.range = range
    self.strides = strides
  }

  /// The file that holds it.
  public var path: String { file.path }
  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }
  /// Whether ``bytes`` holds the elements in row-major order.
  public var isContiguous: Bool { strides == nil }
  /// The elements as they stand in the mapped file, valid as long as the tensor is kept.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[range]) }

  /// Lets the system drop the pages of these bytes (`part`: offsets into ``bytes``).
  public func release(_ part: Range<Int>? = nil) {
    let part = part ?? 0..<range.count
    file.release(range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
  }

  /// All elements as floats, row-major.
  public func floats() throws -> [Float] {
    try requireReal()
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress { expand(0..<count, into: base) }
      initialized = count
    }
  }

  /// Writes elements `elements` (whole blocks) as floats. Precondition: a real type.
  public func expand(_ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) {
    guard let base = bytes.baseAddress, !elements.isEmpty else { return }
    if let strides {
      for (place, index) in elements.enumerated() {
        var rest = index, at = 0
        for axis in shape.indices.reversed() {
          at += rest % shape[axis] * strides[axis]
          rest /= shape[axis]
        }
        expand(base + at * type.blockByteCount, 1, into: values + place)
      }
    } else {
      let start = elements.lowerBound / type.blockValues * type.blockByteCount
      expand(base + start, elements.count, into: values)
    }
  }

  private func expand(_ source: UnsafeRawPointer, _ count: Int, into values: UnsafeMutablePointer<Float>) {
    CPU.expand(source, fileType: type.rawValue, count: count, into: values)
  }

  /// - Throws: `CheckpointError` when the type has no float value.
  public func requireReal() throws {
    guard type.isReal else {
      throw CheckpointError(
        file: path,
        "tensor \(name) holds \(type), which Martlet does not compute with; save it again in f32, f16 or bf16")
    }
  }
}

/// A model file (or a sharded set of them) opened for reading.
public struct Checkpoint: Sendable {
  /// The kinds of files that are read.
  public enum Format: String, Sendable {
    /// One .safetensors file, or an index of several.
    case safetensors
    /// A PyTorch file (.pth, .bin), or an index of several.
    case pytorch
    /// A GGUF file of llama.cpp.
    case gguf
    /// A file of rwkv.cpp (ggml).
    case rwkvCpp = "rwkv.cpp"
  }

  /// What kind of file it is.
  public let format: Format
  /// The file, or the index of shards.
  public let path: String
  /// Every tensor whose values can be read, by name.
  public let tensors: [String: CheckpointTensor]
  /// Names in file order.
  public let names: [String]
  /// GGUF metadata, or safetensors' `__metadata__` as strings.
  public let metadata: [String: MetadataValue]
  /// Why a tensor of the file has no values that can be read, by its name.
  public let unreadable: [String: String]
  /// What lies in the file outside the dictionary of weights, or in it as something else than a tensor, and holds
  /// tensors or arrays: each by its name and what it is.
  public let beside: [String]
  /// `config.json` beside the weights, where there is one.
  public internal(set) var configuration: [String: MetadataValue] = [:]

  init(
    format: Format, path: String, tensors: [CheckpointTensor], metadata: [String: MetadataValue] = [:],
    unreadable: [String: String] = [:], beside: [String] = []
  ) throws {
    self.format = format
    self.path = path
    self.metadata = metadata
    self.unreadable = unreadable
    self.beside = beside
    names = tensors.map(\.name)
    self.tensors = try Dictionary(tensors.map { ($0.name, $0) }) { first, _ in
      throw CheckpointError(file: path, "it holds the tensor \(first.name) twice; the file is damaged")
    }
  }

  /// The tensor called `name`; nil where there is none whose values can be read.
  public subscript(name: String) -> CheckpointTensor? { tensors[name] }

  /// - Throws: `CheckpointError` where the tensor is missing.
  public func tensor(_ name: String) throws -> CheckpointTensor {
    if let reason = unreadable[name] {
      throw CheckpointError(file: path, "its tensor \(name) \(reason)")
    }
    guard let tensor = tensors[name] else {
      throw CheckpointError(file: path, "it has no tensor \(name); it is not a whole model of this kind")
    }
    return tensor
  }

  /// The shape of a tensor that must have `axes` axes.
  /// - Throws: `CheckpointError` where the tensor is missing or has more or fewer.
  public func shape(of name: String, axes: Int) throws -> [Int] {
    let shape = try tensor(name).shape
    guard shape.count == axes else {
      throw CheckpointError(
        file: path,
        "tensor \(name) has shape \(shape) where \(axes) axes belong; the file is of another architecture, or damaged")
    }
    return shape
  }

  /// Bytes of all tensors.
  public var byteCount: Int { tensors.values.reduce(0) { $0 + $1.range.count } }
  /// Number of weights.
  public var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.count } }
}
