#!/usr/bin/env python3
"""Writes Tests/Fixtures/rwkv5-state.safetensors: state tuning of a small RWKV-5.2 in float64, by torch.

    make_state_fixture.py Tests/Fixtures/rwkv5-training.safetensors Tests/Fixtures/rwkv5-state.safetensors

The model and the tokens are those of the other fixture. `start/` are random start states, `gradient/` the gradients of
the first loss with respect to them and to some weights, `step3/` the states after three steps of Adam on them alone
(rate 0.1, betas 0.9 and 0.99, no clipping).
"""
import sys
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch_training import RWKV

d = torch.float64
with safe_open(sys.argv[1], "pt") as f:
    init = {n[5:]: f.get_tensor(n).to(d) for n in f.keys() if n.startswith("init/")}
    ids = f.get_tensor("ids").long()
torch.manual_seed(11)
states = [f"blocks.{i}.att.time_state" for i in range(2)]
for n in states:
    init[n] = (0.5 * torch.randn(2, 16, 16)).to(d)
model = RWKV({n: t.clone() for n, t in init.items()}, 0)
P = lambda n: model.p[n.replace(".", "/")]
out = {"start/" + n: init[n].float() for n in states}
wanted = states + [f"blocks.{i}.att.{n}" for i in range(2) for n in ("time_decay", "time_faaaa", "receptance.weight")]
opt = torch.optim.Adam([P(n) for n in states], lr=0.1, betas=(0.9, 0.99), eps=1e-8)
losses = []
for step in range(3):
    x, y = ids[step, :, :-1], ids[step, :, 1:]
    model.zero_grad()
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    loss.backward()
    losses.append(loss.item())
    if step == 0:
        out.update({"gradient/" + n: P(n).grad.float().clone() for n in wanted})
    opt.step()
out.update({"step3/" + n: P(n).detach().float().clone() for n in states})
save_file({n: t.contiguous() for n, t in out.items()}, sys.argv[2], {"losses": " ".join(f"{x:.15g}" for x in losses)})
print(losses)
