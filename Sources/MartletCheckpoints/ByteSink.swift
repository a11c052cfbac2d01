/// Receives the bytes of a file that is being written, piece by piece. The bytes are valid only during the call.
public typealias ByteSink = (UnsafeRawBufferPointer) throws -> Void
