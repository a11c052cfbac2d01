import CMartletKernels

extension StateSlice {
  fileprivate var floats: UnsafeMutablePointer<Float> {
    state.storage.pointer.assumingMemoryBound(to: Float.self) + offset
  }
}

extension CPU {
  /// The WKV5 recurrence over spans of rows, each of which goes on from a state that is updated in place.
  static func wkv5(
    receptance r: Tensor, key k: Tensor, value v: Tensor, decay: Tensor, bonus: Tensor, heads: Int,
    spans: [Range<Int>], states: [StateSlice]
  ) -> Tensor {
    let width = r.columns, size = width / heads, result = Tensor.empty(r.shape)
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

  /// The gradients of the recurrence from zero states with respect to receptance, key, value, the logarithm of the decay
  /// and the bonus; the last two are `[spans, heads * size]`, one part a span.
  static func wkv5Gradient(
    receptance r: Tensor, key k: Tensor, value v: Tensor, decay: Tensor, bonus: Tensor, heads: Int,
    spans: [Range<Int>], _ gradient: Tensor
  ) -> (receptance: Tensor, key: Tensor, value: Tensor, logDecay: Tensor, bonus: Tensor) {
    let width = r.columns, size = width / heads
    let (dr, dk, dv) = (Tensor.empty(r.shape), Tensor.empty(r.shape), Tensor.empty(r.shape))
    let (dw, du) = (Tensor.empty([spans.count, width]), Tensor.empty([spans.count, width]))
    let (rp, kp, vp, wp, up, gp) = (r.floats, k.floats, v.floats, decay.floats, bonus.floats, gradient.floats)
    let (drp, dkp, dvp, dwp, dup) = (
      dr.mutableFloats, dk.mutableFloats, dv.mutableFloats, dw.mutableFloats, du.mutableFloats
    )
    Parallel.run(spans.count * heads) { item in
      let span = spans[item / heads], place = item % heads * size, start = span.lowerBound * width + place
      let own = item / heads * width + place
      let scratch = Storage(byteCount: 2 * size * size * 4)
      withExtendedLifetime(scratch) {
        martlet_wkv5_backward(
          rp + start, kp + start, vp + start, wp + place, up + place, gp + start, drp + start, dkp + start, dvp + start,
          dwp + own, dup + own, scratch.pointer.assumingMemoryBound(to: Float.self), Int64(span.count), Int64(width),
          Int64(size))
      }
    }
    return (dr, dk, dv, dw, du)
  }

  /// Row t becomes row t - 1 of its span; the first row becomes the one carried, which then takes the span's last row.
  static func tokenShift(_ x: Tensor, spans: [Range<Int>], carried: [StateSlice]) -> Tensor {
    let width = x.columns, result = Tensor.empty(x.shape)
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
}
