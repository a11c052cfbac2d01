"""Writes a random RWKV-5 checkpoint in BlinkDL's .pth layout, for tests and for speed at real shapes.

    python make_rwkv5.py OUT.pth --version 5.2 --layers 24 --width 1024 --vocabulary 65536 --dtype bfloat16
"""
import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--version", choices=["5.0", "5.1", "5.2"], default="5.2")
parser.add_argument("--layers", type=int, default=24)
parser.add_argument("--width", type=int, default=1024)
parser.add_argument("--head-size", type=int, default=64)
parser.add_argument("--vocabulary", type=int, default=65536)
parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="bfloat16")
parser.add_argument("--seed", type=int, default=0)
a = parser.parse_args()

torch.manual_seed(a.seed)
C, H, N = a.width, a.width // a.head_size, a.head_size
ffn = int(3.5 * C) // 32 * 32
kind = getattr(torch, a.dtype)
w = {}


def put(name, tensor):
    w[name] = tensor.to(kind)


def matrix(name, rows, columns):
    put(name + ".weight", torch.randn(rows, columns) / columns**0.5)


def norm(name, size):
    put(name + ".weight", 1 + 0.1 * torch.randn(size))
    put(name + ".bias", 0.1 * torch.randn(size))


put("emb.weight", torch.randn(a.vocabulary, C) * 0.5)
norm("blocks.0.ln0", C)
for i in range(a.layers):
    b = f"blocks.{i}."
    norm(b + "ln1", C)
    norm(b + "ln2", C)
    gated = a.version != "5.0"
    for m in "kvrg" if gated else "kvr":
        put(b + f"att.time_mix_{m}", torch.rand(1, 1, C))
    shape = (H, N) if a.version == "5.2" else (H,)
    put(b + "att.time_decay", torch.rand(*shape) * 6 - 5)
    put(b + ("att.time_faaaa" if gated else "att.time_first"), torch.randn(*shape) * 0.3)
    for n in ["receptance", "key", "value", "output"] + (["gate"] if gated else []):
        matrix(b + "att." + n, C, C)
    norm(b + "att.ln_x", C)
    for m in "kr":
        put(b + f"ffn.time_mix_{m}", torch.rand(1, 1, C))
    matrix(b + "ffn.key", ffn, C)
    matrix(b + "ffn.receptance", C, C)
    matrix(b + "ffn.value", C, ffn)
norm("ln_out", C)
matrix("head", a.vocabulary, C)
torch.save(w, a.out)
print(a.out, sum(t.numel() for t in w.values()), "parameters")
