import Foundation
import MartletData
import MartletTensor

extension MatrixOperator {
  /// A checksum of the entries: equal for equal matrices.
  var checksum: String {
    var checksum = CRC32()
    rows.withUnsafeBytes { checksum.update($0) }
    return String(checksum.value, radix: 16)
  }

  /// The matrix of a file.
  /// - Parameter path: an array `[measurements, pixels]` of NumPy (.npy), or the model.safetensors of `martlet sense train`, whose measurement is a
  ///   matrix. A model measures pixels from -1 to 1; here its matrix takes pixels from 0 to 1 like any other.
  /// - Throws: `FileError` if the file cannot be read or has no matrix.
  public init(file path: String) throws {
    if (path as NSString).pathExtension == "safetensors" {
      guard let matrix = try RecoveryFile.read(path).model.measurementMatrix else {
        throw FileError(file: path, "its measurement is a network and no matrix; train with --measurement linear")
      }
      try self.init(
        signalCount: matrix.shape[0], measurementCount: matrix.shape[1],
        rows: matrix.transposed().contiguous().doubleValues)
      return
    }
    let problem = FileError(
      file: path, "it is no matrix; give an .npy file [measurements, pixels], or a model.safetensors")
    guard (path as NSString).pathExtension == "npy" else { throw problem }
    let bytes = try MappedFile.contents(of: path, limit: 2 << 30)
    guard bytes.starts(with: NumPyArray.signature) else { throw problem }
    // Read as one image is, but for the range of its values.
    let images = try NumPyArray.read(bytes, of: path, limit: 2)
    guard images.count == 1, let rows = images.first, rows.channels == 1 else { throw problem }
    try self.init(signalCount: rows.width, measurementCount: rows.height, rows: rows.values.map(Double.init))
  }
}
