"""What llama.cpp's server promises in its tests, asked of this server in its own API.

    python Tests/Clients/peer_cases.py http://127.0.0.1:8080 --martlet .build/release/martlet

Every case of llama.cpp's `tools/server/tests/unit` has a line in the table that is printed: *kept* where the same is
promised and holds here, *refused* where it is not done and the server says so, with the cure, and *not meaningful*
where there is nothing to ask. What is kept or refused is tested here, in our own words and with our own inputs; a case
whose test fails is *broken*, and the suite ends with 1. SmolLM2-135M-Instruct or another small chat model is served.
"""

import argparse, base64, concurrent.futures, contextlib, json, os, re, socket, struct, subprocess, sys, tempfile, time
import traceback, urllib.error, urllib.request

import jsonschema, openai

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--martlet", help="the command, for cases that need a server of their own")
parser.add_argument("--only", help="cases whose name holds this")
options = parser.parse_args()
BASE = options.base

from suite import get, post, user  # noqa: E402 (reads the address from the arguments)

sys.path.append(os.path.join(os.path.dirname(__file__), "../../Scripts"))
from tiny_model import make_model  # noqa: E402

client = openai.OpenAI(base_url=BASE + "/v1", api_key="none", max_retries=0)
MODEL = client.models.list().data[0].id
CONTEXT = client.models.list().data[0].model_extra["meta"]["n_ctx"]

KEPT, REFUSED, NOT_MEANINGFUL = "kept", "refused", "not meaningful"
cases, reasons = [], []


def case(*names, verdict=KEPT):
    """A test of the cases of these names. It may return another verdict, or text that says more."""

    def add(test):
        cases.extend((name, verdict, test) for name in names)
        return test

    return add


def nothing_to_ask(reason, *names):
    reasons.extend((name, reason) for name in names)


def chat(messages, base=BASE, **body):
    return post("/v1/chat/completions", {"messages": messages, "temperature": 0, "max_tokens": 8, **body}, base=base)


def complete(prompt, base=BASE, **body):
    return post("/v1/completions", {"prompt": prompt, "temperature": 0, "max_tokens": 8, **body}, base=base)


def answered(reply):
    status, body = reply
    assert status == 200, body
    return body


def refused(reply, *said, status=(400, 501)):
    """The refusal, which must name `said`."""
    code, body = reply
    assert code in status, (code, body)
    message = body["error"]["message"]
    assert body["error"]["type"] and all(text in message for text in said), message
    return message


def done_or_refused(reply, field, holds):
    """Kept where the field is done (`holds` must say so of the answer), refused where it is named."""
    if reply[0] == 200:
        assert holds(reply[1]), reply[1]
        return KEPT
    refused(reply, field)
    return REFUSED


def text(body):
    choice = body["choices"][0]
    return choice["message"]["content"] if "message" in choice else choice["text"]


def events(path, body, base=BASE, headers={}):
    """The events of a stream, which must end with [DONE]."""
    request = urllib.request.Request(
        base + path, json.dumps(body | {"stream": True}).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        lines = [line for line in reply.read().decode().split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]", lines[-1]
    return [json.loads(line[6:]) for line in lines[:-1]]


def request(method, path, base=BASE, headers={}, body=None):
    """(status, headers, text)"""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(base + path, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def elsewhere(path, *said, method="POST", body=None):
    """A path of llama.cpp's that is not here: 404, and where to go instead."""
    status, _, answer = request(method, path, body={} if body is None and method == "POST" else body)
    assert status == 404, (status, answer)
    message = json.loads(answer)["error"]["message"]
    assert all(part in message for part in said), f"{path}: {message!r} does not name {said}"
    return REFUSED


@contextlib.contextmanager
def serving(*more, model="box"):
    """A server of the built-in model, or another small one, with options of its own; its address."""
    if not options.martlet:
        raise LookupError("needs --martlet")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [options.martlet, "serve", model, "--port", str(port), "--no-edits", "--log-level", "warning", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base, end = f"http://127.0.0.1:{port}", time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                if request("GET", "/health", base)[0] == 200:
                    break
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server does not start with {more}, {model}")
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(20)


LIFE = "The meaning of life, as my old teacher told us, is"

# ---- test_basic


@case("basic: server_start_simple")
def health():
    assert json.loads(get("/health"))["status"] == "ok"


@case("basic: server_props", "sleep: server_sleep (props)", verdict=REFUSED)
def props():
    return elsewhere("/props", "/v1/models", method="GET")


@case("basic: server_models")
def models():
    listed = json.loads(get("/v1/models"))["data"]
    assert len(listed) == 1 and listed[0]["id"] == MODEL and listed[0]["meta"]["n_ctx"] == CONTEXT
    status, _, answer = request("GET", "/models")
    assert status == 200 and json.loads(answer)["data"] == listed or status == 404 and "/v1/models" in answer, answer


@case(
    "basic: server_slots",
    "slot_save: slot_save_restore",
    "slot_save: slot_erase",
    "slot_save: slot_restore_*",
    verdict=REFUSED,
)
def slots():
    elsewhere("/slots", method="GET")
    return elsewhere("/slots/1?action=save", body={"filename": "x"})


@case("basic: no_webui", "security: access_static_assets_without_api_key")
def page():
    with serving("--api-key", "secret") as base:
        for path in ("/", "/page.css", "/page.js"):
            status, _, answer = request("GET", path, base)
            assert status == 200 and "error" not in answer[:20], (path, status)
        assert "<!doctype html>" in request("GET", "/", base)[2].lower()
    return "the page is always there"


@case("basic: server_model_aliases_and_tags")
def names():
    with serving("--name", "other-name") as base:
        assert json.loads(get("/v1/models", base))["data"][0]["id"] == "other-name"
        assert answered(chat(user("x"), base))["model"] == "other-name"
    return "one name, by --name"


nothing_to_ask("an address is given by --host in one form", "basic: server_start_with_host_family")
nothing_to_ask("a test of the GGUF reader, not of the server", "basic: load_split_model")

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


# ---- test_completion


@case("completion: completion (2 forms)")
def completion():
    for prompt, count in ((LIFE, 8), ("A joke about bees, from a long prompt that is not cut", 60)):
        body = answered(complete(prompt, max_tokens=count, ignore_eos=True))
        tokens = answered(post("/tokenize", {"content": prompt, "add_special": True}))["count"]
        assert body["usage"]["prompt_tokens"] == tokens and body["usage"]["completion_tokens"] == count
        assert text(body) and body["choices"][0]["finish_reason"] == "length"
    return "at /v1/completions"


@case("completion: completion (return_tokens)", verdict=REFUSED)
def return_tokens():
    return done_or_refused(complete("x", return_tokens=True), "return_tokens", lambda body: body["tokens"])


@case("completion: completion at /completion", verdict=REFUSED)
def own_completion():
    return elsewhere("/completion", "/v1/completions", body={"prompt": "x", "n_predict": 2})


@case("completion: completion_stream (2 forms)", "completion: completion_stream_vs_non_stream")
def completion_stream():
    for count in (8, 60):
        seen = events("/v1/completions", {"prompt": LIFE, "temperature": 0, "max_tokens": count, "ignore_eos": True})
        assert [event["choices"][0]["finish_reason"] for event in seen] == [None] * (len(seen) - 1) + ["length"]
        whole = answered(complete(LIFE, max_tokens=count, ignore_eos=True))
        assert "".join(event["choices"][0]["text"] for event in seen) == text(whole)


@case("completion: completion_with_openai_library", "completion: completion_stream_with_openai_library")
def completion_by_library():
    reply = client.completions.create(model="any-name", prompt=LIFE, max_tokens=8, temperature=0)
    assert reply.choices[0].finish_reason == "length" and reply.choices[0].text
    stream = client.completions.create(model="any-name", prompt=LIFE, max_tokens=8, temperature=0, stream=True)
    assert "".join(event.choices[0].text for event in stream) == reply.choices[0].text


@case("completion: completion_stream_with_openai_library_stops")
def completion_stops():
    prompt = "System: You help.\nUser:\nCount to three.\nAssistant:\n"
    whole = client.completions.create(model=MODEL, prompt=prompt, max_tokens=80, temperature=0).choices[0].text
    words = whole.split()
    stops = [words[len(words) // 2], "User:\n"]
    cut = min(at for at in (whole.find(stop) for stop in stops) if at >= 0)
    seen = list(
        client.completions.create(model=MODEL, prompt=prompt, max_tokens=80, temperature=0, stop=stops, stream=True)
    )
    assert "".join(event.choices[0].text for event in seen) == whole[:cut]
    assert seen[-1].choices[0].finish_reason == "stop"


@case(
    "completion: consistent_result_same_seed (2 forms)",
    "completion: different_result_different_seed (2 forms)",
    "completion: cache_vs_nocache_prompt",
    "completion: completion_parallel_slots (5 forms)",
    "speculative: multi_requests_parallel (2 forms)",
)
def seeds():
    def ask(seed, temperature=1.0, **more):
        return text(answered(complete(LIFE, seed=seed, temperature=temperature, max_tokens=16, **more)))

    assert len({ask(42, 0) for _ in range(3)}) == 1
    alone = [ask(seed) for seed in range(6)]
    assert len(set(alone)) > 3 and ask(3, cache_prompt=False) == ask(3, cache_prompt=True) == alone[3]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        together = list(pool.map(ask, range(6)))
    assert [bool(answer) for answer in together] == [True] * 6
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(lambda _: ask(1, 0), range(6)))) == 1


@case("completion: nocache_long_input_prompt", "ctx_shift: ctx_shift_disabled_long_prompt")
def long_prompt():
    refused(complete(LIFE * CONTEXT, cache_prompt=False), status=(400,))
    status, body = complete(LIFE * CONTEXT)
    assert status == 400 and body["error"]["type"] == "exceed_context_size_error" and body["error"]["n_ctx"] == CONTEXT


@case("completion: completion_with_tokens_input (alone, several)")
def token_prompts():
    tokens = answered(post("/tokenize", {"content": LIFE, "add_special": True}))["tokens"]
    alone, several = answered(complete(tokens)), answered(complete([tokens, tokens]))
    texts = [choice["text"] for choice in several["choices"]]
    assert texts == [text(alone)] * 2 and text(alone) == text(answered(complete(LIFE)))


@case("completion: completion_with_tokens_input (text and ids mixed)", verdict=REFUSED)
def mixed_prompts():
    refused(complete([[5, 6], "x"]), "prompt", status=(400,))
    refused(complete([1, 2, "x", 3]), "prompt", status=(400,))


@case("completion: completion_response_fields (2 forms)", verdict=REFUSED)
def response_fields():
    return done_or_refused(complete("x", response_fields=["content"]), "response_fields", lambda body: len(body) == 1)


@case("completion: n_probs", "completion: n_probs_stream", "completion: n_probs_post_sampling", verdict=REFUSED)
def n_probs():
    return done_or_refused(complete("x", n_probs=10), "n_probs", lambda body: body["completion_probabilities"])


@case("completion: n_probs by `logprobs`")
def completion_logprobs():
    body = answered(complete(LIFE, max_tokens=5, logprobs=10))
    found = body["choices"][0]["logprobs"]
    assert "".join(found["tokens"]) == text(body) and len(found["tokens"]) == 5
    assert all(value <= 0 for value in found["token_logprobs"])
    assert all(9 <= len(top) <= 11 and max(top.values()) <= 0 for top in found["top_logprobs"])


@case("completion: cancel_request")
def cancel():
    host, port = BASE.split("//")[1].split(":")
    body = json.dumps({"prompt": LIFE, "max_tokens": CONTEXT - 100, "ignore_eos": True}).encode()
    with socket.create_connection((host, int(port))) as plain:
        plain.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        time.sleep(0.3)
    end = time.monotonic() + 3
    while time.monotonic() < end and "martlet_requests_running 0" not in get("/metrics"):
        time.sleep(0.05)
    assert "martlet_requests_running 0" in get("/metrics")


nothing_to_ask(
    "no caller chooses how many tokens are read together",
    "completion: consistent_result_different_batch_size (2 forms)",
)

# ---- test_ctx_shift, test_ignore_eos


@case(
    "ctx_shift: ctx_shift_disabled_short_prompt (2 forms)",
    "ctx_shift: ctx_shift_disabled_stream",
    "speculative: slot_ctx_not_exceeded",
)
def context_end():
    """An answer without a limit ends with the context, and says so."""
    with tempfile.TemporaryDirectory() as folder:
        make_model(f"{folder}/tiny", context=128)
        with serving(model=f"{folder}/tiny") as base:
            for prompt, room in (("Hi", 126), (list(range(65, 85)) * 5, 28)):
                for limit in (12, -1, 4000):
                    body = answered(complete(prompt, base, max_tokens=limit, ignore_eos=True))
                    count = body["usage"]["completion_tokens"]
                    assert body["choices"][0]["finish_reason"] == "length"
                    assert count == 12 if limit == 12 else abs(count - room) <= 1, (prompt, limit, count)
            seen = events("/v1/completions", {"prompt": "Hi", "max_tokens": 4000, "ignore_eos": True}, base)
            assert seen[-1]["choices"][0]["finish_reason"] == "length" and len(seen) > 3


@case("ctx_shift: ctx_shift_enabled", "speculative: with_ctx_shift", verdict=REFUSED)
def context_shift():
    refused(complete(LIFE * CONTEXT), status=(400,))


@case("ignore_eos: ignore_eos_populates_logit_bias", "ignore_eos: ignore_eos_false_no_logit_bias")
def ignore_eos():
    stops = answered(chat(user("Say only: yes"), max_tokens=200))
    assert stops["choices"][0]["finish_reason"] == "stop", stops
    goes_on = answered(chat(user("Say only: yes"), max_tokens=200, ignore_eos=True))
    assert goes_on["choices"][0]["finish_reason"] == "length" and goes_on["usage"]["completion_tokens"] == 200
    assert answered(chat(user("Say only: yes"), max_tokens=200, ignore_eos=False))["choices"] == stops["choices"]


# ---- test_embedding


def embed(given, **more):
    return post("/v1/embeddings", {"input": given, **more})


def norm(vector):
    return sum(value * value for value in vector) ** 0.5


@case("embedding: embedding_single", "embedding: embedding_pooling_mean", "embedding: embedding_openai_library_single")
def embedding():
    data = answered(embed(LIFE))["data"]
    assert len(data) == 1 and abs(norm(data[0]["embedding"]) - 1) < 1e-3
    assert len(client.embeddings.create(model="any-name", input=LIFE).data[0].embedding) == len(data[0]["embedding"])


@case(
    "embedding: embedding_multiple",
    "embedding: embedding_pooling_mean_multiple",
    "embedding: embedding_openai_library_multiple",
    "embedding: embedding_multiple_with_fa",
)
def embeddings():
    given = [LIFE, "A joke about bees.", "a " * 253, "b " * 254, "c " * 255, "d " * 256]
    data = answered(embed(given))["data"]
    assert [item["index"] for item in data] == list(range(6)) and all(
        abs(norm(i["embedding"]) - 1) < 1e-3 for i in data
    )
    assert len(client.embeddings.create(model="any-name", input=given).data) == 6


@case("embedding: embedding_mixed_input (text, ids, lists of one kind)")
def embedding_inputs():
    for given, count in (("string", 1), ([12, 34, 56], 1), (["one", "two"], 2), ([[12, 34], [56, 78, 90]], 2)):
        assert len(answered(embed(given))["data"]) == count, given


@case(
    "embedding: embedding_mixed_input (empty, kinds mixed, objects)",
    "embedding: embedding_content_text_same_as_string",
    verdict=REFUSED,
)
def embedding_mixed():
    for given in (
        "",
        [12, "x", 56],
        ["x", [12, 34]],
        {"prompt_string": "x"},
        {"content": [{"type": "text", "text": "x"}]},
        ["x", {"prompt_string": "y"}],
    ):
        refused(embed(given), "input", status=(400,))


@case("embedding: embedding_invalid_input (4 forms)")
def embedding_invalid():
    for given in ([], None, 5, {"content": "string"}, {"content": [{"type": "input_audio", "input_audio": {}}]}):
        refused(embed(given), "input", status=(400,))


@case("embedding: embedding_error_prompt_too_long")
def embedding_long():
    status, body = embed("This is a test " * CONTEXT)
    assert status == 400 and body["error"]["type"] == "exceed_context_size_error", body


@case(
    "embedding: same_prompt_give_same_result",
    "embedding: embedding_usage_single (2 forms)",
    "embedding: embedding_usage_multiple",
)
def embedding_same():
    body = answered(embed([LIFE] * 5))
    first = body["data"][0]["embedding"]
    assert all(max(abs(a - b) for a, b in zip(first, item["embedding"])) < 1e-5 for item in body["data"])
    count = answered(post("/tokenize", {"content": LIFE, "add_special": True}))["count"]
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"] == 5 * count
    assert answered(embed(LIFE))["usage"]["prompt_tokens"] == count


@case("embedding: embedding_openai_library_base64")
def embedding_base64():
    plain = answered(embed("Packed"))["data"][0]["embedding"]
    packed = base64.b64decode(
        answered(embed("Packed", encoding_format="base64"))["data"][0]["embedding"], validate=True
    )
    assert max(abs(a - b) for a, b in zip(plain, struct.unpack(f"<{len(packed) // 4}f", packed), strict=True)) < 1e-6


nothing_to_ask(
    "an embedding is the mean of the last layer's rows, always",
    "embedding: embedding_pooling_none",
    "embedding: embedding_pooling_none_oai",
)

# ---- test_tokenize, test_template


@case("tokenize: tokenize_detokenize")
def tokenize():
    for given in ("What is the capital of France ?", "媽 🤗  two  spaces\n"):
        tokens = answered(post("/tokenize", {"content": given}))["tokens"]
        assert answered(post("/detokenize", {"tokens": tokens}))["content"] == given


@case("tokenize: tokenize_with_bos")
def tokenize_bos():
    plain = answered(post("/tokenize", {"content": "What"}))["tokens"]
    special = answered(post("/tokenize", {"content": "What", "add_special": True}))["tokens"]
    assert special[-len(plain) :] == plain and len(special) - len(plain) in (0, 1)
    return "where the model has a beginning of text"


@case("tokenize: tokenize_with_pieces")
def tokenize_pieces():
    given = "unicode 媽 and emoji 🤗"
    pieces = answered(post("/tokenize", {"content": given, "with_pieces": True}))["tokens"]
    joined = b"".join(bytes(p["piece"]) if isinstance(p["piece"], list) else p["piece"].encode() for p in pieces)
    assert joined.decode() == given and all(isinstance(piece["id"], int) for piece in pieces)


nothing_to_ask(
    "the model has no way of thinking first", "template: reasoning (27 forms)", "tool_call: thoughts (4 forms)"
)
nothing_to_ask(
    "templates are tested where they are rendered",
    "template: date_inside_prompt (6 forms)",
    "template: system_message_prefix (3 forms)",
)

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


# ---- test_security


@case(
    "security: access_public_endpoint (/health)",
    "security: incorrect_api_key (2 forms)",
    "security: correct_api_key",
    "security: correct_api_key_anthropic_header",
    "security: openai_library_correct_api_key",
    "router: api_key_required",
)
def keys():
    with serving("--api-key", "secret") as base:
        assert request("GET", "/health", base)[0] == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Api-Key": "secre"}):
            status, body = post("/v1/completions", {"prompt": "x", "max_tokens": 1}, headers, base)
            assert status == 401 and body["error"]["type"] == "authentication_error", (headers, body)
        for headers in ({"Authorization": "Bearer secret"}, {"X-Api-Key": "secret"}):
            assert post("/v1/completions", {"prompt": "x", "max_tokens": 1}, headers, base)[0] == 200
        other = openai.OpenAI(base_url=base + "/v1", api_key="secret", max_retries=0)
        assert other.chat.completions.create(model="x", messages=user("x"), max_tokens=2).choices[0].message.content


@case("security: access_public_endpoint (/models)", verdict=REFUSED)
def models_need_a_key():
    with serving("--api-key", "secret") as base:
        status, _, answer = request("GET", "/v1/models", base)
        assert status == 401 and json.loads(answer)["error"]["type"] == "authentication_error"
    return REFUSED


ASKING = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@case("security: cors_options (named origins)")
def named_origins():
    with serving("--cors-origin", "https://web.example.org") as base:
        status, headers, _ = request(
            "OPTIONS", "/v1/completions", base, {"Origin": "https://web.example.org", **ASKING}
        )
        assert status in (200, 204) and headers["Access-Control-Allow-Origin"] == "https://web.example.org", dict(
            headers
        )
        assert "POST" in headers["Access-Control-Allow-Methods"]
        assert headers["Access-Control-Allow-Headers"].lower() in ("*", "authorization")
        reply = request(
            "POST", "/v1/completions", base, {"Origin": "https://web.example.org"}, {"prompt": "x", "max_tokens": 1}
        )
        assert reply[0] == 200 and reply[1]["Access-Control-Allow-Origin"] == "https://web.example.org"


@case("security: cors_options (any origin)", verdict=REFUSED)
def other_origins():
    for origin in ("https://web.example.org", "null", "http://127.0.0.1.example.org", "origin"):
        status, headers, _ = request(
            "POST", "/v1/completions", headers={"Origin": origin}, body={"prompt": "x", "max_tokens": 1}
        )
        assert status == 403 and headers["Access-Control-Allow-Origin"] is None, (origin, status)
    return REFUSED


@case(
    "security: local_media_file (5 forms)",
    "vision_api: vision_chat_completion (10 forms)",
    "vision_api: vision_chat_completion_local_files (7 forms)",
    verdict=REFUSED,
)
def images():
    for url in ("file:///etc/passwd", "data:image/png;base64,AAAA", "https://example.org/x.png"):
        refused(
            chat(
                [
                    {
                        "role": "user",
                        "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}],
                    }
                ]
            ),
            status=(400,),
        )


@case("vision_api: vision_completion (4 forms)", "vision_api: vision_embeddings (4 forms)", verdict=REFUSED)
def image_prompts():
    refused(complete({"prompt_string": "x", "multimodal_data": ["AAAA"]}), "prompt", status=(400,))
    refused(embed({"prompt_string": "x", "multimodal_data": ["AAAA"]}), "input", status=(400,))


# ---- what is elsewhere or nowhere


@case("compat_anthropic: all of /v1/messages", verdict=REFUSED)
def messages_api():
    elsewhere("/v1/messages/count_tokens", body={"messages": user("x")})
    return elsewhere("/v1/messages", "/v1/chat/completions", body={"messages": user("x"), "max_tokens": 5})


@case("compat_oai_responses: all of /v1/responses", verdict=REFUSED)
def responses_api():
    return elsewhere("/v1/responses", "/v1/chat/completions", body={"input": "x"})


@case(
    "infill: infill_without_input_extra",
    "infill: infill_with_input_extra",
    "infill: invalid_input_extra_req (5 forms)",
    "infill: with_qwen_model",
    verdict=REFUSED,
)
def infill():
    refused(complete("x", suffix="y"), "suffix")
    return elsewhere("/infill", body={"input_prefix": "x", "input_suffix": "y"})


@case("rerank: all of /rerank", verdict=REFUSED)
def rerank():
    return elsewhere("/rerank", body={"query": "x", "documents": ["y"]})


@case(
    "lora: lora (2 forms)",
    "lora: lora_per_request",
    "lora: lora_ram_prompt_cache",
    "lora: with_big_model",
    verdict=REFUSED,
)
def adapters():
    refused(complete("x", lora=[{"id": 0, "scale": 0.5}]), "lora")
    return elsewhere("/lora-adapters", body=[{"id": 0, "scale": 1}])


nothing_to_ask(
    "no draft model guesses ahead", "speculative: with_and_without_draft", "speculative: different_draft_min_draft_max"
)
nothing_to_ask(
    "a server has one model from its start to its end",
    "router: all but api_key_required",
    "stream: all, of the router",
    "sleep: all but props",
    "vision_api: *_supports_multimodal_capability ",
)
nothing_to_ask("the server calls no one and runs nothing", "proxy: all", "tools_builtin: all", "mcp_servers: all")
nothing_to_ask("states move between places of their own accord", "kv_keep_only_active: all", "prefill: all")


def main():
    table, broken = [], []
    outcomes = {}
    for name, verdict, test in cases:
        if options.only and options.only not in name:
            continue
        if test not in outcomes:
            started = time.monotonic()
            try:
                outcomes[test] = test()
            except LookupError as missing:
                outcomes[test] = missing
            except Exception as problem:
                outcomes[test] = problem
                traceback.print_exc(limit=3)
            print(f"{time.monotonic() - started:6.1f} s {test.__name__}", flush=True)
        outcome = outcomes[test]
        if isinstance(outcome, Exception):
            broken.append(name)
            table.append((name, "broken", f"{outcome!r}"[:150]))
        else:
            word = outcome if outcome in (KEPT, REFUSED) else verdict
            table.append((name, word, outcome if outcome not in (None, KEPT, REFUSED) else ""))
    table += [(name, NOT_MEANINGFUL, reason) for name, reason in reasons if not options.only]
    for name, verdict, more in sorted(table):
        print(f"{name:74} {verdict:15} {more}")
    count = {
        word: sum(verdict == word for _, verdict, _ in table) for word in (KEPT, REFUSED, NOT_MEANINGFUL, "broken")
    }
    print(f"{len(table)} entries: " + ", ".join(f"{number} {word}" for word, number in count.items()))
    sys.exit(1 if broken else 0)


main()
