/// Suggestions for a misspelt name.
package enum NearestNames {
  /// The names that are similar to a word, the most similar first, at most three. A name is similar if it differs by a
  /// few letters (Damerau-Levenshtein distance, ignoring case) or contains the word.
  package static func of(_ word: String, among names: some Sequence<String>) -> [String] {
    let wanted = Array(word.lowercased())
    guard !wanted.isEmpty, wanted.count <= 200 else { return [] }
    let most = max(1, min(4, wanted.count / 3))
    var found: [(name: String, distance: Int)] = []
    for name in names where name != word {
      let given = Array(name.lowercased())
      var best = abs(given.count - wanted.count) <= most ? distance(wanted, given) : Int.max
      if best > most, wanted.count >= 3, name.lowercased().contains(word.lowercased()) { best = most }
      if best <= most { found.append((name, best)) }
    }
    // Equal ones stay in the order given.
    return found.enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
      .prefix(3).map(\.element.name)
  }

  /// The question for the end of an error message: "; did you mean a or b?", or an empty string.
  package static func question(_ word: String, among names: some Sequence<String>) -> String {
    let near = of(word, among: names)
    return near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
  }

  /// How many letters must be put in, left out, changed or exchanged with their neighbour.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var before: [Int] = [], last = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var row = [i + 1]
      for (j, y) in b.enumerated() {
        var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (x == y ? 0 : 1))
        if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { best = min(best, before[j - 1] + 1) }
        row.append(best)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}
