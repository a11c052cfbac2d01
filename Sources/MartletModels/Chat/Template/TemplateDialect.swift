/// How Jinja is set up for a template.
enum TemplateDialect: Sendable {
  /// As transformers sets it up for chat templates: `trim_blocks`, `lstrip_blocks`, one newline at the end of the text dropped, and what is
  /// not there is written as nothing.
  case chat
  /// As evaluation harnesses set it up for the texts of a task: white space stays as it is written, what is not there is an error, and
  /// there is the filter `regex_replace`.
  case text
}
