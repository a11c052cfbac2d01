"""Throughput of `martlet serve` beside llama.cpp's server (PyPI llama-cpp-python[server]) on the same GGUF file.

    python Scripts/race_server.py MODEL.gguf --peer-python v/bin/python [--clients 1,4,16] [--rounds 3]

The servers take turns; each client asks one question after another (greedy, 64 tokens, end tokens ignored where that can
be asked for). Prints median generated tokens a second. Standard library only on this side.
"""
import argparse, json, os, statistics, subprocess, sys, threading, time, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--peer-python", required=True)
parser.add_argument("--clients", default="1,4,16")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=float, default=8)
parser.add_argument("--threads", default="2")
a = parser.parse_args()
martlet = os.environ.get("MARTLET", ".build/release/martlet")
servers = {
    "martlet": (8095, [martlet, "serve", a.model, "--port", "8095", "--threads", a.threads, "--log-level", "error"]),
    "llama.cpp": (8096, [a.peer_python, "-m", "llama_cpp.server", "--model", a.model, "--port", "8096", "--n_threads",
                         a.threads, "--n_threads_batch", a.threads, "--n_ctx", "4096", "--verbose", "False"]),
}
counts = [int(c) for c in a.clients.split(",")]


def run(port, clients):
    end = time.monotonic() + a.seconds
    tokens, latency = [], []

    def client(number):
        turn = 0
        while time.monotonic() < end:
            turn += 1
            body = {"messages": [{"role": "user", "content": f"Tell me story number {number} about river {turn}."}],
                    "max_tokens": 64, "temperature": 0}
            request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(),
                                             {"Content-Type": "application/json"})
            started = time.monotonic()
            reply = json.load(urllib.request.urlopen(request))
            latency.append(time.monotonic() - started)
            tokens.append(reply["usage"]["completion_tokens"])

    started = time.monotonic()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    [t.start() for t in threads], [t.join() for t in threads]
    return sum(tokens) / (time.monotonic() - started), statistics.median(latency)


rates = {(name, c): [] for name in servers for c in counts}
for _ in range(a.rounds):
    for name, (port, command) in servers.items():
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models")
                    break
                except OSError:
                    time.sleep(0.1)
            run(port, 1)
            for c in counts:
                rates[name, c].append(run(port, c))
        finally:
            process.terminate()
            process.wait()
for c in counts:
    ours, peer = (statistics.median(r[0] for r in rates[n, c]) for n in ("martlet", "llama.cpp"))
    wait = [statistics.median(r[1] for r in rates[n, c]) for n in ("martlet", "llama.cpp")]
    print(f"{c:3d} clients: Martlet {ours:7.1f} tokens/s, llama.cpp server {peer:7.1f}, ratio {ours / peer:.2f}; "
          f"median answer {wait[0]:.2f} s, {wait[1]:.2f} s")
