import MartletEngine

/// When an answer is written by way of a skeleton.
public enum SkeletonMode: String, Sendable, CaseIterable {
  /// The router decides, and the normal answer is begun at the same time, so that a bad skeleton costs next to nothing.
  case auto
  /// Always, or never.
  case on, off
}

/// How Skeleton-of-Thought is done.
public struct SkeletonOptions: Sendable {
  /// Whether skeletons are used.
  public var mode = SkeletonMode.auto
  /// What is said to the model.
  public var prompts: PromptSet
  /// When a skeleton is good.
  public var check = SkeletonCheck()
  /// Most tokens of a skeleton.
  public var maxSkeletonTokens = 128
  /// Most tokens of a point.
  public var maxPointTokens = 96
  /// Most points that are expanded; what the check lets through beyond them is left out.
  public var maxPoints = 10
  /// Sentences of a point; nil takes what the model writes.
  public var pointSentences: Int? = 2
  /// Seconds that an endpoint may say nothing to a point while others have ended; at least four times what those took.
  public var leastPatience = 15.0
  /// Limit of a normal answer.
  public var maxTokens = 512
  /// Most tokens of the whole answer, its skeleton among them; nil leaves that to the limits of the parts.
  public var answerLimit: Int?
  /// Texts that end the answer and are not part of it.
  public var stops: [String] = []
  /// The points go on from the state in which the model ended the skeleton, instead of being told the question and the
  /// outline again. Only where the back end can; the model then remembers its own skeleton.
  public var continuesFromSkeleton = false
  /// Begin the normal answer with the skeleton, and drop the loser. nil: in `auto` mode, where that is cheap.
  public var racesNormal: Bool?
  /// Pieces that a racing normal answer writes before the skeleton is begun: reading the skeleton's prompt beside it
  /// must stay under a tenth of what the answer has taken, or short answers would be slowed by more.
  public var headStart = 52
  /// Between the points of the answer.
  public var separator = "\n"
  /// What decides in the mode `auto`.
  public var router = SkeletonRouter.shared
  /// The model itself is asked instead (the paper's prompting router); a racing normal answer starts beside that.
  public var asksModelToRoute = false

  /// Models with fewer parameters seldom write a skeleton that is worth expanding: of 37 questions that ask for a list, a
  /// model of 135 million wrote a good one to 11, and nothing is published below 7 billion.
  public static let leastParameters = 1_000_000_000

  /// Options with a set of prompts.
  public init(prompts: PromptSet = .named(.open)) { self.prompts = prompts }
}

/// What happens while an answer is made.
public enum SkeletonEvent: Sendable {
  /// What the router has decided.
  case routed(SkeletonRouter.Decision)
  /// A piece of the skeleton as the model writes it.
  case skeletonText(String)
  /// The points that will be expanded.
  case skeleton([Skeleton.Point])
  /// The answer is written as usual, and why.
  case normal(NormalReason)
  /// A piece of one point, at any time.
  case point(index: Int, text: String)
  /// A point is complete.
  case pointEnded(index: Int)
  /// A piece of the answer, in its order.
  case text(String)
  /// The end, with what it took.
  case finished(SkeletonReport)
}

/// Why an answer was not made from a skeleton.
public enum NormalReason: Sendable, Equatable, CustomStringConvertible {
  /// It was asked for.
  case asked
  /// The router decided so.
  case router
  /// The skeleton was bad.
  case skeleton(SkeletonCheck.Problem)
  /// It was whole before the skeleton.
  case wasFaster
  /// The skeleton's longer prompts do not fit into the model's context.
  case noRoom
  /// ``SkeletonOptions/answerLimit`` is too low for a skeleton and its points.
  case limit
  /// An edit of the model answers the question.
  case edit
  /// The skeleton, or a point and its second try, could not be had; what went wrong.
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

/// What an answer took.
public struct SkeletonReport: Sendable {
  /// What became of a point.
  public struct PointReport: Sendable {
    /// The point of the skeleton.
    public let point: Skeleton.Point
    /// What was written.
    public var text = ""
    /// Tokens that were written.
    public var tokens = 0
    /// Seconds that it took.
    public var seconds = 0.0
    /// Whether it ended before the limit of tokens.
    public var endedByItself = true
  }

  /// The whole answer.
  public var answer = ""
  /// Whether it was made from a skeleton.
  public var usedSkeleton = false
  /// Why it was not.
  public var reason: NormalReason?
  /// What the router said; nil where it was not asked.
  public var decision: SkeletonRouter.Decision?
  /// What the model wrote as its skeleton.
  public var skeletonText = ""
  /// Its points.
  public var points: [PointReport] = []
  /// Whether nothing was cut by the limit of tokens.
  public var endedByItself = true
  /// What interventions have said of a normal answer, such as the edit of the model that changed it.
  public var notes: [any Sendable] = []
  /// Seconds of the whole, of the skeleton, and of the points from the moment the skeleton was there.
  public var seconds = 0.0, skeletonSeconds = 0.0, pointSeconds = 0.0
  /// Time until the first text of the answer.
  public var firstTextSeconds = 0.0
  /// Tokens generated for the skeleton, all points, and a normal answer.
  public var skeletonTokens = 0, pointTokens = 0, normalTokens = 0
  /// Tokens that were read for the skeleton and for the points.
  public var skeletonReadTokens = 0, pointReadTokens = 0
  /// Tokens of the question's prompt.
  public var promptTokens = 0
  /// Tokens of a normal answer's prompt that were read for it.
  public var normalReadTokens = 0
  /// All tokens that were written.
  public var tokens: Int { skeletonTokens + pointTokens + normalTokens }

  /// A report of nothing.
  public init() {}
}
