import MartletTensor

/// The rules of a codebook.
public enum CodebookRules: String, Sendable, Codable, CaseIterable {
  /// Each question has one key, the nearest key wins, and radii never shrink. Martlet's own mode follows these rules
  /// with its own keys and radii (see `EditSnapshot.decide(_:direction:)`).
  case nearest
  /// Algorithm 1 of the paper (Hartvigsen et al., 2023, arXiv 2211.11031).
  case paper
  /// The authors' code, including its error that labels count as equal if their means are equal.
  case reference
  /// EasyEdit's code, which in addition compares each key with the label of another key.
  case easyEdit = "easyedit"
}

/// GRACE's discrete store of keys, radii, labels and values.
///
/// It is a value type, so readers keep a consistent codebook while a writer changes another copy.
public struct Codebook: Sendable {
  /// One key with its radius, its label and the edit that it belongs to.
  public struct Entry: Sendable {
    /// The input of the edited layer. `[inputs]`
    public var key: [Float]
    /// The entry fires for keys within this Euclidean distance.
    public var radius: Float
    /// The tokens of the answer.
    public var label: [Int]
    /// The number of the edit that made the entry or last trained its value.
    public var edit: Int
  }

  /// What the codebook does with an edit.
  public enum Action: String, Sendable, Codable {
    /// It stores a new key with its radius.
    case add
    /// It enlarges the radius of the nearest key, which has the same label.
    case expand
    /// It stores a new key and shrinks the radius of the nearest one, which has another label.
    case split
    /// It leaves the entries as they are and trains the value of the nearest one.
    case none = "noop"
  }

  /// What adding an edit changed.
  public struct Change: Sendable, Equatable {
    /// What the codebook did.
    public var action: Action
    /// The entry whose value is to be trained.
    public var entry: Int
  }

  /// The rules that the codebook follows.
  public let rules: CodebookRules
  /// The radius of a new key.
  public let initialRadius: Float
  /// The entries in the order in which they were added.
  public private(set) var entries: [Entry] = []
  /// EasyEdit keeps labels in a list of their own, the newest in front.
  private var reversedLabels: [[Int]] = []
  private var search: NearestVectors?
  /// No radius is larger.
  private var largestRadius: Float = 0
  /// The distance below which a prompt is the same as that of the key, from which it differs only by rounding.
  public static let samePromptDistance: Float = 0.05

  /// - Parameters:
  ///   - rules: the rules of the codebook.
  ///   - initialRadius: the radius of a new key.
  public init(rules: CodebookRules, initialRadius: Float = 1) {
    self.rules = rules
    self.initialRadius = initialRadius
  }

  /// The nearest entry, if it lies within `radius`. The search is exact and skips most entries of a large codebook.
  public func nearest(to key: [Float], within radius: Float = .infinity) -> (entry: Int, distance: Float)? {
    var best: (entry: Int, distance: Float)?
    var first = 0
    if let search, radius.isFinite {
      first = search.table.count
      best = search.nearest(to: key, within: radius).map { ($0.row, $0.distance) }
    }
    for index in first..<entries.count {
      let distance = entries[index].key.distance(to: key)
      if distance <= radius, distance < best?.distance ?? .infinity { best = (index, distance) }
    }
    return best
  }

  /// Keys are found through sketches once there are many. Precondition: keys of numbers that 16 bits hold.
  private mutating func grow() {
    largestRadius = max(largestRadius, entries.last?.radius ?? 0)
    let searched = search?.table.count ?? 0
    guard entries.count - searched > max(2048, searched / 2), let width = entries.first?.key.count else { return }
    var table = VectorTable(width: width, element: .float16)
    for entry in entries { table.append(table.encoded(entry.key)) }
    search = NearestVectors(table)
  }

  /// The entry that fires for `key`: the nearest entry if its radius contains the key (Eq. 1). A farther entry does not
  /// count even if its radius contains the key.
  public func lookup(_ key: [Float]) -> (entry: Int, distance: Float)? {
    nearest(to: key, within: largestRadius).flatMap { $0.distance <= entries[$0.entry].radius ? $0 : nil }
  }

  /// Inserts an edit by adding, expanding or splitting entries.
  @discardableResult
  public mutating func insert(_ key: [Float], label: [Int], edit: Int) -> Change {
    guard let (index, distance) = nearest(to: key, within: largestRadius + initialRadius),
      distance <= entries[index].radius + initialRadius
    else {
      return add(key, label, radius: initialRadius, edit, as: .add)
    }
    switch rules {
    case .nearest:
      // Nothing shrinks: of two keys that hold a prompt the nearer answers.
      if entries[index].label != label || distance > entries[index].radius {
        return add(key, label, radius: initialRadius, edit, as: .add)
      }
      entries[index].edit = edit
      return Change(action: .none, entry: index)
    case .paper:
      if entries[index].label == label {
        entries[index].radius += initialRadius
        largestRadius = max(largestRadius, entries[index].radius)
        entries[index].edit = edit
        return Change(action: .expand, entry: index)
      }
      // The paper halves a distance of 0 to two radii of 0, and the edit is lost; the same prompt is edited anew instead.
      if distance < Self.samePromptDistance {
        entries[index].label = label
        entries[index].edit = edit
        return Change(action: .none, entry: index)
      }
      entries[index].radius = distance / 2
      return add(key, label, radius: distance / 2, edit, as: .split)
    case .reference, .easyEdit:
      let known = rules == .easyEdit ? reversedLabels[index] : entries[index].label
      guard Self.mean(known) == Self.mean(label) else {
        entries[index].radius = distance / 2 - 1e-5
        return add(key, label, radius: distance / 2, edit, as: .split)
      }
      entries[index].edit = edit
      guard distance > entries[index].radius else { return Change(action: .none, entry: index) }
      entries[index].radius = distance
      largestRadius = max(largestRadius, distance)
      return Change(action: .expand, entry: index)
    }
  }

  private mutating func add(_ key: [Float], _ label: [Int], radius: Float, _ edit: Int, as action: Action) -> Change {
    entries.append(Entry(key: key, radius: radius, label: label, edit: edit))
    if rules == .easyEdit { reversedLabels.insert(label, at: 0) }
    grow()
    return Change(action: action, entry: entries.count - 1)
  }

  private static func mean(_ label: [Int]) -> Double { Double(label.reduce(0, +)) / Double(max(1, label.count)) }
}
