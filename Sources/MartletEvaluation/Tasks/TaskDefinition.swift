import MartletData
import MartletModels

/// What the file of a task says, with the words of one member of its group.
struct TaskDefinition: Sendable {
  /// What is asked of a model, with the templates that write it.
  enum Form: Sendable {
    /// One context, several continuations.
    case choices(context: TaskTemplate, choices: TaskTexts)
    /// Several contexts, one continuation ("partial evaluation").
    case contexts(TaskTexts, continuation: TaskTemplate)
    /// One context, one continuation.
    case continuation(context: TaskTemplate)
    /// One context that the model continues itself.
    case generation(context: TaskTemplate, stops: [String], maxTokens: Int)
  }

  /// Solved examples before a question.
  struct Shots: Sendable {
    var count = 0
    /// Where examples are; empty where they are rows of the task.
    var sources: [TaskSource] = []
    /// A list of examples in the task's file or a table.
    var list: TaskTemplate?
    var fields: TaskSource.Fields = []
    /// Whether the first examples are taken, instead of drawn ones.
    var areFirst = false
    /// Whether one more is drawn and the question taken out.
    var leavesOutQuestion = true
  }

  /// A JSON file that templates see under a name.
  struct Table: Sendable {
    let name: String
    let source: TaskSource
  }

  /// What a metric needs beside scores.
  struct Measure: Sendable {
    let metric: Metric
    let comparison: AnswerComparison
  }

  var name: String
  var aliases: [String]
  var groups: [String]
  var about: String
  var words: TextTemplate.Names
  var wordNames: Set<String>
  var sources: [TaskSource]
  var tables: [Table]
  var fields: TaskSource.Fields
  var form: Form
  var description: TaskTemplate?
  var system: String?
  var target: TaskTemplate?
  /// Candidate answers of choices, where the choices are more than answers.
  var answers: TaskTexts?
  var delimiter: String
  var shots: Shots
  var filters: [AnswerFilter]
  var measures: [Measure]
}
