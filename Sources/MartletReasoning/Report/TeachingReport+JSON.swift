import MartletData
import MartletEvaluation

extension TeachingReport {
  /// The report as an object.
  public var json: JSONValue {
    [
      "arms": .array(arms.map { .string($0) }), "draws": .integer(Self.draws),
      "cells": .array(cells.map(object)), "conclusions": .array(conclusions.map { .string($0) }),
    ]
  }

  private func object(_ cell: Cell) -> JSONValue {
    var object = JSONObject()
    object.append("arm", .string(cell.arm))
    object.append("task", .string(cell.task))
    object.append("split", .string(cell.split))
    object.append("questions", .integer(cell.questionCount))
    for measure in Measure.allCases {
      if let estimate = cell.measures[measure] { object.append(measure.rawValue, self.object(estimate)) }
    }
    if let difference = cell.difference { object.append("difference", self.object(difference)) }
    if !cell.strategies.isEmpty {
      var shares = JSONObject()
      for (name, share) in cell.strategies.sorted(by: { $0.key < $1.key }) { shares.append(name, .number(share)) }
      object.append("strategies", .object(shares))
    }
    return .object(object)
  }

  private func object(_ estimate: Estimate) -> JSONValue {
    [
      "value": .number(estimate.value),
      "interval": [.number(estimate.interval.lower), .number(estimate.interval.upper)],
      "seeds": .array(estimate.seeds.map { .number($0) }),
    ]
  }
}
