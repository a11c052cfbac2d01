import MartletData
import MartletTensor

/// One tensor of a file. Its values are read on demand.
public struct CheckpointTensor: Sendable {
  /// The name in the file, without prefixes that a container adds.
  public let name: String
  /// The type of the elements.
  public let type: FileType
  /// The shape, row-major: `[outputs, inputs]` for a matrix.
  public let shape: [Int]
  let file: MappedFile
  /// The byte range in the file.
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

  /// The path of the file that contains the tensor.
  public var path: String { file.path }
  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
  /// Whether ``bytes`` contains the elements in row-major order.
  public var isContiguous: Bool { strides == nil }
  /// The elements in the mapped file. The pointer is valid as long as the tensor exists.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[range]) }

  /// Allows the system to drop the pages of these bytes. `part` is a range of offsets into ``bytes``.
  public func release(_ part: Range<Int>? = nil) {
    let part = part ?? 0..<range.count
    file.release(range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
  }

  /// All elements as floats, row-major.
  /// - Throws: `FileError` if the type cannot be converted to float.
  public func floats() throws -> [Float] {
    try requireReal()
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress { expand(0..<count, into: base) }
      initialized = count
    }
  }

  /// Writes the elements of a range (whole blocks) as floats. Precondition: the type is real.
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

  /// - Throws: `FileError` if the type cannot be converted to float.
  public func requireReal() throws {
    guard type.isReal else {
      throw FileError(
        file: path,
        "tensor \(name) has the type \(type), which Martlet does not support; save it again in f32, f16 or bf16")
    }
  }
}

/// A model file, or a set of shards, opened for reading.
public struct Checkpoint: Sendable {
  /// The formats that are read.
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

  /// The format.
  public let format: Format
  /// The path of the file or of the index of shards.
  public let path: String
  /// All tensors whose values can be read, by name.
  public let tensors: [String: CheckpointTensor]
  /// The names of the tensors, in the order of the file.
  public let names: [String]
  /// The metadata of GGUF, or the `__metadata__` of safetensors as strings.
  public let metadata: [String: MetadataValue]
  /// The tensors of the file whose values cannot be read, by name, with the reason.
  public let unreadable: [String: String]
  /// Tensors and arrays that the file contains outside the dictionary of weights, or inside other values of it, each
  /// described by its name and kind.
  public let beside: [String]
  /// The contents of the `config.json` in the folder of the weights; empty if there is none.
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
      throw FileError(file: path, "it contains the tensor \(first.name) twice; the file is damaged")
    }
  }

  /// The tensor with a name; nil if it is missing or its values cannot be read.
  public subscript(name: String) -> CheckpointTensor? { tensors[name] }

  /// The tensor with a name.
  /// - Throws: `FileError` if the tensor is missing.
  public func tensor(_ name: String) throws -> CheckpointTensor {
    if let reason = unreadable[name] {
      throw FileError(file: path, "its tensor \(name) \(reason)")
    }
    guard let tensor = tensors[name] else {
      throw FileError(file: path, "it has no tensor \(name); it is not a whole model of this kind")
    }
    return tensor
  }

  /// The shape of a tensor, which must have `axes` axes.
  /// - Throws: `FileError` if the tensor is missing or has another number of axes.
  public func shape(of name: String, axes: Int) throws -> [Int] {
    let shape = try tensor(name).shape
    guard shape.count == axes else {
      throw FileError(
        file: path,
        "tensor \(name) has shape \(shape) instead of \(axes) axes; the file has another architecture or is damaged")
    }
    return shape
  }

  /// The size of all tensors in bytes.
  public var byteCount: Int { tensors.values.reduce(0) { $0 + $1.range.count } }
  /// The number of weights.
  public var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.count } }
}
