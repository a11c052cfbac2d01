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
      TableAverage.metric(of: task.name) ?? task.groups.lazy.compactMap(TableAverage.metric).first
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

  /// The scores of a model: of tasks in the order of the run, then of groups of which more than one task ran.
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

  /// The scores of groups, in the order of the run: means over their tasks that ran, weighted by rows.
  public func groupScores(of model: Int) -> [TaskScore] {
    let scores = taskScores(of: model)
    return groups.compactMap { group, members in
      let parts = scores.filter { members.contains($0.name) }
      return parts.isEmpty ? nil : TaskScore(group: group, parts)
    }
  }

  /// The groups of the tasks, with the tasks of each that ran.
  public var groups: [(name: String, members: [String])] {
    var groups: [(name: String, members: [String])] = []
    for task in tasks {
      for name in task.task.groups {
        if let place = groups.firstIndex(where: { $0.name == name }) {
          groups[place].members.append(task.task.name)
        } else {
          groups.append((name, [task.task.name]))
        }
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
