/// What models answered to the rows of tasks, and everything that is computed of it.
public struct EvaluationResults: Sendable {
  /// A task with every model's results.
  public struct Task: Sendable {
    /// The task.
    public let task: EvaluationTask
    /// The share of rows that blind guessing gets right, a mean over rows; nil where models do not choose.
    public let chance: Double?
    /// `[model][row]`; nil for a row that has not been answered.
    public let results: [[RowResult?]]

    init(_ task: EvaluationTask, rows: [EvaluationRow], results: [[RowResult?]]) {
      self.task = task
      self.results = results
      let shares = rows.compactMap { row -> Double? in
        if case .choices(let requests) = row.question { 1 / Double(max(1, requests.count)) } else { nil }
      }
      chance = shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
    }

    /// The metric that tables name the task by; without one, the first that is no perplexity.
    public var mainMetric: String? {
      (task.isShipped ? ([task.name] + task.groups).lazy.compactMap(TableAverage.metric).first : nil)
        ?? (task.metrics.first { $0.kind != .perplexity } ?? task.metrics.first)?.name
    }

    /// A model's values of a metric, of its rows that were answered.
    func values(_ metric: String, model: Int) -> [Double] {
      results[model].compactMap { $0?.values[metric] }
    }
  }

  /// The names of the models.
  public let models: [String]
  /// The names of the models as tables have them: without the folders, where that tells them apart.
  public var labels: [String] {
    let short = models.map { String($0[($0.lastIndex(of: "/").map($0.index(after:)) ?? $0.startIndex)...]) }
    return Set(short).count == short.count && !short.contains("") ? short : models
  }
  /// The tasks in the order of the run.
  public let tasks: [Task]

  /// A group with the tasks of it that ran.
  public struct Group: Sendable {
    /// The name.
    public let name: String
    /// The names of the tasks that ran, in the order of the run.
    public internal(set) var members: [String]
    /// How many tasks the shipped group has; nil if a task of a user's own is in it, or it is not shipped.
    public internal(set) var total: Int?
    /// Whether it is a shipped group of which every task ran, so that its score is what tables call by its name.
    public var isWhole: Bool { members.count == total }
    /// The name, and behind it how many tasks ran if not all of a shipped group did.
    public var title: String {
      if let total, !isWhole { "\(name) (\(members.count) of \(total) tasks)" } else { name }
    }
  }

  /// The scores of a model: of tasks in the order of the run, then of groups.
  public func scores(of model: Int) -> [TaskScore] {
    taskScores(of: model) + groupScores(of: model)
  }

  /// The scores of tasks that have answers, in the order of the run.
  public func taskScores(of model: Int) -> [TaskScore] {
    tasks.compactMap { task in
      let answered = task.results[model].compactMap(\.self)
      return answered.isEmpty ? nil : TaskScore(task.task, answered)
    }
  }

  /// The scores of a model that can be members of a published average: of shipped tasks, and of shipped groups of which
  /// every task ran.
  public func tableScores(of model: Int) -> [TaskScore] {
    scores(of: model).filter { canBeMember($0.name) }
  }

  /// Whether a name is that of a shipped task, or of a shipped group of which every task ran.
  func canBeMember(_ name: String) -> Bool {
    tasks.contains { $0.task.name == name && $0.task.isShipped } || groups.contains { $0.name == name && $0.isWhole }
  }

  /// A task's or group's name, with how many tasks ran of a shipped group that is not whole.
  func title(_ name: String) -> String { groups.first { $0.name == name }?.title ?? name }

  /// The scores of groups, in the order of the run: means over their tasks that ran, weighted by rows.
  public func groupScores(of model: Int) -> [TaskScore] {
    let scores = taskScores(of: model)
    return groups.compactMap { group in
      let parts = scores.filter { group.members.contains($0.name) }
      return parts.isEmpty ? nil : TaskScore(group: group.name, parts)
    }
  }

  /// The groups of the tasks, in the order of the run.
  public var groups: [Group] {
    var groups: [Group] = []
    for task in tasks {
      for name in task.task.groups {
        let place = groups.firstIndex { $0.name == name } ?? groups.count
        if place == groups.count {
          groups.append(Group(name: name, members: [], total: EvaluationTask.count(ofGroup: name)))
        }
        groups[place].members.append(task.task.name)
        if !task.task.isShipped { groups[place].total = nil }
      }
    }
    return groups
  }

  /// The interval of a metric: Wilson's where each row is right or wrong, otherwise by the normal approximation.
  public func interval(_ task: Task, _ metric: String, model: Int, level: Double = 0.95) -> ConfidenceInterval? {
    guard let estimate = TaskScore(task.task, task.results[model].compactMap(\.self)).values[metric] else { return nil }
    let values = task.values(metric, model: model)
    if values.allSatisfy({ $0 == 0 || $0 == 1 }) {
      return .wilson(values.count { $0 == 1 }, of: values.count, level: level)
    }
    return estimate.interval(level: level)
  }
}
