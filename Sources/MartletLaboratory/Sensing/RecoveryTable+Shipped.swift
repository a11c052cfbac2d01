import CMartletData
import Foundation
import MartletData
import MartletSensing

extension RecoveryTable {
  /// The table that is part of the program: what the commands of Docs/benchmarks/sensing.md measured.
  /// - Throws: `FileError` if a line cannot be read.
  public static func shipped() throws -> RecoveryTable {
    let name = "table.jsonl", file = martlet_find(martlet_sensing, name)
    guard let bytes = file.bytes else { throw FileError(file: name, "it is not part of this program; build it again") }
    return try RecoveryTable(
      JSONLines.lines(Data(UnsafeBufferPointer(start: bytes, count: file.size)), of: name), of: name)
  }
}
