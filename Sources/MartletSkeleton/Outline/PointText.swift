/// The text of one point while it arrives. It ends where the point ends (``PointStop``); nothing of it is given before it
/// says something, and sentences about the task in front of it are dropped.
struct PointText {
  private var stop: PointStop
  private let givesWholeSentences: Bool
  private let head: String
  private var held = ""
  private(set) var saysSomething = false

  /// - Parameters:
  ///   - sentences: to take; nil takes all of the point.
  ///   - givesWholeSentences: holds a sentence until it is whole, so that what was given can stand if the rest is lost.
  ///   - head: of the point, which alone says nothing new.
  init(sentences: Int?, givesWholeSentences: Bool, head: String = "") {
    self.head = head
    stop = PointStop(sentences: sentences)
    self.givesWholeSentences = givesWholeSentences
  }

  var isStopped: Bool { stop.isStopped }

  /// The part of the text that can be shown.
  mutating func push(_ piece: String) -> String {
    held += stop.push(piece)
    return release(isLast: false)
  }

  /// What was held back, when nothing more comes.
  mutating func finish() -> String {
    held += stop.finish()
    return release(isLast: true)
  }

  private mutating func release(isLast: Bool) -> String {
    if !saysSomething {
      dropTaskTalk(isLast: isLast)
      guard TaskTalk.saysSomething(held), isLast || !mayStillBeTaskTalk, !TaskTalk.repeats(head, held) else {
        return ""
      }
      saysSomething = true
    }
    let end = givesWholeSentences && !isLast ? Self.sentenceEnd(held, isLast: true) ?? held.startIndex : held.endIndex
    defer { held.removeSubrange(..<end) }
    return String(held[..<end])
  }

  private mutating func dropTaskTalk(isLast: Bool) {
    while TaskTalk.mayBeAboutTask(held) {
      let end = Self.sentenceEnd(held, isLast: false) ?? (isLast ? held.endIndex : held.startIndex)
      guard end > held.startIndex, TaskTalk.isAboutTask(held[..<end]) else { return }
      held = String(held[end...].drop(while: \.isWhitespace))
      if held.isEmpty { return }
    }
  }

  /// A sentence that is not whole yet, and not so long that it must be more.
  private var mayStillBeTaskTalk: Bool {
    held.count < 120 && TaskTalk.mayBeAboutTask(held) && Self.sentenceEnd(held, isLast: false) == nil
  }

  /// Behind the first or the last sentence.
  private static func sentenceEnd(_ text: String, isLast: Bool) -> String.Index? {
    var found: String.Index?
    for place in text.indices {
      let behind = text.index(after: place)
      let isWide = "。！？：".contains(text[place])
      let isEnd = ".!?:".contains(text[place]) && behind < text.endIndex && text[behind].isWhitespace
      guard isWide || isEnd || text[place].isNewline else { continue }
      found = behind
      if !isLast { break }
    }
    return found
  }
}
