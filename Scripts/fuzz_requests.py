"""Requests for Scripts/fuzz_combinations.py: well-formed ones, with anything beside anything.

`make(seed, number)` always makes the same request of the same two numbers.
"""

import dataclasses, json, random

from tiny_model import END_TOKENS, VOCABULARY


@dataclasses.dataclass
class Request:
    path: str
    body: dict
    #: The schema that the answer's text must keep to.
    schema: dict | bool | None = None
    #: The texts of which the answer must be one.
    choices: list[str] | None = None
    #: The schema of each function's arguments; the second tells whether all of it is kept to.
    functions: dict[str, tuple[dict, bool]] = dataclasses.field(default_factory=dict)
    closes: bool = False
    #: The client leaves once so many bytes have come; without a FIN where it resets.
    leave_after: int | None = None
    resets: bool = False

    @property
    def streams(self):
        return self.body.get("stream") is True


def record(properties, required=None, **more):
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": list(properties) if required is None else required,
        **more,
    }


SHORT = {"type": "string", "maxLength": 5}
DIGIT = {"type": "integer", "minimum": 0, "maximum": 9}

# What people write into `response_format`, and what the standard lets them write. Some may be refused, by name.
SCHEMAS = [
    {"type": "integer"},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
    SHORT,
    DIGIT,
    {"enum": ["red", "green", 3, None, [1], {"a": 1}]},
    {"const": {"a": [1, "é\n", None]}},
    {"type": "string", "enum": ["a", "b", 3, None]},
    {"type": ["integer", "null"], "minimum": 5},
    {"type": "integer", "minimum": -17, "maximum": 120},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    {"type": "integer", "exclusiveMinimum": 9, "exclusiveMaximum": 12},
    {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},
    {"minimum": 5, "maximum": 9},
    {"type": "string", "pattern": "^[a-z]{2,4}$"},
    {"type": "string", "pattern": "^\\d{3}-\\d{2}$"},
    {"type": "string", "pattern": "^(yes|no)$", "maxLength": 3},
    {"type": "string", "pattern": "^$|^[A-C]{3}$"},
    {"type": "string", "pattern": "^[a-z]+$", "minLength": 5, "maxLength": 8},
    {"type": "string", "pattern": "^[^\\n]{1,6}$"},
    {"type": "string", "pattern": "^\\S{3,8}$"},
    {"type": "string", "pattern": "^\\d+\\$$", "maxLength": 4},
    {"type": "string", "minLength": 3, "maxLength": 3},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "time"},
    {"type": "string", "format": "uuid"},
    {"type": "string", "format": "ipv4"},
    {"type": "string", "format": "email", "maxLength": 20},
    {"type": "array", "items": DIGIT, "maxItems": 4},
    {"type": "array", "items": SHORT, "minItems": 2, "maxItems": 2},
    {"type": "array", "prefixItems": [DIGIT], "items": SHORT, "minItems": 3, "maxItems": 4},
    {"type": "array", "items": DIGIT, "uniqueItems": True, "maxItems": 3},
    record({"name": SHORT, "age": DIGIT}),
    record({"a": DIGIT, "b": SHORT, "c": {"type": "boolean"}}, ["b"]),
    record({"list": {"type": "array", "items": record({"k": {"enum": ["x", "y"]}}), "maxItems": 2}}),
    {
        "type": "object",
        "properties": {"a": DIGIT},
        "required": ["a"],
        "additionalProperties": SHORT,
        "maxProperties": 3,
    },
    {"type": "object", "additionalProperties": DIGIT, "maxProperties": 2},
    {"type": "object", "properties": {"a": DIGIT}, "required": ["a", "b"], "additionalProperties": DIGIT},
    {
        "type": "object",
        "properties": {"a": DIGIT, "b": DIGIT},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        "additionalProperties": False,
    },
    {"anyOf": [DIGIT, SHORT, record({"x": {"type": "null"}})]},
    {"oneOf": [{"type": "integer", "minimum": 0, "maximum": 10}, {"type": "boolean"}]},
    {"allOf": [{"type": "integer", "minimum": 2}, {"maximum": 7}]},
    {
        "$defs": {"n": record({"v": DIGIT, "next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}})},
        "$ref": "#/$defs/n",
    },
    {
        "definitions": {"s": {"enum": ["on", "off"]}},
        "type": "array",
        "items": {"$ref": "#/definitions/s"},
        "minItems": 1,
        "maxItems": 3,
    },
    {"required": ["a"]},
    {"additionalProperties": {"type": "integer"}},
    {},
    True,
    {"type": "object", "properties": {'é"\\': DIGIT}, "required": ['é"\\']},
    {"not": {"type": "string"}},
    {"type": "integer", "multipleOf": 5, "minimum": 0, "maximum": 40},
    {"type": "object", "patternProperties": {"^x": DIGIT}, "additionalProperties": False, "maxProperties": 2},
    {"if": {"type": "integer"}, "then": {"minimum": 3}},
    {"$ref": "#"},
]

# Parameters of functions, and whether all of their keywords must be kept to.
PARAMETERS = [
    (record({"city": SHORT, "unit": {"enum": ["c", "f"]}}), True),
    (record({}), True),
    ({"type": "object"}, True),
    ({}, True),
    (record({"n": DIGIT, "deep": record({"list": {"type": "array", "items": SHORT, "maxItems": 2}})}), True),
    (record({"q": {"type": "string", "pattern": "^[a-z]{1,3}$"}}), True),
    (record({"a": DIGIT, "b": DIGIT}, ["a"]), True),
    (record({"id": {"type": "integer", "minimum": 0, "maximum": 9223372036854775807}}), True),
    ({"anyOf": [record({"a": DIGIT}), record({"b": SHORT})]}, True),
    ({"type": "object", "properties": {"x": {"not": {"type": "string"}}}, "required": ["x"]}, False),
    (None, True),
]

TEXTS = [
    "x",
    "Hello",
    "Tell me about Jason, 25 years old.",
    "é中👍 \u0000\n",
    '{"a": ',
    "<tool_call>",
    "<|im_end|>",
    "the theme then " * 20,
    " ",
    "a" * 300,
]


def make(seed, number):
    """The request of this number."""
    rng = random.Random(f"{seed}/{number}")
    kind = rng.random()
    request = chat(rng) if kind < 0.66 else completion(rng) if kind < 0.96 else embedding(rng)
    request.closes = rng.random() < 0.15
    if rng.random() < (0.1 if request.streams else 0.03):
        request.leave_after = rng.choice([0, 1, 200, 600, 1500, 4000]) if request.streams else 0
        request.resets = rng.random() < 0.5
    return request


def settings(rng, body):
    """The fields that chat and plain completions share."""

    def sometimes(name, share, choose):
        if rng.random() < share:
            body[name] = choose()
        elif rng.random() < 0.06:
            body[name] = None

    # Most requests name few fields, some name nearly all.
    eager = rng.choice([0.08, 0.2, 0.2, 0.5, 0.9])
    sometimes(
        "temperature",
        max(eager, 0.6),
        lambda: rng.choice([0, 0, 1e-40, 1e-7, 0.02, 0.05, 0.1, 0.2, 0.3, 0.7, 1, 1, 1.3, 2, rng.random() * 2]),
    )
    sometimes("top_p", eager, lambda: rng.choice([0, 1e-9, 0.1, 0.5, 0.9, 1, rng.random()]))
    sometimes("top_k", eager, lambda: rng.choice([-1, 0, 1, 2, 5, 40, 1_000_000]))
    sometimes("min_p", eager, lambda: rng.choice([0, 0.05, 0.5, 1, rng.random()]))
    sometimes("typical_p", eager, lambda: rng.choice([1e-6, 0.2, 0.9, 1]))
    sometimes(
        rng.choice(["repetition_penalty", "repeat_penalty"]), eager, lambda: rng.choice([0.01, 0.5, 1, 1.1, 2, 100])
    )
    sometimes("presence_penalty", eager, lambda: rng.choice([-2, -0.5, 0, 0.5, 2]))
    sometimes("frequency_penalty", eager, lambda: rng.choice([-2, -0.5, 0, 0.5, 2]))
    sometimes("logit_bias", eager * 0.6, lambda: biases(rng))
    sometimes("seed", 0.4, lambda: rng.choice([0, 1, -1, 2**63 - 1, -(2**63), rng.randrange(10**6)]))
    sometimes(
        "stop",
        eager * 0.4,
        lambda: rng.choice(["\n", ["the", "\n\n"], [], "", "a", ['"', "}"], ["z" * 900], [str(i) for i in range(4)]]),
    )
    sometimes("n", eager * 0.6, lambda: rng.choice([1, 1, 2, 3, 4]))
    sometimes("penalty_decay", eager * 0.3, lambda: rng.choice([0, 0.5, 0.996, 1]))
    sometimes("repeat_last_n", eager * 0.1, lambda: -1)
    sometimes("min_tokens", eager * 0.3, lambda: rng.choice([0, 1, 5, 20]))
    sometimes("stop_token_ids", eager * 0.2, lambda: rng.choice([[], [10, 34], rng.sample(range(VOCABULARY), 40)]))
    limit = rng.random()
    name = rng.choice(["max_tokens", "max_tokens", "max_tokens", "max_completion_tokens", "n_predict"])
    if limit < 0.92:
        body[name] = rng.choice([1, 2, 60, rng.randint(1, 60), rng.randint(1, 60), rng.randint(1, 60)])
    elif limit < 0.97:
        body[name] = rng.choice([0, -1])
    elif limit < 0.99:
        body[name] = None
    if rng.random() < 0.45:
        body["stream"] = True
        sometimes("stream_options", 0.5, lambda: rng.choice([{"include_usage": True}, {"include_usage": False}, {}]))
    else:
        sometimes("stream", 0.2, lambda: False)
        if rng.random() < 0.05:
            body["stream_options"] = None
    sometimes("ignore_eos", eager * 0.2, lambda: rng.random() < 0.5)
    sometimes("user", eager * 0.2, lambda: "someone")
    sometimes("model", eager * 0.5, lambda: rng.choice(["tiny", "gpt-4o", ""]))


def biases(rng):
    kind = rng.randrange(8)
    some = rng.sample(range(VOCABULARY), rng.randint(1, VOCABULARY))
    if kind == 0:
        return {str(token): -100 for token in some}
    if kind == 1:
        return {str(token): -100 for token in range(VOCABULARY)}
    if kind == 2:
        return {str(token): rng.choice([-100, 100, 5, -5, 0.5]) for token in some}
    if kind == 3:
        return {str(rng.randrange(VOCABULARY)): 100}
    if kind == 4:
        return {str(token): -100 for token in END_TOKENS}
    if kind == 5:
        # All but a few.
        kept = set(rng.sample(range(VOCABULARY), 2))
        return {str(token): -100 for token in range(VOCABULARY) if token not in kept}
    if kind == 6:
        return {}
    return {str(token): rng.uniform(-100, 100) for token in some[:20]}


def chat(rng):
    body = {"messages": messages(rng)}
    settings(rng, body)
    request = Request("/v1/chat/completions", body)
    if rng.random() < 0.25:
        body["logprobs"] = rng.choice([True, True, False])
        if body["logprobs"] and rng.random() < 0.7:
            body["top_logprobs"] = rng.choice([0, 1, 3, 20, None])
    if rng.random() < 0.35:
        ask_for_a_form(rng, request)
    elif rng.random() < 0.1:
        body["response_format"] = rng.choice([None, {"type": "text"}])
    if rng.random() < (0.1 if request.schema is not None else 0.35):
        offer_tools(rng, request)
    elif rng.random() < 0.1:
        body["tools"] = rng.choice([None, []])
    if rng.random() < 0.08:
        body["martlet"] = rng.choice(
            [{"skeleton": mode} for mode in ("on", "auto", "off", None)]
            + [{"skeleton": "on", "events": True}, {}, None]
        )
    if body["messages"][-1]["role"] == "assistant" and rng.random() < 0.6:
        body["continue_final_message"] = True
        if rng.random() < 0.5:
            body["add_generation_prompt"] = False
    elif rng.random() < 0.05:
        body["continue_final_message"] = rng.choice([None, False])
    for name in (
        "parallel_tool_calls",
        "tool_choice",
        "functions",
        "function_call",
        "metadata",
        "reasoning_effort",
        "audio",
        "prediction",
        "service_tier",
        "store",
    ):
        if name not in body and rng.random() < 0.03:
            body[name] = None
    return request


def messages(rng):
    kind = rng.randrange(8)
    user = {"role": "user", "content": rng.choice(TEXTS)}
    if kind == 0:
        return [{"role": "system", "content": "Be brief."}, user]
    if kind == 1:
        # As OpenAI's own client sends an answer back.
        return [
            user,
            {
                "role": "assistant",
                "content": "hi",
                "refusal": None,
                "annotations": None,
                "audio": None,
                "function_call": None,
                "tool_calls": None,
            },
            {"role": "user", "content": "y", "name": None},
        ]
    if kind == 2:
        arguments = rng.choice(['{"city": "Bern"}', "", '{"city": "Be', "{}"])
        call = {"id": "call_1", "type": "function", "function": {"name": "f0", "arguments": arguments}}
        return [
            user,
            {"role": "assistant", "content": rng.choice([None, "", "I look."]), "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": rng.choice(["18 degrees", "", None])},
        ]
    if kind == 3:
        return [user, {"role": "assistant", "content": rng.choice(["Red, green and", "{", "Sure"])}]
    if kind == 4:
        return [
            {"role": "user", "content": [{"type": "text", "text": rng.choice(TEXTS)}, {"type": "text", "text": "b"}]}
        ]
    return [user]


def ask_for_a_form(rng, request):
    """A schema or a choice, in one of the ways in which APIs ask for them."""
    body, kind = request.body, rng.random()
    if kind < 0.1:
        request.choices = rng.choice([["yes", "no"], ["a", "aa", "aaa"], ["é", "中👍", '"x"'], ["one"]])
        if rng.random() < 0.5:
            body["guided_choice"] = request.choices
        else:
            body["structured_outputs"] = {"choice": request.choices, "json": None}
    elif kind < 0.25:
        request.schema = {"type": "object"}
        body["response_format"] = {"type": "json_object"}
    else:
        request.schema = rng.choice(SCHEMAS)
        wrapped = {"name": "x", "schema": request.schema}
        if rng.random() < 0.5:
            wrapped["strict"] = rng.choice([True, False, None])
        way = rng.random()
        if way < 0.8:
            body["response_format"] = {"type": "json_schema", "json_schema": wrapped}
        elif way < 0.85:
            body["response_format"] = {"type": "json_object", "schema": request.schema}
        elif way < 0.9:
            body["json_schema"] = request.schema
        elif way < 0.95:
            body["guided_json"] = rng.choice([request.schema, json.dumps(request.schema)])
        else:
            body["structured_outputs"] = {"json": request.schema}
    allow_length(rng, request)


def allow_length(rng, request):
    """Most answers under a grammar get the room to end, or nothing could be checked."""
    for name in ("max_tokens", "max_completion_tokens", "n_predict"):
        if request.body.get(name) and rng.random() < 0.7:
            request.body[name] = rng.randint(60, 300)


def offer_tools(rng, request):
    tools = []
    for index in range(rng.choice([1, 1, 2, 3, 8])):
        parameters, is_kept = rng.choice(PARAMETERS)
        name = f"f{index}"
        request.functions[name] = (parameters if parameters is not None else {"type": "object"}, is_kept)
        function = {"name": name}
        if parameters is not None or rng.random() < 0.5:
            function["parameters"] = parameters
        if rng.random() < 0.3:
            function["description"] = rng.choice(["Does something", None])
        if rng.random() < 0.2:
            function["strict"] = rng.choice([None, False, True])
        tools.append({"type": "function", "function": function})
    if rng.random() < 0.08:
        # The old form of the same.
        request.body["functions"] = [tool["function"] for tool in tools]
        if rng.random() < 0.7:
            request.body["function_call"] = rng.choice(["auto", "none", {"name": "f0"}, None])
        return allow_length(rng, request)
    request.body["tools"] = tools
    if rng.random() < 0.8:
        request.body["tool_choice"] = rng.choice(
            ["auto", "none", "required", "required", {"type": "function", "function": {"name": "f0"}}, None]
        )
    if rng.random() < 0.4:
        request.body["parallel_tool_calls"] = rng.choice([True, False, None])
    allow_length(rng, request)


def completion(rng):
    def tokens():
        return [rng.randrange(VOCABULARY) for _ in range(rng.choice([1, 2, 7, 40]))]

    prompt = rng.choice(
        [
            lambda: rng.choice(TEXTS),
            lambda: rng.choice(TEXTS),
            tokens,
            lambda: [tokens() for _ in range(rng.randint(1, 3))],
            lambda: [rng.choice(TEXTS) for _ in range(rng.randint(1, 4))],
        ]
    )()
    body = {"prompt": prompt}
    settings(rng, body)
    if rng.random() < 0.3:
        body["echo"] = rng.choice([True, True, False, None])
    if rng.random() < 0.35:
        body["logprobs"] = rng.choice([0, 1, 3, 5, None])
    if rng.random() < 0.06:
        body["suffix"] = rng.choice(["", None, "end"])
    if rng.random() < 0.04:
        body["best_of"] = rng.choice([1, None, body.get("n") or 1])
    request = Request("/v1/completions", body)
    if rng.random() < 0.15:
        ask_for_a_form(rng, request)
    return request


def embedding(rng):
    body = {"input": rng.choice([rng.choice(TEXTS), [rng.choice(TEXTS) for _ in range(3)], [1, 2, 3], [[1, 2], [3]]])}
    if rng.random() < 0.5:
        body["encoding_format"] = rng.choice(["float", "base64", None])
    if rng.random() < 0.4:
        body["dimensions"] = rng.choice([1, 8, 32, None])
    return Request("/v1/embeddings", body)
