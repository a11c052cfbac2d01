import Foundation
import MartletData
import MartletTensor

/// Images side by side in one file.
public enum ImageSheet {
  /// Whether a sheet can be written to a file.
  /// - Throws: `FileError` for a name that ends in neither `.png` nor `.pgm`, and where the file is there or cannot be written.
  public static func check(_ path: String, replaces: Bool = false) throws {
    guard [".png", ".pgm"].contains(where: path.lowercased().hasSuffix) else {
      throw FileError(
        file: path, "images side by side are written as PNG or PGM; choose a name that ends in .png or .pgm")
    }
    try OutputTarget.check(path, replaces: replaces)
  }

  /// Writes images in rows of `columns`, one white pixel apart: as PNG or PGM, as the name of the file ends.
  /// - Parameters:
  ///   - images: what is shown.
  ///   - columns: the number of images in a row.
  ///   - path: the file, which is not replaced unless `replaces` says so.
  ///   - replaces: whether a file of that name is replaced.
  /// - Throws: `FileError` where it cannot be written.
  public static func write(_ images: ImageSet, columns: Int = 10, to path: String, replaces: Bool = false) throws {
    let columns = max(1, min(columns, images.count)), rows = (images.count + columns - 1) / columns
    let (height, width) = (rows * (images.height + 1) + 1, columns * (images.width + 1) + 1)
    var pixels = [UInt8](repeating: 255, count: height * width)
    for (place, value) in images.signals.values.enumerated() {
      let (image, pixel) = place.quotientAndRemainder(dividingBy: images.height * images.width)
      let (y, x) = pixel.quotientAndRemainder(dividingBy: images.width)
      let top = image / columns * (images.height + 1) + 1, left = image % columns * (images.width + 1) + 1
      let shade = (min(1, max(-1, value.isNaN ? -1 : value)) + 1) / 2 * 255
      pixels[(top + y) * width + left + x] = UInt8(shade.rounded())
    }
    try check(path, replaces: replaces)
    if path.lowercased().hasSuffix(".png") {
      let sheet = try Image(height: height, width: width, values: pixels.map { Float($0) / 255 })
      return try ImageFile.write(sheet, to: path, replaces: replaces)
    }
    try AtomicFile.write(Data("P5\n\(width) \(height)\n255\n".utf8) + Data(pixels), to: path, replaces: replaces)
  }
}
