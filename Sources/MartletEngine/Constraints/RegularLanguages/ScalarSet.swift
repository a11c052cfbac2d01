/// A set of Unicode scalar values: ranges in ascending order that neither overlap nor touch.
struct ScalarSet: Sendable, Hashable {
  let ranges: [ClosedRange<UInt32>]

  static let empty = ScalarSet([])
  /// Every scalar value. Surrogates are none.
  static let all = ScalarSet([0...0x10ffff])

  /// Ranges in any order, which may overlap; surrogates and what lies beyond Unicode are left out.
  init(_ ranges: [ClosedRange<UInt32>]) {
    var merged: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      for part in [range.clamped(to: 0...0xd7ff), range.clamped(to: 0xe000...0x10ffff)] where range.overlaps(part) {
        if let last = merged.last, part.lowerBound <= last.upperBound + 1 {
          merged[merged.count - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
        } else {
          merged.append(part)
        }
      }
    }
    self.ranges = merged
  }

  /// Precondition: the ranges are in order, apart, and hold no surrogates.
  private init(ordered ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

  init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }
  init(_ text: String) { self.init(text.unicodeScalars.map { $0.value...$0.value }) }

  var isEmpty: Bool { ranges.isEmpty }

  /// O(log ranges).
  func contains(_ value: UInt32) -> Bool {
    var low = 0, high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= value
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  func intersection(_ other: ScalarSet) -> ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var i = 0, j = 0
    while i < ranges.count, j < other.ranges.count {
      let a = ranges[i], b = other.ranges[j]
      if a.overlaps(b) { result.append(a.clamped(to: b)) }
      if a.upperBound < b.upperBound { i += 1 } else { j += 1 }
    }
    return ScalarSet(ordered: result)
  }

  /// All scalar values that are not in this set.
  var inverted: ScalarSet {
    var gaps: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= 0x10ffff { gaps.append(next...0x10ffff) }
    return ScalarSet(gaps)
  }

  func subtracting(_ other: ScalarSet) -> ScalarSet { intersection(other.inverted) }
}

/// The coarsest division of all scalar values such that each of some sets is made of whole parts.
struct ScalarPartition {
  /// Apart, and together everything.
  let parts: [ScalarSet]
  /// By set: the parts it is made of, in order.
  let partsOfSet: [[Int]]

  /// O(n log n) in the ranges of all sets, and O(parts) for each set.
  /// - Throws: ``GrammarWorkExceeded`` where that is too much.
  init(_ sets: [ScalarSet]) throws {
    try GrammarWork.spend(sets.reduce(0) { $0 + 8 * $1.ranges.count })
    // Pieces between the bounds of all ranges; the sets tell them apart one after the other.
    var bounds: [UInt32] = [0, 0xd800, 0xe000, 0x110000]
    for range in sets.lazy.flatMap(\.ranges) { bounds += [range.lowerBound, range.upperBound + 1] }
    bounds.sort()
    var pieces: [UInt32] = []
    for bound in bounds where pieces.last != bound { pieces.append(bound) }
    let starts = pieces.dropLast()
    var partOfPiece = [Int](repeating: 0, count: starts.count)
    var partCount = 1
    func piecesOf(_ range: ClosedRange<UInt32>) -> Range<Int> {
      func index(of bound: UInt32) -> Int {
        var low = 0, high = pieces.count
        while low < high {
          let middle = (low + high) / 2
          if pieces[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
      }
      return index(of: range.lowerBound)..<index(of: range.upperBound + 1)
    }
    for set in sets {
      // Twice each piece inside: to tell the pieces apart, and to find the set's parts.
      try GrammarWork.spend(set.ranges.reduce(0) { $0 + 8 * piecesOf($1).count })
      var renamed: [Int: Int] = [:]
      for piece in set.ranges.lazy.flatMap(piecesOf) {
        let old = partOfPiece[piece]
        if let new = renamed[old] {
          partOfPiece[piece] = new
        } else {
          renamed[old] = partCount
          partOfPiece[piece] = partCount
          partCount += 1
        }
      }
    }
    // Numbered in the order in which they first come; surrogates belong to none.
    var numbers: [Int: Int] = [:]
    var ranges: [[ClosedRange<UInt32>]] = []
    for piece in starts.indices where pieces[piece] != 0xd800 {
      let range = pieces[piece]...pieces[piece + 1] - 1
      if let number = numbers[partOfPiece[piece]] {
        ranges[number].append(range)
      } else {
        numbers[partOfPiece[piece]] = ranges.count
        ranges.append([range])
      }
    }
    parts = ranges.map { ScalarSet($0) }
    partsOfSet = sets.map { set in
      var found: Set<Int> = []
      for piece in set.ranges.lazy.flatMap(piecesOf) {
        if let number = numbers[partOfPiece[piece]] { found.insert(number) }
      }
      return found.sorted()
    }
  }
}
