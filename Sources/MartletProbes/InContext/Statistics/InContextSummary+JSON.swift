import MartletData
import MartletEvaluation

extension InContextSummary {
  /// The summary as one JSON object with `cells`, `slopes`, `comparisons` and `controls`.
  ///
  /// Every measure has its value under its name and its interval of 95 % (percentiles of a bootstrap over contexts) under the name with
  /// `_interval`; `accuracy_wilson` is the score interval that takes rows for independent. What rows do not define is null.
  public var json: JSONValue {
    [
      "cells": .array(cells.map(\.json)), "slopes": .array(slopes.map(\.json)),
      "comparisons": .array(comparisons.map(\.json)), "controls": .array(controls.map(\.json)),
    ]
  }
}

extension JSONObject {
  fileprivate init(model: String?, task: String, shots: Int) {
    self.init()
    if let model { append("model", .string(model)) }
    append("task", .string(task))
    append("k", .integer(shots))
  }

  /// The measures that are there, and null for the main ones that are not.
  fileprivate mutating func append(
    _ measures: [InContextMeasure: InContextEstimate], always: [InContextMeasure] = [], classes: Int = 0
  ) {
    for measure in InContextMeasure.all {
      guard let estimate = measures[measure] else {
        if always.contains(measure) {
          append(measure.name, .null)
          append(measure.name + "_interval", .null)
        }
        continue
      }
      append(measure.name, .number(estimate.value))
      append(measure.name + "_interval", estimate.interval.json)
    }
    let shares = (0..<classes).compactMap { measures[.classShare($0)] }
    guard !shares.isEmpty else { return }
    let name = InContextMeasure.classShare(0).name
    append(name, .array(shares.map { .number($0.value) }))
    append(name + "_interval", .array(shares.map(\.interval.json)))
  }
}

extension ConfidenceInterval {
  /// `[lower, upper]`; null where it is undefined.
  fileprivate var json: JSONValue {
    lower.isNaN || upper.isNaN ? .null : .array([.number(lower), .number(upper)])
  }
}

extension InContextSummary.Cell {
  fileprivate var json: JSONValue {
    var object = JSONObject(model: key.model, task: key.task, shots: key.shots)
    object.append("setting", .string(key.setting))
    if let flippedShare { object.append("flipped_share", .number(flippedShare)) }
    object.append("n", .integer(count))
    object.append("contexts", .integer(contexts))
    object.append("labels", .integer(classes))
    object.append(
      measures, always: [.accuracy, .batchCalibratedAccuracy, .areaUnderCurve, .goldMargin], classes: classes)
    if let wilson { object.append("accuracy_wilson", wilson.json) }
    if let generatedWilson { object.append("accuracy_generated_wilson", generatedWilson.json) }
    return .object(object)
  }
}

extension InContextSummary.Slope {
  fileprivate var json: JSONValue {
    var object = JSONObject(model: model, task: task, shots: shots)
    object.append("flipped_shares", .array(shares.map { .number($0) }))
    object.append(slopes)
    object.append("chance", .number(chance))
    for measure in InContextMeasure.all {
      guard let overrides = overrides[measure] else { continue }
      object.append("override_by_" + measure.name, .bool(overrides))
    }
    return .object(object)
  }
}

extension InContextSummary.Comparison {
  fileprivate var json: JSONValue {
    var object = JSONObject(model: nil, task: task, shots: shots)
    object.append("first", .string(first))
    object.append("second", .string(second))
    object.append(setting == nil ? "of" : "setting", .string(setting ?? "slopes"))
    let classes = differences.keys.filter { if case .classShare = $0 { true } else { false } }.count
    object.append(differences, classes: classes)
    return .object(object)
  }
}

extension InContextSummary.BiasControl {
  fileprivate var json: JSONValue {
    var object = JSONObject(model: model, task: task, shots: shots)
    object.append("setting", "both assignments of symbols")
    object.append("n", .integer(count))
    object.append(measures, classes: classes)
    return .object(object)
  }
}
