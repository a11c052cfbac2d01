"""Loads a running `martlet serve` and checks every answer.

    python Scripts/load_server.py http://127.0.0.1:8080 --clients 64 --seconds 120 [--key KEY]

Every prompt is first answered alone; then clients ask the same prompts together, streaming or not, and some leave in
the middle. Each whole answer must equal the one given alone (greedy), each broken one be a beginning of it. 429 is a
fair answer. Resident memory is read from /metrics. Bounded in time and requests; loopback only. Standard library only.
"""
import argparse, asyncio, json, random, sys, time, urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("--clients", type=int, default=64)
parser.add_argument("--seconds", type=float, default=120)
parser.add_argument("--prompts", type=int, default=32)
parser.add_argument("--leave", type=float, default=0.15, help="share of clients' requests that are broken off")
parser.add_argument("--max-tokens", type=int, default=48)
parser.add_argument("--seed", type=int, default=1)
a = parser.parse_args()
url = urllib.parse.urlparse(a.base)
assert url.hostname in ("127.0.0.1", "localhost", "::1"), "only this machine is loaded"

topics = ["time", "rivers", "bread", "the moon", "trains", "gardens", "music", "winter", "maps", "glass", "bees", "salt",
          "clocks", "bridges", "paper", "wind"]
forms = ["Tell me about {}.", "Why does {} matter?", "Write one line on {}.", "What is {}? 中文也可以。"]
prompts = [forms[i % 4].format(topics[i % 16]) + f" ({i})" for i in range(a.prompts)]


async def call(body, leave_after=None):
    """(status, text, whole)"""
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split()[1])
        text, seen, done = "", 0, False
        if not body.get("stream") or status != 200:
            raw = await reader.read(-1)
            if status != 200:
                return status, "", True
            return status, json.loads(raw)["choices"][0]["message"]["content"], True
        while True:
            line = await reader.readline()
            if not line:
                break
            if not line.startswith(b"data: "):
                continue
            if line.strip() == b"data: [DONE]":
                done = True
                break
            event = json.loads(line[6:])
            if "error" in event:
                return 599, json.dumps(event), True
            for choice in event["choices"]:
                text += choice["delta"].get("content") or ""
            seen += 1
            if leave_after and seen >= leave_after:
                return status, text, False
        return status, text, done
    finally:
        writer.close()


def body(prompt, stream):
    return {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": a.max_tokens,
            "stream": stream}


async def memory():
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    text = (await reader.read(-1)).decode()
    writer.close()
    value = lambda name: next((float(l.split()[1]) for l in text.splitlines() if l.startswith(name + " ")), 0)
    return value("process_resident_memory_bytes") / 1e6, value("martlet_generated_tokens_total"), value(
        "martlet_requests_running")


async def main():
    alone = {}
    for prompt in prompts:
        status, text, whole = await call(body(prompt, False))
        assert status == 200 and whole, (status, text)
        alone[prompt] = text
    print(f"{len(prompts)} prompts answered alone")
    counts = dict(whole=0, left=0, busy=0, wrong=0, lost=0)
    end = time.monotonic() + a.seconds

    async def client(number):
        rng = random.Random(a.seed * 1000 + number)
        while time.monotonic() < end:
            prompt = rng.choice(prompts)
            stream = rng.random() < 0.6
            leave = rng.randint(1, 20) if stream and rng.random() < a.leave else None
            try:
                status, text, whole = await asyncio.wait_for(call(body(prompt, stream), leave), 120)
            except Exception as problem:
                counts["lost"] += 1
                print("lost:", repr(problem)[:200])
                continue
            if status == 429:
                counts["busy"] += 1
                await asyncio.sleep(0.5)
            elif status != 200:
                counts["wrong"] += 1
                print("status", status, text[:200])
            elif leave:
                counts["left"] += 1
                if not alone[prompt].startswith(text):
                    counts["wrong"] += 1
            elif not whole or text != alone[prompt]:
                counts["wrong"] += 1
                print("differs:", repr(text)[:150], "alone:", repr(alone[prompt])[:150])
            else:
                counts["whole"] += 1

    async def watch():
        samples = []
        while time.monotonic() < end:
            samples.append((await memory())[0])
            await asyncio.sleep(max(1, a.seconds / 12))
        return samples

    before = (await memory())[1]
    started = time.monotonic()
    results = await asyncio.gather(watch(), *(client(n) for n in range(a.clients)))
    seconds = time.monotonic() - started
    await asyncio.sleep(2)
    resident, tokens, running = await memory()
    print("resident MB:", " ".join(f"{s:.0f}" for s in results[0]), f"-> {resident:.0f}")
    print(f"{counts}, {(tokens - before) / seconds:.0f} tokens/s, {counts['whole'] / seconds:.1f} answers/s, "
          f"still running: {running:.0f}")
    sys.exit(1 if counts["wrong"] or counts["lost"] or running else 0)


asyncio.run(main())
