import MartletData

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// JPEG files, by the system's libturbojpeg where it is installed. It is looked for when a file asks for it, so that the program needs it
/// neither to build nor to start.
enum JPEG {
  static let signature: [UInt8] = [0xff, 0xd8, 0xff]

  private typealias Create = @convention(c) () -> OpaquePointer?
  private typealias Destroy = @convention(c) (OpaquePointer) -> Int32
  private typealias Header =
    @convention(c) (
      OpaquePointer, UnsafePointer<UInt8>?, UInt, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>,
      UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
    ) -> Int32
  private typealias Decompress =
    @convention(c) (
      OpaquePointer, UnsafePointer<UInt8>?, UInt, UnsafeMutablePointer<UInt8>?, Int32, Int32, Int32, Int32, Int32
    ) -> Int32

  private struct Library {
    let create: Create
    let destroy: Destroy
    let header: Header
    let decompress: Decompress

    /// nil where no libturbojpeg is installed.
    init?() {
      let names = [
        "libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.0.dylib", "/opt/homebrew/lib/libturbojpeg.0.dylib",
      ]
      guard let handle = names.lazy.compactMap({ dlopen($0, RTLD_NOW) }).first,
        let create = dlsym(handle, "tjInitDecompress"), let destroy = dlsym(handle, "tjDestroy"),
        let header = dlsym(handle, "tjDecompressHeader3"), let decompress = dlsym(handle, "tjDecompress2")
      else { return nil }
      self.create = unsafeBitCast(create, to: Create.self)
      self.destroy = unsafeBitCast(destroy, to: Destroy.self)
      self.header = unsafeBitCast(header, to: Header.self)
      self.decompress = unsafeBitCast(decompress, to: Decompress.self)
    }
  }

  /// Whether JPEG files can be read here.
  static var isAvailable: Bool { Library() != nil }

  /// Reads a grey or colour file.
  static func read(_ bytes: [UInt8], of path: String) throws -> Image {
    guard let library = Library(), let handle = library.create() else {
      throw FileError(
        file: path,
        "this is a JPEG file, but libturbojpeg is not installed; install it (Debian: libturbojpeg0) or save the image as PNG"
      )
    }
    defer { _ = library.destroy(handle) }
    let damaged = FileError(file: path, "it is a JPEG file, but it is damaged or cut off; fetch or save it again")
    var width: Int32 = 0, height: Int32 = 0, sampling: Int32 = 0, space: Int32 = 0
    let size = UInt(bytes.count)
    guard library.header(handle, bytes, size, &width, &height, &sampling, &space) == 0, width > 0, height > 0 else {
      throw damaged
    }
    // TJCS_GRAY is 2; 3 and 4 are the colours of printing, CMYK and YCCK.
    guard space < 3 else {
      throw FileError(file: path, "this JPEG file has the colours of a printer (CMYK); save it as RGB or grey")
    }
    guard Int(width) * Int(height) <= PNG.mostPixels else {
      throw FileError(file: path, "this JPEG file has more than \(PNG.mostPixels) pixels; make it smaller")
    }
    let channels = space == 2 ? 1 : 3
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * channels)
    // TJPF_GRAY is 6, TJPF_RGB 0; TJFLAG_ACCURATEDCT is 4096 and TJFLAG_STOPONWARNING 8192: half a picture is no picture.
    guard
      library.decompress(
        handle, bytes, size, &pixels, width, 0, height, channels == 1 ? 6 : 0, 4096 | 8192) == 0
    else { throw damaged }
    return try Image(
      height: Int(height), width: Int(width), channels: channels, values: pixels.map { Float($0) / 255 })
  }
}
