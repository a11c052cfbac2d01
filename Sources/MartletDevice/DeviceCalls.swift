import CMartletGPU
import MartletData

/// Conversions for the C functions of the device layer.
enum DeviceCalls {
  /// A C array of characters as a string, with what a terminal would interpret replaced.
  static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).printable
    }
  }

  /// Calls a function that explains in a buffer why it failed.
  static func explained<Result>(
    _ call: (_ problem: UnsafeMutablePointer<CChar>?, _ size: Int) -> Result
  ) -> (result: Result, problem: String) {
    var buffer = [CChar](repeating: 0, count: 512)
    let result = buffer.withUnsafeMutableBufferPointer { call($0.baseAddress, $0.count) }
    return (result, String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
  }
}
