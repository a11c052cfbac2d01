"""Sends combinations of valid request fields to a running `martlet serve` and checks what comes back.

    python Scripts/fuzz_combinations.py http://127.0.0.1:8080 --requests 50000

Sampling settings, penalties, biases, schemas, tools, forms, stops, several choices, log-probabilities, streams and
clients that leave. Every answer must come within seconds, be 200 or say why not (400, 429 or 501), and be well-formed:
JSON where JSON was asked for and the answer ended itself, arguments that are objects, tokens that join to the text.
Loopback only. Uses PyPI's jsonschema where it is there. `--stats` prints which statuses came for what.
"""
import argparse, asyncio, collections, json, random, sys, time, urllib.parse, urllib.request

try:
    import jsonschema
except ImportError:
    jsonschema = None

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--requests", type=int, default=50_000)
parser.add_argument("--connections", type=int, default=12)
parser.add_argument("--seconds", type=float, default=5, help="longest wait for any answer")
parser.add_argument("--vocabulary", type=int, default=256, help="ids that biases may name")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--stats", action="store_true")
a = parser.parse_args()
url = urllib.parse.urlparse(a.base)
assert url.hostname in ("127.0.0.1", "localhost", "::1"), "only this machine is fuzzed"

SCHEMAS = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 99}}, "required": ["a"],
     "additionalProperties": False},
    {"type": "object", "properties": {"s": {"type": "string", "maxLength": 4}, "b": {"type": "boolean"}},
     "required": ["s", "b"], "additionalProperties": False},
    {"type": "array", "items": {"enum": ["x", "yy", 3, None]}, "maxItems": 4}, {"type": "string", "pattern": "^[a-c]{2,5}$"},
    {"enum": ["red", "blue", 5]}, {"type": ["integer", "null"]}, {"type": "number", "minimum": -3, "maximum": 3},
    {"anyOf": [{"type": "boolean"}, {"type": "string", "maxLength": 2}]}, {"type": "string", "format": "date"}, {},
    {"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}},
                                          "additionalProperties": False}}},
    {"type": "object", "patternProperties": {"^a": {"type": "integer"}}}, {"type": "object", "not": {"required": ["a"]}},
]
NUMBERS = {"temperature": [0, 1e-40, 0.01, 0.1, 0.7, 1, 2], "top_p": [0, 1e-6, 0.1, 0.9, 1], "top_k": [-1, 0, 1, 5, 1000],
           "min_p": [0, 0.05, 0.9, 1], "typical_p": [1e-6, 0.3, 1], "repetition_penalty": [0.01, 0.5, 1, 1.1, 100],
           "presence_penalty": [-2, 0, 1, 2], "frequency_penalty": [-2, 0, 0.5, 2], "penalty_decay": [0, 0.99, 1],
           "min_tokens": [0, 1, 5], "seed": [0, -1, 2**63 - 1, 7]}


def combination(rng):
    """(path, body, what to expect)"""
    chat = rng.random() < 0.7
    body = {"max_tokens": rng.choice([0, 1, 2, 8, 20, 40])}
    if chat:
        body["messages"] = [{"role": "user", "content": rng.choice(["x", "Tell me.", "é 漢字 👩‍👩‍👧", ""])}]
        if rng.random() < 0.3:
            body["messages"].insert(0, {"role": rng.choice(["system", "developer"]), "content": "Be brief."})
        if rng.random() < 0.1:
            body["messages"].append({"role": "assistant", "content": "So", "tool_calls": None})
    else:
        body["prompt"] = rng.choice(["x", "ROMEO:", [65], [[65, 66], [67]], ["a", "b"]])
        if rng.random() < 0.3:
            body["echo"] = True
    for name, values in NUMBERS.items():
        if rng.random() < 0.3:
            body[name] = rng.choice(values)
    if rng.random() < 0.4:
        ids = rng.sample(range(a.vocabulary), rng.choice([1, 3, 40, a.vocabulary]) if a.vocabulary <= 1000 else 5)
        body["logit_bias"] = {str(i): rng.choice([-100, -5, 0, 3, 8, 100]) for i in ids}
    if rng.random() < 0.2:
        body["n"] = rng.randint(1, 4)
    if rng.random() < 0.2:
        body["stop"] = rng.choice(["e", ["a", "\n\n"], ["é"], "\"", []])
    if rng.random() < 0.1:
        body["stop_token_ids"] = [rng.randrange(a.vocabulary)]
    if rng.random() < 0.1:
        body["ignore_eos"] = True
    if rng.random() < 0.3:
        if chat:
            body["logprobs"] = True
            body["top_logprobs"] = rng.choice([0, 1, 5, 20])
        else:
            body["logprobs"] = rng.choice([0, 1, 5])
    schema = None
    if rng.random() < 0.45:
        schema = rng.choice(SCHEMAS)
        way = rng.randrange(6)
        if way == 0:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        elif way == 1:
            body["json_schema"] = schema
        elif way == 2:
            body["guided_json"] = json.dumps(schema)
        elif way == 3:
            body["structured_outputs"] = {"json": schema}
        elif way == 4:
            schema = {"type": "object"}
            body["response_format"] = {"type": "json_object"}
        else:
            schema = None
            body["guided_choice"] = ["yes", "no", "é"]
    if chat and rng.random() < 0.3:
        names = rng.sample(["f", "g", "long_name-2"], rng.randint(1, 3))
        body["tools"] = [{"type": "function", "function": {"name": n, "parameters": rng.choice(SCHEMAS + [None])}} for n in names]
        body["tool_choice"] = rng.choice(["auto", "required", "none", {"type": "function", "function": {"name": names[0]}}])
        if rng.random() < 0.3:
            body["parallel_tool_calls"] = rng.random() < 0.5
    if rng.random() < 0.35:
        body["stream"] = True
        if rng.random() < 0.5:
            body["stream_options"] = {"include_usage": True}
    return "/v1/chat/completions" if chat else "/v1/completions", body, schema


def check(body, schema, choices, has_usage):
    """Raises where an answer is not what was asked for. `choices`: index -> (text, calls, reason, logprob texts)."""
    prompts = body.get("prompt")
    count = len(prompts) if isinstance(prompts, list) and not isinstance(prompts[0], int) else 1
    assert sorted(choices) == list(range(body.get("n", 1) * count)), "choices"
    assert has_usage, "usage"
    for text, calls, reason, tokens in choices.values():
        assert reason in ("stop", "length", "tool_calls"), reason
        assert (reason == "tool_calls") <= bool(calls), "calls"
        if reason == "tool_calls" and not body.get("stop"):
            for name, arguments in calls:
                assert isinstance(json.loads(arguments), dict) and name, arguments
        cut = body.get("stop") or body.get("stop_token_ids") or body.get("echo")
        begun = "messages" in body and body["messages"][-1]["role"] == "assistant"
        if reason == "stop" and not cut and not begun and not calls:
            if schema is not None:
                value = json.loads(text)
                if jsonschema:
                    jsonschema.validate(value, schema)
            elif "guided_choice" in body:
                assert text in body["guided_choice"], text
        if tokens is not None and not calls and "\ufffd" not in text and not any("bytes:" in t for t in tokens):
            assert "".join(tokens) == text, ("logprobs", tokens, text)


def collect(chat, events):
    choices, has_usage = {}, False
    for event in events:
        assert "error" not in event, event
        has_usage = has_usage or bool(event.get("usage"))
        for choice in event["choices"]:
            entry = choices.setdefault(choice["index"], ["", [], None, None])
            part = choice.get("message") or choice.get("delta") or {}
            entry[0] += (part.get("content") or "") if chat else choice["text"]
            for call in part.get("tool_calls") or []:
                index = call.get("index", len(entry[1]))
                if index == len(entry[1]):
                    entry[1].append([call["function"]["name"], ""])
                entry[1][index][1] += call["function"].get("arguments") or ""
            entry[2] = choice["finish_reason"] or entry[2]
            told = choice.get("logprobs")
            if told:
                texts = [t["token"] for t in told["content"]] if chat else told["tokens"]
                entry[3] = (entry[3] or []) + texts
    return choices, has_usage


async def ask(path, body, leaves):
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        if leaves:
            await asyncio.sleep(leaves)
            return None
        raw = await reader.read()
    finally:
        writer.close()
    head, _, rest = raw.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    if b"chunked" in head.lower():
        text, rest = rest, b""
        while True:
            size, _, text = text.partition(b"\r\n")
            if int(size, 16) == 0:
                break
            rest, text = rest + text[:int(size, 16)], text[int(size, 16) + 2:]
    return status, rest.decode()


async def main():
    counts, wrong, left, slowest = collections.Counter(), [], [a.requests], 0.0

    async def client(number):
        nonlocal slowest
        rng = random.Random(a.seed * 1000 + number)
        while left[0] > 0 and len(wrong) < 20:
            left[0] -= 1
            path, body, schema = combination(rng)
            leaves = rng.random() * 0.02 if rng.random() < 0.05 else 0
            started = time.monotonic()
            try:
                reply = await asyncio.wait_for(ask(path, body, leaves), a.seconds)
                slowest = max(slowest, time.monotonic() - started)
                if reply is None:
                    counts["left"] += 1
                    continue
                status, text = reply
                counts[status] += 1
                assert status in (200, 400, 429, 501), status
                if status != 200:
                    message = json.loads(text)["error"]["message"]
                    if a.stats:
                        counts[message[:70]] += 1
                elif body.get("stream"):
                    assert text.endswith("data: [DONE]\n\n"), text[-300:]
                    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
                    choices, usage = collect("messages" in body, events)
                    check(body, schema, choices, usage or not body.get("stream_options"))
                else:
                    check(body, schema, *collect("messages" in body, [json.loads(text)]))
            except Exception as problem:
                wrong.append((repr(problem)[:500], path, json.dumps(body), repr(locals().get("text"))[:700]))

    await asyncio.gather(*(client(n) for n in range(a.connections)))
    for key, value in counts.most_common():
        print(value, key)
    for item in wrong[:10]:
        print("WRONG", *item, sep="\n  ")
    well = urllib.request.urlopen(a.base + "/health").status == 200
    print(f"{sum(v for k, v in counts.items() if not isinstance(k, str) or k == 'left')} requests, {len(wrong)} wrong, "
          f"slowest {slowest:.2f} s, well at the end: {well}")
    sys.exit(1 if wrong or not well else 0)


asyncio.run(main())
