import MartletData
import MartletEngine

/// Which fields a request may have. An unknown field is rejected, as OpenAI does: what it asks for would silently not
/// be done. Fields of other servers that change nothing of an answer are accepted by name, and those that would change
/// one are accepted with the value that changes nothing.
struct RequestFields {
  let route: String
  let known: Set<String>

  /// More than any API has; each of them is looked up several times.
  private static let mostFields = 256

  /// - Throws: ``APIError`` naming the first field that is not done.
  func check(_ fields: FieldReader) throws {
    let members = fields.object.members
    guard members.count <= Self.mostFields else {
      throw APIError.invalid("the request has \(members.count) fields; at most \(Self.mostFields) are taken")
    }
    for member in members where !member.value.isNull && !known.contains(member.key) {
      let name = member.key
      if Self.harmless.contains(name) { continue }
      if let undone = Self.undone[name] {
        if undone.neutral.contains(where: { Self.areSame($0, member.value) }) { continue }
        throw APIError.notSupported("`\(name)` is not supported here; \(undone.cure)", parameter: name)
      }
      throw APIError.invalid(
        "`\(name.prefix(100))` is not a field of \(route); leave it out", parameter: String(name.prefix(100)))
    }
  }

  private static func areSame(_ a: JSONValue, _ b: JSONValue) -> Bool {
    if let a = a.number, let b = b.number { return a == b }
    return a == b
  }

  /// Fields of other servers that are known by name.
  static var ofOthers: Set<String> { harmless.union(undone.keys) }

  // MARK: what is read

  private static let answer: Set<String> = [
    "model", "temperature", "top_p", "top_k", "min_p", "typical_p", "repetition_penalty", "repeat_penalty",
    "presence_penalty", "frequency_penalty", "penalty_decay", "repeat_last_n", "penalty_last_n", "seed", "logit_bias",
    "max_tokens", "max_completion_tokens", "n_predict", "min_tokens", "n", "stop", "stop_token_ids", "ignore_eos",
    "stream", "stream_options", "logprobs", "user", "response_format", "json_schema", "guided_json", "guided_regex",
    "guided_choice", "structured_outputs", "calculator",
  ]
  static let chat = RequestFields(
    route: "/v1/chat/completions",
    known: answer.union([
      "messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "top_logprobs",
      "continue_final_message", "add_generation_prompt", "martlet",
    ]))
  static let completion = RequestFields(
    route: "/v1/completions", known: answer.union(["prompt", "echo", "suffix", "best_of", "martlet"]))
  static let embedding = RequestFields(
    route: "/v1/embeddings", known: ["model", "input", "encoding_format", "dimensions"])
  static let tokenize = RequestFields(
    route: "/tokenize",
    known: [
      "model", "content", "prompt", "text", "messages", "add_special", "add_special_tokens", "parse_special",
      "with_pieces",
    ])
  static let detokenize = RequestFields(route: "/detokenize", known: ["model", "tokens"])
  static let edit = RequestFields(
    route: "/martlet/edits", known: ["prompt", "answer", "subject", "author", "aliases", "rewordings"])
  static let sensedImage = RequestFields(route: "/martlet/sensing/measurements", known: ["pixels"])
  static let sensedMeasurements = RequestFields(route: "/martlet/sensing/image", known: ["measurements", "path"])
  static let martlet = RequestFields(route: "`martlet`", known: ["skeleton", "events", "state"])
  static let martletCompletion = RequestFields(route: "`martlet` of /v1/completions", known: ["state"])

  // MARK: what others read

  /// They name the caller, or steer what is kept and when, or set a feature that its own switch leaves off.
  private static let harmless: Set<String> = [
    "user", "metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
    "request_id", "session_id", "conversation_id", "chat_id", "cache_salt", "cache_prompt", "priority",
    "guided_decoding_backend", "reasoning_format", "mirostat_tau", "mirostat_eta", "dynatemp_exponent",
    "xtc_threshold", "dry_base", "dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers",
  ]

  private static let leaveOut = "leave it out"
  private static let withFormat = "use `response_format` with a JSON schema, or `guided_regex`"
  private static let withMaxTokens = "use `max_tokens`"

  private static let undone: [String: (neutral: [JSONValue], cure: String)] = [
    // OpenAI
    "modalities": ([["text"]], "answers are text only"),
    "audio": ([], "answers are text only; leave it out"),
    "prediction": ([], leaveOut),
    "web_search_options": ([], "web search is not supported; leave it out"),
    "store": ([false], "answers are not stored; send false or leave it out"),
    "reasoning_effort": (["none"], "a separate reasoning phase is not supported; leave it out"),
    "reasoning": ([[:]], "a separate reasoning phase is not supported; leave it out"),
    "verbosity": (["medium"], "ask for the length of the answer in a message"),
    "moderation": ([], leaveOut),
    "top_logprobs": ([], "give the number as `logprobs`"),
    "messages": ([], "send messages to /v1/chat/completions"),
    "prompt": ([], "send a prompt to /v1/completions"),
    "suffix": ([""], leaveOut), "best_of": ([1], "use `n`"), "echo": ([false], "use /v1/completions"),
    "tools": ([[]], "send tools to /v1/chat/completions"),
    "functions": ([[]], "send functions to /v1/chat/completions"),
    "tool_choice": (["none", "auto"], "send tools to /v1/chat/completions"),
    "parallel_tool_calls": ([true, false], "send tools to /v1/chat/completions"),
    "function_call": (["none", "auto"], "send functions to /v1/chat/completions"),
    // Grammars in other languages
    "grammar": ([""], withFormat), "guided_grammar": ([""], withFormat), "grammar_lazy": ([false], withFormat),
    "grammar_triggers": ([[]], withFormat), "preserved_tokens": ([[]], leaveOut),
    "guided_whitespace_pattern": ([], leaveOut), "structural_tag": ([], withFormat),
    "format": ([""], withFormat), "response_schema": ([], withFormat), "regex": ([""], "use `guided_regex`"),
    "ebnf": ([""], withFormat),
    // Ways to choose tokens
    "mirostat": ([0], leaveOut), "mirostat_mode": ([0], leaveOut), "dynatemp_range": ([0], leaveOut),
    "xtc_probability": ([0], leaveOut), "dry_multiplier": ([0], leaveOut), "top_n_sigma": ([-1, 0], leaveOut),
    "tfs_z": ([1], "use `min_p` or `typical_p`"), "tfs": ([1], "use `min_p` or `typical_p`"),
    "top_a": ([0], "use `min_p`"), "typical": ([1], "use `typical_p`"), "smoothing_factor": ([0], leaveOut),
    "epsilon_cutoff": ([0], leaveOut), "eta_cutoff": ([0], leaveOut), "penalty_alpha": ([0], leaveOut),
    "penalize_nl": ([true], leaveOut), "no_repeat_ngram_size": ([0], "use `repetition_penalty`"),
    "length_penalty": ([1], leaveOut), "early_stopping": ([false], leaveOut), "num_beams": ([1], leaveOut),
    "use_beam_search": ([false], leaveOut), "guidance_scale": ([1], leaveOut), "negative_prompt": ([""], leaveOut),
    "samplers": ([], "the order of the samplers is fixed; leave it out"), "sampler_seq": ([], leaveOut),
    "sampler_order": ([], leaveOut), "do_sample": ([true], "send `temperature` 0"),
    "logits_processors": ([[]], "use `logit_bias`"), "allowed_token_ids": ([], "use `guided_choice`"),
    "bad_words": ([[]], "use `logit_bias`"), "bad_words_ids": ([[]], "use `logit_bias`"),
    "min_keep": ([0], leaveOut), "speculative.n_max": ([], leaveOut), "speculative.n_min": ([], leaveOut),
    "speculative.p_min": ([], leaveOut),
    // What an answer tells
    "n_probs": ([0], "use `logprobs` and `top_logprobs`"), "post_sampling_probs": ([false], leaveOut),
    "prompt_logprobs": ([], "use `echo` and `logprobs` of /v1/completions"),
    "return_tokens": ([false], "use `logprobs`"), "return_token_ids": ([false], "use `logprobs`"),
    "return_tokens_as_token_ids": ([false], leaveOut), "return_token_strs": ([false], "use `with_pieces`"),
    "return_progress": ([false], leaveOut), "timings_per_token": ([false], "see /metrics"),
    "response_fields": ([[]], leaveOut), "include_reasoning": ([true, false], leaveOut),
    "include_stop_str_in_output": ([false], "add the stop string yourself"), "skip_special_tokens": ([true], leaveOut),
    "spaces_between_special_tokens": ([true], leaveOut), "detokenize": ([true], leaveOut),
    // What becomes the prompt
    "chat_template": ([], "start the server with --chat-format"),
    "chat_template_kwargs": ([[:], ["enable_thinking": false]], leaveOut),
    "documents": ([[]], "put them into a message"), "system": ([], "send a message with the role system"),
    "system_prompt": ([""], "send a message with the role system"),
    "truncate_prompt_tokens": ([], "shorten the prompt"),
    "truncation_side": ([], "shorten the prompt"), "truncate": ([], "shorten the input"),
    "prompt_embeds": ([], "send a prompt"), "input_prefix": ([""], leaveOut), "input_suffix": ([""], leaveOut),
    "image_data": ([[]], "only text is supported"), "multimodal_data": ([], "only text is supported"),
    "mm_processor_kwargs": ([[:]], leaveOut), "thinking": ([["type": "disabled"]], leaveOut),
    "enable_thinking": ([false], leaveOut), "think": ([false], leaveOut), "raw": ([false], leaveOut),
    "context": ([], leaveOut), "template": ([""], "start the server with --chat-format"),
    "input_type": ([], leaveOut), "instruction": ([""], "put it into the input"), "normalize": ([true], leaveOut),
    // Where and how it runs
    "id_slot": ([-1], leaveOut), "slot_id": ([-1], leaveOut), "n_keep": ([0], leaveOut), "n_discard": ([0], leaveOut),
    "n_indent": ([0], leaveOut), "t_max_predict_ms": ([0], withMaxTokens), "t_max_prompt_ms": ([0], leaveOut),
    "lora": ([[]], "merge the adapter, or give it to the server with --adapter"), "lora_request": ([], leaveOut),
    "kv_transfer_params": ([], leaveOut), "vllm_xargs": ([[:]], leaveOut), "keep_alive": ([], leaveOut),
    "num_ctx": ([], leaveOut),
    // The same under other names
    "max_new_tokens": ([], withMaxTokens), "max_length": ([], withMaxTokens), "num_predict": ([], withMaxTokens),
    "max_output_tokens": ([], withMaxTokens), "min_length": ([0], "use `min_tokens`"),
    "min_new_tokens": ([0], "use `min_tokens`"), "stop_sequences": ([[]], "use `stop`"),
    "stopping_strings": ([[]], "use `stop`"), "options": ([[:]], "send its members as fields of the request"),
    "parameters": ([[:]], "send its members as fields of the request"),
    "extra_body": ([[:]], "send its members as fields of the request"),
    "inputs": ([], "use `prompt`, or `input` for embeddings"),
    "instructions": ([], "send a message with the role system"),
    "previous_response_id": ([], "send the whole conversation"),
  ]
}
