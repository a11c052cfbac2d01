"""llama.cpp's cases of completions, embeddings and tokens."""

import base64, concurrent.futures, json, socket, struct, time

from peer_requests import (
    CONTEXT,
    LIFE,
    MODEL,
    answered,
    chat,
    client,
    complete,
    done_or_refused,
    elsewhere,
    embed,
    events,
    refused,
    serving,
    text,
    tiny_model,
)
from peer_table import REFUSED, case, nothing_to_ask
from suite import BASE, get, post, user

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
    with tiny_model(context=128) as model:
        with serving(model=model) as base:
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
