#!/usr/bin/env python3
"""Converts hub folders with Martlet and asks transformers and llama.cpp what they make of the results.

    check_conversions.py MARTLET FOLDER...

Each folder of the hub (Llama, Mistral, Qwen2, Qwen3) is written as GGUF, and that as a folder of the hub again. For both
ways the logits of transformers are compared with those of the original folder, and llama.cpp continues a prompt from the
GGUF file, which must give transformers' most likely tokens. Prints a line a folder with the largest differences, and ends with
status 1 where one is above 2e-4 (folders) or a token differs.

Needs torch, transformers and llama_cpp."""
import pathlib
import subprocess
import sys
import tempfile

import llama_cpp
import numpy as np
import torch
from transformers import AutoModelForCausalLM

PROMPT, STEPS = 12, 12


def hub_logits(folder, tokens):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0].numpy()


def greedy(folder, tokens):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = list(tokens)
    with torch.no_grad():
        for _ in range(STEPS):
            tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
    return tokens


class Peer:
    """llama.cpp over token ids, as the files have no tokenizer."""

    def __init__(self, path):
        parameters = llama_cpp.llama_model_default_params()
        parameters.use_mmap = True
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_threads = 64, 64, 1
        settings.flash_attn_type = 0
        settings.type_k = settings.type_v = 0  # f32
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        self.size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def logits(self, tokens):
        """Of every row, each token in a step of its own."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        rows = []
        for token in tokens:
            batch = llama_cpp.llama_batch_get_one((llama_cpp.llama_token * 1)(token), 1)
            if llama_cpp.llama_decode(self.context, batch) != 0:
                raise RuntimeError("llama_decode failed")
            rows.append(np.ctypeslib.as_array(llama_cpp.llama_get_logits(self.context), (self.size,)).copy())
        return np.stack(rows)


def main(martlet, folders):
    failed = False
    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, None)
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            gguf, back, copy = (pathlib.Path(scratch) / name for name in ("model.gguf", "back/", "copy/"))
            for source, target in ((folder, gguf), (gguf, f"{back}/"), (folder, f"{copy}/")):
                subprocess.run([martlet, "convert", str(source), str(target)], check=True, capture_output=True)
            right = greedy(folder, [(7 * i * i + 3 * i + 1) % 64 for i in range(PROMPT)])
            truth = hub_logits(folder, right)
            scale = float(np.abs(truth).max())
            gaps = [float(np.abs(hub_logits(str(path), right) - truth).max()) for path in (back, copy)]
            peer = Peer(gguf).logits(right)
            same = list(peer[PROMPT - 1:-1].argmax(1)) == right[PROMPT:]
            gap = float(np.abs(peer - truth).max())
            bad = max(gaps) > 2e-4 or not same
            failed |= bad
            print(f"{pathlib.Path(folder).name:16} logits to {scale:.2f}; transformers {gaps[0]:.1e} by GGUF and "
                  f"{gaps[1]:.1e} copied; llama.cpp {gap:.1e}, greedy tokens {'the same' if same else 'DIFFER'}"
                  f"{'  FAILED' if bad else ''}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
