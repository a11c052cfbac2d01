/// The skeleton of an answer: the points of a list, parsed robustly from the text of a model.
///
/// Only lines that begin with the mark of a list are points (`ListMark`), so decimals inside a line are not; the list
/// ends where other text begins; everything below a point (nested lists, indented text, text under headings) belongs to
/// that point; repeated heads are omitted regardless of their number, and so are heads without a word and heads that
/// talk about the task.
public struct Skeleton: Sendable, Equatable {
  /// A point of a skeleton.
  public struct Point: Sendable, Equatable {
    /// The number of the point, counted from 1 without gaps.
    public let index: Int
    /// The heading.
    public let head: String

    /// A point with its number.
    public init(index: Int, head: String) {
      self.index = index
      self.head = head
    }
  }

  /// The points, in order.
  public private(set) var points: [Point] = []
  /// The numbers of the list as the model wrote them, including those of omitted points. Bullets count from 1.
  public private(set) var writtenIndices: [Int] = []
  /// The number of points omitted because their head was a repetition.
  public private(set) var duplicates = 0
  /// The number of points omitted because they have no word or only talk about the task.
  public private(set) var wordless = 0
  /// Whether other text follows the list.
  public private(set) var hasTail = false

  /// - Parameters:
  ///   - text: the text of the model.
  ///   - begun: the given beginning of the answer, which `text` does not have to repeat.
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

  /// The skeleton as text for the point prompts: `1. Head.\n2. Head.`
  public var outline: String { points.map { "\($0.index). \($0.head)" }.joined(separator: "\n") }

  /// Lower case, letters and digits only: heads that differ in dress only are the same.
  package static func normalized(_ head: String) -> String {
    String(head.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || $0.properties.numericType != nil })
  }
}
