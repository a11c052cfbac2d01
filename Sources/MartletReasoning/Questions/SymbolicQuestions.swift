import MartletTensor

/// Symbolic tasks whose questions can be made longer than those that are trained on (Wei et al., "Chain-of-Thought Prompting", 2022): coin
/// flips, and the last letters of names.
///
/// The rationale says the question again, step by step, so that a student which has learnt to follow the question can go on where questions
/// are longer.
public struct SymbolicQuestions: Sendable, Equatable {
  /// A task.
  public enum Task: String, Sendable, CaseIterable {
    /// Whether a coin is still heads up, after each of some people has flipped it or not.
    case coinFlip = "coin_flip"
    /// The last letters of some names, put together.
    case lastLetter = "last_letter"
  }

  /// The task.
  public var task: Task
  /// The seed of the questions.
  public var seed: UInt64

  /// Questions of a task.
  public init(_ task: Task, seed: UInt64 = 1) {
    self.task = task
    self.seed = seed
  }

  /// Names of which questions are made; no two questions of a task are the same.
  static let names = """
    Ada Amir Anouk Arno Asha Bela Bodil Boris Carla Chidi Clara Cosmo Dag Dalia Daria Dinesh Edda Eero Elif Emre Esther Fadil Farah \
    Felix Fiona Gerd Gita Goran Greta Hanif Hedda Hiro Hugo Ida Ilse Imran Ines Ivo Jana Jakob Jelena Jomo Kaito Karin Kofi Ksenia Lars \
    Leila Lev Livia Ludo Magda Malik Marek Mei Milan Mona Nadia Nils Nora Noor Oksana Olaf Omar Orla Otis Paavo Petra Pilar Priya Quinn \
    Rafael Rania Ravi Renu Rosa Sakura Samir Selma Silas Sora Stig Tarek Tilda Timo Toma Ulla Umar Vera Viktor Wanda Wei Wim Xenia Yara \
    Yusuf Zadie Zeno Zita Zoltan
    """.split(separator: " ").map(String.init)

  /// Draws questions, first those of the first split. Rows have the rule of the task, and as response the rationale with the answer.
  ///
  /// - Parameter splits: names, the number of people or names in a question, and the number of questions.
  /// - Throws: ``TeachingError`` where a question has no name or more than there are, or there are not so many different ones.
  public func rows(_ splits: [(name: String, names: Int, count: Int)]) throws -> [TeachingRow] {
    var seen: Set<String> = []
    var rows: [TeachingRow] = []
    for split in splits {
      guard (1...20).contains(split.names), split.count >= 0 else {
        throw TeachingError("the split \(split.name) asks for \(split.names) names in a question; give 1 to 20")
      }
      let random = RandomSource(seed: seed).stream(task.rawValue).stream(split.name)
      var draw = 0, made = 0
      while made < split.count {
        guard draw < 50 * split.count + 1000 else {
          throw TeachingError(
            "there are not \(split.count) different questions with \(split.names) names; ask for fewer in the split \(split.name)"
          )
        }
        let source = random.stream(draw)
        draw += 1
        let order = source.stream("names").permutation(Self.names.count).prefix(split.names).map { Self.names[$0] }
        let flips = (0..<split.names).map { source.stream("flips").integer($0, below: 2) == 1 }
        var row = task == .coinFlip ? coinFlip(order, flips) : lastLetter(order)
        guard seen.insert(row.question).inserted else { continue }
        row.id = "\(task.rawValue)-\(split.name)-\(made)"
        row.split = split.name
        rows.append(row)
        made += 1
      }
    }
    return rows
  }

  private func row(_ question: String, _ rationale: String, _ answer: String, rule: String) -> TeachingRow {
    var row = TeachingRow(id: "", task: task.rawValue, split: "", question: question, answer: answer)
    row.rule = rule
    row.response = "\(rationale) The answer is \(answer)."
    row.teacher = "rule"
    return row
  }

  private func coinFlip(_ names: [String], _ flips: [Bool]) -> TeachingRow {
    var isHeads = true
    var told: [String] = [], steps: [String] = []
    for (name, isFlipped) in zip(names, flips) {
      let deed = "\(name) \(isFlipped ? "flips" : "does not flip") the coin"
      if isFlipped { isHeads.toggle() }
      told.append("\(deed).")
      steps.append("\(deed), so it is \(isHeads ? "heads" : "tails") up.")
    }
    let asked = "Is the coin still heads up?"
    return row(
      "A coin is heads up. \(told.joined(separator: " ")) \(asked)",
      "A coin is heads up. \(steps.joined(separator: " ")) \(asked)", isHeads ? "yes" : "no", rule: "yes-no")
  }

  private func lastLetter(_ names: [String]) -> TeachingRow {
    var letters = "", steps: [String] = []
    for name in names {
      letters += name.suffix(1)
      steps.append("\"\(name)\" ends in \"\(name.suffix(1))\", which makes \"\(letters)\".")
    }
    return row(
      "Take the last letters of the words in \"\(names.joined(separator: " "))\" and concatenate them.",
      steps.joined(separator: " "), letters, rule: "last-letters")
  }
}
