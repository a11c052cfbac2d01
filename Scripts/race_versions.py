"""Races two builds of `martlet` in turn: sampling, constrained answers, tokenizers, loading.

    python Scripts/race_versions.py OLD/martlet NEW/martlet MODEL.gguf --pairs 11

Prints medians and the ratio new / old of rates pair by pair (above 1: the new build is faster). Loopback only.
"""
import argparse, json, statistics, subprocess, tempfile, time, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("old")
parser.add_argument("new")
parser.add_argument("model")
parser.add_argument("--pairs", type=int, default=11)
parser.add_argument("--port", type=int, default=8340)
a = parser.parse_args()

SCHEMA = {"type": "object", "additionalProperties": False, "required": ["name", "age", "tags"],
          "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 1, "maximum": 120},
                         "tags": {"type": "array", "items": {"type": "string", "maxLength": 10}, "minItems": 8, "maxItems": 8}}}


def generate(*options):
    def rate(binary, _):
        out = subprocess.run([binary, "generate", a.model, "Once upon a time", "--max-tokens", "200", "--json",
                              "--seed", "1", *options], capture_output=True, text=True, check=True).stdout
        return json.loads(out)["tokens_per_second"]
    return rate


def constrained(_, port):
    body = {"messages": [{"role": "user", "content": "Describe a person."}], "temperature": 0.7, "seed": 3, "max_tokens": 200,
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    tokens, start = 0, time.perf_counter()
    for _ in range(4):
        with urllib.request.urlopen(request) as reply:
            tokens += json.load(reply)["usage"]["completion_tokens"]
    return tokens / (time.perf_counter() - start)


def tokenize(binary, _):
    start = time.perf_counter()
    subprocess.run([binary, "tokenize", "--tokenizer", a.model, "--stdin", "--json"], stdin=open(text.name), check=True,
                   stdout=subprocess.DEVNULL)
    return 2 / (time.perf_counter() - start)


text = tempfile.NamedTemporaryFile("w", suffix=".txt")
words = "The quick brown fox jumps over the lazy dog; 12 of 345 numbers, naïve café, 你好 — and so on.\n"
text.write(words * (2_000_000 // len(words.encode())))
text.flush()
servers = {}
for place, binary in enumerate((a.old, a.new)):
    servers[binary] = (subprocess.Popen([binary, "serve", a.model, "--port", str(a.port + place), "--no-edits",
                                         "--log-level", "error"], stderr=subprocess.DEVNULL), a.port + place)
try:
    for _, port in servers.values():
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health").read()
                break
            except OSError:
                time.sleep(0.1)
    for name, rate in [("decode, greedy, tokens/s", generate()), ("decode, temperature 0.8, top-p 0.9", generate(
            "--temperature", "0.8", "--top-p", "0.9")), ("with penalties", generate(
                "--temperature", "0.8", "--repetition-penalty", "1.1")), ("JSON schema, served", constrained),
            ("tokenizer, MB/s as a whole process", tokenize)]:
        rates = {binary: [] for binary in servers}
        for pair in range(a.pairs + 1):
            for binary, (_, port) in servers.items():
                value = rate(binary, port)
                if pair:
                    rates[binary].append(value)
        ratios = [new / old for old, new in zip(rates[a.old], rates[a.new])]
        print(f"{name:40} old {statistics.median(rates[a.old]):8.1f}  new {statistics.median(rates[a.new]):8.1f}  "
              f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})", flush=True)
finally:
    for process, _ in servers.values():
        process.terminate()
