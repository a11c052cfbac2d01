extension Device {
  /// Bytes that go through the host's memory at once.
  private static let stagingByteCount = 16 << 20

  /// Fills a range with a repeated word and waits.
  /// - Throws: ``DeviceError`` if the device is lost.
  public func fill(_ range: DeviceRange, word: UInt32 = 0) throws(DeviceError) {
    try perform([Command(fill: range, word: word)])
  }

  /// Runs commands once and waits.
  /// - Throws: ``DeviceError`` if the device is lost.
  public func perform(_ commands: [Command]) throws(DeviceError) {
    var list = CommandList()
    for command in commands { list.append(command) }
    try RecordedCommands(list, on: self).run()
  }

  /// Writes bytes to a range, piece by piece: `fill` is called with the host's memory for each part of the range.
  ///
  /// - Parameters:
  ///   - range: where to.
  ///   - alignment: parts begin at multiples of so many bytes.
  ///   - fill: writes the bytes of a part.
  /// - Throws: ``DeviceError`` if the device is lost or has no memory.
  func upload(
    _ range: DeviceRange, alignment: Int = 1, fill: (_ part: Range<Int>, _ bytes: UnsafeMutableRawBufferPointer) -> Void
  ) throws(DeviceError) {
    let most = max(alignment, Self.stagingByteCount / alignment * alignment)
    let staging = try DeviceMemory(self, byteCount: min(most, range.byteCount), place: .upload)
    var start = 0
    while start < range.byteCount {
      let part = start..<min(range.byteCount, start + most)
      staging.withHostBytes { fill(part, UnsafeMutableRawBufferPointer(rebasing: $0[0..<part.count])) }
      try perform([
        Command(copy: staging.range.part(0, part.count), to: range.part(part.lowerBound, part.count))
      ])
      start = part.upperBound
    }
  }

  /// Writes values to the beginning of a range. Precondition: they fit.
  /// - Throws: ``DeviceError`` if the device is lost or has no memory.
  public func upload<Value: BitwiseCopyable>(_ values: [Value], to range: DeviceRange) throws(DeviceError) {
    let count = values.count * MemoryLayout<Value>.stride
    guard count > 0 else { return }
    try upload(range.part(0, count)) { part, bytes in
      values.withUnsafeBytes { bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[part])) }
    }
  }

  /// Reads the values of a range.
  /// - Throws: ``DeviceError`` if the device is lost or has no memory.
  public func download<Value: BitwiseCopyable>(_ range: DeviceRange, as type: Value.Type) throws(DeviceError) -> [Value]
  {
    let stride = MemoryLayout<Value>.stride, whole = range.byteCount / stride * stride
    guard whole > 0 else { return [] }
    let most = max(stride, Self.stagingByteCount / stride * stride)
    let staging = try DeviceMemory(self, byteCount: min(most, whole), place: .download)
    var values: [Value] = [], start = 0
    values.reserveCapacity(whole / stride)
    while start < whole {
      let count = min(most, whole - start)
      try perform([Command(copy: range.part(start, count), to: staging.range.part(0, count))])
      staging.withHostBytes { bytes in
        values += (0..<count / stride).map { bytes.loadUnaligned(fromByteOffset: $0 * stride, as: Value.self) }
      }
      start += count
    }
    return values
  }
}
