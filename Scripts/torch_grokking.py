#!/usr/bin/env python3
"""The grokking configuration of `martlet grok` in eager PyTorch (Nanda et al., 2023): the peer it is raced against.

Only the last position's query, attention output and MLP are computed, as in the faster of two plain ways to write it.
"""
import argparse, math, time
import torch
import torch.nn.functional as F

a = argparse.ArgumentParser()
a.add_argument("--modulus", type=int, default=59)
a.add_argument("--share", type=float, default=0.4)
a.add_argument("--steps", type=int, default=200)
a.add_argument("--threads", type=int, default=2)
a.add_argument("--seed", type=int, default=1)
a.add_argument("--until", type=float, default=2.0)
o = a.parse_args()
torch.set_num_threads(o.threads)
torch.manual_seed(o.seed)
p, d, H, N = o.modulus, 128, 4, 32
randn = lambda *s: torch.nn.Parameter(torch.randn(*s) / math.sqrt(d))
E, P, Q, K, V, O = randn(p + 1, d), randn(3, d), randn(d, d), randn(d, d), randn(d, d), randn(d, d)
U, D = randn(d, 4 * d), randn(4 * d, d)
ub, db = torch.nn.Parameter(torch.zeros(4 * d)), torch.nn.Parameter(torch.zeros(d))
W = torch.nn.Parameter(torch.randn(d, p + 1) / math.sqrt(p + 1))
params = [E, P, Q, K, V, O, U, D, ub, db, W]
pairs = torch.tensor([(x, y, p) for x in range(p) for y in range(p)])
answers = (pairs[:, 0] + pairs[:, 1]) % p
order = torch.randperm(p * p)
train, test = order[: int(o.share * p * p)], order[int(o.share * p * p) :]
optimizer = torch.optim.AdamW(params, lr=1e-3, betas=(0.9, 0.98), weight_decay=1.0)


def logits(x):
    h = E[x] + P
    q = (h[:, 2:] @ Q).view(-1, 1, H, N).transpose(1, 2)
    k = (h @ K).view(-1, 3, H, N).transpose(1, 2)
    v = (h @ V).view(-1, 3, H, N).transpose(1, 2)
    y = (torch.softmax(q @ k.transpose(2, 3) / math.sqrt(N), -1) @ v).transpose(1, 2).reshape(-1, d)
    z = h[:, 2] + y @ O
    return (z + torch.relu(z @ U + ub) @ D + db) @ W


times = []
for step in range(o.steps):
    begin = time.perf_counter()
    for g in optimizer.param_groups:
        g["lr"] = 1e-3 * min(1, (step + 1) / 10)
    loss = F.cross_entropy(logits(pairs[train]), answers[train])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    times.append(time.perf_counter() - begin)
    if o.until <= 1 and step % 25 == 24:
        with torch.no_grad():
            right = (logits(pairs[test]).argmax(-1) == answers[test]).float().mean().item()
        if right >= o.until:
            break
times.sort()
print(f"{times[len(times) // 2] * 1000:.2f} ms a step, stopped after {step + 1}")
