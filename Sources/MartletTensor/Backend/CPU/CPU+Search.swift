import CMartletKernels

/// Stored vectors: rows of halves, or of a scale (4 bytes, little-endian) and 8-bit integers, at some place of a storage.
extension CPU {
  /// `count` 16-bit floating-point numbers.
  static func halves(_ storage: Storage, at offset: Int, count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      storage.withUnsafeBytes { bytes in
        martlet_file_expand(
          WeightFormat.f16.fileType, bytes.baseAddress.map { $0 + offset }, Int64(count), buffer.baseAddress)
      }
      filled = count
    }
  }

  /// `count` integers times their scale.
  static func scaledIntegers(_ storage: Storage, at offset: Int, count: Int) -> [Float] {
    withScaledIntegers(storage, at: offset) { scale, values in (0..<count).map { scale * Float(values[$0]) } }
  }

  /// The inner product of a row's integers and others, and the row's scale.
  static func dot(_ storage: Storage, at offset: Int, _ other: [Int8]) -> (sum: Int32, scale: Float) {
    withScaledIntegers(storage, at: offset) { scale, values in
      (martlet_dot_int8(values, other, Int64(other.count)), scale)
    }
  }

  /// The squared Euclidean distance of a row of scaled integers to numbers.
  static func squaredDistance(_ storage: Storage, at offset: Int, to other: [Float]) -> Float {
    withScaledIntegers(storage, at: offset) { scale, values in
      martlet_squared_distance_int8(values, scale, other, Int64(other.count))
    }
  }

  private static func withScaledIntegers<Result>(
    _ storage: Storage, at offset: Int, _ body: (_ scale: Float, _ values: UnsafePointer<Int8>) -> Result
  ) -> Result {
    withExtendedLifetime(storage) {
      let source = UnsafeRawPointer(storage.pointer) + offset
      let scale = Float(bitPattern: UInt32(littleEndian: source.loadUnaligned(as: UInt32.self)))
      return body(scale, (source + 4).assumingMemoryBound(to: Int8.self))
    }
  }

  /// The squared Euclidean distance of two lists of the same length.
  package static func squaredDistance(_ a: [Float], _ b: [Float]) -> Float {
    martlet_squared_distance(a, b, Int64(a.count))
  }

  /// The rows of `sketches` (`[rows, width]`) whose squared distance to `query` is at most `limit`, in ascending order, and
  /// their squared distances.
  static func scan(
    _ sketches: [Int8], rows: Int, width: Int, query: [Int8], limit: Int32
  ) -> (hits: ArraySlice<Int32>, distances: ArraySlice<Int32>) {
    var hits = [Int32](repeating: 0, count: rows + 1), distances = hits
    let count = Int(martlet_sketch_scan(sketches, Int64(rows), Int64(width), query, limit, &hits, &distances))
    return (hits[..<count], distances[..<count])
  }
}
