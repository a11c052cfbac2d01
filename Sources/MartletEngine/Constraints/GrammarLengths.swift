/// How long the texts of a grammar can be, from its start and from every place in it: what `min_tokens` must know, as a
/// text that has come to its end cannot go on.
struct GrammarLengths {
  /// As long as anyone likes.
  static let endless = Int32.max

  /// By place in the grammar's code: bytes of the longest text from there to the end of the alternative.
  private var remainders: [Int32]

  /// O(code).
  init(_ grammar: Grammar) {
    remainders = [Int32](repeating: 0, count: grammar.code.count)
    var longest = [Int32](repeating: 0, count: grammar.ruleCount)
    for group in grammar.rulesByDependence {
      let isEndless = group.members.count > 1 || group.isRecursive ? grammar.grows(group.members, longest) : false
      for rule in group.members where isEndless { longest[rule] = Self.endless }
      // Where rules only stand for each other, the longest text of one is that of all.
      var most: Int32 = 0
      for rule in group.members {
        for start in grammar.alternatives(of: rule) { most = max(most, note(Int(start), grammar, longest)) }
      }
      for rule in group.members where !isEndless { longest[rule] = most }
      if group.isRecursive || group.members.count > 1 {
        for rule in group.members {
          for start in grammar.alternatives(of: rule) { _ = note(Int(start), grammar, longest) }
        }
      }
    }
  }

  /// Bytes of the longest text from a place to the end of its alternative; ``endless`` where there is no longest.
  subscript(place: Int) -> Int32 { remainders[place] }

  static func sum(_ first: Int32, _ second: Int32) -> Int32 {
    let (sum, isTooLarge) = first.addingReportingOverflow(second)
    return isTooLarge ? endless : sum
  }

  /// Works out one alternative, from its end to its start.
  private mutating func note(_ start: Int, _ grammar: Grammar, _ longest: [Int32]) -> Int32 {
    var place = start
    while grammar.code[place] != Grammar.end { place += 1 }
    var total: Int32 = 0
    while place > start {
      place -= 1
      let symbol = grammar.code[place]
      total = Self.sum(total, symbol < 0 ? longest[Int(~symbol)] : 1)
      remainders[place] = total
    }
    return total
  }
}

extension Grammar {
  /// Bytes of the longest text; nil where there is no longest.
  var longestText: Int? {
    let lengths = GrammarLengths(self)
    let longest = alternatives(of: 0).map { lengths[Int($0)] }.max() ?? 0
    return longest == GrammarLengths.endless ? nil : Int(longest)
  }

  /// Rules that lead to each other.
  struct RuleGroup {
    var members: [Int]
    /// One of them leads to itself.
    var isRecursive: Bool
  }

  /// Whether rules that lead to each other have texts of any length: what one is part of adds something to it.
  fileprivate func grows(_ members: [Int], _ longest: [Int32]) -> Bool {
    let group = Set(members)
    var hasText = false, branches = false
    for rule in members {
      for start in alternatives(of: rule) {
        var place = Int(start), inside = 0, isMore = false
        while code[place] != Self.end {
          let symbol = code[place]
          if symbol < 0, group.contains(Int(~symbol)) {
            inside += 1
          } else if symbol > 0 || longest[Int(~symbol)] > 0 {
            isMore = true
          }
          place += 1
        }
        if inside > 0, isMore { return true }
        if inside > 1 { branches = true }
        if inside == 0, isMore { hasText = true }
      }
    }
    return branches && hasText
  }

  /// All rules in groups, those that others name first (Tarjan's algorithm, on a stack of its own).
  fileprivate var rulesByDependence: [RuleGroup] {
    var groups: [RuleGroup] = []
    var order = [Int32](repeating: -1, count: ruleCount), lowest = order
    var isOpen = [Bool](repeating: false, count: ruleCount)
    var open: [Int] = []
    var next: Int32 = 0
    // A rule, and where its alternatives are still to be read: which one, and the place in it.
    var calls: [(rule: Int, alternative: Int, place: Int, isRecursive: Bool)] = []
    func enter(_ rule: Int) {
      order[rule] = next
      lowest[rule] = next
      next += 1
      open.append(rule)
      isOpen[rule] = true
      let first = alternatives(of: rule)
      calls.append((rule, first.startIndex, first.first.map { Int($0) } ?? 0, false))
    }
    for root in 0..<ruleCount where order[root] < 0 {
      enter(root)
      while let call = calls.last {
        let alternatives = alternatives(of: call.rule)
        guard call.alternative < alternatives.endIndex else {
          calls.removeLast()
          if let outer = calls.last { lowest[outer.rule] = min(lowest[outer.rule], lowest[call.rule]) }
          guard lowest[call.rule] == order[call.rule] else { continue }
          var members: [Int] = []
          repeat {
            members.append(open.removeLast())
            isOpen[members[members.count - 1]] = false
          } while members.last != call.rule
          groups.append(RuleGroup(members: members, isRecursive: call.isRecursive))
          continue
        }
        let symbol = code[call.place]
        if symbol == Self.end {
          let following = call.alternative + 1
          calls[calls.count - 1].alternative = following
          if following < alternatives.endIndex { calls[calls.count - 1].place = Int(alternatives[following]) }
          continue
        }
        calls[calls.count - 1].place += 1
        guard symbol < 0 else { continue }
        let named = Int(~symbol)
        if named == call.rule { calls[calls.count - 1].isRecursive = true }
        if order[named] < 0 {
          enter(named)
        } else if isOpen[named] {
          lowest[call.rule] = min(lowest[call.rule], order[named])
        }
      }
    }
    return groups
  }
}
