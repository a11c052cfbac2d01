/// Takes the bytes of a file that is being written, piece by piece. The bytes are valid during the call alone.
public typealias ByteSink = (UnsafeRawBufferPointer) throws -> Void
