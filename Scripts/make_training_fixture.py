#!/usr/bin/env python3
"""Writes Tests/Fixtures/rwkv5-training.safetensors: three training steps of a small RWKV-5.2 in float64, by torch.

The model is that of torch_training.py (formulas from BlinkDL's RWKV-v5); AdamW with weight decay on matrices, twice the
rate for time_decay, clipping at 1, cosine schedule with a warm-up of 2, L2Wrap.
"""
import math, sys
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch_training import RWKV, L2Wrap

torch.manual_seed(7)
L, C, N, V, B, T, STEPS, LR, DECAY = 2, 32, 16, 29, 3, 12, 3, 3e-3, 0.05
H, FF = C // N, C * 7 // 2 // 32 * 32
d = torch.float64
init = {"emb.weight": torch.randn(V, C, dtype=d) * 0.3, "head.weight": torch.randn(V, C, dtype=d) * 0.2}
for n in ("blocks.0.ln0", "ln_out"):
    init[n + ".weight"], init[n + ".bias"] = 1 + 0.1 * torch.randn(C, dtype=d), 0.1 * torch.randn(C, dtype=d)
for i in range(L):
    b = f"blocks.{i}."
    for n in ("ln1", "ln2", "att.ln_x"):
        init[b + n + ".weight"], init[b + n + ".bias"] = 1 + 0.1 * torch.randn(C, dtype=d), 0.1 * torch.randn(C, dtype=d)
    for n in ("att.time_mix_k", "att.time_mix_v", "att.time_mix_r", "att.time_mix_g", "ffn.time_mix_k", "ffn.time_mix_r"):
        init[b + n] = torch.rand(C, dtype=d)
    init[b + "att.time_decay"] = -6 + 6 * torch.rand(H, N, dtype=d)
    init[b + "att.time_faaaa"] = torch.randn(H, N, dtype=d) * 0.3
    for n, s in (("att.receptance", (C, C)), ("att.key", (C, C)), ("att.value", (C, C)), ("att.gate", (C, C)),
                 ("att.output", (C, C)), ("ffn.key", (FF, C)), ("ffn.receptance", (C, C)), ("ffn.value", (C, FF))):
        init[b + n + ".weight"] = torch.randn(*s, dtype=d) * 0.2
init = {n: t.float().double() for n, t in init.items()}
out = {"init/" + n: t.float() for n, t in init.items()}
model = RWKV({n: t.clone() for n, t in init.items()}, 0)
name = lambda n: n.replace("/", ".")
decayed = [p for n, p in model.p.items() if p.dim() == 2 and n.endswith("weight")]
fast = [p for n, p in model.p.items() if n.endswith("time_decay")]
plain = [p for n, p in model.p.items() if all(p is not q for q in decayed + fast)]
opt = torch.optim.AdamW([dict(params=decayed, weight_decay=DECAY, f=1), dict(params=fast, weight_decay=0, f=2),
                         dict(params=plain, weight_decay=0, f=1)], lr=LR, betas=(0.9, 0.99), eps=1e-8)
ids = torch.randint(0, V, (STEPS, B, T + 1))
losses, norms = [], []
for step in range(STEPS):
    x, y = ids[step, :, :-1], ids[step, :, 1:]
    logits = model(x)
    loss = F.cross_entropy(logits.reshape(-1, V), y.reshape(-1))
    losses.append(loss.item())
    opt.zero_grad()
    L2Wrap.apply(loss, logits).backward()
    norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
    p = min(1.0, max(0.0, (step - 2) / (10 - 2)))
    share = 0.55 + 0.45 * math.cos(math.pi * p)
    if step < 2:
        share *= 0.01 + 0.99 * step / 2
    for g in opt.param_groups:
        g["lr"] = LR * share * g["f"]
    opt.step()
    out.update({f"step{step + 1}/" + name(n): p.detach().float().clone() for n, p in model.p.items()})
out["ids"] = ids.to(torch.int32)
save_file({n: t.contiguous() for n, t in out.items()}, sys.argv[1],
          {"losses": " ".join(f"{x:.15g}" for x in losses), "norms": " ".join(f"{x:.15g}" for x in norms)})
print(losses, norms)
