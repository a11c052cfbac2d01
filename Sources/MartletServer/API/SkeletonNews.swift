import MartletData
import MartletEngine
import MartletSkeleton

/// What a skeleton's events are for the client.
enum SkeletonNews {
  static func events(_ event: SkeletonEvent) -> [AnswerEvent] {
    switch event {
    case .text(let text): return [.text(choice: 0, text, [])]
    case .routed(let decision):
      return [
        .skeleton([
          "event": "routed", "use_skeleton": .bool(decision.useSkeleton), "probability": .number(decision.probability),
        ])
      ]
    case .skeletonText(let text): return [.skeleton(["event": "skeleton_text", "text": .string(text)])]
    case .skeleton(let points):
      return [
        .skeleton([
          "event": "skeleton",
          "points": .array(points.map { ["index": .integer($0.index), "head": .string($0.head)] }),
        ])
      ]
    case .normal(let reason):
      return [.skeleton(["event": "normal", "reason": .string(reason.label), "detail": .string("\(reason)")])]
    case .point(let index, let text):
      return [.skeleton(["event": "point", "index": .integer(index), "text": .string(text)])]
    case .pointEnded(let index): return [.skeleton(["event": "point_ended", "index": .integer(index)])]
    case .finished(let report):
      var object: JSONValue = [
        "event": "finished", "used_skeleton": .bool(report.usedSkeleton), "seconds": .number(report.seconds),
        "skeleton_seconds": .number(report.skeletonSeconds), "point_seconds": .number(report.pointSeconds),
        "first_text_seconds": .number(report.firstTextSeconds), "skeleton_tokens": .integer(report.skeletonTokens),
        "skeleton_read_tokens": .integer(report.skeletonReadTokens),
        "point_read_tokens": .integer(report.pointReadTokens), "point_tokens": .integer(report.pointTokens),
        "normal_tokens": .integer(report.normalTokens),
        "points": .array(
          report.points.map {
            [
              "index": .integer($0.point.index), "tokens": .integer($0.tokens), "seconds": .number($0.seconds),
            ]
          }),
      ]
      if case .object(var members) = object {
        members["reason"] = report.reason.map { .string($0.label) } ?? .null
        object = .object(members)
      }
      return [.skeleton(object)]
    }
  }
}

extension NormalReason {
  /// For metrics and logs.
  var label: String {
    switch self {
    case .asked: "off"
    case .router: "router"
    case .skeleton: "bad_skeleton"
    case .wasFaster: "normal_was_faster"
    case .noRoom: "no_room"
    case .limit: "limit"
    case .edit: "edit"
    case .failed: "failed"
    }
  }
}
