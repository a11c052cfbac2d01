import MartletEngine

/// When an answer is generated with a skeleton.
public enum SkeletonMode: String, Sendable, CaseIterable {
  /// The router decides, and the normal answer is started at the same time, so that a bad skeleton costs almost
  /// nothing.
  case auto
  /// Always, or never.
  case on, off
}

/// The options of Skeleton-of-Thought.
public struct SkeletonOptions: Sendable {
  /// Whether skeletons are used.
  public var mode = SkeletonMode.auto
  /// The prompts.
  public var prompts: PromptSet
  /// The check that decides whether a skeleton is good.
  public var check = SkeletonCheck()
  /// The largest number of tokens of a skeleton.
  public var maxSkeletonTokens = 128
  /// The largest number of tokens of a point.
  public var maxPointTokens = 96
  /// The largest number of points that are expanded; further points that pass the check are omitted.
  public var maxPoints = 10
  /// The number of sentences of a point; nil for no limit.
  public var pointSentences: Int? = 2
  /// The shortest time in seconds after which a point of an endpoint without any output is given up while others have
  /// ended; the time is at least four times what those took.
  public var leastPatience = 15.0
  /// The token limit of a normal answer.
  public var maxTokens = 512
  /// The largest number of tokens of the whole answer including its skeleton; nil applies only the limits of the parts.
  public var answerLimit: Int?
  /// Texts that end the answer and are not part of it.
  public var stops: [String] = []
  /// Whether points continue from the state of the model at the end of the skeleton, instead of reading the question
  /// and the outline again. This requires support by the back end.
  public var continuesFromSkeleton = false
  /// Whether the normal answer is started together with the skeleton and the slower one is dropped; nil does so in
  /// `auto` mode if the back end makes it cheap.
  public var racesNormal: Bool?
  /// The number of pieces of a concurrent normal answer before the skeleton is started. Reading the skeleton's prompt
  /// must take less than a tenth of the time of the answer so far, so that short answers are not slowed down more.
  public var headStart = 52
  /// The separator between the points of the answer.
  public var separator = "\n"
  /// The router for the mode `auto`.
  public var router = SkeletonRouter.shared
  /// Whether the model itself is asked instead (the prompting router of the paper), concurrently with the normal
  /// answer.
  public var asksModelToRoute = false

  /// The number of parameters below which models seldom write a skeleton that is worth expanding: a model with 135
  /// million parameters wrote a good one for 11 of 37 questions that ask for a list, and no results are published below
  /// 7 billion.
  public static let leastParameters = 1_000_000_000

  /// Options with a set of prompts.
  public init(prompts: PromptSet = .named(.open)) { self.prompts = prompts }
}

/// An event while an answer is generated.
public enum SkeletonEvent: Sendable {
  /// What the router has decided.
  case routed(SkeletonRouter.Decision)
  /// A piece of the skeleton as the model writes it.
  case skeletonText(String)
  /// The points that will be expanded.
  case skeleton([Skeleton.Point])
  /// The answer is generated normally, with the reason.
  case normal(NormalReason)
  /// A piece of one point; pieces of different points may alternate.
  case point(index: Int, text: String)
  /// A point is complete.
  case pointEnded(index: Int)
  /// A piece of the answer, in the order of the final text.
  case text(String)
  /// The end of the answer, with its report.
  case finished(SkeletonReport)
}

/// Why an answer was not made from a skeleton.
public enum NormalReason: Sendable, Equatable, CustomStringConvertible {
  /// Normal answers were requested.
  case asked
  /// The router decided against a skeleton.
  case router
  /// The skeleton was bad.
  case skeleton(SkeletonCheck.Problem)
  /// The normal answer was complete before the skeleton.
  case wasFaster
  /// The skeleton's longer prompts do not fit into the model's context.
  case noRoom
  /// ``SkeletonOptions/answerLimit`` is too low for a skeleton and its points.
  case limit
  /// An edit of the model answers the question.
  case edit
  /// The skeleton, or both attempts at a point, failed; the reason is given.
  case failed(String)

  public var description: String {
    switch self {
    case .asked: "off"
    case .router: "the router advised against it"
    case .skeleton(let problem): "bad skeleton: \(problem.rawValue)"
    case .wasFaster: "the normal answer was complete first"
    case .noRoom: "the conversation leaves no room for a skeleton"
    case .limit: "the limit of tokens leaves no room for a skeleton"
    case .edit: "an edit answers the question"
    case .failed(let problem): "the skeleton failed: \(problem)"
    }
  }
}

/// The report of an answer: its parts, tokens and times.
public struct SkeletonReport: Sendable {
  /// The report of a point.
  public struct PointReport: Sendable {
    /// The point of the skeleton.
    public let point: Skeleton.Point
    /// The text.
    public var text = ""
    /// The number of generated tokens.
    public var tokens = 0
    /// The time in seconds.
    public var seconds = 0.0
    /// Whether it ended before the token limit.
    public var endedByItself = true
  }

  /// The whole answer.
  public var answer = ""
  /// Whether it was made from a skeleton.
  public var usedSkeleton = false
  /// Why it was not made from a skeleton; nil if it was.
  public var reason: NormalReason?
  /// The decision of the router; nil if it was not used.
  public var decision: SkeletonRouter.Decision?
  /// The skeleton as generated by the model.
  public var skeletonText = ""
  /// The points of the answer.
  public var points: [PointReport] = []
  /// Whether no part was cut off by the token limit.
  public var endedByItself = true
  /// The notes of interventions in a normal answer, such as the edit that changed it.
  public var notes: [any Sendable] = []
  /// The seconds of the whole answer, of the skeleton, and of the points after the skeleton.
  public var seconds = 0.0, skeletonSeconds = 0.0, pointSeconds = 0.0
  /// The seconds until the first text of the answer.
  public var firstTextSeconds = 0.0
  /// The numbers of tokens generated for the skeleton, for all points, and for a normal answer.
  public var skeletonTokens = 0, pointTokens = 0, normalTokens = 0
  /// The numbers of tokens read for the skeleton and for the points.
  public var skeletonReadTokens = 0, pointReadTokens = 0
  /// The number of tokens of the question's prompt.
  public var promptTokens = 0
  /// The number of tokens read for a normal answer.
  public var normalReadTokens = 0
  /// The number of all generated tokens.
  public var tokens: Int { skeletonTokens + pointTokens + normalTokens }

  /// An empty report.
  public init() {}
}
