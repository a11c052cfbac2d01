"""Sends damaged requests to a running `martlet serve` and checks that every one gets a proper answer.

    python Scripts/fuzz_server.py http://127.0.0.1:8080 --requests 50000

JSON with fields of wrong types and ranges, cut and flipped bytes, invalid UTF-8, odd paths, methods and headers. An
answer must be an HTTP status, with a JSON error object from 400 on, and never 500; the server must be well at the end.
Bounded in requests and time; loopback only. Standard library only.
"""
import argparse, asyncio, json, random, sys, urllib.parse, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--requests", type=int, default=50_000)
parser.add_argument("--connections", type=int, default=8)
parser.add_argument("--seed", type=int, default=1)
a = parser.parse_args()
url = urllib.parse.urlparse(a.base)
assert url.hostname in ("127.0.0.1", "localhost", "::1"), "only this machine is fuzzed"

FIELDS = ["model", "messages", "temperature", "top_p", "top_k", "min_p", "n", "stop", "stream", "stream_options", "seed",
          "logprobs", "top_logprobs", "logit_bias", "max_tokens", "max_completion_tokens", "response_format", "tools",
          "tool_choice", "parallel_tool_calls", "martlet", "presence_penalty", "frequency_penalty", "user", "prompt",
          "echo", "suffix", "best_of", "input", "encoding_format", "dimensions", "content", "tokens", "ignore_eos"]
VALUES = [None, True, False, 0, 1, -1, 3, 0.5, -0.5, 1e300, 2**63, -2**63, 10**30, "", "x", "\u0000", "é中👍", "base64", "none",
          [], [1, 2], ["a", "b"], [[1], [2]], [None], {}, {"a": 1}, {"5": 100}, {"type": "json_object"},
          {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "integer"}}},
          {"type": "json_schema", "json_schema": {"name": "x", "schema": {"anyOf": [{"$ref": "#"}]}}},
          {"type": "json_schema", "json_schema": {"schema": {"type": "array", "minItems": 1999}}},
          {"include_usage": True}, {"skeleton": "on"}, {"skeleton": "auto", "events": 5},
          [{"role": "user", "content": "x"}], [{"role": "tool", "content": "x"}], [{"role": "assistant", "content": "x"}],
          [{"role": "user", "content": [{"type": "text", "text": "x"}]}], [{"role": "user"}], [[]],
          [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
          [{"type": "function", "function": {"name": "f", "parameters": {"type": "wrong"}}}], "a" * 5000,
          ["s"] * 40, {str(i): i for i in range(50)}]
PATHS = ["/v1/chat/completions"] * 6 + ["/v1/completions"] * 4 + ["/v1/embeddings", "/tokenize", "/detokenize"] * 2 + [
    "/v1/models", "/v1/models/x%20y", "/health", "/metrics", "/", "/nothing", "/..%2f..%2fetc/passwd", "/v1//x", "/%ff"]

BODIES = {"/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1},
          "/v1/completions": {"prompt": "x", "max_tokens": 1}, "/v1/embeddings": {"input": "x"},
          "/tokenize": {"content": "x"}, "/detokenize": {"tokens": [1]}}


def make(rng):
    path = rng.choice(PATHS)
    body = dict(BODIES.get(path, {}))
    for _ in range(rng.randint(0, 4)):
        body[rng.choice(FIELDS)] = rng.choice(VALUES)
    if "completions" in path:  # an answer without any limit goes on to the context's end
        body.setdefault("max_completion_tokens", 4)
    data = bytearray(json.dumps(body).encode())
    kind = rng.random()
    if kind < 0.15:
        del data[rng.randrange(len(data)):]
    elif kind < 0.35:
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind < 0.38:
        data = bytearray(rng.randbytes(rng.randint(0, 200)))
    elif kind < 0.40:
        data = bytearray(b"[" * rng.randint(1, 3000))
    method = rng.choice(["POST"] * 12 + ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
    headers = f"Host: localhost\r\nContent-Length: {len(data)}\r\n"
    if rng.random() < 0.8:
        headers += "Content-Type: application/json\r\n"
    if rng.random() < 0.1:
        headers += rng.choice(["Content-Type: text/xml", "Origin: null", "Authorization: Bearer", "X-Api-Key: \t",
                               "Accept-Encoding: gzip", "Expect: nothing", "Cookie: " + "c" * 3000]) + "\r\n"
    return method, path, f"{method} {path} HTTP/1.1\r\n{headers}\r\n".encode() + bytes(data)


async def answer(reader, method):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    status = int(head.split()[1])
    lower = head.lower()
    body = b""
    if method != "HEAD":
        if "transfer-encoding: chunked" in lower:
            while True:
                size = int(await reader.readline(), 16)
                body += await reader.readexactly(size)
                await reader.readexactly(2)
                if size == 0:
                    break
        elif "content-length:" in lower:
            body = await reader.readexactly(int(lower.split("content-length:")[1].split()[0]))
    return status, body, "connection: close" in lower


async def main():
    counts, wrong = {}, []
    left = [a.requests]

    async def client(number):
        rng = random.Random(a.seed * 1000 + number)
        reader = writer = None
        while left[0] > 0:
            left[0] -= 1
            method, path, data = make(rng)
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(url.hostname, url.port)
                writer.write(data)
                status, body, closes = await asyncio.wait_for(answer(reader, method), 120)
            except (ConnectionError, asyncio.IncompleteReadError) as problem:
                # A connection may be closed after an answer to what was no HTTP; not otherwise.
                counts["closed"] = counts.get("closed", 0) + 1
                if counts["closed"] > a.requests // 100:
                    wrong.append(("closed", repr(problem), data[:300]))
                writer = None
                continue
            except asyncio.TimeoutError:
                wrong.append(("timeout", "", data[:300]))
                writer = None
                continue
            counts[status] = counts.get(status, 0) + 1
            if status >= 500 and status not in (501, 503):
                wrong.append((status, body[:300], data[:600]))
            if status >= 400 and method != "HEAD" and body:
                try:
                    assert json.loads(body)["error"]["message"]
                except Exception:
                    wrong.append((status, body[:300], data[:300]))
            if closes:
                writer.close()
                writer = None

    await asyncio.gather(*(client(n) for n in range(a.connections)))
    print({str(k): counts[k] for k in sorted(counts, key=str)})
    for item in wrong[:10]:
        print("WRONG", item)
    well = urllib.request.urlopen(a.base + "/health").status == 200
    print(f"{a.requests} requests, {len(wrong)} wrong, well at the end: {well}")
    sys.exit(1 if wrong or not well else 0)


asyncio.run(main())
