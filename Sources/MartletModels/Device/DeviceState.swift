import MartletDevice

/// The state of a sequence on a device. Until its first pass, and where the device has no room for it, it lies in the host's memory.
final class DeviceState: SequenceState {
  private enum Memory {
    /// Nothing was read yet.
    case empty
    /// The bytes of a saved state, without its position.
    case host([UInt8])
    /// A piece for a recurrent state, or pages.
    case device([DevicePool.Piece])
  }

  let runtime: DeviceRuntime
  // Unsafe for the compiler: a state belongs to one forward pass at a time. Whoever wants to go on from one elsewhere takes a copy.
  nonisolated(unsafe) private(set) var position: Int
  nonisolated(unsafe) private var memory: Memory

  init(_ runtime: DeviceRuntime) {
    self.runtime = runtime
    position = 0
    memory = .empty
  }

  /// - Parameter bytes: of a saved state that fits the model, with its position before it.
  init(_ runtime: DeviceRuntime, bytes: [UInt8], position: Int) {
    self.runtime = runtime
    self.position = position
    memory = .host(Array(bytes.dropFirst(8)))
  }

  private init(_ runtime: DeviceRuntime, position: Int, memory: Memory) {
    self.runtime = runtime
    self.position = position
    self.memory = memory
  }

  private var isPaged: Bool {
    if case .paged = runtime.program.stateKind { return true }
    return false
  }
  private var pieceByteCount: Int { runtime.program.stateKind.pieceByteCount }

  var failure: ModelFailure? {
    runtime.device.isLost
      ? ModelFailure(
        "\(runtime.device.description.name) has stopped working, and the states on it are lost; begin anew")
      : nil
  }

  func copy() -> any SequenceState { part(position) }
  var canBeCut: Bool { isPaged }
  func prefix(_ count: Int) -> (any SequenceState)? {
    count == position || isPaged && count <= position ? part(count) : nil
  }

  private func part(_ count: Int) -> any SequenceState {
    let pageCount = (count + 63) / 64
    let part: DeviceState
    switch memory {
    case .empty: part = DeviceState(runtime)
    case .host(let bytes):
      part = DeviceState(
        runtime, position: count, memory: .host(isPaged ? Array(bytes.prefix(pageCount * pieceByteCount)) : bytes))
    case .device(let pieces):
      return DeviceState(runtime, position: count, memory: copied(pieces, pageCount, count))
    }
    // What does not lie on a lost device goes on without it.
    return runtime.device.isLost ? runtime.stateOnProcessor(part.serialized()) ?? part : part
  }

  private func copied(_ pieces: [DevicePool.Piece], _ pageCount: Int, _ count: Int) -> Memory {
    var shared = isPaged ? Array(pieces.prefix(pageCount)) : pieces
    // Full pages never change.
    guard !isPaged || count % 64 != 0, let last = shared.popLast() else { return .device(shared) }
    do throws(DeviceError) { return .device(shared + [try runtime.pool.take(copying: last)]) } catch {
      // Without room on the device the copy goes to the host. Without the device it is lost.
      return error.isLost ? .device(shared + [last]) : .host(bytes(of: shared + [last]))
    }
  }

  var byteCount: Int {
    switch memory {
    case .empty: isPaged ? 0 : pieceByteCount
    case .host(let bytes): bytes.count
    case .device(let pieces): pieces.count * pieceByteCount
    }
  }
  var copyByteCount: Int { pieceByteCount }
  var deviceByteCount: Int {
    if case .device = memory, runtime.device.hasOwnMemory { return byteCount }
    return 0
  }

  func movedToProcessor() -> (any SequenceState)? {
    guard case .device(let pieces) = memory else { return nil }
    do throws(DeviceError) {
      return DeviceState(runtime, position: position, memory: .host(try downloaded(pieces)))
    } catch { return nil }
  }

  func serialized() -> [UInt8] {
    let head = withUnsafeBytes(of: UInt64(position).littleEndian, Array.init)
    switch memory {
    case .empty: return head + runtime.initialBytes
    case .host(let bytes): return head + bytes
    case .device(let pieces): return head + bytes(of: pieces)
    }
  }

  var numbers: [Float]? {
    guard !isPaged else { return nil }
    let bytes = serialized().dropFirst(8)
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
  }

  /// What the pieces hold. Where the device has failed, zeros, and the failure is noted.
  private func bytes(of pieces: [DevicePool.Piece]) -> [UInt8] {
    do throws(DeviceError) { return try downloaded(pieces) } catch {
      runtime.note(error)
      return [UInt8](repeating: 0, count: pieces.count * pieceByteCount)
    }
  }

  private func downloaded(_ pieces: [DevicePool.Piece]) throws(DeviceError) -> [UInt8] {
    var bytes: [UInt8] = []
    for piece in pieces { bytes += try runtime.device.download(piece.range, as: UInt8.self) }
    return bytes
  }

  /// How many addresses ``addresses(for:)`` will have.
  func addressCount(for rows: Int) -> Int { isPaged ? (position + rows + 63) / 64 : 1 }

  /// The addresses of the memory in which a pass of `rows` more tokens finds and leaves the state.
  /// - Throws: `DeviceError` if the device has no room.
  func addresses(for rows: Int) throws(DeviceError) -> [UInt64] {
    var pieces: [DevicePool.Piece] = []
    switch memory {
    case .device(let known): pieces = known
    case .empty where isPaged: break
    case .empty, .host:
      let bytes = if case .host(let bytes) = memory { bytes } else { runtime.initialBytes }
      for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
        let piece = try runtime.pool.take()
        try runtime.device.upload(Array(bytes[start..<start + pieceByteCount]), to: piece.range)
        pieces.append(piece)
      }
    }
    if isPaged { while pieces.count * 64 < position + rows { pieces.append(try runtime.pool.take()) } }
    memory = .device(pieces)
    return pieces.map(\.range.address)
  }

  /// The pass has read `rows` tokens.
  func advance(_ rows: Int) { position += rows }
}
