"""RWKV-5 (5.0, 5.1, 5.2) in float64, straight from the formulas: the judge of both Martlet and its peers.

    python rwkv5_reference.py MODEL.pth --tokens 1,2,3 --out logits.f64 [--state-out state.f64] [--epsilon 64e-5]

The embedding is layer-normed in the table's own type first, as BlinkDL's code does at load.
"""
import argparse

import torch
import torch.nn.functional as F


def run(path, tokens, epsilon=64e-5, fold=True):
    w = torch.load(path, map_location="cpu", weights_only=True)
    width = w["emb.weight"].shape[1]
    emb = w["emb.weight"]
    norm = lambda x, n: F.layer_norm(x, (width,), w[n + ".weight"].to(x.dtype), w[n + ".bias"].to(x.dtype))
    if fold:
        emb = norm(emb, "blocks.0.ln0").double()
    else:
        emb = norm(emb.double(), "blocks.0.ln0")
    w = {k: v.double() for k, v in w.items()}
    heads = w["blocks.0.att.time_decay"].shape[0]
    size = w["blocks.0.att.key.weight"].shape[0] // heads
    layers = 1 + max(int(k.split(".")[1]) for k in w if k.startswith("blocks."))
    states = [[torch.zeros(width).double(), torch.zeros(heads, size, size).double(), torch.zeros(width).double()] for _ in range(layers)]
    out = []
    for token in tokens:
        x = emb[token]
        for i, s in enumerate(states):
            p = f"blocks.{i}.att."
            a = norm(x, f"blocks.{i}.ln1")
            mix = lambda m: a * w[p + m].flatten() + s[0] * (1 - w[p + m].flatten())
            r, k, v = (w[p + n + ".weight"] @ mix("time_mix_" + n[0]) for n in ("receptance", "key", "value"))
            decay = torch.exp(-torch.exp(w[p + "time_decay"])).reshape(heads, -1, 1)
            u = (w[p + "time_faaaa"] if p + "time_faaaa" in w else torch.exp(w[p + "time_first"])).reshape(heads, -1, 1)
            kv = k.reshape(heads, size, 1) @ v.reshape(heads, 1, size)
            y = (r.reshape(heads, 1, size) @ (u * kv + s[1])).flatten()
            y = F.group_norm(y[None], heads, w[p + "ln_x.weight"], w[p + "ln_x.bias"], epsilon)[0]
            if p + "gate.weight" in w:
                y = y * F.silu(w[p + "gate.weight"] @ mix("time_mix_g"))
            s[0], s[1] = a, decay * s[1] + kv
            x = x + w[p + "output.weight"] @ y
            p = f"blocks.{i}.ffn."
            a = norm(x, f"blocks.{i}.ln2")
            mix = lambda m: a * w[p + m].flatten() + s[2] * (1 - w[p + m].flatten())
            k = torch.relu(w[p + "key.weight"] @ mix("time_mix_k")) ** 2
            x = x + torch.sigmoid(w[p + "receptance.weight"] @ mix("time_mix_r")) * (w[p + "value.weight"] @ k)
            s[2] = a
        out.append(w["head.weight"] @ norm(x, "ln_out"))
    return torch.stack(out), torch.cat([t.flatten() for s in states for t in s])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--state-out")
    parser.add_argument("--epsilon", type=float, default=64e-5)
    arguments = parser.parse_args()
    logits, state = run(arguments.model, [int(t) for t in arguments.tokens.split(",")], arguments.epsilon)
    logits.numpy().tofile(arguments.out)
    if arguments.state_out:
        state.numpy().tofile(arguments.state_out)
