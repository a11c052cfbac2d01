#!/usr/bin/env python3
"""LoRA beside PEFT: the same frozen weights, the same start, the same batches.

  check_lora.py MODEL.gguf data.jsonl     (data: "prompt" and "completion")

1. The model is written as a hub folder in f32 (`martlet convert`): exactly the values of its 4-bit blocks.
2. `martlet finetune --steps 0` writes the untrained adapter, from which both start.
3. Martlet trains through the 4-bit weights, PEFT through the same values in f32; losses are printed side by side.
4. Martlet's adapter is loaded by PEFT: logits of both on a text.
5. `martlet merge` into f32: greedy text with the adapter, and with the merged model.
"""
import json, os, subprocess, sys
import torch
from safetensors.torch import load_file, save_file
from torch_training import Source

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
STEPS, BATCH, CONTEXT, LR = int(os.environ.get("STEPS", 20)), 4, 256, 5e-4
model_path, data = sys.argv[1:3]
work = os.environ.get("WORK", "/tmp/check_lora")
os.makedirs(work, exist_ok=True)
run = lambda *a: subprocess.run([MARTLET, *a], check=True, capture_output=True, text=True).stdout
common = ["--data", data, "--batch", str(BATCH), "--context", str(CONTEXT), "--lr", str(LR), "--warmup", "2", "--validation",
          "0", "--validate-every", "0", "--rank", "8", "--alpha", "16", "--json"]
subprocess.run(["rm", "-rf", f"{work}/start", f"{work}/run", f"{work}/hub"])
os.makedirs(f"{work}/hub")
run("convert", model_path, f"{work}/hub/model.safetensors", "--format", "f32", "--force")
run("finetune", model_path, *common, "--out", f"{work}/start", "--steps", "0")
fmt = ["--format", os.environ["FORMAT"]] if "FORMAT" in os.environ else []
lines = [json.loads(l) for l in run("finetune", model_path, *common, *fmt, "--out", f"{work}/run", "--steps", str(STEPS)).splitlines()]
ours = [l["loss"] for l in lines if l.get("event") == "step"]

from transformers import AutoModelForCausalLM
from peft import PeftModel

torch.set_num_threads(2)
batches = [[json.loads(l) for l in run("finetune", model_path, *common, "--out", f"{work}/x", "--show-batch").splitlines()]]


def load(adapter, trainable):
    base = AutoModelForCausalLM.from_pretrained(f"{work}/hub", dtype=torch.float32)
    return PeftModel.from_pretrained(base, adapter, is_trainable=trainable)


# The examples, tokenised by Martlet: the first batch is checked against --show-batch.
examples = []
ids = {}
for line in open(data):
    row = json.loads(line)
    ids[row["prompt"] + row["completion"]] = None
    p = json.loads(run("tokenize", "--tokenizer", model_path, "--plain", row["prompt"], "--json"))
    c = json.loads(run("tokenize", "--tokenizer", model_path, "--plain", row["completion"], "--json"))
    ids_of = lambda o: o.get("ids") or o.get("tokens")
    examples.append((ids_of(p), ids_of(c)))
end = batches[0][0]["tokens"][-1]
first = batches[0][0]["tokens"]
start = [] if any(first == (p + c + [end])[: CONTEXT + 1] for p, c in examples) else first[:1]
full = []
for p, c in examples:
    tokens = (start + p + c + [end])[: CONTEXT + 1]
    counts = ([False] * (len(start) + len(p)) + [True] * (len(c) + 1))[: CONTEXT + 1]
    full.append((tokens, counts))
full = [f for f in full if any(f[1][1:])]
order = Source(1).stream("order of examples").stream(0).permutation(len(full))
position = 0


def next_batch():
    global position, order
    chosen, rows = [], 0
    while True:
        index = order[position]
        n = len(full[index][0]) - 1
        if chosen and rows + n > BATCH * CONTEXT:
            return chosen
        chosen.append(full[index])
        rows += n
        position += 1


model = load(f"{work}/start", True)
trained = [p for n, p in model.named_parameters() if "lora_" in n]
optimizer = torch.optim.AdamW([dict(params=trained, weight_decay=0.01)], lr=LR, betas=(0.9, 0.99))
import math

theirs = []
for step in range(STEPS):
    batch = next_batch()
    if step == 0:
        assert [b["tokens"] for b in batches[0]] == [t for t, _ in batch], "the first batches differ"
    counted = sum(sum(c[1:]) for _, c in batch)
    optimizer.zero_grad()
    total = 0.0
    for tokens, counts in batch:  # one by one: no padding
        logits = model(torch.tensor([tokens[:-1]])).logits[0]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(tokens[1:]), reduction="none")
        loss = (loss * torch.tensor(counts[1:], dtype=torch.float32)).sum() / counted
        loss.backward()
        total += loss.item()
    theirs.append(total)
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    progress = min(1.0, max(0.0, (step - 2) / max(1, STEPS - 2)))
    share = 0.55 + 0.45 * math.cos(math.pi * progress)
    if step < 2:
        share *= 0.01 + 0.99 * step / 2
    for g in optimizer.param_groups:
        g["lr"] = LR * share
    optimizer.step()
print("step  Martlet (frozen blocks)  PEFT (f32)")
for step in range(STEPS):
    print(f"{step + 1:4}  {ours[step]:.5f}  {theirs[step]:.5f}  {ours[step] - theirs[step]:+.5f}")

tuned = load(f"{work}/run", False).eval()
text = "Question: Tom has 3 apples and buys 4 more. How many apples does he have?\nAnswer:"
tokens = json.loads(run("tokenize", "--tokenizer", model_path, text, "--json"))
tokens = tokens.get("ids") or tokens.get("tokens")
with torch.no_grad():
    wanted = tuned(torch.tensor([tokens])).logits[0]
out = f"{work}/logits.f32"
run("logits", model_path, "--format", "f32", "--adapter", f"{work}/run", "--tokens", ",".join(map(str, tokens)), "--out", out)
got = torch.frombuffer(bytearray(open(out, "rb").read()), dtype=torch.float32).view(len(tokens), -1)
print("adapter in PEFT against --adapter (f32 weights): largest difference of logits",
      (got - wanted).abs().max().item(), "of", wanted.abs().max().item())

run("merge", model_path, f"{work}/run", f"{work}/merged.gguf", "--format", "f32", "--force")
beside = run("generate", model_path, text, "--format", "f32", "--adapter", f"{work}/run", "--max-tokens", "60", "--quiet")
merged = run("generate", f"{work}/merged.gguf", text, "--max-tokens", "60", "--quiet")
print("merged model writes the same text:", beside == merged)
print(merged)
