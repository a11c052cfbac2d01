import MartletLayers
import MartletTensor
import Testing

struct ParameterizedTests {
  private struct Pair: Parameterized {
    var first = Linear(weight: .dense(Tensor([1, 2, 3, 4], shape: [2, 2])), bias: Tensor([5, 6]))
    var second = Linear(weight: .dense(Tensor([7, 8], shape: [1, 2])))

    mutating func visitParameters(_ body: (_ name: String, _ parameter: inout Tensor) -> Void) {
      first.visitParameters("first", body)
      second.visitParameters("second", body)
    }
  }

  @Test func readsAndReplacesInOrder() {
    var pair = Pair()
    #expect(pair.parameters.map(\.name) == ["first.weight", "first.bias", "second.weight"])
    #expect(pair.parameterCount == 8)
    pair.replaceParameters([Tensor([9, 9])]) { $0.hasSuffix("bias") }
    #expect(pair.parameters.map(\.value.values) == [[1, 2, 3, 4], [9, 9], [7, 8]])
    let taken = pair.takeParameters()
    #expect(pair.parameterCount == 0)
    pair.replaceParameters(taken)
    #expect(pair.parameters.map(\.value.values) == [[1, 2, 3, 4], [9, 9], [7, 8]])
  }

  @Test func whatIsNotChosenIsFrozen() {
    let x = Tensor([1, -1], shape: [1, 2])
    let (value, gradients) = Pair().valueAndGradient { $0.second($0.first(x)).sum() }
    #expect(value.scalar == 68)  // 7 * (1 - 2 + 5) + 8 * (3 - 4 + 6)
    #expect(gradients.map(\.values) == [[7, -7, 8, -8], [7, 8], [4, 5]])
    let some = Pair().valueAndGradient(where: { $0 == "first.bias" }, of: { $0.second($0.first(x)).sum() }).gradients
    #expect(some.map(\.values) == [[7, 8]])
  }

  @Test func checkpointingChangesNoBit() {
    let x = Tensor([0.3, -0.7], shape: [1, 2]), pair = Pair()
    let plain = pair.valueAndGradient { silu($0.second(silu($0.first(x)))).sum() }
    let kept = pair.valueAndGradient { pair in
      checkpointed(x, through: pair) { silu($0.second(silu($0.first($1)))) }.sum()
    }
    #expect(plain.value.scalar == kept.value.scalar)
    #expect(plain.gradients.map(\.values) == kept.gradients.map(\.values))
  }
}
