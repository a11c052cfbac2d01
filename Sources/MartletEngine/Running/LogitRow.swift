import MartletModels
import MartletTensor

/// The logits that a token is drawn from: all of them, or the likeliest tokens with the others within reach.
struct LogitRow {
  private enum Source {
    case whole(Tensor)
    case likeliest(LikeliestLogits)
  }

  private let source: Source
  private let row: Int

  /// A row of a pass that returned whole rows.
  init(_ logits: Tensor, row: Int) {
    source = .whole(logits)
    self.row = row
  }

  /// A row of a pass that returned the likeliest tokens.
  init(_ logits: LikeliestLogits, row: Int) {
    source = .likeliest(logits)
    self.row = row
  }

  /// The likeliest tokens; nil where all logits are at hand, or where some are not numbers.
  var likeliest: LikeliestLogits.Row? {
    guard case .likeliest(let logits) = source, logits.rows[row].isFinite else { return nil }
    return logits.rows[row]
  }

  /// Gives `body` access to all logits. Where the device has failed, they are not numbers.
  func withAll<Result, Failure: Error>(
    _ body: (Tensor.Elements) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outcome: Swift.Result<Result, Failure>
    func run(_ elements: Tensor.Elements) -> Swift.Result<Result, Failure> {
      do throws(Failure) { return .success(try body(elements)) } catch { return .failure(error) }
    }
    switch source {
    case .whole(let logits): outcome = logits.withFloats(row: row, run)
    case .likeliest(let logits): outcome = (logits.wholeRow(row) ?? [.nan]).withUnsafeBufferPointer(run)
    }
    return try outcome.get()
  }
}
