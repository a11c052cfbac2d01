import MartletData
import MartletEvaluation

extension TeachingReport {
  /// The report as an object with names in snake case: shares from 0 to 1, times in seconds.
  public var json: JSONValue {
    var object = JSONObject()
    object.append("arms", .array(arms.map { .string($0) }))
    object.append("draws", .integer(Self.draws))
    object.append("cells", .array(cells.map(Self.object)))
    object.append("curves", .array(curves.map(Self.object)))
    if let damage {
      object.append(
        "damage",
        [
          "untouched": .string(damage.untouched), "cells": .array(damage.cells.map(Self.object)),
          "conclusions": .array(damage.conclusions.map { .string($0) }),
        ])
    }
    if let cost { object.append("cost", Self.object(cost)) }
    if !taught.isEmpty { object.append("taught", .array(taught.map(Self.object))) }
    object.append("conclusions", .array(conclusions.map { .string($0) }))
    return .object(object)
  }

  private static func object(_ cell: Cell) -> JSONValue {
    var object = JSONObject()
    object.append("arm", .string(cell.arm))
    object.append("task", .string(cell.task))
    object.append("split", .string(cell.split))
    object.append("questions", .integer(cell.questionCount))
    for measure in Measure.allCases {
      if let estimate = cell.measures[measure] { object.append(measure.rawValue, Self.object(estimate)) }
    }
    for (name, estimate) in [
      ("difference", cell.difference), ("followed_difference", cell.followedDifference),
      ("calculator_gain", cell.calculatorGain),
    ] {
      if let estimate { object.append(name, Self.object(estimate)) }
    }
    if !cell.strategies.isEmpty {
      var shares = JSONObject()
      for (name, share) in cell.strategies.sorted(by: { $0.key < $1.key }) { shares.append(name, Self.object(share)) }
      object.append("strategies", .object(shares))
    }
    return .object(object)
  }

  private static func object(_ estimate: Estimate) -> JSONValue {
    [
      "value": .number(estimate.value),
      "interval": [.number(estimate.interval.lower), .number(estimate.interval.upper)],
      "seeds": .array(estimate.seeds.map { .number($0) }),
    ]
  }

  private static func object(_ curve: TeachingCurve) -> JSONValue {
    var object = JSONObject()
    object.append("task", .string(curve.task))
    if let split = curve.split { object.append("split", .string(split)) }
    object.append("over", .string(curve.axis.name))
    object.append(
      "lines",
      .array(
        curve.lines.map { line in
          [
            "name": .string(line.name),
            "points": .array(
              line.points.map { point in
                [
                  "x": .number(point.x), "arm": .string(point.arm), "split": .string(point.split),
                  "accuracy": Self.object(point.accuracy),
                ]
              }),
          ]
        }))
    return .object(object)
  }

  private static func object(_ cost: TeachingCost) -> JSONValue {
    [
      "arms": .array(
        cost.arms.map { arm in
          var object = JSONObject()
          object.append("arm", .string(arm.name))
          for (name, count) in [
            ("runs", arm.runs), ("questions", arm.questions), ("steps", arm.steps), ("tokens", arm.tokens),
            ("counted_tokens", arm.countedTokens),
          ] { object.append(name, .integer(count)) }
          if let seconds = arm.processorSeconds { object.append("cpu_seconds", .number(seconds)) }
          return .object(object)
        }),
      "teachers": .array(
        cost.teachers.map { teacher in
          var object = JSONObject()
          object.append("model", .string(teacher.model))
          for (name, count) in [
            ("responses", teacher.responses), ("counted_responses", teacher.countedResponses),
            ("prompt_tokens", teacher.promptTokens), ("completion_tokens", teacher.completionTokens),
          ] { object.append(name, .integer(count)) }
          if let money = teacher.money { object.append("money", .number(money)) }
          return .object(object)
        }),
    ]
  }
}
