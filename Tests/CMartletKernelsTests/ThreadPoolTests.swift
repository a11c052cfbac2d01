import Foundation
import CMartletKernels
import Synchronization
import Testing

@Suite(.serialized) struct ThreadPoolTests {
  private final class Counts: Sendable {
    let cells: [Cell]
    final class Cell: Sendable { let value = Atomic<Int>(0) }
    init(_ count: Int) { cells = (0..<count).map { _ in Cell() } }
  }

  private func run(_ counts: Counts) {
    martlet_pool_run(
      { context, chunk in
        let counts = Unmanaged<Counts>.fromOpaque(context!).takeUnretainedValue()
        counts.cells[Int(chunk)].value.wrappingAdd(1, ordering: .relaxed)
      }, Unmanaged.passUnretained(counts).toOpaque(), Int64(counts.cells.count))
  }

  @Test(arguments: [1, 2, 4]) func everyChunkRunsOnce(width: Int32) {
    let before = martlet_pool_width()
    martlet_pool_set_width(width)
    defer { martlet_pool_set_width(before) }
    for round in 0..<2000 {
      let counts = Counts(round % 37)
      run(counts)
      #expect(counts.cells.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
    }
  }

  @Test func callersTakeTurns() async {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<200 {
            let counts = Counts(9)
            self.run(counts)
            #expect(counts.cells.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
          }
        }
      }
    }
  }
}
