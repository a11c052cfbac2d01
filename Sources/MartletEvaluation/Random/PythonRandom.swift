import Foundation

/// The random numbers of Python's class `random.Random` with the same seed: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998)
/// and the methods by which CPython 3.11 draws from it. Harnesses written in Python draw their examples with it, so that equal rows need
/// equal numbers.
///
///     var random = PythonRandom(seed: 1234)
///     random.sample(Array(0..<100), count: 5)   // as random.Random(1234).sample(range(100), 5)
public struct PythonRandom: Sendable {
  private static let size = 624, middle = 397
  private var state: [UInt32]
  private var next = PythonRandom.size

  /// A generator as `random.Random(seed)` makes it: seeded by the 32-bit words of the seed's absolute value.
  public init(seed: Int) {
    let magnitude = UInt64(seed.magnitude)
    let low = UInt32(truncatingIfNeeded: magnitude), high = UInt32(truncatingIfNeeded: magnitude >> 32)
    let key = high == 0 ? [low] : [low, high]
    // init_genrand(19650218), then init_by_array(key).
    state = [19_650_218]
    for place in 1..<Self.size {
      let last = state[place - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(place))
    }
    var place = 1, part = 0
    for _ in 0..<max(Self.size, key.count) {
      let last = state[place - 1]
      state[place] = (state[place] ^ (last ^ last >> 30) &* 1_664_525) &+ key[part] &+ UInt32(part)
      step(&place)
      part = part + 1 < key.count ? part + 1 : 0
    }
    for _ in 1..<Self.size {
      let last = state[place - 1]
      state[place] = (state[place] ^ (last ^ last >> 30) &* 1_566_083_941) &- UInt32(place)
      step(&place)
    }
    state[0] = 0x8000_0000
  }

  private mutating func step(_ place: inout Int) {
    place += 1
    guard place == Self.size else { return }
    state[0] = state[Self.size - 1]
    place = 1
  }

  /// The next 32 bits.
  private mutating func word() -> UInt32 {
    if next == Self.size {
      for place in 0..<Self.size {
        let mixed = state[place] & 0x8000_0000 | state[(place + 1) % Self.size] & 0x7fff_ffff
        state[place] = state[(place + Self.middle) % Self.size] ^ mixed >> 1 ^ (mixed & 1 == 0 ? 0 : 0x9908_b0df)
      }
      next = 0
    }
    var word = state[next]
    next += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9d2c_5680
    word ^= word << 15 & 0xefc6_0000
    return word ^ word >> 18
  }

  /// A number of `count` random bits, at most 64, as `getrandbits` draws it.
  public mutating func bits(_ count: Int) -> UInt64 {
    precondition((0...64).contains(count), "between 0 and 64 bits can be drawn at once")
    if count == 0 { return 0 }
    if count <= 32 { return UInt64(word() >> (32 - UInt32(count))) }
    let low = UInt64(word())
    return low | UInt64(word() >> (64 - UInt32(count))) << 32
  }

  /// A number in `0..<1` with 53 random bits, as `random` draws it.
  public mutating func unit() -> Double {
    let high = Double(word() >> 5), low = Double(word() >> 6)
    return (high * 67_108_864 + low) * (1 / 9_007_199_254_740_992)
  }

  /// A number in `0..<bound`, as `_randbelow` draws it: bits are drawn again while they are not below.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a number is drawn below a positive bound")
    let width = Int.bitWidth - bound.leadingZeroBitCount
    while true {
      let drawn = bits(width)
      if drawn < UInt64(bound) { return Int(drawn) }
    }
  }

  /// `count` elements without replacement, in the order in which `sample` draws them.
  public mutating func sample<Element>(_ elements: [Element], count: Int) -> [Element] {
    places(below: elements.count, count: count).map { elements[$0] }
  }

  /// `count` different numbers below a bound, as `sample(range(bound), count)` draws them.
  public mutating func places(below bound: Int, count: Int) -> [Int] {
    precondition(count >= 0 && count <= bound, "no more elements can be drawn than there are")
    // CPython keeps a pool of the rest where that takes less memory than a set of what is drawn.
    var most = 21.0
    if count > 5 { most += pow(4, (log(Double(count * 3)) / log(4)).rounded(.up)) }
    guard Double(bound) > most else {
      var pool = Array(0..<bound)
      return (0..<count).map { drawn in
        let place = below(bound - drawn)
        defer { pool[place] = pool[bound - drawn - 1] }
        return pool[place]
      }
    }
    var taken = Set<Int>()
    return (0..<count).map { _ in
      var place = below(bound)
      while !taken.insert(place).inserted { place = below(bound) }
      return place
    }
  }

  /// Brings the elements into the order of `shuffle`.
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for place in stride(from: elements.count - 1, to: 0, by: -1) { elements.swapAt(place, below(place + 1)) }
  }

  /// One of the elements, as `choice` draws it; nil where there is none.
  public mutating func choice<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[below(elements.count)]
  }
}
