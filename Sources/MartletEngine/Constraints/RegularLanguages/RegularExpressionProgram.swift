/// A regular expression written out as places that a text can be at.
struct RegularExpressionProgram {
  enum Instruction {
    /// One scalar of a set (an index into `sets`), then the next instruction.
    case scalars(Int)
    case fork([Int])
    /// What follows must begin with, or must not begin with, the part of the program at `body`.
    case ahead(body: Int, negated: Bool)
    /// What stands before must end with, or must not end with, what a watcher looks for.
    case behind(watcher: Int, negated: Bool)
    case start
    case end
    /// Any text may follow.
    case accept
    /// What a watcher looks for ends here.
    case found
  }

  /// The first is ``Instruction/accept``.
  private(set) var instructions: [Instruction] = [.accept]
  /// Where the expression itself begins.
  private(set) var entry = 0
  /// Where what stands behind is looked for, at every place of a text anew; inner ones come first.
  private(set) var watchers: [Int] = []
  private(set) var sets = ScalarSetTable()

  /// A place in one of the copies that a repetition is written out to.
  struct Copy {
    /// The same for the same place of all copies.
    let group: Int
    /// Whatever comes through from a copy of a higher rank comes through from here as well.
    let rank: Int
  }
  /// By instruction: the copies that it is in, the inner ones first.
  private(set) var copies: [[Copy]] = []
  private(set) var copyGroupCount = 0

  /// A larger expression, its repetitions written out, would make a request expensive.
  static let mostPlaces = 50_000

  /// - Throws: ``EngineError`` when it is too large.
  init(searching expression: RegularExpression) throws {
    guard expression.size <= Self.mostPlaces else {
      throw EngineError(
        "is longer than \(Self.mostPlaces) positions when its repetitions are expanded; use smaller counts")
    }
    try GrammarWork.spend(8 * expression.size)
    entry = instructions.count
    if !expression.isAnchored { emit(.repeated(.scalars(.all), minimum: 0, maximum: nil)) }
    emit(expression)
    instructions.append(.accept)
    copies += Array(repeating: [], count: instructions.count - copies.count)
  }

  private mutating func emit(_ expression: RegularExpression) {
    switch expression {
    case .scalars(let set):
      GrammarWork.note(set.ranges.count)
      instructions.append(.scalars(sets.number(of: set)))
    case .sequence(let parts): for part in parts { emit(part) }
    case .choice(let parts):
      let fork = reserve()
      var starts: [Int] = []
      var ends: [Int] = []
      for part in parts {
        starts.append(instructions.count)
        emit(part)
        ends.append(reserve())
      }
      instructions[fork] = .fork(starts)
      for end in ends { instructions[end] = .fork([instructions.count]) }
    case .repeated(let part, let minimum, let maximum):
      // What may be empty need not come at all.
      let minimum = part.isNullable ? 0 : minimum
      var starts: [Int] = []
      for _ in 0..<minimum {
        starts.append(instructions.count)
        emit(part)
      }
      if !starts.isEmpty { starts = [starts[starts.count - 1]] }
      guard let maximum else {
        let loop = reserve()
        starts.append(instructions.count)
        emit(part)
        rank(copiesAt: starts, length: instructions.count - loop - 1)
        instructions.append(.fork([loop]))
        instructions[loop] = .fork([loop + 1, instructions.count])
        return
      }
      var exits: [Int] = []
      for _ in minimum..<max(minimum, maximum) {
        exits.append(reserve())
        starts.append(instructions.count)
        emit(part)
      }
      if let last = starts.last { rank(copiesAt: starts, length: instructions.count - last) }
      rank(copiesAt: exits, length: 1)
      for exit in exits { instructions[exit] = .fork([exit + 1, instructions.count]) }
    case .ahead(let part, let negated):
      let place = reserve()
      let over = reserve()
      emit(part)
      instructions.append(.accept)
      instructions[place] = .ahead(body: over + 1, negated: negated)
      instructions[over] = .fork([instructions.count])
    case .behind(let part, let negated):
      let over = reserve()
      emit(part)
      instructions.append(.found)
      watchers.append(over + 1)
      instructions[over] = .fork([instructions.count])
      instructions.append(.behind(watcher: watchers.count - 1, negated: negated))
    case .start: instructions.append(.start)
    case .end: instructions.append(.end)
    }
  }

  /// A place for an instruction that is known later.
  private mutating func reserve() -> Int {
    instructions.append(.fork([]))
    return instructions.count - 1
  }

  /// Notes the copies of something of which each further one may be left out.
  private mutating func rank(copiesAt starts: [Int], length: Int) {
    guard starts.count > 1 else { return }
    copies += Array(repeating: [], count: instructions.count - copies.count)
    GrammarWork.note(4 * starts.count * length)
    for (rank, start) in starts.enumerated() {
      for offset in 0..<length { copies[start + offset].append(Copy(group: copyGroupCount + offset, rank: rank)) }
    }
    copyGroupCount += length
  }
}
