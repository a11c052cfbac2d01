"""Writes Tests/Fixtures/adapters.safetensors: random adapters of every kind that PEFT's LoRA has, and PEFT's logits.

    python Scripts/make_adapter_fixture.py        (torch, transformers, peft, safetensors)

Tensors are called CASE/NAME; the metadata holds, as JSON, the configuration files, which base a case belongs to, and the
tokens that were run.
"""
import json
import os
import tempfile
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

warnings.filterwarnings("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"
SHAPE = dict(
    vocab_size=48, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, max_position_embeddings=64)
TOKENS = [(7 * i * i + 3 * i + 1) % 48 for i in range(20)]
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
BASES = {"plain": dict(tie_word_embeddings=False), "tied": dict(tie_word_embeddings=True),
         "biased": dict(tie_word_embeddings=False, attention_bias=True)}
CASES = {
    "lora": ("plain", dict(target_modules=ALL)),
    "alpha_pattern": ("plain", dict(target_modules=ALL, alpha_pattern={"q_proj": 64, "layers.1.mlp.up_proj": 3})),
    "rank_pattern": ("plain", dict(target_modules=ALL, rank_pattern={"q_proj": 6, "model.layers.0.mlp.down_proj": 1})),
    "pattern_order": ("plain", dict(
        target_modules=ALL, rank_pattern={r"layers\.0\..*": 2, "q_proj": 3},
        alpha_pattern={"^model.layers.1.self_attn.[qk]_proj": 5, r".*proj": 1.5})),
    "rslora": ("plain", dict(target_modules=ALL, use_rslora=True, rank_pattern={"v_proj": 5})),
    "pissa": ("plain", dict(target_modules=ALL, init_lora_weights="pissa")),
    "olora": ("plain", dict(target_modules=ALL, init_lora_weights="olora")),
    "pissa_dora": ("plain", dict(target_modules=["q_proj", "up_proj"], init_lora_weights="pissa", use_dora=True)),
    "gaussian": ("plain", dict(target_modules=["q_proj"], init_lora_weights="gaussian")),
    "dora": ("plain", dict(target_modules=ALL, use_dora=True)),
    "dora_bias": ("biased", dict(target_modules=ALL, use_dora=True, use_rslora=True)),
    "lora_bias": ("biased", dict(target_modules=["q_proj", "v_proj"], lora_bias=True)),
    "lora_bias_alone": ("plain", dict(target_modules=["q_proj"], lora_bias=True)),
    "bias_all": ("biased", dict(target_modules=["q_proj", "v_proj"], bias="all")),
    "head": ("plain", dict(target_modules=["lm_head", "q_proj"])),
    "tied_head": ("tied", dict(target_modules=["lm_head"])),
    "embeddings": ("plain", dict(target_modules=["embed_tokens", "q_proj"])),
    "tied_embeddings": ("tied", dict(target_modules=["embed_tokens", "q_proj"])),
    "dora_embeddings": ("plain", dict(target_modules=["embed_tokens", "k_proj"], use_dora=True)),
    "saved_head": ("plain", dict(target_modules=["q_proj"], modules_to_save=["lm_head"])),
    "saved_tied_head": ("tied", dict(target_modules=["q_proj"], modules_to_save=["lm_head"])),
    "saved_embeddings": ("plain", dict(target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"])),
    "saved_norms": ("plain", dict(target_modules=["q_proj"], modules_to_save=["input_layernorm", "norm"])),
    "saved_layers": ("plain", dict(target_modules=["q_proj", "down_proj"], modules_to_save=["layers.0.mlp"])),
    "fan_in_fan_out": ("plain", dict(target_modules=["q_proj"], fan_in_fan_out=True)),
    "layers": ("plain", dict(target_modules=ALL, layers_to_transform=[1], layers_pattern="layers")),
    "excluded": ("plain", dict(target_modules=ALL, exclude_modules=["layers.0.mlp.up_proj", "v_proj"])),
    "expression": ("plain", dict(target_modules=r".*\.layers\.[01]\.(self_attn\.(q|v)_proj|mlp\.down_proj)")),
    "all_linear": ("plain", dict(target_modules="all-linear")),
}


def main():
    tensors, configurations, bases = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in BASES.items():
            torch.manual_seed(1)
            model = LlamaForCausalLM(LlamaConfig(**SHAPE, **settings)).float()
            with torch.no_grad():
                for key, value in model.named_parameters():
                    value.copy_(torch.randn_like(value) * 0.15 + (1 if "norm" in key else 0))
            model.save_pretrained(f"{folder}/{name}")
            for key, value in load_file(f"{folder}/{name}/model.safetensors").items():
                tensors[f"{name}/{key}"] = value
            configurations[name] = Path(f"{folder}/{name}/config.json").read_text()
        for name, (base, settings) in CASES.items():
            torch.manual_seed(3)

            def start():
                return AutoModelForCausalLM.from_pretrained(f"{folder}/{base}", dtype=torch.float32)

            model = get_peft_model(start(), LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, **settings))
            with torch.no_grad():
                for key, value in model.named_parameters():
                    if value.requires_grad and "magnitude" in key:
                        value.mul_(1 + 0.2 * torch.rand_like(value))
                    elif value.requires_grad:
                        value.add_(torch.randn_like(value) * 0.1)
            model.save_pretrained(f"{folder}/{name}")
            again = PeftModel.from_pretrained(start(), f"{folder}/{name}").eval()
            with torch.no_grad():
                tensors[f"{name}/logits"] = again(torch.tensor([TOKENS])).logits[0].contiguous()
            for key, value in load_file(f"{folder}/{name}/adapter_model.safetensors").items():
                tensors[f"{name}/{key}"] = value
            configurations[name] = Path(f"{folder}/{name}/adapter_config.json").read_text()
            bases[name] = base
    facts = json.dumps({"configurations": configurations, "bases": bases, "tokens": TOKENS})
    target = Path(__file__).parent.parent / "Tests/Fixtures/adapters.safetensors"
    save_file({key: value.contiguous() for key, value in tensors.items()}, target, metadata={"facts": facts})


main()
