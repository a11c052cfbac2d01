// Where a list is cut is seen from inside only.
@testable import MartletDevice
import Testing

struct CommandListTests {
  /// A command that reads and writes these bytes of all states, so that no device is needed.
  private func command(reads: Range<Int>..., writes: Range<Int>..., cost: Int = 0) -> Command {
    Command(
      Shader("norm"), Arguments(), groups: (1, 1, 1), reads: reads.map(Resource.states),
      writes: writes.map(Resource.states), cost: cost)
  }

  private func list(_ commands: Command...) -> CommandList { commands.reduce(into: CommandList()) { $0.append($1) } }

  @Test func aCommandWaitsForWhatItReads() {
    #expect(list(command(writes: 0..<8), command(reads: 0..<8, writes: 8..<16)).barrierCount == 1)
    // One byte is enough, at either end, and so is one of several ranges.
    #expect(list(command(writes: 8..<16), command(reads: 0..<9)).barrierCount == 1)
    #expect(list(command(writes: 8..<16), command(reads: 15..<32)).barrierCount == 1)
    #expect(list(command(writes: 0..<4, 64..<68), command(reads: 32..<36, 60..<80)).barrierCount == 1)
  }

  @Test func aCommandWaitsBeforeItWritesWhatWasWritten() {
    #expect(list(command(writes: 0..<8), command(writes: 7..<9)).barrierCount == 1)
  }

  @Test func aCommandWaitsBeforeItWritesWhatIsRead() {
    #expect(list(command(reads: 0..<8), command(writes: 0..<8)).barrierCount == 1)
  }

  @Test func commandsThatDoNotTouchEachOtherRunSideBySide() {
    #expect(list(command(reads: 0..<8, writes: 8..<16), command(reads: 0..<8, writes: 16..<24)).barrierCount == 0)
    // Neighbours do not overlap, and what is empty touches nothing.
    #expect(list(command(writes: 0..<8), command(reads: 8..<16), command(writes: 16..<24)).barrierCount == 0)
    #expect(list(command(writes: 0..<8), command(reads: 4..<4)).barrierCount == 0)
    #expect(list(command(reads: 0..<8, writes: 0..<8)).barrierCount == 0)
    #expect(list().barrierCount == 0)
  }

  @Test func statesAndMemoryAreDifferentThings() {
    let memory = Resource(addresses: 0..<1 << 48)
    let writer = Command(Shader("norm"), Arguments(), groups: (1, 1, 1), reads: [], writes: [memory])
    #expect(list(writer, command(reads: 0..<1 << 30)).barrierCount == 0)
    #expect(list(writer, writer).barrierCount == 1)
  }

  @Test func aBarrierIsRememberedAndServesAllThatFollow() {
    let produce = command(writes: 0..<8)
    let first = command(reads: 0..<8, writes: 8..<16), second = command(reads: 0..<8, writes: 16..<24)
    let both = list(produce, first, second)
    #expect(both.barrierCount == 1)
    #expect(both.groups.map(\.count) == [1, 2])
    // The second of a group counts as much as its first.
    #expect(list(produce, first, second, command(reads: 16..<24)).barrierCount == 2)
    #expect(list(produce, first, second, command(writes: 0..<8)).barrierCount == 2)
    // What was written before the last barrier is finished.
    #expect(list(produce, first, command(reads: 0..<8)).groups.map(\.count) == [1, 2])
  }

  @Test func commandsKeepTheirOrder() {
    let costs = [3, 1, 4, 1, 5]
    let chain = costs.reduce(into: CommandList()) { $0.append(command(reads: 0..<8, writes: 0..<8, cost: $1)) }
    #expect(chain.count == 5 && chain.barrierCount == 4)
    #expect(chain.groups.flatMap { $0 }.map(\.cost) == costs)
    #expect(chain.submissions.flatMap { $0 }.flatMap { $0 }.map(\.cost) == costs)
  }

  @Test func longListsAreCutByTheirCost() {
    func pieces(_ costs: [Int]) -> [[Int]] {
      let chain = costs.reduce(into: CommandList()) { $0.append(command(reads: 0..<8, writes: 0..<8, cost: $1)) }
      return chain.submissions.map { piece in piece.flatMap { $0 }.map(\.cost) }
    }
    let billion = 1_000_000_000
    #expect(pieces([]) == [])
    #expect(pieces([5, 5, 5].map { $0 * billion }) == [[5, 5, 5].map { $0 * billion }])
    #expect(pieces([5, 5, 6].map { $0 * billion }) == [[5, 5].map { $0 * billion }, [6 * billion]])
    // One that is too long alone cannot be cut, and nothing joins it.
    #expect(pieces([1, 40, 1].map { $0 * billion }) == [[billion], [40 * billion], [billion]])
    // Each piece counts from its own beginning.
    #expect(pieces([Int](repeating: 4 * billion, count: 8)).map(\.count) == [3, 3, 2])
  }

  @Test func aGroupIsNotCut() {
    let billion = 1_000_000_000
    let side = (0..<4).map { command(writes: $0 * 8..<$0 * 8 + 8, cost: 6 * billion) }
    let whole = side.reduce(into: CommandList()) { $0.append($1) }
    #expect(whole.submissions.map { $0.map(\.count) } == [[4]])
  }
}
