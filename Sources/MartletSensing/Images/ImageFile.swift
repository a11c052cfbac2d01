import Foundation
import MartletData

/// Images of files: PNG, JPEG, PGM and PPM, IDX, NumPy arrays, each also packed with gzip, and folders of them.
public enum ImageFile {
  /// Reads a file or all images of a folder but hidden ones, in the order of their names. The name of an image is that of its file without the ending; where
  /// several files of a folder differ in the ending alone, with it.
  /// - Parameters:
  ///   - path: a file or a folder.
  ///   - limit: the most images; the rest is not read.
  /// - Returns: the images, each with the name of its file and its number in it, if there are several.
  /// - Throws: `FileError` that names the file, what is wrong and what helps.
  public static func read(_ path: String, limit: Int = .max) throws -> [(name: String, image: Image)] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
      return try named(name, MappedFile.contents(of: path, limit: 2 << 30), of: path, limit: limit)
    }
    let endings: Set = ["png", "jpg", "jpeg", "pgm", "ppm", "npy"]
    let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      .filter { !$0.hasPrefix(".") && endings.contains(($0 as NSString).pathExtension.lowercased()) }
    guard !names.isEmpty else {
      throw FileError(
        file: path, "the folder has no images; give one with files that end in .png, .jpg, .pgm, .ppm or .npy")
    }
    func stem(_ name: String) -> String { (name as NSString).deletingPathExtension }
    let counts = Dictionary(names.map { (stem($0), 1) }, uniquingKeysWith: +)
    var images: [(name: String, image: Image)] = [], taken: Set<String> = []
    for file in names where images.count < limit {
      let place = (path as NSString).appendingPathComponent(file)
      let name = counts[stem(file)] == 1 ? stem(file) : file
      for read in try named(
        name, MappedFile.contents(of: place, limit: 2 << 30), of: place, limit: limit - images.count)
      {
        guard taken.insert(read.name).inserted else {
          throw FileError(
            file: place,
            "it has an image \"\(read.name)\", which another file of the folder has too; rename one of both")
        }
        images.append(read)
      }
    }
    return images
  }

  /// The images of a file under its name, several with their numbers.
  private static func named(
    _ name: String, _ bytes: [UInt8], of path: String, limit: Int
  ) throws -> [(name: String, image: Image)] {
    let images = try read(bytes, of: path, limit: limit)
    return images.enumerated().map { (images.count == 1 ? name : "\(name)-\($0 + 1)", $1) }
  }

  /// Reads the bytes of a file, whose format they tell.
  /// - Throws: `FileError` that names the file, what is wrong and what helps.
  public static func read(_ bytes: [UInt8], of path: String, limit: Int = .max) throws -> [Image] {
    if bytes.starts(with: PNG.signature) { return try [PNG.read(bytes, of: path)] }
    if bytes.starts(with: JPEG.signature) { return try [JPEG.read(bytes, of: path)] }
    if bytes.starts(with: NumPyArray.signature) {
      let images = try NumPyArray.read(bytes, of: path, limit: limit)
      // Recovered images may leave 0...1 a little; what goes far beyond was meant in another unit.
      if let far = images.lazy.flatMap(\.values).first(where: { !(-2...3).contains($0) }) {
        throw FileError(
          file: path,
          "it has a value of \(far) where 0 is black and 1 is white; divide its values, as by 255, or save them as uint8"
        )
      }
      return images
    }
    if bytes.count > 2, bytes[0] == UInt8(ascii: "P"), [50, 51, 53, 54].contains(bytes[1]) {
      return try [PortableMap.read(bytes, of: path)]
    }
    if bytes.starts(with: [0, 0]) {
      let images = try IDXFile.images(bytes, of: path), size = images.height * images.width
      return try (0..<min(limit, images.count)).map { index in
        try Image(
          height: images.height, width: images.width,
          values: images.pixels[index * size..<(index + 1) * size].map { Float($0) / 255 })
      }
    }
    if let compression = Compression(bytes) {
      let unpacked = try bytes.withUnsafeBytes { try compression.unpack($0, of: path) }
      guard Compression(unpacked) == nil else { throw FileError(file: path, "it is packed twice; unpack it first") }
      return try read(unpacked, of: path, limit: limit)
    }
    throw FileError(
      file: path, "its format is not known; give PNG, JPEG, PGM, PPM, IDX or .npy, or one of these packed with gzip")
  }

  /// The bytes of an image as PNG, grey or RGB with 8 bits a value.
  /// - Parameter image: the image.
  public static func png(_ image: Image) -> [UInt8] { PNG.bytes(image) }

  /// Writes an image as PNG, grey or RGB with 8 bits a value.
  /// - Throws: `FileError` if the file exists and `replaces` is false, or cannot be written.
  public static func write(_ image: Image, to path: String, replaces: Bool = false) throws {
    try AtomicFile.write(PNG.bytes(image), to: path, replaces: replaces)
  }
}
