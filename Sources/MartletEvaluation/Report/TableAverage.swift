/// An average over tasks as published tables of models have it: a plain mean of the members' scores, in the tables of RWKV.
public struct TableAverage: Sendable, Equatable {
  /// What is averaged: one metric of a task, or of a group of tasks.
  public struct Member: Sendable, Equatable {
    /// The task's or group's name.
    public let name: String
    /// The metric.
    public let metric: String
    /// The heading of the column in the published table.
    public let column: String
  }

  /// The name, such as `avg%`.
  public let name: String
  /// The members in the order of the published table.
  public let members: [Member]

  /// `avg%` of RWKV's English tables: the plain mean of twelve tasks.
  public static let english = TableAverage(
    name: "avg%",
    members: [
      Member(name: "lambada_openai", metric: "acc", column: "lambada"),
      Member(name: "piqa", metric: "acc", column: "piqa"),
      Member(name: "storycloze_2016", metric: "acc", column: "storycloze16"),
      Member(name: "hellaswag", metric: "acc_norm", column: "hellaswag_norm"),
      Member(name: "winogrande", metric: "acc", column: "winogrande"),
      Member(name: "arc_challenge", metric: "acc_norm", column: "arc_challenge_norm"),
      Member(name: "arc_easy", metric: "acc", column: "arc_easy"),
      Member(name: "headqa_en", metric: "acc_norm", column: "headqa_en_norm"),
      Member(name: "openbookqa", metric: "acc_norm", column: "openbookqa_norm"),
      Member(name: "sciq", metric: "acc", column: "sciq"), Member(name: "record", metric: "em", column: "record_em"),
      Member(name: "copa", metric: "acc", column: "copa"),
    ])

  /// `xavg%` of RWKV's multilingual tables: the plain mean of four groups.
  public static let multilingual = TableAverage(
    name: "xavg%",
    members: [
      Member(name: "lambada_multilingual", metric: "acc", column: "xlambada"),
      Member(name: "xstorycloze", metric: "acc", column: "xstorycloze"),
      Member(name: "xwinograd", metric: "acc", column: "xwinograd"),
      Member(name: "xcopa", metric: "acc", column: "xcopa"),
    ])

  /// All averages.
  public static let all = [english, multilingual]

  /// The average over the members that there are, and which those are.
  public struct Value: Sendable, Equatable {
    /// The plain mean of the members that there are, from 0 to 1. It is the published average only if none is missing.
    public let mean: MeanEstimate
    /// The members that there are, with their scores.
    public let present: [(member: Member, score: MeanEstimate)]
    /// The members that there are not.
    public let missing: [Member]
    /// Whether every member is there.
    public var isComplete: Bool { missing.isEmpty }

    public static func == (one: Value, other: Value) -> Bool {
      one.mean == other.mean && one.missing == other.missing
        && one.present.elementsEqual(other.present) { $0.member == $1.member && $0.score == $1.score }
    }
  }

  /// The average of scores.
  /// - Parameter scores: of tasks and groups; those that the average does not name do not count.
  public func value(_ scores: [TaskScore]) -> Value {
    let found = members.map { member in
      (member: member, score: scores.first { $0.name == member.name }?.values[member.metric])
    }
    let present = found.compactMap { pair in pair.score.map { (member: pair.member, score: $0) } }
    return Value(
      mean: .plain(present.map(\.score)), present: present, missing: found.filter { $0.score == nil }.map(\.member))
  }

  /// The metric by which tables name a task or group; nil where none does.
  static func metric(of name: String) -> String? {
    all.flatMap(\.members).first { $0.name == name }?.metric
  }
}
