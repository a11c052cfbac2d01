#!/usr/bin/env python3
"""Races `martlet score` with lm-evaluation-harness (transformers, float32) and llama.cpp's perplexity tool on the same rows.

    MARTLET_DATA=DATA VENV/bin/python Scripts/race_evaluation.py MARTLET MODEL.gguf [--harness] [--llama llama-perplexity] [--rows 100] [--pairs 5]

All run in turn, --pairs times, with --threads threads; a ratio is the median over the pairs. The harness's seconds are those of
`HFLM.loglikelihood`, ours those that `score --json` gives: neither has the loading of the model. The seconds of llama.cpp are those of the
whole process, and so are ours beside them. --harness needs lm-eval, transformers and torch in this Python.
"""
import argparse, gzip, json, os, pathlib, statistics, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("martlet")
parser.add_argument("model", help="GGUF file")
parser.add_argument("--harness", action="store_true", help="race lm-eval in f32")
parser.add_argument("--batch-sizes", default="1,8", help="batch sizes of the harness")
parser.add_argument("--llama", help="path of llama-perplexity, raced at the file's own format")
parser.add_argument("--rows", type=int, default=100)
parser.add_argument("--pairs", type=int, default=5)
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--tasks", default="hellaswag,winogrande,arc_easy")
options = parser.parse_args()
data = pathlib.Path(os.environ["MARTLET_DATA"]) / "eval"
work = pathlib.Path(tempfile.mkdtemp(prefix="martlet-evaluation-"))


def rows(name):
    with gzip.open(data / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(options.rows))]


def hellaswag():
    return [[(row["query"], " " + choice) for choice in row["choices"]] for row in rows("hellaswag_val_first4000.jsonl.gz")]


def winogrande():
    return [[(context, " " + row["continuation"]) for context in row["contexts"]] for row in rows("winogrande_valid.jsonl.gz")]


def arc_easy():
    return [[(f"Question: {row['question']}\nAnswer:", " " + choice) for choice in row["choices"]]
            for row in rows("arc_easy_test.jsonl.gz")]


def martlet(pairs, *extra):
    """Seconds of scoring, seconds of the whole process."""
    source = work / "pairs.jsonl"
    source.write_text("".join(json.dumps(dict(context=c, continuation=t)) + "\n" for row in pairs for c, t in row))
    start = time.time()
    done = subprocess.run([options.martlet, "score", options.model, "--input", source, "--output", work / "scores.jsonl", "--force", "--json",
                           "-t", str(options.threads), *extra], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["seconds"], time.time() - start


def llama(task, pairs):
    """Seconds of the whole process, with one task a batch (llama.cpp's default) and with eight."""
    source = work / f"{task}.txt"
    if task == "hellaswag":
        lines = []
        for row, pair in zip(rows("hellaswag_val_first4000.jsonl.gz"), pairs):
            lines += [pair[0][0], str(row["gold"]), *(text.strip() for _, text in pair)]
        source.write_text("\n".join(line.replace("\n", " ") for line in lines) + "\n\n")
    else:
        # The two contexts of a row differ in the choice; the sentence is written with `_` in its place.
        lines = []
        for number, (row, pair) in enumerate(zip(rows("winogrande_valid.jsonl.gz"), pairs)):
            first, second = pair[0][0], pair[1][0]
            start = len(os.path.commonprefix([first, second]))
            start = first.rfind(" ", 0, start) + 1
            end = len(os.path.commonprefix([first[start:][::-1], second[start:][::-1]]))
            tail = first[len(first) - end:]
            end = len(tail) - (tail.find(" ") if " " in tail else len(tail))
            one, two = first[start:len(first) - end], second[start:len(second) - end]
            sentence = first[:start] + "_" + first[len(first) - end:] + pair[0][1]
            lines.append(f'{number},"{sentence.replace(chr(34), chr(39))}",{one},{two},{row["gold"] + 1}')
        source.write_text("\n".join(lines) + "\n\n")
    seconds = []
    for extra in ([], ["-np", "32"]):
        start = time.time()
        done = subprocess.run([options.llama, "-m", options.model, "-f", source, f"--{task}", f"--{task}-tasks", str(len(pairs)),
                               "-t", str(options.threads), *extra], capture_output=True)
        if done.returncode:
            sys.exit(done.stderr.decode(errors="replace")[-2000:])
        seconds.append(time.time() - start)
    return seconds


def harness(batch_sizes):
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch
    from lm_eval.models.huggingface import HFLM
    torch.set_num_threads(options.threads)
    path = pathlib.Path(options.model).resolve()
    model = HFLM(pretrained=str(path.parent), gguf_file=path.name, device="cpu", dtype="float32", batch_size=1)

    class Request:
        def __init__(self, arguments):
            self.args = arguments

    def seconds(pairs, size):
        model.batch_size_per_gpu = size
        start = time.time()
        model.loglikelihood([Request(pair) for row in pairs for pair in row], disable_tqdm=True)
        return time.time() - start
    return {f"lm-eval batch {size}": (lambda pairs, size=size: seconds(pairs, size)) for size in batch_sizes}


peers = harness(list(map(int, options.batch_sizes.split(",")))) if options.harness else {}
for task in options.tasks.split(","):
    pairs = globals()[task]()
    ratios = {}

    def note(name, peer, own):
        ratios.setdefault(name, []).append((peer / own, peer, own))
    for _ in range(options.pairs):
        for name, run in peers.items():
            note(name + ", f32", run(pairs), martlet(pairs, "--format", "f32")[0])
        if options.llama and task in ("hellaswag", "winogrande"):
            alone, many = llama(task, pairs)
            whole = martlet(pairs)[1]
            note("llama.cpp", alone, whole)
            note("llama.cpp -np 32", many, whole)
        if len(pairs[0]) == 4:
            note("unpacked, f32", martlet(pairs, "--format", "f32", "--no-packing")[0], martlet(pairs, "--format", "f32")[0])
    for name, found in ratios.items():
        values = sorted(ratio for ratio, _, _ in found)
        print(f"{task}: {name}: {statistics.median(values):.2f} ({values[0]:.2f}-{values[-1]:.2f}); medians {statistics.median(p for _, p, _ in found):.2f} s "
              f"and {statistics.median(o for _, _, o in found):.2f} s for {len(pairs)} rows", flush=True)
