"""The server as the PyPI package `litellm` meets it, by its `openai/` provider.

make clients
python Tests/Clients/litellm_suite.py http://127.0.0.1:8080
"""

import asyncio, json, os, typing

# Prices of other people's models are not fetched.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import jsonschema, litellm, pydantic

from suite import BASE, THING, TOOLS, WEATHER_ONLY, check_arguments, first_model, post, run, user

MODEL = first_model()
litellm.telemetry = False
litellm.suppress_debug_info = True
COMMON = {"model": f"openai/{MODEL}", "api_base": BASE + "/v1", "api_key": "none", "num_retries": 0}


def ask(text="Say hello.", **options):
    return litellm.completion(**{**COMMON, "messages": user(text), "temperature": 0, "max_tokens": 24, **options})


def alone(text, **options):
    status, reply = post(
        "/v1/chat/completions", {"messages": user(text), "temperature": 0, "max_tokens": 24, **options}
    )
    assert status == 200, reply
    return reply["choices"][0]["message"]["content"]


def test_completion():
    reply = ask("Tell me about rivers.")
    assert reply.choices[0].message.content == alone("Tell me about rivers.")
    assert reply.choices[0].finish_reason == "length" and reply.usage.completion_tokens == 24
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + 24 and reply.id.startswith("chatcmpl-")


def test_history():
    """litellm's own message goes back with every key that it has put into it."""
    message = ask("Name a colour.").choices[0].message
    after = litellm.completion(
        **COMMON,
        max_tokens=8,
        temperature=0,
        messages=[*user("Name a colour."), message.model_dump(), *user("Another one.")],
    )
    assert after.choices[0].message.content


def test_stream():
    pieces = list(ask("Tell me about rivers.", stream=True, stream_options={"include_usage": True}))
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert text == alone("Tell me about rivers.") and len(pieces) > 5
    whole = litellm.stream_chunk_builder(pieces, messages=user("Tell me about rivers."))
    assert whole.choices[0].message.content == text and whole.choices[0].finish_reason == "length"
    assert whole.usage.completion_tokens == 24


def test_async():
    async def several():
        return await asyncio.gather(
            *(
                litellm.acompletion(**COMMON, messages=user("Say hello."), temperature=0, max_tokens=16)
                for _ in range(6)
            )
        )

    async def streamed():
        stream = await litellm.acompletion(
            **COMMON, messages=user("Say hello."), temperature=0, max_tokens=16, stream=True
        )
        return "".join([piece.choices[0].delta.content or "" async for piece in stream])

    expected = alone("Say hello.", max_tokens=16)
    assert {reply.choices[0].message.content for reply in asyncio.run(several())} == {expected}
    assert asyncio.run(streamed()) == expected


def test_several_answers_and_settings():
    reply = ask(
        "Invent a name.",
        n=3,
        temperature=1.2,
        seed=5,
        max_tokens=8,
        top_p=0.95,
        presence_penalty=0.3,
        frequency_penalty=0.2,
        logit_bias={"0": -100},
        stop=["\n\n"],
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in reply.choices}) > 1
    entries = ask(logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert all(entry.logprob <= 0 and len(entry.top_logprobs) == 2 for entry in entries)
    assert "".join(entry.token for entry in entries) == alone("Say hello.")


def test_tools():
    for choice in ("required", WEATHER_ONLY):
        reply = ask(
            "What is the weather in Paris?", tools=TOOLS, tool_choice=choice, max_tokens=150, parallel_tool_calls=False
        )
        message = reply.choices[0].message
        assert reply.choices[0].finish_reason == "tool_calls" and len(message.tool_calls) == 1
        call = message.tool_calls[0]
        check_arguments(call.function.name, call.function.arguments)
        assert choice == "required" or call.function.name == "get_weather"
        history = [
            *user("What is the weather in Paris?"),
            message.model_dump(),
            {"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": "18 degrees"},
        ]
        after = litellm.completion(
            **COMMON, messages=history, tools=TOOLS, tool_choice="none", max_tokens=8, temperature=0
        )
        assert after.choices[0].message.content and not after.choices[0].message.tool_calls
    pieces = list(
        ask(
            "What is the weather in Paris?",
            tools=TOOLS,
            tool_choice=WEATHER_ONLY,
            max_tokens=150,
            stream=True,
            parallel_tool_calls=False,
        )
    )
    whole = litellm.stream_chunk_builder(pieces)
    assert [(called.function.name, called.function.arguments) for called in whole.choices[0].message.tool_calls] == [
        (call.function.name, call.function.arguments)
    ]
    assert whole.choices[0].finish_reason == "tool_calls"


def test_response_format():
    schema = {"type": "json_schema", "json_schema": {"name": "thing", "schema": THING, "strict": True}}
    for temperature in (0, 0.1, 1.4):
        reply = ask("Make up a thing.", response_format=schema, max_tokens=150, temperature=temperature, seed=3)
        assert reply.choices[0].finish_reason == "stop"
        jsonschema.validate(json.loads(reply.choices[0].message.content), THING)

    class Pick(pydantic.BaseModel):
        colour: typing.Literal["red", "blue"]
        count: typing.Annotated[int, pydantic.Field(ge=3, le=5)]

    reply = ask("Pick something.", response_format=Pick, max_tokens=80)
    assert Pick.model_validate_json(reply.choices[0].message.content).count in (3, 4, 5)
    reply = ask("An empty JSON object.", response_format={"type": "json_object"}, max_tokens=200, frequency_penalty=1)
    if reply.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(reply.choices[0].message.content), dict)
    assert reply.choices[0].message.content.startswith("{")


def test_text_completion():
    reply = litellm.text_completion(
        model=f"text-completion-openai/{MODEL}",
        api_base=BASE + "/v1",
        api_key="none",
        prompt="Once upon",
        max_tokens=6,
        temperature=0,
    )
    status, other = post("/v1/completions", {"prompt": "Once upon", "max_tokens": 6, "temperature": 0})
    assert status == 200 and reply.choices[0].text == other["choices"][0]["text"] != ""


def test_embeddings():
    reply = litellm.embedding(
        model=f"openai/{MODEL}",
        api_base=BASE + "/v1",
        api_key="none",
        input=["hello", "the weather in Paris", "hello"],
        encoding_format="float",
    )
    one, two, again = [item["embedding"] for item in reply.data]
    assert one == again != two and abs(sum(x * x for x in one) - 1) < 1e-3 and reply.usage.prompt_tokens > 0
    packed = litellm.embedding(model=f"openai/{MODEL}", api_base=BASE + "/v1", api_key="none", input=["hello"])
    assert max(abs(a - b) for a, b in zip(packed.data[0]["embedding"], one)) < 1e-4


def test_errors():
    for options in ({"top_p": 7}, {"logit_bias": {"99999999": 1}}, {"stop": ["x" * 2000]}):
        try:
            ask(**options)
        except litellm.BadRequestError as error:
            assert error.status_code == 400, error
        else:
            raise AssertionError(f"{options} was not refused")


run(globals())
