import Foundation
import MartletCheckpoints
import MartletData
import MartletModels
import MartletOptimization
import MartletTensor
import MartletTokenizers
import MartletTraining

extension TeachingRun {
  /// Trains an arm on the student's own answers (dpo, grpo, gkd).
  func policy(
    _ arm: ArmSettings, _ seed: Int, _ responses: [TeachingRow], _ follower: Follower
  ) async throws -> ArmTrainingResult {
    let rows = questions(of: responses, arm)
    let path = folder.run(arm.name, seed: seed), start = start(of: arm, seed: seed)
    let digest = try ArmTrainingResult.digest(
      rows, arm: arm, student: recipe.student, seed: seed, recipeSeed: recipe.seed, start: start)
    if let done = try ArmTrainingResult.read(path) {
      guard done.digest == digest else { throw ArmTrainingResult.otherRun(path) }
      return done
    }
    var settings = try PolicySettings(arm, seed: seed)
    let parts = try StudentParts(recipe.student, isFull: false, start: start)
    var policy = parts.model
    if let adapter = parts.adapter, let start {
      settings.adapters = try AdapterSettings(continuing: adapter, in: &policy, dropout: 0, path: start)
    } else {
      let adapters = AdapterSettings(rank: arm.rank, alpha: 2 * Double(arm.rank))
      settings.adapters = adapters
      try adapters.attach(to: &policy, random: RandomSource(seed: settings.seed).stream("adapters"))
    }
    var teacher: (any TrainableModel)?
    if arm.method == .gkd {
      guard let named = recipe.teacher else { throw TeachingError("gkd needs a teacher; name its model in the recipe") }
      teacher = try PolicyTeacher.load(named.model, for: parts.loaded)
    }
    let asked = try PolicyQuestions(
      rows, prompt: StudentPrompt(parts.loaded, isChat: recipe.student.isChat), seed: settings.seed)
    let isResumed = FileManager.default.fileExists(atPath: path + "/run.json")
    if isResumed { try ArmTrainingResult.check(path, digest) }
    let run = try PolicyRun(
      folder: path, trainer: PolicyTrainer(policy, settings: settings, teacher: teacher), loaded: parts.loaded,
      questions: asked, heldOut: nil, reward: AnswerReward(rule: nil, formReward: settings.formReward),
      description: [
        "command": "teach run", "arm": arm.name, "method": arm.method.rawValue, "student": recipe.student.model,
        "seed": seed, "digest": digest,
        "settings": try JSONSerialization.jsonObject(with: JSONEncoder.snakeCase.encode(settings)),
      ], resuming: isResumed)
    let clock = try TrainingClock(path, isResumed: isResumed)
    let isComplete = try await run.run(isInterrupted: follower.isInterrupted) { event in
      switch event {
      case .step(let step, _, _): follower.report(.progress(unit: "steps", done: step.step, of: settings.steps))
      case .checkpoint: clock.keep()
      default: break
      }
    }
    guard isComplete else { try follower.end() }
    try parts.write(run.trainer.model, adapters: settings.adapters, to: path)
    let metrics = RunMetrics(folder: path), tokens = Int(metrics.points("tokens").reduce(0) { $0 + $1.y })
    let result = ArmTrainingResult(
      digest: digest, arm: arm.name, seed: seed, method: arm.method, questions: Set(asked.rows.map(\.id)).count,
      examples: Int(metrics.points("completions").reduce(0) { $0 + $1.y }), tooLong: 0, incomplete: 0,
      steps: settings.steps, tokens: tokens, countedTokens: tokens, loss: metrics.last("loss")?.number,
      share: arm.share, settings: String(digest.prefix(16)), processorSeconds: clock.total())
    try result.write(to: path)
    return result
  }

  /// The questions of an arm that learns from the student's own answers, each once: a response that was dropped is no reason not to ask,
  /// and what is mixed in has nothing to be rewarded. A question keeps the first response that is learnt from.
  private func questions(of responses: [TeachingRow], _ arm: ArmSettings) -> [TeachingRow] {
    let own = responses.filter { $0.others["mixed_in"]?.bool != true }
    var places: [String: Int] = [:], rows: [TeachingRow] = []
    for var row in own {
      if row.dropped != nil { (row.response, row.dropped) = (nil, nil) }
      if let place = places[row.id] {
        if rows[place].response == nil, row.response != nil { rows[place] = row }
      } else {
        places[row.id] = rows.count
        rows.append(row)
      }
    }
    guard arm.share < 1 else { return rows }
    let chosen = ArmExamples.questions(of: rows, share: arm.share, seed: recipe.seed)
    return rows.filter { chosen.contains($0.id) }
  }
}

/// The model whose probabilities a student approaches.
package enum PolicyTeacher {
  /// Loads it.
  /// - Parameters:
  ///   - name: a path or a name of a model.
  ///   - student: the model that is taught, whose tokens it must have.
  /// - Throws: ``TeachingError`` where its tokens are others, and what loading throws.
  package static func load(_ name: String, for student: LoadedModel) throws -> any TrainableModel {
    let checkpoint = try ModelLibrary().open(name)
    let model = try ModelLoading.loadTrainable(checkpoint, frozen: true)
    let loaded = try LoadedModel(model: model, checkpoint: checkpoint)
    let count = student.tokenizer.vocabularySize
    guard loaded.tokenizer.vocabularySize == count,
      (0..<count).allSatisfy({ loaded.tokenizer.bytes(of: $0) == student.tokenizer.bytes(of: $0) })
    else {
      throw TeachingError(
        "\(name) has other tokens than the student; gkd compares probabilities of the same tokens, so choose a teacher with the student's tokenizer"
      )
    }
    return model
  }
}
