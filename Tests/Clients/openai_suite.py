"""The server as the PyPI package `openai` and plain sockets meet it.

    make clients            (installs openai into a folder of its own, starts the server, runs this)
    python Tests/Clients/openai_suite.py http://127.0.0.1:8080

Themes 1 to 12 are those of issues in other servers that broke clients.
"""
import asyncio, base64, json, math, socket, struct, threading, time, urllib.request

import openai

from suite import BASE, post, run, user

HOST, PORT = BASE.split("//")[1].split(":")
client = openai.OpenAI(base_url=BASE + "/v1", api_key="none", max_retries=0)
MODEL = client.models.list().data[0].id


def ask(text="Say hello.", **options):
    options = {"temperature": 0, "max_tokens": 16, **options}
    return client.chat.completions.create(model=MODEL, messages=user(text), **options)


def refused(status, kind, call, param=None):
    try:
        call()
    except kind as error:
        assert error.status_code == status, error.status_code
        assert error.body["message"] and error.body["type"], error.body
        if param:
            assert error.body["param"] == param, error.body
        return error
    raise AssertionError("it was not refused")


def metric(name):
    text = urllib.request.urlopen(BASE + "/metrics").read().decode()
    return next(float(l.split()[-1]) for l in text.splitlines() if l.startswith(name + " "))


def raw_stream(body):
    request = urllib.request.Request(BASE + "/v1/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return reply.read().decode()


# ---- chat


def test_chat():
    reply = ask()
    choice = reply.choices[0]
    assert choice.message.role == "assistant" and choice.message.content and choice.finish_reason in ("stop", "length")
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.id.startswith("chatcmpl-") and reply.object == "chat.completion" and reply.model == MODEL


def test_stream_equals_whole():
    text = "".join(c.choices[0].delta.content or "" for c in ask("Tell me about rivers.", max_tokens=40, stream=True))
    assert text == ask("Tell me about rivers.", max_tokens=40).choices[0].message.content


def test_same_seed_same_text():
    texts = [ask("Invent a name.", temperature=1.2, seed=s).choices[0].message.content for s in (7, 7, 8, 9, 10)]
    assert texts[0] == texts[1] and len(set(texts)) > 1, texts


def test_choices():
    reply = ask("Invent a name.", temperature=1.2, n=4, seed=3)
    assert [c.index for c in reply.choices] == [0, 1, 2, 3] and len({c.message.content for c in reply.choices}) > 1
    greedy = ask("Count to five.", n=3)
    assert len({c.message.content for c in greedy.choices}) == 1
    seen = {}
    for chunk in ask("Count to five.", n=3, stream=True):
        for choice in chunk.choices:
            seen[choice.index] = seen.get(choice.index, "") + (choice.delta.content or "")
    assert list(seen.values()) == [greedy.choices[0].message.content] * 3 and sorted(seen) == [0, 1, 2]


def test_assistant_prefill():
    reply = client.chat.completions.create(
        model=MODEL, temperature=0, max_tokens=12,
        messages=user("Name three colours.") + [{"role": "assistant", "content": "Red, green and"}])
    assert not reply.choices[0].message.content.startswith("Red")
    explicit = client.chat.completions.create(
        model=MODEL, temperature=0, max_tokens=12,
        messages=user("Name three colours.") + [{"role": "assistant", "content": "Red, green and"}],
        extra_body={"continue_final_message": True, "add_generation_prompt": False})
    assert explicit.choices[0].message.content == reply.choices[0].message.content
    both = {"continue_final_message": True, "add_generation_prompt": True}
    two = [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]
    refused(400, openai.BadRequestError, lambda: client.chat.completions.create(
        model=MODEL, messages=user("x") + two[:1], extra_body=both))
    refused(400, openai.BadRequestError, lambda: client.chat.completions.create(model=MODEL, messages=user("x") + two))


def test_content_parts_and_roles():
    parts = [{"type": "text", "text": "Say"}, {"type": "text", "text": "hello."}]
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}]
    assert client.chat.completions.create(model=MODEL, messages=messages, max_tokens=4).choices[0].message.content
    image = [{"type": "image_url", "image_url": {"url": "data:,"}}]
    refused(400, openai.BadRequestError,
            lambda: client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": image}]))


def test_logprobs_join_to_the_content():
    for text in ("Say hello.", "Repeat: 中文 é 👍 done"):
        reply = ask(text, logprobs=True, top_logprobs=3, max_tokens=24)
        content = reply.choices[0].logprobs.content
        assert "".join(t.token for t in content) == reply.choices[0].message.content
        assert b"".join(bytes(t.bytes) for t in content).decode(errors="replace").startswith(
            reply.choices[0].message.content[:3])
        for t in content:
            assert t.logprob <= 0 and len(t.top_logprobs) == 3
            assert t.top_logprobs[0].logprob >= t.top_logprobs[1].logprob
            assert abs(t.logprob - t.top_logprobs[0].logprob) < 1e-5  # greedy
    streamed = [t for c in ask(logprobs=True, stream=True) if c.choices and c.choices[0].logprobs
                for t in c.choices[0].logprobs.content or []]
    assert [t.token for t in streamed] == [t.token for t in ask(logprobs=True).choices[0].logprobs.content]


def test_logprobs_with_a_stop_string():
    whole = ask("Tell me about rivers.", max_tokens=30).choices[0].message.content
    stop = whole[14:19]
    reply = ask("Tell me about rivers.", max_tokens=30, stop=[stop], logprobs=True)
    assert "".join(t.token for t in reply.choices[0].logprobs.content) == reply.choices[0].message.content
    assert stop not in reply.choices[0].message.content


def test_logit_bias():
    whole = ask(logprobs=True)
    first = whole.choices[0].logprobs.content[0]
    token = post("/tokenize", {"content": first.token})[1]["tokens"][0]
    other = ask(logit_bias={str(token): -100}).choices[0].message.content
    assert not other.startswith(first.token)
    always = ask(logit_bias={str(token): 100}, max_tokens=3).choices[0].message.content
    assert always == first.token * 3, always
    refused(400, openai.BadRequestError, lambda: ask(logit_bias={"99999999": 1}), "logit_bias")


def test_penalties():
    plain = ask("Say la la la la la.", max_tokens=40).choices[0].message.content
    other = ask("Say la la la la la.", max_tokens=40, frequency_penalty=2, presence_penalty=2).choices[0].message.content
    assert plain != other


# ---- the other endpoints


def test_completions():
    reply = client.completions.create(model=MODEL, prompt=["Once upon", "The sky"], max_tokens=5, temperature=0, n=2,
                                      echo=True, logprobs=2)
    assert [c.index for c in reply.choices] == [0, 1, 2, 3] and reply.choices[2].text.startswith("The sky")
    for choice in reply.choices:
        assert "".join(choice.logprobs.tokens) == choice.text
        assert choice.logprobs.token_logprobs[0] is None and choice.logprobs.token_logprobs[-1] <= 0
        for offset, token in zip(choice.logprobs.text_offset, choice.logprobs.tokens):
            assert choice.text[offset:offset + len(token)] == token
    tokens = post("/tokenize", {"content": "The sky"})[1]["tokens"]
    ids = client.completions.create(model=MODEL, prompt=tokens, max_tokens=5, temperature=0)
    assert "The sky" + ids.choices[0].text == reply.choices[2].text
    text = "".join(c.choices[0].text for c in client.completions.create(
        model=MODEL, prompt="The sky", max_tokens=5, temperature=0, stream=True))
    assert text == ids.choices[0].text and ids.object == "text_completion"


def test_embeddings():
    plain = client.embeddings.create(model=MODEL, input=["hello", "world", "hello"], encoding_format="float")
    packed = client.embeddings.create(model=MODEL, input=["hello", "world", "hello"])  # base64
    for a, b in zip(plain.data, packed.data):
        assert max(abs(x - y) for x, y in zip(a.embedding, b.embedding)) < 1e-6
        assert abs(math.sqrt(sum(x * x for x in a.embedding)) - 1) < 1e-4
    assert plain.data[0].embedding == plain.data[2].embedding != plain.data[1].embedding
    raw = post("/v1/embeddings", {"input": "hello", "encoding_format": "base64"})[1]["data"][0]["embedding"]
    assert struct.unpack("<f", base64.b64decode(raw)[:4])[0] == packed.data[0].embedding[0]
    assert len(client.embeddings.create(model=MODEL, input="x", dimensions=8).data[0].embedding) == 8
    refused(400, openai.BadRequestError, lambda: client.embeddings.create(model=MODEL, input=[]), "input")


def test_models_and_tokens():
    assert client.models.retrieve(MODEL).id == MODEL
    refused(404, openai.NotFoundError, lambda: client.models.retrieve("nothing"))
    for text in ("hello", "中文 é 👍", ""):
        tokens = post("/tokenize", {"content": text})[1]["tokens"]
        assert post("/detokenize", {"tokens": tokens})[1]["content"] == text
    assert urllib.request.urlopen(BASE + "/health").status == 200


def test_metrics():
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        return
    text = urllib.request.urlopen(BASE + "/metrics").read().decode()
    families = {f.name: f for f in text_string_to_metric_families(text)}
    assert families["martlet_request_seconds"].type == "histogram" and "martlet_generated_tokens" in families
    assert all(f.documentation and f.type != "unknown" for f in families.values())


def test_errors():
    for options, param in (
            ({"temperature": 3}, "temperature"), ({"top_p": "x"}, "top_p"), ({"n": 0}, "n"), ({"stop": 5}, "stop"),
            ({"max_tokens": -2}, "max_tokens"), ({"presence_penalty": 9}, "presence_penalty"),
            ({"seed": "a"}, "seed"), ({"top_logprobs": 3}, "top_logprobs"), ({"tool_choice": "required"}, "tool_choice"),
            ({"logprobs": True, "top_logprobs": 99}, "top_logprobs")):
        refused(400, openai.BadRequestError, lambda: ask(extra_body=options, max_tokens=options.get("max_tokens", 4)), param)
    for messages in ([], [5], [{"role": 1, "content": "x"}], [{"role": "user"}], [{"role": "user", "content": 5}],
                     [{"role": "robot", "content": "x"}], "x", None):
        status, body = post("/v1/chat/completions", {"messages": messages})
        assert status == 400 and body["error"]["param"] == "messages", (messages, body)
    assert post("/v1/nothing", {})[0] == 404
    request = urllib.request.Request(BASE + "/v1/chat/completions")
    try:
        urllib.request.urlopen(request)
        raise AssertionError
    except urllib.error.HTTPError as error:
        assert error.code == 405 and "POST" in error.headers["Allow"]
    assert post("/v1/chat/completions", b"{", {})[0] == 400
    assert post("/v1/chat/completions", b"<a/>", {"Content-Type": "application/xml"})[0] == 415


def test_context_overflow():
    limit = client.models.list().data[0].model_extra["meta"]["n_ctx"]
    if limit is None:
        return
    for stream in (False, True):
        error = refused(400, openai.BadRequestError, lambda: ask("word " * (limit + 10), stream=stream))
        assert error.body["type"] == "exceed_context_size_error" and error.body["n_ctx"] == limit


def test_retries():
    """A stub that is busy twice: the client comes back, after the time it is told."""
    calls = []

    def serve(listener):
        for reply in ("429 Too Many Requests\r\nRetry-After: 1", "503 Service Unavailable", None):
            connection, _ = listener.accept()
            connection.recv(65536)
            calls.append(time.monotonic())
            body = b"{}" if reply else json.dumps(ask().model_dump()).encode()
            head = f"HTTP/1.1 {reply or '200 OK'}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            connection.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            connection.close()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    other = openai.OpenAI(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1", api_key="x", max_retries=2)
    assert other.chat.completions.create(model="m", messages=user("x")).choices
    assert len(calls) == 3 and calls[1] - calls[0] >= 0.9


def test_async_client():
    async def run():
        async with openai.AsyncOpenAI(base_url=BASE + "/v1", api_key="x") as other:
            replies = await asyncio.gather(*(
                other.chat.completions.create(model=MODEL, messages=user("Say hello."), temperature=0, max_tokens=16)
                for _ in range(12)))
            return {r.choices[0].message.content for r in replies}
    assert asyncio.run(run()) == {ask().choices[0].message.content}


def test_skeleton_modes():
    question = "What are the benefits of walking?"
    for mode in ("auto", "on", "off"):
        reply = client.chat.completions.create(model=MODEL, messages=user(question), temperature=0, max_tokens=128,
                                               extra_body={"martlet": {"skeleton": mode}})
        assert reply.choices[0].message.content, mode
        text = "".join(c.choices[0].delta.content or "" for c in client.chat.completions.create(
            model=MODEL, messages=user(question), temperature=0, max_tokens=128, stream=True,
            extra_body={"martlet": {"skeleton": mode}}) if c.choices)
        if mode != "auto":  # in auto mode two answers race
            assert text == reply.choices[0].message.content, (mode, text)
    refused(400, openai.BadRequestError, lambda: ask(extra_body={"martlet": {"skeleton": "maybe"}}), "skeleton")
    refused(400, openai.BadRequestError, lambda: ask(n=2, extra_body={"martlet": {"skeleton": "on"}}), "martlet")


# ---- twelve themes


def test_theme_01_text_is_never_cut():
    for text in ("Repeat: 中文汉字 éèê 👍🏽 🇨🇭", "Write an emoji."):
        stream = raw_stream({"messages": user(text), "temperature": 1.5, "seed": 5, "max_tokens": 48, "stream": True,
                             "logit_bias": {str(t): 4 for t in post("/tokenize", {"content": "👍é中"})[1]["tokens"]}})
        assert "data: [DONE]" in stream
    status, body = post("/v1/chat/completions", b'{"messages":[{"role":"user","content":"\xff\xfe"}]}')
    assert status == 400 and "UTF-8" in body["error"]["message"]


def test_theme_02_stop_strings_never_leak():
    whole = ask("Tell me about rivers.", max_tokens=60).choices[0].message.content
    for size in (1, 2, 5, 9):
        for start in (3, 10, 25):
            stop = whole[start:start + size]
            expected = whole[:whole.find(stop)]
            text = "".join(c.choices[0].delta.content or "" for c in ask(
                "Tell me about rivers.", max_tokens=60, stop=stop, stream=True))
            assert text == expected, (stop, text, expected)
            assert ask("Tell me about rivers.", max_tokens=60, stop=[stop]).choices[0].finish_reason == "stop"


def test_theme_03_done_comes_and_errors_come_first():
    assert raw_stream({"messages": user("x"), "stream": True, "max_tokens": 3}).endswith("data: [DONE]\n\n")
    assert post("/v1/chat/completions", {"messages": user("x"), "stream": True, "temperature": 99})[0] == 400


def test_theme_04_order_of_chunks():
    events = [json.loads(l[6:]) for l in raw_stream(
        {"messages": user("Say hello."), "stream": True, "max_tokens": 4, "stream_options": {"include_usage": True}}
    ).splitlines() if l.startswith("data: {")]
    assert len({e["id"] for e in events}) == 1 and {e["object"] for e in events} == {"chat.completion.chunk"}
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert all(e["choices"][0]["index"] == 0 and e["choices"][0]["finish_reason"] is None for e in events[:-2])
    assert events[-2]["choices"][0] | {"logprobs": None} == {
        "index": 0, "delta": {}, "finish_reason": events[-2]["choices"][0]["finish_reason"], "logprobs": None}
    assert events[-2]["choices"][0]["finish_reason"] in ("stop", "length")
    assert events[-1]["choices"] == [] and events[-1]["usage"]["completion_tokens"] == 4
    without = raw_stream({"messages": user("Say hello."), "stream": True, "max_tokens": 4})
    assert '"choices":[]' not in without


def test_theme_05_caps_are_kept():
    for option in ("max_tokens", "max_completion_tokens"):
        reply = client.chat.completions.create(model=MODEL, messages=user("Tell me a long story."), temperature=0,
                                               **{option: 5})
        assert reply.usage.completion_tokens == 5 and reply.choices[0].finish_reason == "length"
    assert client.completions.create(model=MODEL, prompt="Once upon a time").usage.completion_tokens <= 16


def test_theme_06_leaving_frees_the_place():
    before = metric("martlet_cancelled_total")
    stream = ask("Tell me a very long story.", max_tokens=4000, stream=True)
    next(iter(stream))
    stream.close()
    plain = socket.create_connection((HOST, int(PORT)))
    body = json.dumps({"messages": user("Tell me a very long story."), "max_tokens": 4000, "ignore_eos": True}).encode()
    plain.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body) + body)
    time.sleep(0.3)
    plain.close()
    end = time.monotonic() + 2
    while time.monotonic() < end and metric("martlet_requests_running") > 0:
        time.sleep(0.05)
    assert metric("martlet_requests_running") == 0 and metric("martlet_cancelled_total") >= before + 2
    assert ask().choices[0].message.content


def test_theme_07_more_requests_than_places():
    results = []
    threads = [threading.Thread(target=lambda: results.append(ask("Say hello.").choices[0].message.content))
               for _ in range(40)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert len(results) == 40 and len(set(results)) == 1


def test_theme_08_tool_history_is_checked():
    def reply(calls):
        messages = user("x") + [{"role": "assistant", "content": None, "tool_calls": calls},
                                {"role": "tool", "tool_call_id": "c", "content": "y"}]
        return post("/v1/chat/completions", {"messages": messages, "max_tokens": 2})
    for calls in ("x", [5], [{"function": {}}]):
        status, body = reply(calls)
        assert status == 400 and body["error"]["param"] == "messages", (calls, status, body)
    # What an answer's limit has cut does not end the conversation.
    assert reply([{"function": {"name": "f", "arguments": "{broken"}}])[0] == 200
    for tools in ([5], [{"type": "function"}], [{"type": "function", "function": {"name": "bad name"}}], "x"):
        assert post("/v1/chat/completions", {"messages": user("x"), "tools": tools})[0] == 400


def test_theme_09_base64_embeddings():
    test_embeddings()


def test_theme_10_keys_that_strict_clients_want():
    body = post("/v1/chat/completions", {"messages": user("x"), "max_tokens": 2})[1]
    assert body["choices"][0]["message"]["refusal"] is None and body["choices"][0]["logprobs"] is None


def test_theme_11_prompts_are_cached():
    text = "A story of " + "rivers and seas and " * 20
    first = ask(text).usage
    again = ask(text).usage
    assert again.prompt_tokens_details.cached_tokens > first.prompt_tokens * 0.8
    reply = ask(text).choices[0].message.content
    more = client.chat.completions.create(
        model=MODEL, temperature=0, max_tokens=4,
        messages=user(text) + [{"role": "assistant", "content": reply}] + user("Go on."))
    assert more.usage.prompt_tokens_details.cached_tokens > first.prompt_tokens * 0.8


def test_theme_12_two_cost_little_more_than_one():
    def together(count):
        started = time.monotonic()
        threads = [threading.Thread(target=lambda: ask("Tell me a story.", max_tokens=100, extra_body={"ignore_eos": True}))
                   for _ in range(count)]
        [t.start() for t in threads], [t.join() for t in threads]
        return time.monotonic() - started
    together(1)
    one, two = min(together(1) for _ in range(3)), min(together(2) for _ in range(3))
    assert two < 1.8 * one, (one, two)


run(globals())
