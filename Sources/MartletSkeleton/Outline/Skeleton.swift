/// The skeleton of an answer: the points of a list, read safely from what a model wrote.
///
/// Only lines that begin with the mark of a list are points (`ListMark`), so decimals inside a line are not; the list
/// ends where something else begins; what stands below a point (further lists, indented text, text under headings)
/// belongs to that point; a head that was there before (whatever its number) is left out, and so is one without a word
/// in it or that talks about the task.
public struct Skeleton: Sendable, Equatable {
  /// A point of a skeleton.
  public struct Point: Sendable, Equatable {
    /// From 1, without gaps.
    public let index: Int
    /// Its heading.
    public let head: String

    /// A point with its number.
    public init(index: Int, head: String) {
      self.index = index
      self.head = head
    }
  }

  /// The points, in order.
  public private(set) var points: [Point] = []
  /// Numbers of the list as the model wrote them, those of left-out points too. Bullets count from 1.
  public private(set) var writtenIndices: [Int] = []
  /// Points left out because their head was there before.
  public private(set) var duplicates = 0
  /// Points left out because they say nothing: no word, or talk about the task.
  public private(set) var wordless = 0
  /// Whether something that is no point came after the list.
  public private(set) var hasTail = false

  /// - Parameters:
  ///   - text: what the model wrote.
  ///   - begun: how the answer was made to begin, which `text` does not repeat. A model that begins anew all the same
  ///     is understood.
  public init(parsing text: String, begun: String = "") {
    let list = ListReader(begun + text).read()
    self.init(list: list)
    guard !begun.isEmpty, list.isInner || points.count < 2 || writtenIndices.first != 1 else { return }
    let own = Skeleton(list: ListReader(text).read())
    if own.points.count > points.count, own.writtenIndices.first == 1 { self = own }
  }

  private init(list: ListReader.List) {
    hasTail = list.hasTail
    var heads: Set<String> = []
    for item in list.items {
      writtenIndices.append(item.number)
      guard !item.head.isEmpty else { continue }
      guard TaskTalk.hasWord(item.head), !TaskTalk.isAboutTask(item.head) else {
        wordless += 1
        continue
      }
      guard heads.insert(Self.normalized(item.head)).inserted else {
        duplicates += 1
        continue
      }
      points.append(Point(index: points.count + 1, head: item.head))
    }
  }

  init(points: [Point]) { self.points = points }

  /// The first `count` points.
  public func prefix(_ count: Int) -> Skeleton {
    var result = self
    result.points = Array(points.prefix(count))
    return result
  }

  /// `1. Head.\n2. Head.`, as the point prompts want it.
  public var outline: String { points.map { "\($0.index). \($0.head)" }.joined(separator: "\n") }

  /// Lower case, letters and digits only: heads that differ in dress only are the same.
  package static func normalized(_ head: String) -> String {
    String(head.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || $0.properties.numericType != nil })
  }
}
