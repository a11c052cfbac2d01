import Testing

@testable import MartletModels

/// What programs decide before they record commands.
struct DeviceProgramTests {
  @Test func attentionOfLongPromptsIsDispatchedInRanges() {
    let billion = 1_000_000_000
    #expect(LlamaProgram.ranges(7, cost: 15 * billion) == [0..<7])
    #expect(LlamaProgram.ranges(7, cost: 16 * billion) == [0..<3, 3..<7])
    #expect(LlamaProgram.ranges(7, cost: 1) == [0..<7])
    // Each tile once, and never more dispatches than tiles.
    let ranges = LlamaProgram.ranges(130, cost: 137 * billion)
    #expect(ranges.count == 10 && ranges.flatMap(Array.init) == Array(0..<130))
    #expect(LlamaProgram.ranges(2, cost: 400 * billion) == [0..<1, 1..<2])
  }
}
