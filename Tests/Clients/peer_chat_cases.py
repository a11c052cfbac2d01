"""llama.cpp's cases of chat and tools."""

import json, re

import jsonschema

from peer_requests import (
    CONTEXT,
    MODEL,
    answered,
    chat,
    client,
    complete,
    done_or_refused,
    elsewhere,
    events,
    refused,
    text,
)
from peer_table import REFUSED, case
from suite import post, user

# ---- test_chat_completion


@case("chat_completion: chat_completion (10 forms)")
def chat_counts():
    parts = [{"type": "text", "text": "Which book is"}, {"type": "text", "text": "the best one?"}]
    for system, content, count in (
        ("Book", "Hey", 8),
        ("Book", "What is a book?", 8),
        ("Write code.", "Add two.", 48),
        ("Book", parts, 8),
    ):
        messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
        body = answered(chat(messages, max_tokens=count, ignore_eos=True))
        tokens = answered(post("/tokenize", {"messages": messages}))["count"]
        assert body["id"].startswith("chatcmpl-") and body["system_fingerprint"] and body["choices"][0]["index"] == 0
        assert body["usage"]["completion_tokens"] == count and body["usage"]["prompt_tokens"] == tokens, body["usage"]
        assert body["choices"][0]["finish_reason"] == "length" and text(body)
        assert body["choices"][0]["message"]["role"] == "assistant"


@case("chat_completion: chat_completion_stream (2 forms)")
def chat_stream():
    for count in (8, 48):
        body = {"messages": user("Tell me about books."), "temperature": 0, "max_tokens": count, "ignore_eos": True}
        seen = events("/v1/chat/completions", body | {"stream_options": {"include_usage": True}})
        assert len({event["id"] for event in seen}) == 1 and {event["model"] for event in seen} == {MODEL}
        deltas = [event["choices"][0]["delta"] for event in seen if event["choices"]]
        assert deltas[0]["role"] == "assistant" and not any("role" in delta for delta in deltas[1:])
        ends = [event["choices"][0] for event in seen if event["choices"] and event["choices"][0]["finish_reason"]]
        assert len(ends) == 1 and ends[0]["finish_reason"] == "length" and "content" not in ends[0]["delta"]
        assert "".join(delta.get("content") or "" for delta in deltas) == text(
            answered(post("/v1/chat/completions", body))
        )
        assert seen[-1]["choices"] == [] and seen[-1]["usage"]["completion_tokens"] == count


@case("chat_completion: chat_completion_with_openai_library")
def chat_by_library():
    reply = client.chat.completions.create(
        model="any-name", messages=user("What is a book?"), max_tokens=8, seed=42, temperature=0.8
    )
    assert reply.system_fingerprint and reply.choices[0].message.content and reply.usage.completion_tokens <= 8


def rendered(messages, **more):
    tokens = answered(post("/tokenize", {"messages": messages, **more}))["tokens"]
    return answered(post("/detokenize", {"tokens": tokens}))["content"]


@case("chat_completion: chat_template", "chat_completion: apply_chat_template", "template: add_generation_prompt")
def template():
    shown = rendered([{"role": "system", "content": "Book"}, *user("Which is best?")])
    assert "Book" in shown and "Which is best?" in shown and shown.rstrip().endswith("assistant"), shown
    elsewhere("/apply-template", body={"messages": user("x")})
    return "by /tokenize with `messages`"


@case("chat_completion: chat_template_assistant_prefill (2 forms)")
def prefill():
    question = [{"role": "system", "content": "Book"}, *user("Which is best?")]
    begun = [
        token
        for form in ({"messages": question}, {"content": "Whill"})
        for token in answered(post("/tokenize", form))["tokens"]
    ]
    expected = text(answered(complete(begun, max_tokens=10)))
    for content in ("Whill", [{"type": "text", "text": "Whill"}]):
        body = answered(chat([*question, {"role": "assistant", "content": content}], max_tokens=10))
        assert text(body) == expected, (text(body), expected)


@case("chat_completion: completion_with_response_format (8 forms)")
def response_format():
    for form, schema in (
        ({"type": "json_object", "schema": {"const": "42"}}, {"const": "42"}),
        (
            {"type": "json_object", "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 3}},
            {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        ),
        ({"type": "json_schema", "json_schema": {"schema": {"const": "foooooo"}}}, {"const": "foooooo"}),
    ):
        body = answered(chat(user("Write an example."), max_tokens=80, response_format=form))
        assert body["choices"][0]["finish_reason"] == "stop", body
        jsonschema.validate(json.loads(text(body)), schema)
    assert text(answered(chat(user("x"), response_format={"type": "json_object"}))).startswith("{")
    for form in (
        {"type": "sound"},
        {"type": "json_object", "schema": 123},
        {"type": "json_object", "schema": {"type": 123}},
        {"type": "json_object", "schema": {"type": "hiccup"}},
        {"type": "json_schema"},
        {},
        "text",
    ):
        refused(chat(user("x"), response_format=form), "response_format", status=(400,))


@case("chat_completion: completion_with_json_schema (2 forms)", verdict=REFUSED)
def schema_field():
    for base in (chat, complete):
        question = user("Write an example.") if base is chat else "Write an example."
        verdict = done_or_refused(
            base(question, json_schema={"const": "42"}), "json_schema", lambda body: json.loads(text(body)) == "42"
        )
    return verdict


@case("chat_completion: completion_with_grammar (2 forms)", verdict=REFUSED)
def grammar_field():
    return done_or_refused(
        chat(user("Does it matter what I say?"), grammar='root ::= "a"{5,5}'),
        "grammar",
        lambda body: text(body) == "aaaaa",
    )


@case("chat_completion: invalid_chat_completion_req (8 forms)")
def invalid_messages():
    for messages in (
        None,
        "text",
        [123],
        [{}],
        [{"role": 123}],
        [{"role": "system", "content": 123}],
        [{"role": "system", "content": "x"}, {}],
        user("x") + [{"role": "assistant", "content": "x"}] * 2,
    ):
        refused(post("/v1/chat/completions", {"messages": messages}), "messages", status=(400,))


@case("chat_completion: chat_completion_with_timings_per_token", verdict=REFUSED)
def timings():
    return done_or_refused(chat(user("x"), timings_per_token=True), "timings_per_token", lambda body: "timings" in body)


@case("chat_completion: logprobs")
def logprobs():
    body = answered(chat(user("What is a book?"), max_tokens=6, logprobs=True, top_logprobs=10))
    content = body["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in content) == text(body) and len(content) <= 6
    assert all(entry["logprob"] <= 0 and entry["bytes"] and len(entry["top_logprobs"]) == 10 for entry in content)


@case("chat_completion: logprobs_stream")
def logprobs_stream():
    seen = events(
        "/v1/chat/completions",
        {"messages": user("What is a book?"), "temperature": 0, "max_tokens": 6, "logprobs": True, "top_logprobs": 10},
    )
    choices = [event["choices"][0] for event in seen if event["choices"]]
    tokens = [entry for choice in choices for entry in (choice["logprobs"] or {}).get("content") or []]
    assert "".join(entry["token"] for entry in tokens) == "".join(
        choice["delta"].get("content") or "" for choice in choices
    )
    assert tokens and all(entry["logprob"] <= 0 and len(entry["top_logprobs"]) == 10 for entry in tokens)


WORDS = ["the", "a", "an", "is", "was", "and", "so", "you", "he", "she", "we", "it", "his", "book", "of", "to", "in"]


def banned():
    forms = [start + form for word in WORDS for form in (word, word.capitalize()) for start in ("", " ")]
    found = [answered(post("/tokenize", {"content": form}))["tokens"] for form in forms]
    return {str(tokens[0]): -100 for tokens in found if len(tokens) == 1}


@case("chat_completion: logit_bias", "completion: logit_bias (by token, as OpenAI)")
def logit_bias():
    bias = banned()
    for body in (
        answered(chat(user("What is the best book?"), max_tokens=48, logit_bias=bias)),
        answered(complete("What is the best book", max_tokens=48, logit_bias=bias)),
    ):
        assert text(body) and not re.search(r" (the|a|an|is|was|and|book) ", text(body)), text(body)


@case("completion: logit_bias (by text or pairs)", verdict=REFUSED)
def logit_bias_forms():
    refused(complete("x", logit_bias={" the ": -100}), "logit_bias", status=(400,))
    refused(complete("x", logit_bias=[[5, -100]]), "logit_bias", status=(400,))
    return REFUSED


@case("chat_completion: context_size_exceeded", "chat_completion: context_size_exceeded_stream")
def context_size():
    messages = [{"role": "system", "content": "Book"}, *user("Which is best? " * CONTEXT)]
    for stream in (False, True):
        status, body = chat(messages, stream=stream)
        error = body["error"]
        assert status == 400 and error["type"] == "exceed_context_size_error", body
        assert error["n_prompt_tokens"] > error["n_ctx"] == CONTEXT


@case("chat_completion: return_progress (2 forms)", verdict=REFUSED)
def progress():
    return done_or_refused(
        chat(user("x"), return_progress=True), "return_progress", lambda body: "prompt_progress" in body
    )


@case("chat_completion: chat_completions_multiple_choices")
def several():
    body = answered(chat(user("What is a book?"), n=2, ignore_eos=True))
    assert [choice["index"] for choice in body["choices"]] == [0, 1]
    assert all(choice["finish_reason"] == "length" and choice["message"]["content"] for choice in body["choices"])
    # A prompt of one token gives as many answers as any other.
    body = answered(complete([5], n=3))
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]


# ---- test_tool_call


def tool(name, properties):
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": "Does it",
            "parameters": {"type": "object", "properties": properties, "required": list(properties)},
        },
    }


TEST = tool("test", {"success": {"type": "boolean", "const": True}})
PYTHON = tool("python", {"code": {"type": "string", "maxLength": 60}})
WEATHER = tool("get_weather", {"location": {"type": "string", "maxLength": 30}})


def called(tools, choice, stream, question="What is the weather in Istanbul?", **more):
    """(name, arguments, finish_reason) of the one call of an answer."""
    body = {
        "messages": user(question),
        "tools": tools,
        "tool_choice": choice,
        "parallel_tool_calls": False,
        "temperature": 0,
        "max_tokens": 160,
        **more,
    }
    if not stream:
        chosen = answered(post("/v1/chat/completions", body))["choices"][0]
        assert chosen["message"]["content"] in (None, "") and len(chosen["message"]["tool_calls"]) == 1, chosen
        call = chosen["message"]["tool_calls"][0]
        assert call["id"] and call["type"] == "function"
        return call["function"]["name"], call["function"]["arguments"], chosen["finish_reason"]
    name, arguments, reason = "", "", None
    for event in events("/v1/chat/completions", body):
        for choice in event["choices"]:
            for piece in choice["delta"].get("tool_calls") or []:
                assert piece["index"] == 0
                name += piece["function"].get("name") or ""
                arguments += piece["function"].get("arguments") or ""
            reason = choice["finish_reason"] or reason
    return name, arguments, reason


@case("tool_call: malformed_tool_call_args_rejected")
def cut_call():
    history = [
        *user("x"),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "test", "arguments": "{"}}],
        },
        *user("Go on."),
    ]
    assert answered(chat(history))["choices"][0]["finish_reason"] in ("stop", "length")
    return "taken: a cut call does not end a conversation"


@case(
    "tool_call: completion_with_required_tool_tiny_fast",
    "tool_call: completion_with_required_tool_tiny_slow",
    "tool_call: completion_with_required_tool_real_model",
    "tool_call: weather (forced)",
    "tool_call: hello_world (forced)",
)
def required_tools():
    for offered, key in ((TEST, "success"), (PYTHON, "code"), (WEATHER, "location")):
        for temperature in (0, 0.1, 1.2):
            results = [
                called([offered], "required", stream, temperature=temperature, seed=4) for stream in (False, True)
            ]
            assert results[0] == results[1], results
            name, arguments, reason = results[0]
            assert name == offered["function"]["name"] and reason == "tool_calls", results
            jsonschema.validate(json.loads(arguments), offered["function"]["parameters"])
            assert key in json.loads(arguments)


@case("tool_call: completion_without_tool_call_fast (6 forms)", "tool_call: completion_without_tool_call_slow")
def no_tools():
    for tools, choice in (([], None), (None, None), ([PYTHON], "none"), ([TEST, WEATHER], "none")):
        body = answered(chat(user("Say hello with python."), tools=tools, tool_choice=choice, max_tokens=40))
        assert not body["choices"][0]["message"].get("tool_calls") and text(body)
        seen = events(
            "/v1/chat/completions",
            {
                "messages": user("Say hello with python."),
                "tools": tools,
                "tool_choice": choice,
                "max_tokens": 40,
                "temperature": 0,
            },
        )
        assert not any("tool_calls" in choice["delta"] for event in seen for choice in event["choices"])


@case("tool_call: calc_result")
def tool_result():
    messages = [
        {"role": "system", "content": "You use tools."},
        *user("What is sin(30 degrees)?"),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "calculate", "arguments": '{"expression":"sin(30 * pi / 180)"}'},
                }
            ],
        },
        {"role": "tool", "name": "calculate", "content": "0.55644242476", "tool_call_id": "call_1"},
    ]
    body = answered(
        chat(messages, tools=[tool("calculate", {"expression": {"type": "string"}})], tool_choice="none", max_tokens=60)
    )
    assert "0.55" in text(body), text(body)
