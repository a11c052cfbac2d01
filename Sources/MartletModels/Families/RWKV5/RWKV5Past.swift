import MartletTensor

/// What sequences bring from the tokens before.
enum RWKV5Past {
  /// Nothing; gradients flow.
  case none
  /// States that move on. No gradient is taken.
  case carried([RWKV5State])
  /// States that stay as they are; gradients flow, but not to them.
  case constant([RWKV5State])

  /// Each row's predecessor in its sequence ("token shift"), `place` being where a state keeps the last one.
  func shift(_ a: Tensor, spans: [Range<Int>], place: (RWKV5State) -> StateSlice) -> Tensor {
    switch self {
    case .none: tokenShift(a, spans: spans)
    case .carried(let states): tokenShift(a, spans: spans, carried: states.map(place))
    case .constant(let states):
      concatenated(
        zip(spans, states).flatMap { span, state -> [Tensor] in
          let first = Tensor(place(state).values(count: a.columns), shape: [1, a.columns])
          return span.count == 1 ? [first] : [first, a.rows(span.lowerBound..<span.upperBound - 1)]
        })
    }
  }
}
