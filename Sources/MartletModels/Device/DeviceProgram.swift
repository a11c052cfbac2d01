import MartletDevice
import MartletTensor

/// How the models of a family run on a device: a list of commands for a pass over the rows of a batch.
///
/// The host looks up embeddings, and the program does the rest: it takes the rows that ``embedded(_:)`` returns, continues the sequences from
/// their states, and leaves the normalised output of the last layer for the rows that are asked for. `DeviceModel` supplies memory,
/// states and the head.
public protocol DeviceProgram: Sendable {
  /// What a sequence keeps.
  var stateKind: DeviceStateKind { get }
  /// The width of the residual stream.
  var width: Int { get }
  /// The head, `[vocabulary, width]`.
  var head: Product { get }
  /// The names of the linear layers, without the head.
  var layerNames: [String] { get }
  /// The number of floats that ``rowData(positions:)`` gives a row.
  var rowDataCount: Int { get }

  /// What the first layer sees, `[tokens, width]`.
  func embedded(_ tokens: [Int]) -> Tensor

  /// What the pass must know of the rows beside their tokens, in planes of one number of floats a row, one plane after the other.
  /// - Parameter positions: where each row stands in its sequence.
  func rowData(positions: [Int]) -> [Float]

  /// Appends the commands of a pass.
  /// - Throws: `DeviceError` if there is no memory for what lies between the layers.
  func record(_ pass: inout DevicePass) throws(DeviceError)
}

extension DeviceProgram {
  /// The default: nothing.
  public var rowDataCount: Int { 0 }
  /// The default: nothing.
  public func rowData(positions: [Int]) -> [Float] { [] }
}

/// What a sequence keeps on a device.
public enum DeviceStateKind: Sendable, Equatable {
  /// A state of constant size, in bytes.
  case recurrent(byteCount: Int)
  /// Pages of 64 positions, of this size in bytes.
  case paged(pageByteCount: Int)

  /// The size of the pieces that the memory of states is cut into.
  var pieceByteCount: Int {
    switch self {
    case .recurrent(let count), .paged(let count): count
    }
  }
}
