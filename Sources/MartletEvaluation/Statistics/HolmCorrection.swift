extension Array where Element == Double {
  /// P-values corrected for their number (Holm, 1979): where those below a level are called differences, the chance that any of them
  /// is none stays below that level.
  public var holmCorrected: [Double] {
    var corrected = self
    var largest = 0.0
    for (rank, place) in indices.sorted(by: { self[$0] < self[$1] }).enumerated() {
      largest = Swift.max(largest, Swift.min(1, self[place] * Double(count - rank)))
      corrected[place] = largest
    }
    return corrected
  }
}
