import Foundation
import MartletData
import MartletModels

/// The file format for the state of a sequence: magic number, version, the model's fingerprint, the tokens, the state.
public enum SavedState {
  private static let magic = Array("MARTLETS".utf8)
  private static let version: UInt32 = 1

  /// Saves a state. The file gets its name only when it is complete.
  /// - Throws: `FileError` if it cannot be written, `ModelFailure` if the device that holds the state has failed.
  public static func save(
    _ state: any SequenceState, tokens: [Int], model: any LanguageModel, to path: String, replaces: Bool = true
  ) throws {
    var bytes = magic
    func put<T: FixedWidthInteger>(_ value: T) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    put(version)
    let fingerprint = Array(model.description.fingerprint.utf8)
    put(UInt32(fingerprint.count))
    bytes += fingerprint
    put(UInt64(tokens.count))
    tokens.forEach { put(UInt32(truncatingIfNeeded: $0)) }
    if let failure = state.failure { throw failure }
    let body = state.serialized()
    try model.checkPasses()
    put(UInt64(body.count))
    let file = try AtomicFile(path: path, replaces: replaces)
    try bytes.withUnsafeBytes { try file.write($0) }
    try body.withUnsafeBytes { try file.write($0) }
    var digest = SHA256()
    digest.update(bytes)
    digest.update(body)
    try Array(digest.finalize().utf8).withUnsafeBytes { try file.write($0) }
    try file.commit()
  }

  /// Loads a state that ``save(_:tokens:model:to:replaces:)`` wrote for the same model.
  public static func load(_ path: String, model: any LanguageModel) throws -> (state: any SequenceState, tokens: [Int])
  {
    func fail(_ problem: String) -> FileError { FileError(file: path, problem) }
    let bytes = try MappedFile.contents(of: path)
    var at = 0
    func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
      guard at + MemoryLayout<T>.size <= bytes.count else { throw fail("it is truncated; save the state again") }
      defer { at += MemoryLayout<T>.size }
      return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
    }
    guard bytes.starts(with: magic) else { throw fail("it is not a saved state of Martlet") }
    at = magic.count
    let found = try integer(UInt32.self)
    guard found == version else {
      throw fail("its version is \(found), but this version of Martlet reads \(version); save the state again")
    }
    let length = Int(try integer(UInt32.self))
    guard at + length <= bytes.count else { throw fail("it is truncated; save the state again") }
    let fingerprint = String(decoding: bytes[at..<at + length], as: UTF8.self)
    at += length
    guard fingerprint == model.description.fingerprint else {
      throw fail("it was saved for another model or weight format; load it with the model to which it belongs")
    }
    let count = try integer(UInt64.self)
    guard count <= UInt64(bytes.count / 4) else { throw fail("it is damaged; save the state again") }
    let tokens = try (0..<Int(count)).map { _ in Int(try integer(UInt32.self)) }
    let size = try integer(UInt64.self)
    guard size <= UInt64(bytes.count), at + Int(size) + 64 == bytes.count else {
      throw fail("it is truncated; save the state again")
    }
    var digest = SHA256()
    digest.update(bytes[..<(bytes.count - 64)])
    guard Array(digest.finalize().utf8) == Array(bytes.suffix(64)) else {
      throw fail("its checksum is wrong; save the state again")
    }
    guard tokens.allSatisfy({ $0 < model.description.vocabularySize }) else {
      throw fail("it contains tokens that the model does not have; save the state again")
    }
    let state = try model.restoreState(bytes[at..<at + Int(size)])
    guard (0...tokens.count).contains(state.position) else {
      throw fail("its state covers \(state.position) of \(tokens.count) tokens; save the state again")
    }
    return (state, tokens)
  }
}
