#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// zstd files, by the system's libzstd where it is installed. It is looked for when a file asks for it, so that the
/// program needs it neither to build nor to start.
enum Zstandard {
  /// `ZSTD_inBuffer` and `ZSTD_outBuffer`: memory, its size, and how far it was used.
  private struct Buffer {
    var bytes: UnsafeMutableRawPointer?
    var size: Int
    var position: Int
  }

  private typealias Create = @convention(c) () -> OpaquePointer?
  private typealias Free = @convention(c) (OpaquePointer) -> Int
  private typealias Decompress = @convention(c) (OpaquePointer, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int
  private typealias IsError = @convention(c) (Int) -> UInt32

  private struct Library {
    let create: Create
    let free: Free
    let decompress: Decompress
    let isError: IsError

    /// nil where no libzstd is installed.
    init?() {
      let names = ["libzstd.so.1", "libzstd.so", "libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib"]
      guard let handle = names.lazy.compactMap({ dlopen($0, RTLD_NOW) }).first,
        let create = dlsym(handle, "ZSTD_createDStream"), let free = dlsym(handle, "ZSTD_freeDStream"),
        let decompress = dlsym(handle, "ZSTD_decompressStream"), let isError = dlsym(handle, "ZSTD_isError")
      else { return nil }
      self.create = unsafeBitCast(create, to: Create.self)
      self.free = unsafeBitCast(free, to: Free.self)
      self.decompress = unsafeBitCast(decompress, to: Decompress.self)
      self.isError = unsafeBitCast(isError, to: IsError.self)
    }
  }

  static func unpack(_ bytes: UnsafeRawBufferPointer, of path: String) throws -> [UInt8] {
    guard let library = Library(), let stream = library.create() else {
      throw FileError(
        file: path, "this is a zstd file, but libzstd is not installed; unpack it first: zstd -d \(path)")
    }
    defer { _ = library.free(stream) }
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    var input = Buffer(bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress), size: bytes.count, position: 0)
    while true {
      let (status, written) = piece.withUnsafeMutableBytes { memory in
        var target = Buffer(bytes: memory.baseAddress, size: memory.count, position: 0)
        return (library.decompress(stream, &target, &input), target.position)
      }
      guard library.isError(status) == 0 else {
        throw FileError(file: path, "it is a zstd file, but it is damaged; fetch it again")
      }
      output += piece[..<written]
      if Compression.isTooLarge(output.count, input.position) { throw Compression.tooLarge(path) }
      guard input.position == input.size else { continue }
      // 0 says that a frame is at its end, and all of it was handed over.
      if status == 0 { return output }
      if written < piece.count {
        throw FileError(file: path, "it is a zstd file, but it is cut off; fetch it again")
      }
    }
  }
}
