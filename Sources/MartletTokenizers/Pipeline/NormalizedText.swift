/// A text on its way to tokens: its scalars after normalisation, cut into pieces inside which tokens may form.
struct NormalizedText {
  var scalars: [Unicode.Scalar]
  /// Ranges of `scalars` in order; what none covers has been removed.
  var pieces: [Range<Int>]
  /// How many scalars at the start come from the first character of the whole text: Metaspace's scheme `first` puts its
  /// sign only before a piece that begins there.
  var originCount: Int

  init(_ scalars: [Unicode.Scalar], isStart: Bool) {
    self.scalars = scalars
    pieces = scalars.isEmpty ? [] : [0..<scalars.count]
    originCount = isStart && !scalars.isEmpty ? 1 : 0
  }

  /// Writes every piece anew.
  ///
  /// - Parameters:
  ///   - prefix: what is put in front of a piece, which is given with whether it begins where the text begins.
  ///   - map: appends what a scalar becomes.
  mutating func rewrite(
    prefix: (ArraySlice<Unicode.Scalar>, Bool) -> Unicode.Scalar?,
    map: (Unicode.Scalar, inout [Unicode.Scalar]) -> Void
  ) {
    var written: [Unicode.Scalar] = []
    written.reserveCapacity(scalars.count * 2)
    var origin = 0
    for index in pieces.indices {
      let piece = pieces[index]
      let start = written.count
      let isOrigin = piece.lowerBound < originCount
      if let prefix = prefix(scalars[piece], isOrigin) {
        written.append(prefix)
        if isOrigin { origin = written.count }
      }
      for at in piece {
        map(scalars[at], &written)
        if at < originCount { origin = written.count }
      }
      pieces[index] = start..<written.count
    }
    scalars = written
    originCount = origin
  }
}
