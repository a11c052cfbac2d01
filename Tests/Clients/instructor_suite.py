"""The server as the PyPI package `instructor` meets it: answers that become pydantic's objects, by its three ways of
asking for them.

    make clients
    python Tests/Clients/instructor_suite.py http://127.0.0.1:8080
"""

import asyncio, enum, json, typing

import httpx, instructor, openai, pydantic

from suite import BASE, first_model, run, user

MODEL = first_model()
sent = []


def remember(request):
    sent.append(json.loads(request.content))


plain = openai.OpenAI(
    base_url=BASE + "/v1", api_key="none", max_retries=0, http_client=httpx.Client(event_hooks={"request": [remember]})
)
MODES = {
    mode: instructor.from_openai(plain, mode=mode)
    for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON, instructor.Mode.JSON_SCHEMA)
}
SCHEMA_MODES = [instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA]


class Colour(str, enum.Enum):
    red = "red"
    blue = "blue"


class Thing(pydantic.BaseModel):
    """A thing that somebody has."""

    colour: Colour
    count: int = pydantic.Field(ge=1, le=20)


class Box(pydantic.BaseModel):
    label: typing.Annotated[str, pydantic.Field(max_length=12)]
    things: typing.Annotated[list[Thing], pydantic.Field(min_length=1, max_length=2)]
    owner: typing.Literal["me", "you"] | None


def ask(mode, model, messages=None, **options):
    options = {"temperature": 0, "max_tokens": 200, "max_retries": 0, **options}
    return MODES[mode].chat.completions.create(
        model=MODEL, response_model=model, messages=messages or user("A red thing, five of it."), **options
    )


def test_objects():
    for mode in SCHEMA_MODES:
        thing = ask(mode, Thing)
        assert isinstance(thing, Thing) and thing.colour in Colour and 1 <= thing.count <= 20, (mode, thing)
    assert (
        sent[-2]["tool_choice"]["function"]["name"] == "Thing" and sent[-1]["response_format"]["type"] == "json_schema"
    )


def test_json_mode():
    # Nothing but its examples tells a small model which keys an object should have.
    examples = [
        *user("A blue thing, three of it."),
        {"role": "assistant", "content": '{"colour": "blue", "count": 3}'},
        *user("A blue thing, nine of it."),
        {"role": "assistant", "content": '{"colour": "blue", "count": 9}'},
        *user("A red thing, five of it."),
    ]
    thing, raw = MODES[instructor.Mode.JSON].chat.completions.create_with_completion(
        model=MODEL, response_model=Thing, messages=examples, temperature=0, max_tokens=120, max_retries=0
    )
    assert sent[-1]["response_format"] == {"type": "json_object"}
    assert json.loads(raw.choices[0].message.content) == json.loads(thing.model_dump_json()) and thing.count == 5


def test_nested_objects():
    for mode in SCHEMA_MODES:
        for temperature, seed in ((0, 1), (0.2, 2), (1.3, 3)):
            box = ask(mode, Box, user("A box of mine with two things."), temperature=temperature, seed=seed)
            assert len(box.things) in (1, 2) and all(1 <= thing.count <= 20 for thing in box.things), (mode, box)


def test_what_came_is_what_is_parsed():
    for mode in SCHEMA_MODES:
        thing, raw = MODES[mode].chat.completions.create_with_completion(
            model=MODEL,
            response_model=Thing,
            messages=user("A blue thing, two of it."),
            temperature=0,
            max_tokens=120,
            max_retries=0,
        )
        message = raw.choices[0].message
        calls = message.tool_calls
        text = calls[0].function.arguments if mode is instructor.Mode.TOOLS else message.content
        assert json.loads(text) == json.loads(thing.model_dump_json()), (mode, text)
        assert raw.choices[0].finish_reason == ("tool_calls" if mode is instructor.Mode.TOOLS else "stop")
        assert bool(calls) == (mode is instructor.Mode.TOOLS)


def test_asking_again():
    """A value that the caller refuses goes back with the complaint, and comes anew."""
    for mode in SCHEMA_MODES:
        refused = []

        class Doubted(Thing):
            @pydantic.field_validator("count")
            @classmethod
            def doubt(cls, value):
                if not refused:
                    refused.append(value)
                    raise ValueError("count it again")
                return value

        before = len(sent)
        assert ask(mode, Doubted, max_retries=2).colour in Colour and len(refused) == 1
        assert len(sent) == before + 2, len(sent)
        messages = sent[-1]["messages"]
        assert len(messages) > len(sent[-2]["messages"]) and "count it again" in json.dumps(messages[-1]), messages
        if mode is instructor.Mode.TOOLS:
            call = messages[-2]["tool_calls"][0]
            assert messages[-1]["role"] == "tool" and messages[-1]["tool_call_id"] == call["id"]


def test_pieces():
    class Note(pydantic.BaseModel):
        title: typing.Annotated[str, pydantic.Field(max_length=20)]
        pages: typing.Annotated[int, pydantic.Field(ge=1, le=20)]
        tags: typing.Annotated[list[typing.Annotated[str, pydantic.Field(max_length=8)]], pydantic.Field(max_length=2)]

    for mode in SCHEMA_MODES:
        seen = list(
            MODES[mode].chat.completions.create_partial(
                model=MODEL, response_model=Note, messages=user("A note on tea."), temperature=0, max_tokens=200
            )
        )
        # The client asks for a model of another name, so the answer is its own: whole at the end, and come in pieces.
        whole = Note.model_validate(seen[-1].model_dump())
        assert len(seen) > 2 and whole.title.startswith(next(p.title for p in seen if p.title)), (mode, seen)


def test_several():
    """A list comes one by one."""
    for mode in SCHEMA_MODES:
        things = []
        for thing in MODES[mode].chat.completions.create_iterable(
            model=MODEL,
            response_model=Thing,
            messages=user("Two things: one red, one blue."),
            temperature=0,
            max_tokens=400,
            frequency_penalty=0.3,
        ):
            things.append(thing)
            if len(things) == 2:
                break
        assert things and all(isinstance(thing, Thing) for thing in things), (mode, things)


def test_an_answer_that_is_cut_is_said():
    for mode in SCHEMA_MODES:
        try:
            ask(mode, Box, max_tokens=4)
        except Exception as problem:
            assert "incomplete" in f"{type(problem)} {problem}".lower(), problem
        else:
            raise AssertionError("four tokens are no box")


def test_async_client():
    async def both():
        client = instructor.from_openai(
            openai.AsyncOpenAI(base_url=BASE + "/v1", api_key="none", max_retries=0), mode=instructor.Mode.JSON_SCHEMA
        )
        return await asyncio.gather(
            *(
                client.chat.completions.create(
                    model=MODEL,
                    response_model=Thing,
                    messages=user("A red thing, five of it."),
                    temperature=0,
                    max_tokens=100,
                    max_retries=0,
                )
                for _ in range(4)
            )
        )

    assert [thing.model_dump() for thing in asyncio.run(both())] == [
        ask(instructor.Mode.JSON_SCHEMA, Thing).model_dump()
    ] * 4


run(globals())
