import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
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
    let file = try Checkpoint.open(path)
    return try wanted.map { name, shape in
      let entry = try file.tensor(name)
      guard entry.count == shape.reduce(1, *) else {
        throw TrainingError("\(path): \(name) has shape \(entry.shape) where \(shape) belongs; it is of another run")
      }
      defer { entry.release() }
      return Tensor(try entry.floats(), shape: shape)
    }
  }
}

/// Writes JSON so that readers see the old file or the whole new one.
package func writeJSON(_ object: Any, to path: String) throws {
  let data = try JSONSerialization.data(
    withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
  let file = try AtomicFile(path: path)
  try (data + Data("\n".utf8)).withUnsafeBytes { try file.write($0) }
  try file.commit()
}
