#!/usr/bin/env python3
"""PEFT adapters of every kind beside PEFT: logits of the adapter, and of the merged model.

  check_adapters.py [NAME ...]     (needs torch, transformers, peft; MARTLET names the command, WORK a scratch folder)

For each case PEFT gives a tiny model an adapter, disturbs it, saves it and loads it again. Three sets of logits are compared
with those of PEFT in double precision (what PiSSA and OLoRA take from the base is taken in double precision too): PEFT's own in
single precision, Martlet's with --adapter, and Martlet's of the models that `martlet merge` writes as safetensors and GGUF.
Differences are divided by the largest logit. A case is right when Martlet's
is below 5e-7, or no larger than twice PEFT's own in single precision.
"""
import json, os, shutil, subprocess, sys, warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_PROGRESS_BARS="1", TRANSFORMERS_VERBOSITY="error")
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
WORK = os.environ.get("WORK", "/tmp/check_adapters")
TOKENS = [(7 * i * i + 3 * i + 1) % 256 for i in range(24)]
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
SIZES = dict(vocab_size=256, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128)
BASES = {
    "plain": (LlamaForCausalLM, LlamaConfig(**SIZES, tie_word_embeddings=False)),
    "tied": (LlamaForCausalLM, LlamaConfig(**SIZES, tie_word_embeddings=True)),
    "biased": (LlamaForCausalLM, LlamaConfig(**SIZES, tie_word_embeddings=False, attention_bias=True)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**SIZES, tie_word_embeddings=False)),
}


def case(base="plain", targets=LINEAR, rank=4, alpha=8, **rest):
    return base, dict(target_modules=targets, r=rank, lora_alpha=alpha, **rest)


QV = ["q_proj", "v_proj"]
CASES = {
    "plain": case(),
    "alpha_pattern": case(alpha_pattern={"q_proj": 64, "layers.1.mlp.up_proj": 3}),
    "rank_pattern": case(rank_pattern={"q_proj": 16, "model.layers.0.mlp.down_proj": 1}),
    "pattern_expressions": case(
        rank_pattern={r"layers\.0\..*": 2, "q_proj": 7},
        alpha_pattern={"^model.layers.1.self_attn.[qk]_proj": 5, r".*proj": 1.5}),
    "rslora": case(use_rslora=True, rank_pattern={"v_proj": 9}),
    "pissa": case(init_lora_weights="pissa"),
    "pissa_rslora": case(targets=QV + ["down_proj"], rank=5, alpha=16, init_lora_weights="pissa", use_rslora=True),
    "pissa_dora": case(init_lora_weights="pissa", use_dora=True),
    "pissa_niter": case(init_lora_weights="pissa_niter_8"),
    "olora": case(init_lora_weights="olora"),
    "olora_wide": case(targets=["q_proj", "down_proj", "up_proj"], rank=40, init_lora_weights="olora"),
    "olora_rslora": case(rank=3, alpha=20, init_lora_weights="olora", use_rslora=True),
    "gaussian": case(init_lora_weights="gaussian"),
    "orthogonal": case(init_lora_weights="orthogonal"),
    "mica": case(init_lora_weights="mica"),
    "init_false": case(init_lora_weights=False),
    "dora": case(use_dora=True),
    "dora_bias": case("biased", use_dora=True),
    "dora_rslora": case(use_dora=True, use_rslora=True, rank_pattern={"k_proj": 3}),
    "dora_head": case(targets=LINEAR + ["lm_head"], use_dora=True),
    "lora_bias": case("biased", QV, lora_bias=True),
    "lora_bias_alone": case(targets=["q_proj", "down_proj"], lora_bias=True),
    "bias_all": case("biased", QV, bias="all"),
    "bias_lora_only": case("qwen2", QV, bias="lora_only"),
    "qwen2": case("qwen2"),
    "head": case(targets=["lm_head", "q_proj"]),
    "tied_head": case("tied", ["lm_head"]),
    "embeddings": case(targets=["embed_tokens", "q_proj"]),
    "tied_embeddings": case("tied", ["embed_tokens", "q_proj"]),
    "embeddings_head": case(targets=["embed_tokens", "lm_head"]),
    "tied_embeddings_head": case("tied", ["embed_tokens", "lm_head"]),
    "dora_embeddings": case(targets=["embed_tokens", "k_proj"], use_dora=True),
    "saved_head": case(targets=["q_proj"], modules_to_save=["lm_head"]),
    "saved_tied_head": case("tied", ["q_proj"], modules_to_save=["lm_head"]),
    "saved_both": case(targets=["q_proj"], modules_to_save=["embed_tokens", "lm_head"]),
    "saved_tied_embeddings": case("tied", ["q_proj"], modules_to_save=["embed_tokens"]),
    "saved_tied_both": case("tied", ["q_proj"], modules_to_save=["embed_tokens", "lm_head"]),
    "saved_norms": case(targets=["q_proj"], modules_to_save=["input_layernorm", "norm"]),
    "saved_block": case(targets=["q_proj"], modules_to_save=["mlp"]),
    "saved_layer": case(targets=["q_proj", "down_proj"], modules_to_save=["layers.0.mlp.down_proj"]),
    "fan_in_fan_out": case(targets=["q_proj"], fan_in_fan_out=True),
    "layers": case(layers_to_transform=[1]),
    "layers_pattern": case(layers_to_transform=0, layers_pattern="layers"),
    "excluded": case(exclude_modules=["layers.0.mlp.up_proj", "v_proj"]),
    "excluded_expression": case(exclude_modules=r".*layers\.1\..*(up|down)_proj"),
    "expression": case(targets=r".*\.layers\.[01]\.(self_attn\.(q|v)_proj|mlp\.down_proj)"),
    "all_linear": case(targets="all-linear"),
    "dropout": case(lora_dropout=0.5),
    "alora": case(alora_invocation_tokens=[3, 4]),
    "token_indices": case(trainable_token_indices=[1, 5]),
    "weight_tying": case("tied", ["q_proj"], modules_to_save=["embed_tokens"], ensure_weight_tying=True),
    "replication": case(layer_replication=[(0, 2), (1, 2)]),
    "parameters": case(target_parameters=["q_proj.weight"]),
}


def base(name):
    folder = f"{WORK}/{name}"
    if not os.path.exists(folder):
        kind, configuration = BASES[name]
        torch.manual_seed(1)
        model = kind(configuration).float()
        with torch.no_grad():
            for key, value in model.named_parameters():
                if key.endswith("bias"):
                    value.copy_(torch.randn_like(value) * 0.1)
                elif value.ndim > 1:
                    value.copy_(torch.randn_like(value) * 0.06)
        model.save_pretrained(folder)
    return folder


def adapter(name):
    """Writes the adapter; returns its folder and PEFT's logits in double and in single precision."""
    kind, settings = CASES[name]
    folder = f"{WORK}/adapter_{name}"
    torch.manual_seed(3)
    load = lambda dtype: AutoModelForCausalLM.from_pretrained(base(kind), dtype=dtype)
    model = get_peft_model(load(torch.float32), LoraConfig(task_type="CAUSAL_LM", **settings))
    with torch.no_grad():
        for key, value in model.named_parameters():
            if value.requires_grad and "magnitude" in key:
                value.mul_(1 + 0.2 * torch.rand_like(value))
            elif value.requires_grad:
                value.add_(torch.randn_like(value) * 0.05)
    model.save_pretrained(folder)

    def logits(model, folder):
        model = PeftModel.from_pretrained(model, folder, autocast_adapter_dtype=False).to(model.dtype).eval()
        with torch.no_grad():
            return model(torch.tensor([TOKENS])).logits[0].double().numpy()

    exact, plain = load(torch.float64), f"{WORK}/exact"
    take_beginning(model, exact, settings.get("init_lora_weights"))
    shutil.rmtree(plain, ignore_errors=True)
    shutil.copytree(folder, plain)
    with open(f"{plain}/adapter_config.json") as file:
        configuration = json.load(file)
    with open(f"{plain}/adapter_config.json", "w") as file:
        json.dump(configuration | {"init_lora_weights": True}, file)
    return folder, logits(exact, plain), logits(load(torch.float32), folder)


def take_beginning(adapted, exact, beginning):
    """Takes from a model in double precision what PEFT takes, in single precision, when it begins an adapter from the weights."""
    for name, module in adapted.base_model.model.named_modules():
        if beginning in ("pissa", "olora") and hasattr(module, "lora_A"):
            weight = exact.get_submodule(name).weight
            rank, scale = module.r["default"], module.scaling["default"]
            if beginning == "pissa":
                left, values, right = torch.linalg.svd(weight.data, full_matrices=False)
                weight.data -= left[:, :rank] * values[:rank] @ right[:rank]
            else:
                left, right = torch.linalg.qr(weight.data)
                weight.data -= scale * left[:, :rank] @ right[:rank]


def martlet(*arguments):
    done = subprocess.run([MARTLET, *arguments], capture_output=True, text=True)
    return done.returncode == 0, done.stderr.strip()


def logits(model, *more):
    out = f"{WORK}/logits.f32"
    taken, said = martlet("logits", model, "--tokens", ",".join(map(str, TOKENS)), "--out", out, "--force",
                          "--format", "f32", *more)
    return (np.fromfile(out, np.float32).reshape(len(TOKENS), -1).astype(float) if taken else None), said


shutil.rmtree(WORK, ignore_errors=True)
os.makedirs(WORK)
counts = dict(right=0, wrong=0, refused=0, unmade=0)
print(f"{'case':22} {'PEFT f32':>9} {'adapter':>9} {'merged st':>9} {'gguf':>9}")
for name in sys.argv[1:] or CASES:
    try:
        folder, want, single = adapter(name)
    except Exception as problem:
        counts["unmade"] += 1
        print(f"{name:22} PEFT itself refuses: {str(problem)[:120]}")
        continue
    largest = abs(want).max()
    own = abs(single - want).max() / largest
    model = base(CASES[name][0])
    got, said = logits(model, "--adapter", folder)
    if got is None:
        counts["refused"] += 1
        print(f"{name:22} refused: {said}")
        continue
    differences = [abs(got - want).max() / largest]
    for ending in ("safetensors", "gguf"):
        merged = f"{WORK}/merged_{ending}"
        shutil.rmtree(merged, ignore_errors=True)
        os.makedirs(merged)
        taken, said = martlet("merge", model, folder, f"{merged}/model.{ending}", "--format", "f32")
        if not taken:
            break
        got = logits(f"{merged}/model.{ending}")[0]
        differences.append(np.inf if got is None else abs(got - want).max() / largest)
    right = max(differences) < max(5e-7, 2 * own)
    counts["right" if right else "wrong"] += 1
    print(f"{name:22} {own:9.1e} " + " ".join(f"{d:9.1e}" for d in differences) + ("" if right else "  WRONG")
          + ("" if taken else f"  not merged: {said}"))
print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
sys.exit(counts["wrong"] > 0)
