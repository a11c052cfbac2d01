"""Throughput of `martlet serve` beside a server of llama.cpp on the same GGUF file.

    python Scripts/race_server.py MODEL.gguf --llama-server PATH [--clients 1,4,16] [--rounds 3]
    python Scripts/race_server.py MODEL.gguf --peer-python v/bin/python [--peer llama-server] [--clients 1,4,16] [--rounds 3]

The peer is llama.cpp's own C++ server, built for this processor (`--llama-server`) or as PyPI's `xllamacpp` has it (`--peer llama-server`; its
wheel is built for AVX2, so `MARTLET_SIMD=avx2` races the same level), or the Python server of `llama-cpp-python` (`--peer llama-cpp-python`),
which answers one request at a time.
The servers take turns; each client asks one question after another (greedy, 64 tokens). Prints median generated tokens a second, prompts
and HTTP included, and what one client gets of `martlet bench`'s decoding in the same round. Standard library only on this side.
"""
import argparse, json, os, statistics, subprocess, sys, threading, time, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--llama-server", metavar="PATH")
parser.add_argument("--peer-python")
parser.add_argument("--peer", choices=["llama-server", "llama-cpp-python"], default="llama-server")
parser.add_argument("--clients", default="1,4,16")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=float, default=8)
parser.add_argument("--threads", default="2")
a = parser.parse_args()
if not a.llama_server and not a.peer_python:
    parser.error("name a peer: --llama-server PATH, or --peer-python with an interpreter that has one")
counts = [int(c) for c in a.clients.split(",")]
# As many slots as clients, as many tokens in each as an answer needs; the cache of prompts in memory stays as the server sets it.
LLAMA_SERVER = """
import sys, time, xllamacpp
options = xllamacpp.CommonParams()
options.model.path, options.port, options.n_parallel = sys.argv[1], int(sys.argv[2]), int(sys.argv[4])
options.cpuparams.n_threads = options.cpuparams_batch.n_threads = int(sys.argv[3])
options.n_ctx = 512 * options.n_parallel
server = xllamacpp.Server(options)
while True:
    time.sleep(60)
"""
martlet = os.environ.get("MARTLET", ".build/release/martlet")
servers = {
    "martlet": (8095, [martlet, "serve", a.model, "--port", "8095", "--threads", a.threads, "--log-level", "error"]),
    "llama.cpp": (8096, [a.llama_server, "-m", a.model, "--port", "8096", "-t", a.threads, "-tb", a.threads, "-np", str(max(counts)),
                         "-c", str(512 * max(counts))]
                  if a.llama_server else
                  [a.peer_python, "-c", LLAMA_SERVER, a.model, "8096", a.threads, str(max(counts))]
                  if a.peer == "llama-server" else
                  [a.peer_python, "-m", "llama_cpp.server", "--model", a.model, "--port", "8096", "--n_threads",
                   a.threads, "--n_threads_batch", a.threads, "--n_ctx", "4096", "--verbose", "False"]),
}


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
alone = []
for _ in range(a.rounds):
    found = json.loads(subprocess.run([martlet, "bench", a.model, "--threads", a.threads, "--prefill", "0", "--repeats", "1", "--json"], check=True,
                                      capture_output=True, text=True).stdout)
    alone.append(found["results"][0]["tokens_per_second"])
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
if 1 in counts:
    print(f"one client gets {statistics.median(r[0] / d for r, d in zip(rates['martlet', 1], alone)):.0%} of decoding alone ({found['simd']})")
