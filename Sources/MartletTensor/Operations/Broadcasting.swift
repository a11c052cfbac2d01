/// The shape that two shapes broadcast to.
func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int] {
  let rank = max(a.count, b.count)
  return (0..<rank).map { axis in
    let x = axis - rank + a.count, y = axis - rank + b.count
    let m = x < 0 ? 1 : a[x], n = y < 0 ? 1 : b[y]
    precondition(m == n || m == 1 || n == 1, "shapes \(a) and \(b) do not broadcast")
    return m == 1 ? n : m
  }
}

extension Tensor {
  /// Strides that show `self` as `target`: 0 along axes that repeat.
  func broadcastStrides(_ target: [Int]) -> [Int] {
    let own = strides, missing = target.count - shape.count
    return target.indices.map { axis in
      let place = axis - missing
      return place < 0 || shape[place] == 1 ? 0 : own[place]
    }
  }
}
