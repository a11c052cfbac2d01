"""Makes Tests/Fixtures/case-logits.safetensors: what transformers and the `rwkv` package answer to the cases that vary
one thing (a folder CASES), and to further settings of Tests/Fixtures/llama. Needs gguf, rwkv, torch, transformers; run
from the repository root.

    python Scripts/make_case_logits.py CASES

One row of logits a case, after 24 tokens. The header's `settings` holds the config.json of each `hub-` row.
"""
import contextlib
import io
import json
import os
import sys

os.environ["RWKV_JIT_ON"] = "0"
import gguf
import numpy as np
import torch
from rwkv.model import RWKV
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

cases = sys.argv[1]
tokens = [(7 * i * i + 3 * i + 1) % 64 for i in range(24)]
rows = {}


def last(model):
    with torch.no_grad():
        return model.eval().float()(torch.tensor([tokens])).logits[0, -1].float().clone().contiguous()


names = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
         "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}


def from_gguf(path, scaling=None):
    """The model of a GGUF file of the architecture `llama`, with all biases there can be (zero where it has none)."""
    reader = gguf.GGUFReader(path)
    tensors = {t.name: torch.tensor(gguf.quants.dequantize(t.data, t.tensor_type)) for t in reader.tensors}
    value = lambda key: reader.fields[f"llama.{key}"].contents()
    one = lambda key: value(key)[0] if isinstance(value(key), list) else value(key)
    heads, shared = one("attention.head_count"), one("attention.head_count_kv")
    config = LlamaConfig(
        vocab_size=262, hidden_size=one("embedding_length"), num_hidden_layers=1, num_attention_heads=heads,
        num_key_value_heads=shared, intermediate_size=one("feed_forward_length"), max_position_embeddings=256,
        rms_norm_eps=1e-5, attention_bias=True, mlp_bias=True,
        rope_parameters={"rope_theta": 10000.0, **(scaling or {"rope_type": "default"})})
    model = LlamaForCausalLM(config)
    state = {name: torch.zeros_like(t) for name, t in model.state_dict().items()}

    def put(name, tensor, order=0):
        if order:  # from pairs (2i, 2i + 1) to (i, i + size / 2)
            shape = tensor.shape
            tensor = tensor.reshape(order, -1, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)
        assert state[name].shape == tensor.shape, (name, tensor.shape)
        state[name] = tensor

    put("model.embed_tokens.weight", tensors["token_embd.weight"])
    put("model.norm.weight", tensors["output_norm.weight"])
    put("lm_head.weight", tensors.get("output.weight", tensors["token_embd.weight"]))
    for name, tensor in tensors.items():
        if name.startswith("blk."):
            _, layer, part, kind = name.split(".")
            order = {"attn_q": heads, "attn_k": shared}.get(part, 0)
            put(f"model.layers.{layer}.{names[part]}.{kind}", tensor, order)
    model.load_state_dict(state)
    row = last(model)
    if "output.bias" in tensors:
        row = row + tensors["output.bias"]
    return row


for name in ["base", "qbias", "obias", "fbias", "outbias", "kv_array_gqa", "tied", "q_Q4_0", "q_Q5_0", "q_Q5_1",
             "q_Q8_0"]:
    rows[name] = from_gguf(f"{cases}/inference/gguf/{name}.gguf")
linear = {"rope_type": "linear", "factor": 4.0}
yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
rows["rope_linear"] = from_gguf(f"{cases}/inference/gguf/rope_linear.gguf", linear)
rows["rope_yarn"] = from_gguf(f"{cases}/inference/gguf/rope_yarn.gguf", yarn)

folder = f"{cases}/inference/st/base"
rows["st"] = last(LlamaForCausalLM.from_pretrained(folder))
rows["st-tied"] = last(LlamaForCausalLM.from_pretrained(f"{cases}/inference/st/cfg_tie_missing_head"))

base = json.load(open("Tests/Fixtures/llama/config.json"))
weights = {k: v.float() for k, v in load_file("Tests/Fixtures/llama/model.safetensors").items()}
settings = {}
long = [1.0, 1.5, 2.0, 3.0, 5.0, 8.0]
for name, changes in {
    "yarn": dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8),
    "yarn-betas": dict(rope_type="yarn", factor=2.0, original_max_position_embeddings=16, beta_fast=8.0, beta_slow=2.0),
    "yarn-attention": dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8, attention_factor=1.3),
    "yarn-mscale": dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8, mscale=1.0,
                        mscale_all_dim=0.5),
    "yarn-untruncated": dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8, truncate=False),
    "linear": dict(rope_type="linear", factor=3.0),
    "dynamic": dict(rope_type="dynamic", factor=2.0),
    "llama3": dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=16),
    "longrope": dict(rope_type="longrope", short_factor=long, long_factor=[2 * x for x in long], factor=4.0,
                     original_max_position_embeddings=64),
}.items():
    config = {k: v for k, v in base.items() if k not in ("rope_parameters", "rope_scaling", "rope_theta")}
    config["rope_parameters"] = {"rope_theta": 10000.0, **changes}
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict({**weights, "lm_head.weight": weights["model.embed_tokens.weight"]})
    rows["hub-" + name] = last(model)
    settings["hub-" + name] = config

for name in ["base", "with-state"]:
    with contextlib.redirect_stdout(io.StringIO()):
        model = RWKV(model=f"{cases}/rwkv/{name}.pth", strategy="cpu fp32")
    rows["rwkv-" + name] = model.forward(tokens, None)[0].float().clone()

save_file(rows, "Tests/Fixtures/case-logits.safetensors", metadata={"settings": json.dumps(settings, default=str)})
for name, row in rows.items():
    print(f"{name:24} {row.shape[0]} {row.abs().max():.4f}")
