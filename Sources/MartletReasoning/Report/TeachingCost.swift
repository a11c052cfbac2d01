import MartletData

/// What teaching has cost: processor time and tokens of training, and the teacher's tokens.
public struct TeachingCost: Sendable, Equatable {
  /// The training of an arm, all seeds together.
  public struct Arm: Sendable, Equatable {
    /// The name of the arm.
    public var name: String
    /// The number of runs.
    public var runs = 0
    /// The number of questions that each run has learnt from.
    public var questions = 0
    /// The number of optimiser steps of all runs.
    public var steps = 0
    /// The number of tokens that were read in all steps of all runs, and of those whose prediction counted.
    public var tokens = 0, countedTokens = 0
    /// The processor time of all runs in seconds; nil where a run has not measured it.
    public var processorSeconds: Double? = 0
  }

  /// A teacher's responses.
  public struct Teacher: Sendable, Equatable {
    /// The name of the model.
    public var model: String
    /// The number of responses, and of those whose tokens are known.
    public var responses = 0, countedResponses = 0
    /// The number of tokens that it read and wrote.
    public var promptTokens = 0, completionTokens = 0
    /// What they cost, in the currency of the prices; nil where no price is told.
    public var money: Double?
  }

  /// The arms in the order of their runs.
  public private(set) var arms: [Arm] = []
  /// The teachers in the order of their responses.
  public private(set) var teachers: [Teacher] = []

  /// Adds up what runs and responses have cost.
  /// - Parameters:
  ///   - training: the results of runs.
  ///   - responses: what teachers wrote, dropped or not: all of it was paid for. A response that occurs twice counts once.
  ///   - price: prices of a million tokens that the teacher read and wrote; nil where they are not known.
  public init(
    training: [ArmTrainingResult], responses: [TeachingRow], price: (prompt: Double, completion: Double)? = nil
  ) {
    for run in training {
      let name = TeachingReport.armName(run.arm, seed: run.seed)
      let place = arms.firstIndex { $0.name == name } ?? arms.endIndex
      if place == arms.endIndex { arms.append(Arm(name: name)) }
      arms[place].runs += 1
      arms[place].questions = max(arms[place].questions, run.questions)
      arms[place].steps += run.steps
      arms[place].tokens += run.tokens
      arms[place].countedTokens += run.countedTokens
      arms[place].processorSeconds = arms[place].processorSeconds.flatMap { sum in run.processorSeconds.map { sum + $0 }
      }
    }
    var seen: Set<[String]> = []
    for row in responses where row.response != nil {
      let model = row.teacher ?? "unnamed"
      guard seen.insert([model, row.task, row.id, "\(row.sample ?? 0)", row.strategy ?? ""]).inserted else { continue }
      let place = teachers.firstIndex { $0.model == model } ?? teachers.endIndex
      if place == teachers.endIndex { teachers.append(Teacher(model: model)) }
      teachers[place].responses += 1
      guard row.promptTokens != nil || row.completionTokens != nil else { continue }
      teachers[place].countedResponses += 1
      teachers[place].promptTokens += row.promptTokens ?? 0
      teachers[place].completionTokens += row.completionTokens ?? 0
    }
    guard let price else { return }
    for place in teachers.indices where teachers[place].countedResponses > 0 {
      let teacher = teachers[place]
      teachers[place].money =
        (Double(teacher.promptTokens) * price.prompt + Double(teacher.completionTokens) * price.completion) / 1e6
    }
  }
}
