"""Races Martlet and the `rwkv` package (torch) on one RWKV-5 .pth, in turn, several times; prints medians.

    python Scripts/race_rwkv.py MODEL.pth --threads 2 [--rounds 3]
"""
import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import time

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--martlet", default=".build/release/martlet")
a = parser.parse_args()
os.environ["RWKV_JIT_ON"] = "1"
import torch

torch.set_num_threads(a.threads)
from rwkv.model import RWKV

with contextlib.redirect_stdout(io.StringIO()):
    peers = {s: RWKV(model=a.model, strategy=s) for s in ["cpu bf16", "cpu fp32"]}


def peer(model):
    prompt = [(i * 7919 + 11) % 65536 for i in range(256)]
    model.forward(prompt[:32], None)
    start = time.perf_counter()
    _, state = model.forward(prompt, None)
    prefill = 256 / (time.perf_counter() - start)
    start = time.perf_counter()
    for token in prompt[:16]:
        _, state = model.forward([token], state)
    return prefill, 16 / (time.perf_counter() - start)


def martlet(form):
    out = subprocess.run(
        [a.martlet, "bench", a.model, "--format", form, "--threads", str(a.threads), "--prefill", "256", "--decode", "32",
         "--repeats", "1", "--json"], check=True, capture_output=True, text=True).stdout
    data = json.loads(out)
    prefill, decode = data["results"]
    return prefill["tokens_per_second"], decode["tokens_per_second"], decode["bandwidth_share"]


results = {}
for _ in range(a.rounds):
    for name, model in peers.items():
        results.setdefault("rwkv package " + name, []).append(peer(model))
    for form in ["f32", "bf16", "q8_0", "q4_0"]:
        results.setdefault("Martlet " + form, []).append(martlet(form))
print(f"{a.threads} threads")
for name, rows in results.items():
    values = [statistics.median(r[i] for r in rows) for i in range(len(rows[0]))]
    share = f"  {values[2] * 100:3.0f} % of bandwidth" if len(values) > 2 else ""
    print(f"  {name:24s} prefill {values[0]:7.1f} tokens/s  decode {values[1]:6.1f} tokens/s{share}")
