extension [Range<Int>] {
  /// Checks the rows of sequences before they are read or written by place. Precondition: every span lies within
  /// `0..<rows` and has `least` rows or more.
  func check(rows: Int, least: Int = 0) {
    for span in self {
      precondition(
        span.lowerBound >= 0 && span.upperBound <= rows && span.count >= least, "a sequence of rows \(span) of \(rows)")
    }
  }
}
