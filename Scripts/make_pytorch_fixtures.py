"""Makes Tests/Fixtures/pytorch: one dictionary of tensors as torch.save writes it in many ways, and its values as JSON.

    python Scripts/make_pytorch_fixtures.py     (needs torch and numpy)
"""

import argparse
import collections
import datetime
import json
import pathlib

import numpy
import torch

folder = pathlib.Path(__file__).parent.parent / "Tests/Fixtures/pytorch"
folder.mkdir(exist_ok=True)
torch.manual_seed(1)

weights = {
    "emb.weight": torch.randn(4, 3),
    "blocks.0.ln1.weight": torch.randn(3).half(),
    "blocks.0.att.key.weight": torch.randn(2, 3).bfloat16(),
    "head.weight": torch.randn(4, 3).double(),
}
values = {k: {"shape": list(v.shape), "values": v.float().flatten().tolist()} for k, v in weights.items()}
(folder / "values.json").write_text(json.dumps(values))


def save(name, value, **options):
    torch.save(value, folder / f"{name}.pth", **options)


for protocol in range(1, 6):
    save(f"protocol{protocol}", weights, pickle_protocol=protocol)
    save(f"old-protocol{protocol}", weights, pickle_protocol=protocol, _use_new_zipfile_serialization=False)

base = torch.randn(40)
shared = torch.stack([weights["emb.weight"], weights["emb.weight"] + 1])
views = dict(weights)
views["emb.weight"] = weights["emb.weight"].t().contiguous().t()
views["blocks.0.att.key.weight"] = torch.zeros(4, 3).bfloat16()
views["blocks.0.att.key.weight"][::2] = weights["blocks.0.att.key.weight"]
views["blocks.0.att.key.weight"] = views["blocks.0.att.key.weight"][::2]
views["extra.broadcast"] = torch.ones(1).expand(5, 4)
save("views", views)
save("old-views", views, _use_new_zipfile_serialization=False)


class Attributes(dict):
    """A class of the program that saved the file."""


optimizer = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
prefixed = lambda prefix: {prefix + k: v for k, v in weights.items()}
save("wrapped-lightning", {
    "epoch": 3, "global_step": numpy.int64(7), "pytorch-lightning_version": "2.4.0", "loss": numpy.float64(0.5),
    "state_dict": prefixed("model."), "optimizer_states": [optimizer], "lr_schedulers": [], "callbacks": {},
    "hyper_parameters": Attributes(lr=0.1, path=pathlib.PosixPath("/tmp"), when=datetime.datetime(2024, 1, 2)),
})
save("wrapped-deepspeed", {"module": prefixed("_forward_module.model."), "optimizer": optimizer, "ds_version": "0.15.0",
                           "client_state": argparse.Namespace(a=1), "dp_world_size": 8, "mp_world_size": 1})
save("wrapped-msd", {"model_state_dict": collections.OrderedDict(prefixed("module.")), "optimizer_state_dict": optimizer,
                     "loss": 0.1, "history": numpy.arange(5), "seen": {"a", "b"}, "counts": collections.Counter("aab")})
save("wrapped-nested", {"state": {"model": {"state_dict": prefixed("_orig_mod.")}}})
save("wrapped-only-one", {"policy": weights, "step": 3, "config": collections.defaultdict(int, a=1)})
save("wrapped-peft", prefixed("base_model.model."))
save("wrapped-compiled-parallel", prefixed("_orig_mod.module."))
save("wrapped-parameters", {k: torch.nn.Parameter(v) for k, v in weights.items()})
save("wrapped-random-state", {"model": weights, "rng": torch.get_rng_state(), "numpy_rng": numpy.random.get_state(),
                              "device": torch.device("cpu"), "dtype": torch.bfloat16, "size": torch.Size([2, 3])})

module = torch.nn.Module()
module.emb = torch.nn.Embedding(4, 3)
module.emb.weight = torch.nn.Parameter(weights["emb.weight"])
tagged = torch.nn.Parameter(weights["head.weight"])
tagged.note = "attributes of a tensor"
save("wrapped-metadata", collections.OrderedDict({**weights, **module.state_dict(), "head.weight": tagged}))
save("odd-types", {**weights, "u16": torch.ones(3, dtype=torch.uint16), "f8": torch.ones(3).to(torch.float8_e4m3fn),
                   "c64": torch.ones(2, dtype=torch.complex64), "flags": torch.tensor([True, False]),
                   "none": None, "text": "x"})
save("no-values", {**weights, "m": torch.empty(3, device="meta"), "s": torch.eye(3).to_sparse(),
                   "q": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)})

save("beside-adapter", {"model": weights, "lora": {"a.lora_A": torch.ones(2), "a.lora_B": torch.ones(2)}, "step": 1})
save("beside-arrays", {**weights, "history": numpy.arange(5), "blocks.0.bias": numpy.ones(3, dtype=numpy.float32),
                       "parts": [torch.ones(2)], "step": numpy.int64(3)})

save("refused-model", torch.nn.Linear(2, 2))
save("refused-list", [weights])
save("refused-two-models", {"generator": weights, "discriminator": weights})
save("refused-function", {"f": print, **weights})
