/// The shapes of question files that are read as they are.
public enum QuestionShape: String, Sendable, CaseIterable {
  /// The rows of this package's own stages.
  case rows
  /// `question` and `answer` with steps and `#### N` (GSM8K).
  case gsm8k
  /// `body`, `question`, `equation` and a number as `answer` (SVAMP), also with a teacher's rationale.
  case svamp
  /// `question`, a truth value as `answer`, `facts` and `decomposition` (StrategyQA).
  case strategyqa
  /// `question`, `choices` and `answer` or `answer_index` (CommonsenseQA), also with a teacher's rationale.
  case commonsenseqa
  /// `question`, `options` such as `A)21`, `rationale` and a letter as `correct` (AQuA).
  case aqua
  /// `split`, `task`, `question`, `rationale` and `answer` (last letters and coin flips).
  case symbolic
  /// `task`, `input` and `target` (BIG-Bench Hard).
  case bbh
  /// `lang`, `question` and a number as `answer` (MGSM).
  case mgsm
  /// `messages` of `role` and `content`.
  case messages
  /// `prompt` and `completion`, both texts or both lists of messages.
  case prompt
  /// `system_prompt`, `question` and `response` (OpenOrca), or `conversations` of `from` and `value` (SlimOrca).
  case orca
  /// `instruction`, `input` and `output` (Alpaca).
  case alpaca
}
