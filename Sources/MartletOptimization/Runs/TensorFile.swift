import Foundation
import MartletCheckpoints
import MartletData
import MartletTensor

/// Tensors by name in a safetensors file, in single precision or bfloat16.
package enum TensorFile {
  package static func write(
    _ tensors: [(name: String, value: Tensor)], shapes: (String, [Int]) -> [Int] = { $1 },
    type: FileType = .f32, metadata: [String: String] = [:], to path: String
  ) throws {
    try Safetensors.write(
      to: path, tensors: tensors.map { ($0.name, type, shapes($0.name, $0.value.shape)) }, metadata: metadata
    ) { index, write in try bytes(of: tensors[index].value, as: type, write) }
  }

  package static func bytes(of tensor: Tensor, as type: FileType, _ write: ByteSink)
    throws
  {
    if type == .f32 {
      try tensor.contiguous().withFloats { try write(.init($0)) }
    } else {
      try (type == .bf16 ? WeightFormat.bf16 : .f16).round(tensor.values).withUnsafeBytes { try write($0) }
    }
  }

  /// The tensors named, which must all be there in single precision and in these shapes.
  package static func read(_ path: String, _ wanted: [(name: String, shape: [Int])]) throws -> [Tensor] {
    // Not `Checkpoint.open`: it takes off what wrappers add to the names of models, and the names of moments begin alike.
    let file = try Safetensors.open(path)
    return try wanted.map { name, shape in
      let entry = try file.tensor(name)
      guard entry.count == shape.reduce(1, *) else {
        throw FileError(
          file: path, "\(name) has shape \(entry.shape) instead of \(shape); it belongs to another run")
      }
      defer { entry.release() }
      return Tensor(try entry.floats(), shape: shape)
    }
  }
}
