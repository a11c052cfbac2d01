"""Tools and structured output as the PyPI package `openai` meets them.

    make clients
    python Tests/Clients/openai_tools_suite.py http://127.0.0.1:8080

What the client has received goes back to the server as the client itself writes it: `model_dump()`, with null for
everything that the answer does not have.
"""

import base64, enum, json, math, struct, typing

import jsonschema, openai
from pydantic import BaseModel, Field

from suite import BASE, THING, TOOLS, WEATHER_ONLY, check_arguments, post, run, user

client = openai.OpenAI(base_url=BASE + "/v1", api_key="none", max_retries=0)
MODEL = client.models.list().data[0].id


def ask(text="Say hello.", **options):
    options = {"temperature": 0, "max_tokens": 16, **options}
    messages = options.pop("messages", None) or user(text)
    return client.chat.completions.create(model=MODEL, messages=messages, **options)


def refused(call, param=None):
    try:
        call()
    except openai.APIStatusError as error:
        assert error.status_code in (400, 501) and error.body["message"] and error.body["type"], error.body
        assert param is None or error.body["param"] == param, error.body
        return error
    raise AssertionError("it was not refused")


def by_schema(schema, **more):
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, **more}}


# ---- structured output


class Colour(str, enum.Enum):
    red = "red"
    blue = "blue"


class Part(BaseModel):
    name: typing.Annotated[str, Field(max_length=8)]
    size: typing.Annotated[int, Field(ge=1, le=99)] | None


class Machine(BaseModel):
    colour: Colour
    parts: typing.Annotated[list[Part], Field(min_length=1, max_length=2)]
    kind: typing.Literal["pump", "clock"]
    is_new: bool


# Low temperatures, penalties and biases beside a schema must neither stop the server nor break the answer.
SAMPLINGS = [
    {"temperature": 0},
    {"temperature": 1.5, "seed": 4},
    {"temperature": 0.05, "seed": 1},
    {"temperature": 0.2, "seed": 2, "presence_penalty": 1},
    {"temperature": 1e-40},
    {"temperature": 0.3, "seed": 3, "extra_body": {"repetition_penalty": 1.3, "min_p": 0.1, "top_k": 3}},
    {"temperature": 1, "seed": 5, "top_p": 0.1, "logit_bias": {str(token): -100 for token in range(300, 900)}},
]


def test_json_schema():
    for sampling in SAMPLINGS:
        reply = ask("Make up a thing.", max_tokens=120, response_format=by_schema(THING, strict=True), **sampling)
        value = json.loads(reply.choices[0].message.content)
        jsonschema.validate(value, THING)
        assert list(value) == ["colour", "count", "tags"] and reply.choices[0].finish_reason == "stop", sampling
    text = "".join(
        c.choices[0].delta.content or ""
        for c in ask("Make up a thing.", max_tokens=120, stream=True, response_format=by_schema(THING))
    )
    jsonschema.validate(json.loads(text), THING)


def test_json_schema_with_several_answers():
    reply = ask("Make up a thing.", max_tokens=120, temperature=1.4, seed=9, n=3, response_format=by_schema(THING))
    texts = [choice.message.content for choice in reply.choices]
    assert [choice.index for choice in reply.choices] == [0, 1, 2] and len(set(texts)) > 1
    for text in texts:
        jsonschema.validate(json.loads(text), THING)


def test_parse():
    for sampling in SAMPLINGS:
        reply = client.chat.completions.parse(
            model=MODEL, messages=user("Make up a machine."), max_tokens=300, response_format=Machine, **sampling
        )
        message = reply.choices[0].message
        assert isinstance(message.parsed, Machine) and message.refusal is None, sampling
        assert message.parsed == Machine.model_validate_json(message.content)


def test_parse_in_pieces():
    with client.chat.completions.stream(
        model=MODEL, messages=user("Make up a machine."), max_tokens=300, temperature=0, response_format=Machine
    ) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion().choices[0].message
    assert isinstance(final.parsed, Machine) and kinds.count("content.delta") > 5 and kinds[-1] == "content.done"
    whole = client.chat.completions.parse(
        model=MODEL, messages=user("Make up a machine."), max_tokens=300, temperature=0, response_format=Machine
    )
    assert whole.choices[0].message.content == final.content


def test_parse_says_where_an_answer_is_cut():
    try:
        client.chat.completions.parse(model=MODEL, messages=user("x"), max_tokens=3, response_format=Machine)
    except openai.LengthFinishReasonError as error:
        assert error.completion.usage.completion_tokens == 3
    else:
        raise AssertionError("three tokens are no machine")


def test_parsed_answers_go_back():
    first = client.chat.completions.parse(
        model=MODEL, messages=user("Make up a machine."), temperature=0, max_tokens=300, response_format=Machine
    )
    sent = first.choices[0].message.model_dump()
    # What openai's own objects have beside the API's fields stays at home.
    sent.pop("parsed", None)
    reply = ask(messages=[*user("Make up a machine."), sent, *user("And now say hello.")])
    assert reply.choices[0].message.content and sent["tool_calls"] is None and sent["refusal"] is None


def test_json_object():
    reply = ask("An empty JSON object.", max_tokens=300, frequency_penalty=1, response_format={"type": "json_object"})
    if reply.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(reply.choices[0].message.content), dict)
    assert reply.choices[0].message.content.startswith("{")


def test_bad_schemas():
    for schema in (
        {"type": "wrong"},
        {"$ref": "#/nowhere"},
        3,
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "(((a?){100}){100}){100}"},
        {"type": "object", "properties": 5},
        {"enum": []},
    ):
        refused(lambda: ask(response_format=by_schema(schema)), "response_format")
    refused(lambda: ask(response_format={"type": "sound"}), "response_format")


# ---- tools


def test_tools():
    for choice in ("required", WEATHER_ONLY):
        reply = ask(
            "What is the weather in Paris?",
            tools=TOOLS[:1],
            tool_choice=choice,
            max_tokens=120,
            parallel_tool_calls=False,
        )
        call = reply.choices[0].message.tool_calls[0]
        assert reply.choices[0].finish_reason == "tool_calls" and call.function.name == "get_weather" and call.id
        assert call.type == "function" and reply.choices[0].message.content is None
        arguments = check_arguments("get_weather", call.function.arguments)
        pieces, identity, names = "", [], []
        for chunk in ask(
            "What is the weather in Paris?",
            tools=TOOLS[:1],
            tool_choice=choice,
            max_tokens=120,
            stream=True,
            parallel_tool_calls=False,
        ):
            for delta in chunk.choices[0].delta.tool_calls or []:
                assert delta.index == 0
                pieces += delta.function.arguments or ""
                identity += [delta.id] if delta.id else []
                names += [delta.function.name] if delta.function.name else []
        assert json.loads(pieces) == arguments and len(identity) == 1 and names == ["get_weather"]


def test_tools_with_any_sampling():
    for sampling in SAMPLINGS:
        reply = ask(
            "What is the weather in Paris?",
            tools=TOOLS,
            tool_choice="required",
            max_tokens=150,
            parallel_tool_calls=False,
            **sampling,
        )
        choice = reply.choices[0]
        assert choice.finish_reason == "tool_calls" and len(choice.message.tool_calls) == 1, (sampling, choice)
        function = choice.message.tool_calls[0].function
        check_arguments(function.name, function.arguments)


def test_tool_round_trip():
    """The call goes back as the client dumps it, its result after it."""
    question = user("What is the weather in Paris?")
    for choice in ("required", WEATHER_ONLY):
        message = (
            ask(messages=question, tools=TOOLS, tool_choice=choice, max_tokens=150, parallel_tool_calls=False)
            .choices[0]
            .message
        )
        sent = message.model_dump()
        assert sent["function_call"] is None and sent["audio"] is None and sent["content"] is None
        for content in ("18 degrees", "", [{"type": "text", "text": "18 degrees"}]):
            result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": content}
            for more in ({}, {"tools": TOOLS, "tool_choice": "none"}, {"tools": TOOLS, "tool_choice": "auto"}):
                after = ask(messages=[*question, sent, result], max_tokens=8, **more).choices[0]
                assert after.finish_reason in ("stop", "length", "tool_calls"), more
                assert more.get("tool_choice") == "auto" or (after.message.content and not after.message.tool_calls)
        # The same without its nulls, and as the object itself.
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "18 degrees"}
        answers = {
            ask(messages=[*question, form, result], max_tokens=8).choices[0].message.content
            for form in (sent, message.model_dump(exclude_none=True), message)
        }
        assert len(answers) == 1, answers


def test_plain_answers_go_back():
    message = ask("Name a colour.").choices[0].message
    sent = message.model_dump()
    assert sent["tool_calls"] is None and sent["refusal"] is None and "annotations" in sent
    answers = {
        ask(messages=[*user("Name a colour."), form, *user("Another one.")]).choices[0].message.content
        for form in (sent, message.model_dump(exclude_none=True), {**sent, "name": None})
    }
    assert len(answers) == 1 and answers != {""}, answers


def test_null_is_absent():
    """Every optional field may be null, and means what leaving it out means."""
    names = [
        "temperature",
        "top_p",
        "n",
        "stop",
        "stream",
        "stream_options",
        "seed",
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "presence_penalty",
        "frequency_penalty",
        "user",
        "functions",
        "function_call",
        "metadata",
        "modalities",
        "audio",
        "store",
        "reasoning_effort",
        "service_tier",
        "prediction",
        "max_completion_tokens",
        "web_search_options",
    ]
    body = {"messages": user("Say hello."), "max_tokens": 6, "top_k": 1}
    status, plain = post("/v1/chat/completions", body)
    assert status == 200
    for chosen in [names, *[[name] for name in names]]:
        status, reply = post("/v1/chat/completions", body | dict.fromkeys(chosen))
        assert status == 200, (chosen, reply)
        assert reply["choices"][0]["message"] == plain["choices"][0]["message"], chosen
    function = {"name": "f", "description": None, "parameters": None, "strict": None}
    status, reply = post("/v1/chat/completions", body | {"tools": [{"type": "function", "function": function}]})
    assert status == 200, reply
    schema = {
        "type": "json_schema",
        "json_schema": {"name": "x", "description": None, "strict": None, "schema": {"type": "boolean"}},
    }
    status, reply = post("/v1/chat/completions", body | {"response_format": schema})
    assert status == 200 and json.loads(reply["choices"][0]["message"]["content"]) in (True, False), reply


def test_parse_tools():
    class Weather(BaseModel):
        """The weather of a city."""

        city: typing.Annotated[str, Field(max_length=20)]
        unit: typing.Literal["c", "f"]

    tool = openai.pydantic_function_tool(Weather)
    assert tool["function"]["strict"] is True
    for sampling in SAMPLINGS[:4]:
        reply = client.chat.completions.parse(
            model=MODEL,
            messages=user("What is the weather in Paris?"),
            tools=[tool],
            tool_choice="required",
            max_tokens=120,
            parallel_tool_calls=False,
            **sampling,
        )
        call = reply.choices[0].message.tool_calls[0]
        assert isinstance(call.function.parsed_arguments, Weather) and reply.choices[0].finish_reason == "tool_calls"


def test_tools_in_pieces_by_the_client():
    with client.chat.completions.stream(
        model=MODEL,
        messages=user("What is the weather in Paris?"),
        tools=TOOLS,
        tool_choice="required",
        max_tokens=150,
        temperature=0,
        parallel_tool_calls=False,
        stream_options={"include_usage": True},
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    check_arguments(call.function.name, call.function.arguments)
    assert "tool_calls.function.arguments.delta" in kinds and "tool_calls.function.arguments.done" in kinds
    assert final.choices[0].finish_reason == "tool_calls" and final.usage.completion_tokens > 3


def test_tools_in_pieces_of_several_answers():
    calls, reasons = {}, {}
    for chunk in ask(
        "What is the weather in Paris?",
        tools=TOOLS,
        tool_choice="required",
        max_tokens=150,
        n=3,
        seed=2,
        temperature=1.1,
        stream=True,
        parallel_tool_calls=False,
    ):
        for choice in chunk.choices:
            for piece in choice.delta.tool_calls or []:
                call = calls.setdefault(choice.index, {"id": piece.id, "name": piece.function.name, "arguments": ""})
                call["arguments"] += piece.function.arguments or ""
            if choice.finish_reason:
                reasons[choice.index] = choice.finish_reason
    assert sorted(calls) == [0, 1, 2] and set(reasons.values()) == {"tool_calls"}, (calls, reasons)
    assert len({call["id"] for call in calls.values()}) == 3
    for call in calls.values():
        check_arguments(call["name"], call["arguments"])


def test_several_calls():
    reply = ask(
        "What is the weather in Paris, and in Rome?", tools=TOOLS, tool_choice="required", max_tokens=400, temperature=0
    )
    calls = reply.choices[0].message.tool_calls
    assert calls and len({call.id for call in calls}) == len(calls)
    for call in calls[:-1] if reply.choices[0].finish_reason == "length" else calls:
        check_arguments(call.function.name, call.function.arguments)
    history = [
        *user("x"),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": f"c{i}",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
                }
                for i in (1, 2)
            ],
        },
        *({"role": "tool", "tool_call_id": f"c{i}", "content": "18"} for i in (1, 2)),
    ]
    assert ask(messages=history, max_tokens=8).choices[0].message.content


def test_arguments_are_objects():
    """Whatever the parameters leave open."""
    for parameters in (
        {},
        None,
        {"type": "object"},
        {"type": "object", "properties": {}},
        {"properties": {"a": {"type": "integer", "maximum": 9}}},
    ):
        function = {"name": "f"} if parameters is None else {"name": "f", "parameters": parameters}
        for bias in ({}, {"49": 7, "125": 3}):
            status, reply = post(
                "/v1/chat/completions",
                {
                    "messages": user("xyz"),
                    "max_tokens": 80,
                    "temperature": 1,
                    "seed": 3,
                    "logit_bias": bias,
                    "tools": [{"type": "function", "function": function}],
                    "tool_choice": "required",
                    "parallel_tool_calls": False,
                },
            )
            assert status == 200, (parameters, reply)
            choice = reply["choices"][0]
            text = choice["message"]["tool_calls"][0]["function"]["arguments"]
            if choice["finish_reason"] == "tool_calls":
                assert isinstance(json.loads(text), dict), text
            else:
                assert choice["finish_reason"] == "length" and text.startswith("{"), choice


def test_a_form_together_with_tools():
    """The answer is a call or the form, whichever the model begins."""
    seen = set()
    for number, sampling in enumerate([*SAMPLINGS, {"temperature": 1, "seed": 11}, {"temperature": 1.3, "seed": 12}]):
        question = "What is the weather in Paris?" if number % 2 else "Make up a thing."
        choice = ask(question, tools=TOOLS, response_format=by_schema(THING), max_tokens=300, **sampling).choices[0]
        seen.add(choice.finish_reason)
        if choice.finish_reason == "stop":
            jsonschema.validate(json.loads(choice.message.content), THING)
        elif choice.finish_reason == "tool_calls":
            for call in choice.message.tool_calls:
                check_arguments(call.function.name, call.function.arguments)
        else:
            assert choice.finish_reason == "length", choice
    assert seen & {"stop", "tool_calls"}, seen


def test_tool_choice():
    assert not ask(tools=TOOLS, tool_choice="none").choices[0].message.tool_calls
    assert ask(tools=TOOLS, tool_choice="auto").choices[0].finish_reason in ("stop", "length", "tool_calls")
    refused(lambda: ask(tool_choice="required"), "tool_choice")
    refused(lambda: ask(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "other"}}), "tool_choice")
    refused(lambda: ask(tools=TOOLS + TOOLS[:1]), "tools")


def test_a_cut_call_does_not_end_the_conversation():
    for arguments in ('{"city": "Par', "", "{}", "null", "not JSON"):
        reply = ask(
            messages=[
                *user("x"),
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": "18"},
            ],
            max_tokens=4,
        )
        assert reply.choices[0].finish_reason in ("stop", "length"), arguments


# ---- embeddings


def test_embeddings_by_base64():
    """The client asks for base64 by itself and unpacks it."""
    texts = ["hello", "Paris in the spring", "中文 👍"]
    plain = client.embeddings.create(model=MODEL, input=texts, encoding_format="float")
    packed = client.embeddings.create(model=MODEL, input=texts)
    raw = client.embeddings.create(model=MODEL, input=texts, encoding_format="base64")
    for a, b, c in zip(plain.data, packed.data, raw.data, strict=True):
        assert max(abs(x - y) for x, y in zip(a.embedding, b.embedding, strict=True)) < 1e-6 and a.index == b.index
        values = c.embedding
        if isinstance(values, str):
            data = base64.b64decode(values, validate=True)
            values = struct.unpack(f"<{len(data) // 4}f", data)
        assert list(values) == list(b.embedding) and abs(math.sqrt(sum(x * x for x in values)) - 1) < 1e-4
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > 3


run(globals())
