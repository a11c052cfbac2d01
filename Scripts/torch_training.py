#!/usr/bin/env python3
"""The training of `martlet train`, written in eager PyTorch from the published formulas: the peer it is raced against,
and the reference for its losses.

RWKV-5.2 follows BlinkDL's RWKV-v5 (x052); its recurrence is written in exact chunks (no clamp), which is the fastest
plain form on a CPU (a loop over tokens is 4-8 times slower). The transformer is Llama's, with torch's own attention.

  torch_training.py rwkv5 --data shakespeare.txt --init run0/model.safetensors --steps 100 [--dtype float64]

Data order, learning rates and L2Wrap are those of `martlet train` with the same options; the order comes from Philox,
written here a second time.
"""
import argparse, json, math, resource, sys, time
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file


# --- Philox 4x32-10, as in MartletTensor/Random/RandomSource.swift -------------------------------------------------
def philox(c0, c1, key):
    M = 0xFFFFFFFF
    c = [c0 & M, c0 >> 32, c1 & M, c1 >> 32]
    k = [key & M, key >> 32]
    for _ in range(10):
        a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(b >> 32) ^ c[1] ^ k[0], b & M, (a >> 32) ^ c[3] ^ k[1], a & M]
        k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
    return c[1] << 32 | c[0], c[3] << 32 | c[2]


class Source:
    def __init__(self, seed, stream=0):
        self.seed, self.id = seed, stream

    def stream(self, name):
        if isinstance(name, str):
            h = 0xCBF29CE484222325
            for byte in name.encode():
                h = ((h ^ byte) * 0x100000001B3) % 2**64
            name = h
        return Source(self.seed, philox(name % 2**64, self.id, (self.seed + 0x9E3779B97F4A7C15) % 2**64)[0])

    def bits(self, index):
        return philox(index >> 1, self.id, self.seed)[index & 1]

    def permutation(self, count):
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = (self.bits(last) * (last + 1)) >> 64
            order[last], order[other] = order[other], order[last]
        return order


# --- RWKV-5.2 -----------------------------------------------------------------------------------------------------
def wkv_loop(r, k, v, w, u, start=None):
    """`start`: the state that every sequence begins with, [H, keys, values]; zeros where there is none."""
    B, T, H, N = r.shape
    state = torch.zeros(B, H, N, N, dtype=r.dtype) if start is None else start.expand(B, H, N, N)
    out = []
    for t in range(T):
        kv = k[:, t, :, :, None] * v[:, t, :, None, :]
        out.append((r[:, t, :, None, :] @ (state + u[:, :, None] * kv)).squeeze(-2))
        state = w[:, :, None] * state + kv
    return torch.stack(out, 1)


def wkv_chunks(r, k, v, w, u, size):
    """Chunks of `size` tokens: within one, decays are multiplied out pair by pair, so nothing under- or overflows."""
    B, T, H, N = r.shape
    size = min(size, T)
    assert T % size == 0
    steps = torch.arange(size)
    gap = steps[:, None] - 1 - steps[None]  # l - 1 - m
    logw = torch.log(w)  # [H, N]
    decay = torch.where((gap >= 0)[..., None, None], torch.exp(gap.clamp(min=0)[..., None, None] * logw), 0)
    decay = decay + torch.eye(size, dtype=r.dtype)[..., None, None] * u  # the token itself: u
    from_start = torch.exp(steps[:, None, None] * logw)  # w^l
    to_end = torch.exp((size - 1 - steps)[:, None, None] * logw)
    r, k, v = (x.reshape(B, T // size, size, H, N) for x in (r, k, v))
    scores = torch.einsum("bclhi,bcmhi,lmhi->bchlm", r, k, decay)
    y = torch.einsum("bchlm,bcmhj->bclhj", scores, v)
    added = torch.einsum("bcmhi,bcmhj->bchij", k * to_end, v)
    whole = torch.exp(size * logw)[..., None]
    state, states = torch.zeros(B, H, N, N, dtype=r.dtype), []
    for c in range(T // size):
        states.append(state)
        state = whole * state + added[:, c]
    y = y + torch.einsum("bclhi,bchij->bclhj", r * from_start, torch.stack(states, 1))
    return y.reshape(B, T, H, N)


class RWKV(torch.nn.Module):
    def __init__(self, init, chunk):
        super().__init__()
        self.p = torch.nn.ParameterDict({n.replace(".", "/"): torch.nn.Parameter(t) for n, t in init.items()})
        self.layers = 1 + max(int(n.split(".")[1]) for n in init if n.startswith("blocks"))
        self.chunk = chunk

    def forward(self, idx):
        P = lambda n: self.p[n.replace(".", "/")]
        norm = lambda x, n: F.layer_norm(x, x.shape[-1:], P(n + ".weight"), P(n + ".bias"))
        shift = lambda x: F.pad(x, (0, 0, 1, -1))
        x = norm(F.embedding(idx, P("emb.weight")), "blocks.0.ln0")
        B, T, C = x.shape
        for i in range(self.layers):
            b = f"blocks.{i}."
            a = norm(x, b + "ln1")
            p = shift(a)
            mix = lambda m: a * P(b + "att.time_mix_" + m) + p * (1 - P(b + "att.time_mix_" + m))
            H, N = P(b + "att.time_faaaa").shape
            r = F.linear(mix("r"), P(b + "att.receptance.weight")).view(B, T, H, N)
            k = F.linear(mix("k"), P(b + "att.key.weight")).view(B, T, H, N)
            v = F.linear(mix("v"), P(b + "att.value.weight")).view(B, T, H, N)
            g = F.silu(F.linear(mix("g"), P(b + "att.gate.weight")))
            w = torch.exp(-torch.exp(P(b + "att.time_decay")))
            u = P(b + "att.time_faaaa")
            # A tuned start state is stored [H, values, keys].
            name = (b + "att.time_state").replace(".", "/")
            start = self.p[name].transpose(-1, -2) if name in self.p else None
            y = wkv_chunks(r, k, v, w, u, self.chunk) if self.chunk and start is None else wkv_loop(r, k, v, w, u, start)
            y = F.group_norm(y.reshape(B * T, H * N) / 8, H, P(b + "att.ln_x.weight"), P(b + "att.ln_x.bias"), 1e-5)
            x = x + F.linear(y.view(B, T, H * N) * g, P(b + "att.output.weight"))
            a = norm(x, b + "ln2")
            p = shift(a)
            fmix = lambda m: a * P(b + "ffn.time_mix_" + m) + p * (1 - P(b + "ffn.time_mix_" + m))
            k = torch.relu(F.linear(fmix("k"), P(b + "ffn.key.weight"))) ** 2
            x = x + torch.sigmoid(F.linear(fmix("r"), P(b + "ffn.receptance.weight"))) * F.linear(
                k, P(b + "ffn.value.weight"))
        return F.linear(norm(x, "ln_out"), P("head.weight"))


class L2Wrap(torch.autograd.Function):
    @staticmethod
    def forward(ctx, loss, y):
        ctx.save_for_backward(y)
        return loss

    @staticmethod
    def backward(ctx, grad):
        y = ctx.saved_tensors[0]
        top, place = torch.max(y, -1, keepdim=True)
        return grad, torch.zeros_like(y).scatter_(-1, place, top * 1e-4 / (y.shape[0] * y.shape[1]))


# --- Llama --------------------------------------------------------------------------------------------------------
class Llama(torch.nn.Module):
    def __init__(self, init, head_size):
        super().__init__()
        self.p = torch.nn.ParameterDict({n.replace(".", "/"): torch.nn.Parameter(t) for n, t in init.items()})
        self.layers = 1 + max(int(n.split(".")[2]) for n in init if n.startswith("model.layers"))
        self.head_size = head_size

    def forward(self, idx):
        P = lambda n: self.p[n.replace(".", "/")]
        norm = lambda x, n: F.rms_norm(x, x.shape[-1:], P(n + ".weight"), 1e-5)
        x = F.embedding(idx, P("model.embed_tokens.weight"))
        B, T, C = x.shape
        N = self.head_size
        freq = 10000.0 ** (-torch.arange(0, N, 2, dtype=torch.float64) / N)
        angle = torch.arange(T, dtype=torch.float64)[:, None] * freq
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)

        def turn(x):
            a, b = x[..., : N // 2], x[..., N // 2 :]
            return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)

        for i in range(self.layers):
            b = f"model.layers.{i}."
            a = norm(x, b + "input_layernorm")
            q, k, v = (F.linear(a, P(b + f"self_attn.{m}_proj.weight")).view(B, T, -1, N).transpose(1, 2) for m in "qkv")
            y = F.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True)
            x = x + F.linear(y.transpose(1, 2).reshape(B, T, C), P(b + "self_attn.o_proj.weight"))
            a = norm(x, b + "post_attention_layernorm")
            x = x + F.linear(
                F.silu(F.linear(a, P(b + "mlp.gate_proj.weight"))) * F.linear(a, P(b + "mlp.up_proj.weight")),
                P(b + "mlp.down_proj.weight"))
        return F.linear(norm(x, "model.norm"), P("lm_head.weight"))


def main():
    a = argparse.ArgumentParser()
    a.add_argument("family", choices=["rwkv5", "llama"])
    a.add_argument("--data", required=True)
    a.add_argument("--init", required=True, help="model.safetensors of `martlet train --steps 0`")
    a.add_argument("--steps", type=int, default=20)
    a.add_argument("--of-steps", type=int, help="length of the whole run, for the schedule")
    a.add_argument("--batch", type=int, default=16)
    a.add_argument("--context", type=int, default=256)
    a.add_argument("--lr", type=float, default=1e-3)
    a.add_argument("--final-share", type=float, default=0.1)
    a.add_argument("--warmup", type=int, default=20)
    a.add_argument("--weight-decay", type=float, default=0.01)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--validation", type=float, default=0.1)
    a.add_argument("--validate-every", type=int, default=0)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--chunk", type=int, default=32)
    a.add_argument("--head-size", type=int, default=64)
    a.add_argument("--dtype", default="float32")
    a.add_argument("--autocast", action="store_true", help="matrix products in bfloat16")
    a.add_argument("--save")
    o = a.parse_args()
    torch.set_num_threads(o.threads)
    dtype = getattr(torch, o.dtype)
    init = {n: t.to(dtype) for n, t in load_file(o.init).items()}
    if o.family == "rwkv5":
        model = RWKV(init, o.chunk)
    else:
        model = Llama(init, o.head_size)
    text = np.frombuffer(open(o.data, "rb").read() + b"\0", dtype=np.uint8).astype(np.int64)
    C = o.context
    windows = [(s, min(len(text), s + C + 1)) for s in range(0, len(text) - 1, C)]
    if len(windows) > 1 and windows[-1][1] - windows[-1][0] < C + 1:
        windows.pop()
    held = min(len(windows) - 1, int(math.floor(len(windows) * o.validation + 0.5)))
    train, held = windows[: len(windows) - held], windows[len(windows) - held :]
    decayed, fast, plain = [], [], []
    for name, p in model.p.items():
        (fast if name.endswith("time_decay") else decayed if p.dim() == 2 and name.endswith("weight") else plain).append(p)
    groups = [dict(params=decayed, weight_decay=o.weight_decay, factor=1.0), dict(params=fast, weight_decay=0.0, factor=2.0),
              dict(params=plain, weight_decay=0.0, factor=1.0)]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=o.lr, betas=(0.9, 0.99), eps=1e-8)
    total = o.of_steps or o.steps
    warmup = min(o.warmup, total)

    def batch(indices, source):
        rows = torch.from_numpy(np.stack([text[source[i][0] : source[i][1]] for i in indices]))
        return rows[:, :-1], rows[:, 1:]

    def validate():
        model.eval()
        loss, rows = 0.0, 0
        with torch.no_grad():
            for start in range(0, len(held), o.batch):
                x, y = batch(range(start, min(len(held), start + o.batch)), held)
                logits = model(x)
                loss += F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1), reduction="sum").item()
                rows += y.numel()
        return loss / rows

    epoch, dealt, order = 0, 0, Source(o.seed).stream("order of examples").stream(0).permutation(len(train))
    times, started = [], time.time()
    for step in range(o.steps):
        begin = time.time()
        chosen = []
        while len(chosen) < o.batch:
            if dealt == len(order):
                epoch, dealt = epoch + 1, 0
                order = Source(o.seed).stream("order of examples").stream(epoch).permutation(len(train))
            chosen.append(order[dealt])
            dealt += 1
        x, y = batch(chosen, train)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=o.autocast):
            logits = model(x)
        logits = logits.float()
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
        value = loss.item()
        if o.family == "rwkv5":
            loss = L2Wrap.apply(loss, logits)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        progress = min(1.0, max(0.0, (step - warmup) / max(1, total - warmup)))
        share = (0.5 + o.final_share / 2) + (0.5 - o.final_share / 2) * math.cos(math.pi * progress)
        if step < warmup:
            share *= 0.01 + 0.99 * step / warmup
        for g in optimizer.param_groups:
            g["lr"] = o.lr * share * g["factor"]
        optimizer.step()
        times.append(time.time() - begin)
        line = {"step": step + 1, "loss": value}
        if o.validate_every and ((step + 1) % o.validate_every == 0 or step + 1 == o.steps):
            line["validation_loss"] = validate()
        print(json.dumps(line), flush=True)
    if o.save:
        save_file({n.replace("/", "."): p.detach().contiguous() for n, p in model.p.items()}, o.save)
    steady = sorted(times[min(3, len(times) - 1) :])
    print(json.dumps({
        "tokens_per_second": o.batch * o.context / steady[len(steady) // 2], "seconds": time.time() - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), file=sys.stderr)


if __name__ == "__main__":
    main()
