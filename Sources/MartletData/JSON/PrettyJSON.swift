import Foundation

/// JSON as people read it, with sorted keys and a line's end behind it.
package func prettyJSON(_ object: Any) throws -> Data {
  try JSONSerialization.data(
    withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]) + Data("\n".utf8)
}

/// Writes JSON so that readers see the old file or the whole new one.
package func writeJSON(_ object: Any, to path: String) throws {
  try AtomicFile.write(prettyJSON(object), to: path)
}
