#!/usr/bin/env python3
"""Supervised fine-tuning of a student beside PEFT and transformers: the same rows, rank and numbers of rows a step, in turn.

  race_teaching.py MODEL.gguf rows.jsonl     (rows: "question", "response", "answer"; needs torch, transformers, peft)

MARTLET names the command, STEPS the steps of a run (10), ROUNDS the pairs (3), THREADS the threads (1), RANK the rank (8), WORK a scratch
folder. Both put a question as `Q: ... A: ` and learn the response. PEFT pads a step's rows to the longest, as its users do, and both
figures count the tokens of the rows alone, per second of CPU time, which other programs disturb least. Loading and the first two steps
are left out. Prints each pair, the medians and their ratio.
"""
import json, os, resource, statistics, subprocess, sys, time

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
STEPS, ROUNDS = int(os.environ.get("STEPS", 10)), int(os.environ.get("ROUNDS", 3))
THREADS, RANK = int(os.environ.get("THREADS", 1)), int(os.environ.get("RANK", 8))
BATCH = 8
model_path, data = sys.argv[1:3]
work = os.environ.get("WORK", "/tmp/race_teaching")
os.makedirs(f"{work}/hub", exist_ok=True)


def run(*arguments):
    return subprocess.run([MARTLET, *arguments], check=True, capture_output=True, text=True).stdout


if not os.path.exists(f"{work}/hub/model.safetensors"):
    run("convert", model_path, f"{work}/hub/model.safetensors", "--format", "f32", "--force")
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

torch.set_num_threads(THREADS)
rows = [json.loads(line) for line in open(data)][: STEPS * BATCH]
examples = []
for row in rows:
    prompt, answer = (json.loads(run("tokenize", "--tokenizer", model_path, "--plain", text, "--json"))
                      for text in (f"Q: {row['question']}\nA:", " " + row["response"]))
    examples.append([o.get("ids") or o.get("tokens") for o in (prompt, answer)])


def martlet(number):
    """Tokens per CPU second of the steps behind the first two: a run of two steps is taken off."""
    subset = f"{work}/rows.jsonl"
    with open(subset, "w") as file:
        file.writelines(json.dumps({**row, "split": "train", "id": str(i)}) + "\n" for i, row in enumerate(rows))
    spent = {}
    for steps in (2, STEPS):
        out = f"{work}/run"
        subprocess.run(["rm", "-rf", out])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("teach", "train", subset, "--student", model_path, "--plain", "--method", "cot", "--out", out, "--steps", str(steps),
            "--batch", str(BATCH), "--rank", str(RANK), "--threads", str(THREADS), "--seed", str(number + 1), "--json")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        spent[steps] = (json.load(open(f"{out}/training.json"))["tokens"], seconds)
    return (spent[STEPS][0] - spent[2][0]) / (spent[STEPS][1] - spent[2][1])


def peft(number):
    torch.manual_seed(number)
    base = AutoModelForCausalLM.from_pretrained(f"{work}/hub", dtype=torch.float32)
    layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = get_peft_model(base, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=layers))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-4)
    order = torch.randperm(len(examples)).tolist()
    tokens_read, seconds = 0, 0.0
    for step in range(STEPS):
        chosen = [examples[i] for i in order[step * BATCH : (step + 1) * BATCH]]
        width = max(len(p) + len(a) for p, a in chosen)
        tokens = torch.zeros(len(chosen), width, dtype=torch.long)
        labels = torch.full((len(chosen), width), -100)
        mask = torch.zeros(len(chosen), width, dtype=torch.long)
        for i, (p, a) in enumerate(chosen):
            tokens[i, : len(p) + len(a)] = torch.tensor(p + a)
            labels[i, len(p) : len(p) + len(a)] = torch.tensor(a)
            mask[i, : len(p) + len(a)] = 1
        start = time.process_time()
        optimizer.zero_grad()
        model(input_ids=tokens, attention_mask=mask, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step >= 2:
            tokens_read += int(mask.sum())
            seconds += time.process_time() - start
    return tokens_read / seconds


pairs = []
for number in range(ROUNDS):
    pairs.append((martlet(number), peft(number)))
    print("Martlet {:.0f}, PEFT {:.0f} tokens per CPU second".format(*pairs[-1]), flush=True)
ours, theirs = (statistics.median(side) for side in zip(*pairs))
print(f"medians {ours:.0f} and {theirs:.0f}: {ours / theirs:.2f}x")
