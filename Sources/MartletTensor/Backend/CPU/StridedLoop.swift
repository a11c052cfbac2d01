/// Walks a shape in row-major order over operands with strides of their own, in runs along the last axis.
struct StridedLoop {
  /// Axes, outermost first, after axes that continue each other in every operand have been joined.
  private let shape: [Int]
  private let strides: [[Int]]

  init(shape: [Int], _ strides: [[Int]]) {
    var joinedShape: [Int] = [], joined = [[Int]](repeating: [], count: strides.count)
    for axis in shape.indices where shape[axis] != 1 {
      let last = joinedShape.count - 1
      if last >= 0, strides.indices.allSatisfy({ joined[$0][last] == strides[$0][axis] * shape[axis] }) {
        joinedShape[last] *= shape[axis]
        for operand in strides.indices { joined[operand][last] = strides[operand][axis] }
      } else {
        joinedShape.append(shape[axis])
        for operand in strides.indices { joined[operand].append(strides[operand][axis]) }
      }
    }
    if joinedShape.isEmpty {
      joinedShape = [1]
      joined = joined.map { _ in [0] }
    }
    self.shape = joinedShape
    self.strides = joined
  }

  /// Calls `body` with the operands' offsets, their steps along the run, the run's place in the result and its
  /// length. Runs may be worked on in parallel.
  func forEachRun(_ body: (_ offsets: [Int], _ steps: [Int], _ start: Int, _ count: Int) -> Void) {
    let run = shape[shape.count - 1], runs = shape.dropLast().reduce(1, *)
    guard run > 0, runs > 0 else { return }
    let steps = strides.map { $0[$0.count - 1] }
    Parallel.forEach(runs, grain: max(1, CPU.grainElements / run)) { range in
      var index = [Int](repeating: 0, count: shape.count - 1)
      var rest = range.lowerBound
      for axis in index.indices.reversed() {
        index[axis] = rest % shape[axis]
        rest /= shape[axis]
      }
      var offsets = strides.map { operand in index.indices.reduce(0) { $0 + index[$1] * operand[$1] } }
      for place in range {
        body(offsets, steps, place * run, run)
        for axis in index.indices.reversed() {
          index[axis] += 1
          for operand in offsets.indices { offsets[operand] += strides[operand][axis] }
          if index[axis] < shape[axis] { break }
          for operand in offsets.indices { offsets[operand] -= strides[operand][axis] * shape[axis] }
          index[axis] = 0
        }
      }
    }
  }
}
