// The formats by name, each as a template of Martlet's own.
extension ChatFormat.Kind {
  /// The format as a template; the World format and plain text are written in Swift.
  var template: String {
    switch self {
    case .rwkvWorld, .plain: ""
    case .chatML:
      """
      {% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}\
      {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
      """
    case .llama3:
      """
      {% for m in messages %}\
      {{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content | trim + '<|eot_id|>' }}{% endfor %}\
      {% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}
      """
    case .llama2:
      Self.alternating(
        system: "'<<SYS>>\n' + messages[0].content + '\n<</SYS>>\n\n'",
        user: "(bos if loop.index0 > 0) ~ '[INST] ' + (system if loop.first else '') + m.content | trim + ' [/INST]'",
        assistant: "' ' + m.content | trim + ' </s>'", before: "{% set bos = '<s>' %}")
    case .mistralV1:
      Self.alternating(
        system: "messages[0].content + '\n\n'",
        user: "'[INST] ' + (system if loop.first else '') + m.content + ' [/INST]'",
        assistant: "m.content + '</s>'")
    case .mistralV3:
      Self.alternating(
        system: "messages[0].content + '\n\n'",
        user: "'[INST] ' + (system if loop.last else '') + m.content + '[/INST]'",
        assistant: "' ' + m.content + '</s>'")
    case .mistralV7:
      """
      {% for m in messages %}\
      {% if m.role == 'system' %}{{ '[SYSTEM_PROMPT]' + m.content + '[/SYSTEM_PROMPT]' }}\
      {% elif m.role == 'user' %}{{ '[INST]' + m.content + '[/INST]' }}\
      {% else %}{{ m.content + '</s>' }}{% endif %}{% endfor %}
      """
    case .zephyr: Self.turns("'<|' + m.role + '|>\n' + m.content + '</s>\n'", asks: "'<|assistant|>\n'")
    case .phi3: Self.turns("'<|' + m.role + '|>\n' + m.content + '<|end|>\n'", asks: "'<|assistant|>\n'")
    case .falcon3:
      Self.turns(
        "'<|' + m.role + '|>\n' + m.content + ('<|endoftext|>' if m.role == 'assistant' else '') + '\n'",
        asks: "'<|assistant|>\n'")
    case .granite:
      Self.turns(
        "'<|start_of_role|>' + m.role + '<|end_of_role|>' + m.content + '<|end_of_text|>\n'",
        asks: "'<|start_of_role|>assistant<|end_of_role|>'")
    case .gemma:
      Self.alternating(
        system: "messages[0].content | trim + '\n\n'",
        user: "'<start_of_turn>user\n' + (system if loop.first else '') + m.content | trim + '<end_of_turn>\n'",
        assistant: "'<start_of_turn>model\n' + m.content | trim + '<end_of_turn>\n'",
        asks: "'<start_of_turn>model\n'")
    case .deepSeek:
      """
      {% for m in messages %}\
      {% if m.role == 'user' %}{{ 'User: ' + m.content + '\n\n' }}\
      {% elif m.role == 'assistant' %}{{ 'Assistant: ' + m.content + '<｜end▁of▁sentence｜>' }}\
      {% else %}{{ m.content + '\n\n' }}{% endif %}{% endfor %}\
      {% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}
      """
    case .deepSeekR1:
      """
      {% for m in messages %}\
      {% if m.role == 'user' %}{{ '<｜User｜>' + m.content }}\
      {% elif m.role == 'assistant' %}\
      {{ '<｜Assistant｜>' + m.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}\
      {% else %}{{ m.content }}{% endif %}{% endfor %}\
      {% if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %}
      """
    case .vicuna:
      """
      {% for m in messages %}\
      {% if m.role == 'user' %}{{ 'USER: ' + m.content + ' ' }}\
      {% elif m.role == 'assistant' %}{{ 'ASSISTANT: ' + m.content + '</s>' }}\
      {% else %}{{ m.content + ' ' }}{% endif %}{% endfor %}\
      {% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}
      """
    case .alpaca:
      """
      {% for m in messages %}\
      {% if m.role == 'user' %}{{ '### Instruction:\n' + m.content + '\n\n' }}\
      {% elif m.role == 'assistant' %}{{ '### Response:\n' + m.content + '\n\n' }}\
      {% else %}{{ m.content + '\n\n' }}{% endif %}{% endfor %}\
      {% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}
      """
    }
  }

  private static func turns(_ turn: String, asks: String) -> String {
    "{% for m in messages %}{{ \(turn) }}{% endfor %}{% if add_generation_prompt %}{{ \(asks) }}{% endif %}"
  }

  /// A format in which users and assistants take turns, and a system message is said in a user's turn.
  private static func alternating(
    system: String, user: String, assistant: String, before: String = "", asks: String = "''"
  ) -> String {
    """
    \(before){% set system = '' %}{% set rest = messages %}\
    {% if messages and messages[0].role == 'system' %}\
    {% set system = \(system) %}{% set rest = messages[1:] %}{% endif %}\
    {% for m in rest %}\
    {% if (m.role == 'user') != (loop.index0 % 2 == 0) or m.role == 'system' %}\
    {{ raise_exception('after an optional system message, user and assistant must take turns, the user first') }}\
    {% endif %}\
    {% if m.role == 'user' %}{{ \(user) }}{% else %}{{ \(assistant) }}{% endif %}{% endfor %}\
    {% if add_generation_prompt %}{{ \(asks) }}{% endif %}
    """
  }
}
