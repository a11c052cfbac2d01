#!/usr/bin/env python3
"""Makes Tests/Fixtures/objectives.json: losses of training and their gradients with respect to logits, in PyTorch and double precision.

    python Scripts/make_objective_fixtures.py     (in the package's folder)

Objectives are written here from the formulas of the papers that MartletTraining/Objectives names: cross entropy with weights, two tasks
with shares, DPO, GRPO with every normalisation, and the generalised Jensen-Shannon divergence of GKD. Logits are of 14 tokens in four
completions over 11 classes.
"""
import itertools
import json
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(17)
classes, lengths = 11, [3, 5, 2, 4]
tokens = sum(lengths)
starts = [sum(lengths[:i]) for i in range(len(lengths))]
logits = torch.randn(tokens, classes) * 2
teacher = torch.randn(tokens, classes) * 2
targets = torch.randint(0, classes, (tokens,))
old = torch.randn(tokens) * 0.3
reference = torch.randn(tokens) * 0.3
rewards = [1.0, 0.0, 0.25, 1.0]
weights = torch.tensor([1.0, 0.0, 0.5, 2.0, 1.0, 1.0, 0.25, 0.0, 1.0, 3.0, 1.0, 1.0, 0.0, 1.5])
tasks = [0, 1, 0, 1]
owner = torch.tensor([i for i, n in enumerate(lengths) for _ in range(n)])
upstream = torch.randn(tokens)
cases = []


def chosen(x):
    return x.log_softmax(-1).gather(1, targets[:, None])[:, 0]


# What the policy and the reference of these completions said: near the logits, so that some ratios are clipped and some are not.
old = chosen(logits).detach() + old
reference = chosen(logits).detach() + reference


def case(name, loss, **settings):
    x = logits.clone().requires_grad_()
    value = loss(x)
    value.backward()
    cases.append({"name": name, **settings, "loss": value.item(), "gradient": x.grad.flatten().tolist()})


case("log_probabilities", lambda x: (chosen(x) * upstream).sum())
case("sft", lambda x: -(chosen(x) * weights).sum() / weights.sum())
for alpha in [0.5, 0.25]:
    shares = [alpha, 1 - alpha]

    def two_tasks(x):
        total = 0
        for task, share in enumerate(shares):
            w = weights * torch.tensor([float(tasks[i] == task) for i in owner])
            total = total - share * (chosen(x) * w).sum() / w.sum()
        return total

    case("two_tasks", two_tasks, shares=shares)

for beta, smoothing in [(0.1, 0.0), (0.5, 0.0), (0.1, 0.2)]:
    def dpo(x):
        sums = torch.zeros(4).index_add(0, owner, chosen(x))
        ref = torch.zeros(4).index_add(0, owner, reference)
        ratio = beta * ((sums[0::2] - sums[1::2]) - (ref[0::2] - ref[1::2]))
        log_sigmoid = torch.nn.functional.logsigmoid
        return (-(1 - smoothing) * log_sigmoid(ratio) - smoothing * log_sigmoid(-ratio)).mean()

    case("dpo", dpo, beta=beta, label_smoothing=smoothing)

for normalization, scaled, (low, high), kl in itertools.product(
        ["sequence", "token", "constant"], [True, False], [(0.2, 0.2), (0.1, 0.3)], [0.0, 0.04]):
    reward = torch.tensor(rewards)
    advantage = reward - reward.mean()
    if scaled:
        advantage = advantage / (reward.std() + 1e-4)

    def grpo(x):
        p, a = chosen(x), advantage[owner]
        ratio = (p - old).exp()
        loss = -torch.minimum(ratio * a, ratio.clamp(1 - low, 1 + high) * a)
        if kl:
            loss = loss + kl * ((reference - p).exp() - (reference - p) - 1)
        sums = torch.zeros(4).index_add(0, owner, loss)
        if normalization == "sequence":
            return (sums / torch.tensor(lengths)).mean()
        return sums.sum() / (tokens if normalization == "token" else 4 * 6)

    case("grpo", grpo, normalization=normalization, divides_by_deviation=scaled, clip_low=low, clip_high=high,
         kl_weight=kl, advantages=advantage.tolist())

for beta, temperature in [(0, 1), (0.1, 1), (0.5, 1), (1, 1), (0, 0.7), (0.5, 2), (1, 0.9)]:
    mask = (weights > 0).double()

    def gkd(x):
        s, t = (x / temperature).log_softmax(-1), (teacher / temperature).log_softmax(-1)
        kl = lambda p, q: (p.exp() * (p - q)).sum(-1)
        if beta == 0:
            each = kl(t, s)
        elif beta == 1:
            each = kl(s, t)
        else:
            m = (beta * t.exp() + (1 - beta) * s.exp()).log()
            each = beta * kl(t, m) + (1 - beta) * kl(s, m)
        return (each * mask).sum() / mask.sum()

    case("gkd", gkd, beta=beta, temperature=temperature)

json.dump({
    "classes": classes, "lengths": lengths, "logits": logits.flatten().tolist(), "teacher": teacher.flatten().tolist(),
    "targets": targets.tolist(), "old": old.tolist(), "reference": reference.tolist(), "rewards": rewards,
    "weights": weights.tolist(), "tasks": tasks, "upstream": upstream.tolist(), "longest": 6, "cases": cases,
}, open("Tests/Fixtures/objectives.json", "w"))
