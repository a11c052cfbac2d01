import MartletEngine
import MartletModels

/// How an edit changes one answer: the one place that decides it, for every way in which the engine answers.
///
/// An edit's value was learned at the end of a prompt of one format, where the answer begins and may be any text. There
/// the value is put in, and once it has fired the answer is kept to the edit's words, as a value alone drifts in other
/// company (a system message, earlier turns). Everywhere else the value would be out of place, and the words alone are
/// kept to: behind an answer that has begun, behind a tuned start state, behind a prompt of another format. A grammar
/// that the request brings is narrowed to answers that say the words (``Request/grammarSaying``); where it allows none,
/// the edit holds back, and the completion says so.
enum EditPlan {
  case none
  case value(any PromptEdit)
  case words(FiredEdit, Grammar)
  case heldBack(HeldEdit)

  init(for request: Request, editor: any PromptEditor, loaded: LoadedModel) {
    self = .none
    guard let question = request.question, request.maxTokens > 0 else { return }
    let isInPlace =
      request.grammar == nil && request.start == nil && question.begun.isEmpty
      && editor.format ?? question.format == question.format
    if isInPlace {
      guard let edit = editor.edit(for: question, promptCount: request.tokens.count) else { return }
      // An edit that would see more rows than the prompt has cannot be made.
      if edit.rowCount <= request.tokens.count {
        self = .value(edit)
        return
      }
    }
    guard !request.actsInPassesOnly, var fired = editor.answer(to: question), !fired.answer.isEmpty else { return }
    fired.means = .words
    do {
      if request.grammar == nil {
        guard let words = try Self.words(of: fired, behind: question, loaded: loaded) else { return }
        self = .words(fired, words)
      } else if let narrowed = request.grammarSaying {
        self = .words(fired, try narrowed(fired.answer))
      } else {
        self = .heldBack(HeldEdit(id: fired.id, reason: "the requested format has no place for the answer of an edit"))
      }
    } catch {
      self = .heldBack(HeldEdit(id: fired.id, reason: "\(error)"))
    }
  }

  /// The plan as the engine carries it out.
  func interventions(_ request: Request, loaded: LoadedModel) -> InterventionPlan {
    var plan = InterventionPlan()
    switch self {
    case .none: break
    case .value(let edit):
      plan.interventions = [edit.intervention]
      if !request.actsInPassesOnly, let question = request.question {
        plan.grammarAfterPrompt = { notes in
          FiredEdit(in: notes).flatMap { try? Self.words(of: $0, behind: question, loaded: loaded) }
        }
      }
    case .words(let edit, let grammar):
      plan.note = edit
      plan.grammar = grammar
    case .heldBack(let edit): plan.note = edit
    }
    return plan
  }

  /// The words of an edit as the whole rest of an answer; nil where what has begun says them already.
  /// - Throws: ``EngineError`` where they cannot follow what has begun.
  static func words(of edit: FiredEdit, behind question: Question, loaded: LoadedModel) throws -> Grammar? {
    guard !edit.answer.isEmpty else { return nil }
    if question.format == .chat, question.begun.isEmpty {
      let space = loaded.chatFormat.answersBeginWithSpace ? Grammar.Expression.optional(.literal(" ")) : .nothing
      return try Grammar { _ in .sequence([space, .literal(edit.answer)]) }
    }
    let lead = question.format == .chat ? question.begun : question.format == .question ? "Answer:" : question.text
    guard let rest = try BegunAnswer(lead, isGiven: question.format == .chat).rest(of: edit.answer), !rest.isEmpty
    else {
      return nil
    }
    return try Grammar { _ in .literal(rest) }
  }
}
