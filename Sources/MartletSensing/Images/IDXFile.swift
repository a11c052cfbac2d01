import Foundation
import MartletData

/// Reads the IDX format of MNIST, also compressed: a big-endian magic number (2051 for images, 2049 for labels), the number of entries, for
/// images their rows and columns, then one byte for each pixel or label.
public enum IDXFile {
  /// Images as they stand in a file.
  public struct Images: Sendable, Equatable {
    /// The number of images, and of pixels along each axis.
    public var count, height, width: Int
    /// The pixels, image after image, row after row; 0 is the background.
    public var pixels: [UInt8]
  }

  /// The images of a file.
  /// - Throws: `FileError` if it cannot be read, holds something else or ends too early.
  public static func images(_ path: String) throws -> Images {
    try images([UInt8](JSONLines.contents(path)), of: path)
  }

  /// The images of a file; nil if it is a folder or something else than an IDX file of images.
  /// - Throws: `FileError` if it cannot be read or ends too early.
  static func imagesIfAny(_ path: String) throws -> Images? {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue { return nil }
    let bytes = [UInt8](try JSONLines.contents(path))
    return bytes.starts(with: [0, 0]) ? try images(bytes, of: path) : nil
  }

  /// The images of an unpacked file's bytes.
  static func images(_ bytes: [UInt8], of path: String) throws -> Images {
    let counts = try header(bytes, of: path, magic: 2051, count: 4, kind: "images")
    let (count, height, width) = (counts[1], counts[2], counts[3])
    guard count > 0, height > 0, width > 0 else {
      throw FileError(file: path, "it has no images (\(count) of \(height) x \(width) pixels); check the file")
    }
    let (size, overflow) = height.multipliedReportingOverflow(by: width)
    let (total, overflow2) = size.multipliedReportingOverflow(by: count)
    guard !overflow, !overflow2, bytes.count - 16 == total else {
      throw FileError(
        file: path,
        "it has \(bytes.count - 16) bytes of pixels where \(count) images of \(height) x \(width) are announced; fetch it again"
      )
    }
    return Images(count: count, height: height, width: width, pixels: Array(bytes[16...]))
  }

  /// The labels of a file, one for each image.
  /// - Throws: `FileError` if it cannot be read, holds something else or ends too early.
  public static func labels(_ path: String) throws -> [Int] {
    let bytes = [UInt8](try JSONLines.contents(path))
    let count = try header(bytes, of: path, magic: 2049, count: 2, kind: "labels")[1]
    guard bytes.count - 8 == count else {
      throw FileError(file: path, "it has \(bytes.count - 8) labels where \(count) are announced; fetch it again")
    }
    return bytes[8...].map { Int($0) }
  }

  private static func header(_ bytes: [UInt8], of path: String, magic: Int, count: Int, kind: String) throws -> [Int] {
    guard bytes.count >= 4 * count else {
      throw FileError(file: path, "it ends at byte \(bytes.count) inside the header of an IDX file; fetch it again")
    }
    let numbers = (0..<count).map { place in
      bytes[4 * place..<4 * place + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    guard numbers[0] == magic else {
      throw FileError(
        file: path,
        "it is no IDX file of \(kind): its magic number is \(numbers[0]) instead of \(magic); check the path")
    }
    return numbers
  }
}
