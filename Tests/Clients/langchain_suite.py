"""The server as LangChain's ChatOpenAI and OpenAIEmbeddings meet it (the PyPI package `langchain-openai`).

make clients
python Tests/Clients/langchain_suite.py http://127.0.0.1:8080
"""

import asyncio, json, math, typing

import openai, pydantic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from suite import BASE, check_arguments, first_model, post, run, user

MODEL = first_model()


def chat(**options):
    return ChatOpenAI(
        base_url=BASE + "/v1",
        api_key="none",
        model=MODEL,
        max_retries=0,
        **{"temperature": 0, "max_tokens": 24, **options},
    )


def alone(text, **options):
    """The same question without LangChain."""
    body = {"messages": user(text), "temperature": 0, "max_tokens": 24, **options}
    status, reply = post("/v1/chat/completions", body)
    assert status == 200, reply
    return reply["choices"][0]["message"]["content"]


@tool
def get_weather(city: str, unit: typing.Literal["c", "f"]) -> str:
    """The weather of a city."""
    return f"18 {unit} in {city}"


@tool
def get_time(zone: typing.Literal["UTC", "CET", "JST"]) -> str:
    """The time in a zone."""
    return f"noon in {zone}"


class Joke(pydantic.BaseModel):
    """A joke."""

    setup: typing.Annotated[str, pydantic.Field(max_length=30)]
    punchline: typing.Annotated[str, pydantic.Field(max_length=30)]
    rating: typing.Annotated[int, pydantic.Field(ge=1, le=10)] | None = None


def test_invoke():
    reply = chat().invoke([SystemMessage("Be brief."), HumanMessage("Say hello.")])
    assert isinstance(reply, AIMessage) and reply.content and reply.id and not reply.tool_calls
    usage = reply.usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] and 0 < usage["output_tokens"] <= 24
    assert reply.response_metadata["finish_reason"] in ("stop", "length")
    assert reply.response_metadata["model_name"] == MODEL
    assert chat().invoke("Tell me about rivers.").content == alone("Tell me about rivers.")


def test_history():
    """An answer goes back as LangChain writes it, with what OpenAI's client has put into it."""
    first = chat().invoke("Name a colour.")
    second = chat().invoke([HumanMessage("Name a colour."), first, HumanMessage("Another one.")])
    assert second.content and second.usage_metadata["input_tokens"] > first.usage_metadata["input_tokens"]


def test_stream():
    whole, pieces = None, 0
    for piece in chat(stream_usage=True, max_tokens=30).stream("Tell me about rivers."):
        whole = piece if whole is None else whole + piece
        pieces += 1
    assert pieces > 5 and whole.content == alone("Tell me about rivers.", max_tokens=30)
    assert whole.usage_metadata["output_tokens"] == 30 and whole.response_metadata["finish_reason"] == "length"


def test_async_batch():
    topics = ["rivers", "bread", "the moon", "trains", "glass", "winter"]
    questions = [f"Tell me about {topic}." for topic in topics]

    async def both():
        model = chat()
        replies = await model.abatch(questions, config={"max_concurrency": 6})
        return replies, "".join([piece.content async for piece in model.astream(questions[0])])

    replies, streamed = asyncio.run(both())
    assert [reply.content for reply in replies] == [alone(question) for question in questions]
    assert streamed == replies[0].content and len({reply.content for reply in replies}) == len(questions)


def test_stop_and_log_probabilities():
    whole = alone("Tell me about rivers.")
    stop = whole[10:15]
    assert chat().bind(stop=[stop]).invoke("Tell me about rivers.").content == whole[: whole.find(stop)]
    reply = chat(logprobs=True, top_logprobs=2).invoke("Tell me about rivers.")
    entries = reply.response_metadata["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == reply.content
    assert all(math.isfinite(entry["logprob"]) and len(entry["top_logprobs"]) == 2 for entry in entries)


def test_tools():
    messages = [HumanMessage("What is the weather in Paris, in c?")]
    bound = chat(max_tokens=100).bind_tools(
        [get_weather, get_time], tool_choice="get_weather", parallel_tool_calls=False
    )
    reply = bound.invoke(messages)
    assert len(reply.tool_calls) == 1 and not reply.invalid_tool_calls and not reply.content
    call = reply.tool_calls[0]
    assert call["name"] == "get_weather" and call["id"] and reply.response_metadata["finish_reason"] == "tool_calls"
    check_arguments("get_weather", json.dumps({**call["args"], "city": call["args"]["city"][:20]}))
    result = get_weather.invoke(call)
    assert isinstance(result, ToolMessage) and result.tool_call_id == call["id"]
    after = (
        chat(max_tokens=20).bind_tools([get_weather, get_time], tool_choice="none").invoke([*messages, reply, result])
    )
    assert after.content and not after.tool_calls
    assert chat().invoke([*messages, reply, result]).content


def test_any_tool():
    reply = (
        chat(max_tokens=200)
        .bind_tools([get_weather, get_time], tool_choice="any", parallel_tool_calls=False)
        .invoke("What time is it in UTC?")
    )
    assert len(reply.tool_calls) == 1 and not reply.invalid_tool_calls
    assert reply.tool_calls[0]["name"] in ("get_weather", "get_time")
    auto = chat(max_tokens=60).bind_tools([get_weather, get_time]).invoke("Say hello.")
    assert not auto.invalid_tool_calls and (auto.content or auto.tool_calls)


def test_tools_in_pieces():
    bound = chat(max_tokens=100).bind_tools([get_weather], tool_choice="get_weather", parallel_tool_calls=False)
    whole, pieces = None, 0
    for piece in bound.stream("What is the weather in Paris, in c?"):
        whole = piece if whole is None else whole + piece
        pieces += len(piece.tool_call_chunks)
    called = bound.invoke("What is the weather in Paris, in c?").tool_calls
    assert pieces > 3 and [(call["name"], call["args"]) for call in whole.tool_calls] == [
        (call["name"], call["args"]) for call in called
    ]


def test_structured_output():
    for method in ("json_schema", "function_calling"):
        for temperature, seed in ((0, 1), (0.1, 2), (1.2, 3)):
            model = chat(max_tokens=250, temperature=temperature, seed=seed)
            joke = model.with_structured_output(Joke, method=method).invoke("Tell me a joke about cats.")
            assert type(joke) is Joke and (joke.rating is None or 1 <= joke.rating <= 10), (method, joke)


def test_structured_output_with_what_came():
    for method in ("json_schema", "function_calling"):
        both = (
            chat(max_tokens=250).with_structured_output(Joke, method=method, include_raw=True).invoke("A joke, please.")
        )
        assert both["parsing_error"] is None and type(both["parsed"]) is Joke
        raw = both["raw"]
        told = raw.tool_calls[0]["args"] if method == "function_calling" else json.loads(raw.content)
        assert Joke.model_validate(told) == both["parsed"]
        assert bool(raw.tool_calls) == (method == "function_calling")


def test_structured_output_by_plain_schema():
    schema = {
        "title": "Pick",
        "description": "A pick",
        "type": "object",
        "required": ["colour", "count"],
        "additionalProperties": False,
        "properties": {
            "colour": {"enum": ["red", "blue"], "description": "c", "type": "string"},
            "count": {"type": "integer", "minimum": 3, "maximum": 5, "description": "n"},
        },
    }
    for method in ("json_schema", "function_calling"):
        value = chat(max_tokens=80).with_structured_output(schema, method=method).invoke("Pick something.")
        assert value["colour"] in ("red", "blue") and 3 <= value["count"] <= 5 and len(value) == 2, (method, value)
    try:
        value = (
            chat(max_tokens=200, frequency_penalty=1)
            .with_structured_output(None, method="json_mode")
            .invoke('Answer with JSON like {"colour": "red"}')
        )
        assert isinstance(value, dict)
    except openai.LengthFinishReasonError:
        pass  # an object of a small model may not end


def test_embeddings():
    embeddings = OpenAIEmbeddings(base_url=BASE + "/v1", api_key="none", model=MODEL, check_embedding_ctx_length=False)
    one, two, again = embeddings.embed_documents(["hello", "the weather in Paris", "hello"])
    assert one == again != two and abs(math.sqrt(sum(x * x for x in one)) - 1) < 1e-3
    assert max(abs(a - b) for a, b in zip(embeddings.embed_query("hello"), one)) < 1e-3


def test_errors():
    for call in (
        lambda: chat(temperature=0).bind(top_p=7).invoke("x"),
        lambda: chat().invoke([HumanMessage([{"type": "image_url", "image_url": {"url": "data:,"}}])]),
        lambda: (
            chat()
            .with_structured_output(
                {
                    "title": "x",
                    "description": "x",
                    "type": "object",
                    "properties": {"a": {"$ref": "#/nowhere"}},
                    "required": ["a"],
                    "additionalProperties": False,
                },
                method="json_schema",
            )
            .invoke("x")
        ),
    ):
        try:
            call()
        except openai.BadRequestError as error:
            assert error.body["message"], error.body
        else:
            raise AssertionError("it was not refused")


run(globals())
