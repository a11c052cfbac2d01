#!/usr/bin/env python3
"""Makes Tests/Fixtures/grokking.f64: three steps of each variant of `martlet grok`, in PyTorch and double precision.

    python Scripts/make_grokking_fixture.py     (in the package's folder)

The file holds the parameters at the start, and those after three steps of plain AdamW, Grokfast-EMA, StableMax, orthogonal
gradients (rescaled to the gradient's norm), and Grokfast on orthogonal gradients, each in the order of GrokkingModel. The
model is that of Nanda et al. (2023) at modulus 7, width 8 and two heads, written plainly for all three positions.
"""
import math
import numpy as np
import torch

torch.set_default_dtype(torch.float64)
p, width, heads = 7, 8, 2
rate, decay, warmup = 0.01, 0.5, 10
pairs = [(a, b) for a in range(p) for b in range(p)]
chosen = [i for i in range(p * p) if (7 * i * i + 3 * i + 1) % 11 < 6]
inputs = torch.tensor([(pairs[i][0], pairs[i][1], p) for i in chosen])
answers = torch.tensor([sum(pairs[i]) % p for i in chosen])
shapes = [(p + 1, width), (3, width)] + [(width, width)] * 4 + [
    (width, 4 * width), (4 * width,), (4 * width, width), (width,), (width, p + 1)]
torch.manual_seed(7)
start = [torch.randn(*shape) / math.sqrt(width) for shape in shapes]


def logits(parameters):
    embedding, positions, query, key, value, output, up, up_bias, down, down_bias, unembedding = parameters
    x = embedding[inputs] + positions
    split = lambda y: y.view(len(chosen), 3, heads, width // heads).transpose(1, 2)
    scores = split(x @ query) @ split(x @ key).transpose(2, 3) / math.sqrt(width // heads)
    scores = scores.masked_fill(torch.ones(3, 3).triu(1).bool(), -torch.inf)
    mixed = (scores.softmax(-1) @ split(x @ value)).transpose(1, 2).reshape(len(chosen), 3, width)
    y = x + mixed @ output
    z = y + torch.relu(y @ up + up_bias) @ down + down_bias
    return (z @ unembedding)[:, 2]


def loss(values, stablemax):
    if not stablemax:
        return torch.nn.functional.cross_entropy(values, answers)
    s = torch.where(values >= 0, values + 1, 1 / (1 - values))
    return -(s.gather(1, answers[:, None]) / s.sum(1, keepdim=True)).log().mean()


def steps(grokfast=False, stablemax=False, orthogonal=False):
    parameters = [x.clone().requires_grad_() for x in start]
    optimizer = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), eps=1e-8, weight_decay=decay)
    means = None
    for step in range(3):
        optimizer.param_groups[0]["lr"] = rate * (step + 1) / warmup
        optimizer.zero_grad()
        loss(logits(parameters), stablemax).backward()
        gradients = [x.grad.clone() for x in parameters]
        if orthogonal:
            for i, (w, g) in enumerate(zip(parameters, gradients)):
                w = w.detach()
                rest = g - (w * g).sum() / (w * w).sum() * w
                gradients[i] = rest * g.norm() / rest.norm()
        if grokfast:
            means = gradients if means is None else [0.98 * m + 0.02 * g for m, g in zip(means, gradients)]
            gradients = [g + 2 * m for g, m in zip(gradients, means)]
        for x, gradient in zip(parameters, gradients):
            x.grad = gradient
        optimizer.step()
    return [x.detach() for x in parameters]


results = [start, steps(), steps(grokfast=True), steps(stablemax=True), steps(orthogonal=True), steps(grokfast=True, orthogonal=True)]
np.concatenate([x.numpy().ravel() for result in results for x in result]).astype("<f8").tofile("Tests/Fixtures/grokking.f64")
