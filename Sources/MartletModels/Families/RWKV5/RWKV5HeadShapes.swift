import MartletCheckpoints
import MartletData

/// The number of heads, and whether decays are one a head or one a channel, from the shapes of all layers' decays,
/// bonuses and start states.
///
/// Files write them as `[heads]`, `[heads, 1]`, `[heads, size]`, `[heads, size, 1]`, `[channels]` or
/// `[1, 1, channels]`. Flat ones say nothing of heads, so every tensor that does is asked, and all must agree.
struct RWKV5HeadShapes {
  let heads: Int
  let decayIsPerChannel: Bool

  init(_ loader: WeightLoader, layers: Int, attentionWidth: Int) throws {
    let checkpoint = loader.checkpoint
    func fail(_ problem: String) -> FileError { FileError(file: checkpoint.path, problem) }
    var told: (heads: Int, name: String)?
    var isPerChannel = false
    for layer in 0..<layers {
      for part in ["time_decay", "time_faaaa", "time_first", "time_state"] {
        let name = "blocks.\(layer).att.\(part)"
        guard loader.has(name) else { continue }
        let shape = try loader.entry(name).shape
        guard
          let (heads, perChannel) = part == "time_state"
            ? Self.state(shape, attentionWidth) : Self.vector(shape, attentionWidth)
        else {
          throw fail(
            "tensor \(name) has shape \(shape), neither one value a head nor one a channel of \(attentionWidth)")
        }
        if part == "time_decay", perChannel { isPerChannel = true }
        guard let heads else { continue }
        if let told, told.heads != heads {
          throw fail("\(name) \(shape) has \(heads) heads and \(told.name) has \(told.heads); the file is damaged")
        }
        told = told ?? (heads, name)
      }
    }
    // Every released RWKV-5 has heads of 64.
    let size = checkpoint.configuration["head_size"]?.integer ?? min(64, attentionWidth)
    if told == nil {
      guard size > 0, attentionWidth % size == 0 else {
        throw fail(
          "its decays and bonuses have one dimension, so the number of heads of its \(attentionWidth) channels is unknown"
        )
      }
    }
    heads = told?.heads ?? attentionWidth / size
    guard heads > 0, attentionWidth % heads == 0, attentionWidth / heads <= 1024 else {
      throw fail("its \(attentionWidth) channels cannot be divided into \(heads) heads of at most 1024")
    }
    decayIsPerChannel = isPerChannel
  }

  /// Of a decay or a bonus; nil where the shape is neither kind.
  private static func vector(_ shape: [Int], _ channels: Int) -> (heads: Int?, isPerChannel: Bool)? {
    let count = shape.reduce(1, *), axes = shape.filter { $0 > 1 }
    if count == channels {
      if axes.count == 2 { return (axes[0], true) }
      return axes.count < 2 ? (nil, true) : nil
    }
    guard count > 0, channels % count == 0, axes.count < 2 else { return nil }
    return (count, false)
  }

  /// Of a start state `[heads, size, size]`.
  private static func state(_ shape: [Int], _ channels: Int) -> (heads: Int?, isPerChannel: Bool)? {
    guard shape.count >= 2, let size = shape.last, size > 0, shape[shape.count - 2] == size, channels % size == 0,
      shape.reduce(1, *) == channels * size
    else { return nil }
    return (channels / size, false)
  }
}
