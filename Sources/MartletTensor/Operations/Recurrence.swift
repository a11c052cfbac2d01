import MartletKernels

/// The WKV5 recurrence of RWKV-5 over the rows of one sequence (Peng et al., 2024, eq. 16-17):
///
///     y_j = sum_i r_i (u_i k_i v_j + S_ij);  S_ij = w_i S_ij + k_i v_j
///
/// for each head. `r`, `k`, `v` are `[rows, heads * size]`, `decay` and `bonus` `[heads * size]`.
///
/// - Parameters:
///   - r: the receptance, `[rows, heads * size]`.
///   - k: the key, `[rows, heads * size]`.
///   - v: the value, `[rows, heads * size]`.
///   - decay: what remains of the state after a row, `[heads * size]`.
///   - bonus: how much more the row itself counts, `[heads * size]`.
///   - heads: of all of them.
///   - spans: which rows belong to which state; each span is one sequence, in order.
///   - states: one `[heads, size keys, size values]` state a span, updated in place.
/// - Returns: `[rows, heads * size]`
public func wkv5(
  receptance r: Tensor, key k: Tensor, value v: Tensor, decay: Tensor, bonus: Tensor, heads: Int,
  spans: [Range<Int>], states: [StateSlice]
) -> Tensor {
  let width = r.columns, size = width / heads
  precondition(k.shape == r.shape && v.shape == r.shape && decay.count == width && bonus.count == width)
  let result = Tensor(storage: Storage(byteCount: r.rows * width * 4), shape: r.shape)
  let (rp, kp, vp, wp, up, yp) = (r.floats, k.floats, v.floats, decay.floats, bonus.floats, result.mutableFloats)
  let work = { (item: Int) in
    let span = spans[item / heads], head = item % heads
    let start = span.lowerBound * width + head * size
    martlet_wkv5(
      rp + start, kp + start, vp + start, wp + head * size, up + head * size, yp + start,
      states[item / heads].floats + head * size * size, Int64(span.count), Int64(width), Int64(size))
  }
  Parallel.forEach(spans.count * heads, grain: max(1, heads / (Parallel.width * 4))) { $0.forEach(work) }
  return result
}

/// Numbers that one sequence carries from token to token. A reference: whoever owns it decides when it changes.
public final class RecurrentState: @unchecked Sendable {
  private let storage: Storage
  public let count: Int

  /// `count` zeros.
  public init(count: Int) {
    self.count = count
    storage = .zeros(byteCount: count * 4)
  }

  public convenience init(_ values: [Float]) {
    self.init(count: values.count)
    values.withUnsafeBufferPointer { if let base = $0.baseAddress { floats.update(from: base, count: count) } }
  }

  public func copy() -> RecurrentState {
    let other = RecurrentState(count: count)
    other.floats.update(from: floats, count: count)
    return other
  }

  /// The numbers from `offset` on.
  public func slice(at offset: Int) -> StateSlice { StateSlice(state: self, offset: offset) }

  public var values: [Float] { Array(UnsafeBufferPointer(start: floats, count: count)) }

  fileprivate var floats: UnsafeMutablePointer<Float> { storage.pointer.assumingMemoryBound(to: Float.self) }
}

/// A place inside a ``RecurrentState``.
public struct StateSlice: Sendable {
  let state: RecurrentState
  let offset: Int
  fileprivate var floats: UnsafeMutablePointer<Float> { state.floats + offset }

  /// A copy of the first `count` numbers.
  public func values(count: Int) -> [Float] {
    precondition(offset + count <= state.count, "\(count) numbers from \(offset) of \(state.count)")
    return Array(UnsafeBufferPointer(start: floats, count: count))
  }
}

/// Row t becomes row t - 1 of its sequence; the first row of a span becomes the sequence's `carried` row,
/// which then takes the span's last row ("token shift").
public func tokenShift(_ x: Tensor, spans: [Range<Int>], carried: [StateSlice]) -> Tensor {
  let width = x.columns
  let result = Tensor(storage: Storage(byteCount: x.rows * width * 4), shape: x.shape)
  let output = result.mutableFloats, input = x.floats
  for (span, slice) in zip(spans, carried) {
    let state = slice.floats
    (output + span.lowerBound * width).update(from: state, count: width)
    (output + (span.lowerBound + 1) * width).update(
      from: input + span.lowerBound * width, count: (span.count - 1) * width)
    state.update(from: input + (span.upperBound - 1) * width, count: width)
  }
  return result
}
