"""Checks a Llama-family GGUF file in Martlet against transformers in float32 (torch): greedy text over prompts,
and logits of every weight format.

    python check_llama.py MODEL.gguf --martlet .build/release/martlet --data DATA
"""
import argparse
import json
import os
import subprocess
import tempfile

import numpy as np
import torch
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--martlet", default=".build/release/martlet")
parser.add_argument("--data", default=os.environ.get("MARTLET_DATA"))
parser.add_argument("--prompts", type=int, default=20)
parser.add_argument("--tokens", type=int, default=64)
a = parser.parse_args()

folder, name = os.path.split(os.path.abspath(a.model))
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()


def martlet(*arguments):
    return subprocess.run([a.martlet, *arguments], check=True, capture_output=True, text=True).stdout


questions = [json.loads(line) for line in open(f"{a.data}/sot/vicuna80.jsonl")]
prompts = [q.get("text") or q.get("question") or q["turns"][0] for q in questions][: a.prompts]
steps = equal = excused = 0
for prompt in prompts:
    ids = json.loads(martlet("tokenize", "--tokenizer", a.model, "--json", prompt))["ids"]
    ours = json.loads(martlet("generate", a.model, prompt, "--format", "f32", "--max-tokens", str(a.tokens), "--json"))["tokens"]
    with torch.no_grad():
        logits = model(torch.tensor([ids + ours])).logits[0, len(ids) - 1 :].numpy()
    # Feeding our own tokens makes every step comparable, also after a step that differed.
    for step, token in enumerate(ours):
        steps += 1
        top = np.sort(logits[step])[-2:]
        if logits[step].argmax() == token:
            equal += 1
        elif top[1] - top[0] < 0.01:
            excused += 1
        else:
            print("differs:", repr(prompt[:40]), "step", step, "margin", top[1] - top[0])
print(f"greedy: {equal} of {steps} steps equal, {excused} differ at a margin below 0.01")

ids = json.loads(martlet("tokenize", "--tokenizer", a.model, "--json", " ".join(prompts)))["ids"][:256]
with torch.no_grad():
    truth = model(torch.tensor([ids])).logits[0].numpy()
loss = lambda l: -np.mean([l[i, t] - np.logaddexp.reduce(l[i].astype(np.float64)) for i, t in enumerate(ids[1:])])
print(f"transformers f32: loss {loss(truth):.4f}, logits' standard deviation {truth.std():.3f}")
with tempfile.TemporaryDirectory() as temporary:
    for form in ["native", "f32", "f16", "bf16", "q8_0", "q4_1", "q4_0"]:
        extra = [] if form == "native" else ["--format", form]
        martlet("logits", a.model, *extra, "--tokens", ",".join(map(str, ids)), "--out", f"{temporary}/l")
        ours = np.fromfile(f"{temporary}/l", np.float32).reshape(truth.shape)
        gap = np.abs(ours - truth)
        print(
            f"{form:7s} max |difference| {gap.max():.2e}, mean {gap.mean():.2e}, "
            f"argmax equal {np.mean(ours.argmax(1) == truth.argmax(1)):.3f}, loss {loss(ours):.4f}"
        )
