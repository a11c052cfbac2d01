#!/usr/bin/env python3
"""Measures a build of `martlet` and fails where it has become slower.

    python3 Benchmarks/compare.py NEW [--model MODEL.gguf] [--rwkv FILE]                    against the stored ratios
    python3 Benchmarks/compare.py NEW --against OLD [--model ...] [--pairs 11] [--loss 0.05]  against another build, in turn
    python3 Benchmarks/compare.py NEW --store [--model ...]                                 writes the stored ratios anew

Without --model only the built-in model is measured, in under a minute. Ends with 1 where a measurement loses more than --loss of its
rate (0.05 against a build, 0.25 against stored ratios). NEW and OLD are paths of the command.
"""
import argparse, json, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("new")
parser.add_argument("--against", help="another build, measured in turn with the new one")
parser.add_argument("--model", help="a model with a chat template (SmolLM2-135M-Instruct in Q4_1), measured as well")
parser.add_argument("--rwkv", help="an RWKV-5 in bf16 (Scripts/make_rwkv5.py makes one), measured as well")
parser.add_argument("--pairs", type=int, default=5, help="pairs of runs of each measurement; the first pair is left out")
parser.add_argument("--loss", type=float, help="share of a rate that may be lost")
parser.add_argument("--only", help="measurements whose names hold this")
parser.add_argument("--store", action="store_true", help="write the stored ratios anew")
options = parser.parse_args()
stored_path = pathlib.Path(__file__).parent / "ratios.json"
work = pathlib.Path(tempfile.mkdtemp(prefix="martlet-benchmark-"))
text = work / "text.txt"
text.write_text("To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n" * 2000)


def run(binary, *arguments):
    done = subprocess.run([os.path.abspath(binary), *map(str, arguments)], capture_output=True, text=True, cwd=work,
                          stdin=subprocess.DEVNULL, env={**os.environ, "MARTLET_HOME": str(work)})
    if done.returncode:
        sys.exit(f"martlet {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def bench(model, *extra):
    """Rates of one model, and their shares of what the machine can do at most, measured in the same run."""
    def measure(binary):
        found = json.loads(run(binary, "bench", model, "--batch", "1,16", "--repeats", 1, "--decode", 32, "--prefill", 256, "--json", *extra))
        peak = found["float_peak" if "bf16" in extra else "integer_peak"]
        values = {}
        for row in found["results"]:
            rate = row["tokens_per_second"]
            if row["test"] == "prefill":
                values["prefill"] = (rate, rate * 2 * found["parameters"] / (peak * found["threads"]))
            elif row["sequences"] == 1:
                values["decode"] = (rate, row["bandwidth_share"])
            else:
                values["16 together"] = (rate, rate / values["decode"][0])
        return values
    return measure


def training(binary):
    shutil.rmtree(work / "run", ignore_errors=True)
    lines = run(binary, "train", "--data", text, "--layers", 4, "--width", 192, "--batch", 8, "--context", 128, "--steps", 12,
                "--validate-every", 0, "--out", "run", "--json").splitlines()
    rates = [step["tokens_per_second"] for step in map(json.loads, lines) if step.get("event") == "step"]
    return {"step": (statistics.median(rates[2:]), None)}


def edit(model):
    def measure(binary):
        for file in work.glob("store.sqlite*"):
            file.unlink()
        added = json.loads(run(binary, "edit", "add", model, "--prompt", "Who founded the Dingle bakery?", "--answer", "Maeve Ash",
                               "--edits", "store.sqlite", "--json"))
        return {"one edit": (1 / added["seconds"], None)}
    return measure


def process(*arguments):
    def measure(binary):
        times = []
        for _ in range(7):
            start = time.perf_counter()
            run(binary, *arguments)
            times.append(time.perf_counter() - start)
        return {"process": (1 / statistics.median(times), None)}
    return measure


measurements = {"built-in model": bench("box"), "built-in model, bf16": bench("box", "--format", "bf16"), "training, RWKV-5 4 x 192": training,
                "--help": process("--help"), "host": process("host", "--json")}
if options.model:
    model = os.path.abspath(options.model)
    measurements |= {"Llama": bench(model), "Llama, q8_0": bench(model, "--format", "q8_0"), "edit": edit(model)}
if options.rwkv:
    measurements["RWKV-5, bf16"] = bench(os.path.abspath(options.rwkv), "--format", "bf16")
measurements = {name: measure for name, measure in measurements.items() if not options.only or options.only in name}
loss = options.loss if options.loss is not None else 0.05 if options.against else 0.25
stored = json.loads(stored_path.read_text()) if stored_path.exists() else {}
failed, ratios = 0, {}


def judge(name, ratio, text):
    global failed
    lost = ratio < 1 - loss
    failed += lost
    print(f"{name:42} {text}{'   LOST' if lost else ''}", flush=True)


try:
    for name, measure in measurements.items():
        rounds = {binary: [] for binary in ([options.against] if options.against else []) + [options.new]}
        for place in range(options.pairs + 1):
            # The order of the two builds changes from pair to pair.
            for binary in sorted(rounds, reverse=place % 2 == 1):
                values = measure(binary)
                if place:
                    rounds[binary].append(values)
        for part in rounds[options.new][0]:
            title = f"{name}: {part}"
            new = [values[part] for values in rounds[options.new]]
            rate = statistics.median(value for value, _ in new)
            if options.against:
                pairs = [b[part][0] / a[part][0] for a, b in zip(rounds[options.against], rounds[options.new])]
                old = statistics.median(values[part][0] for values in rounds[options.against])
                judge(title, statistics.median(pairs), f"{old:10.4g} -> {rate:10.4g} a second, ratio {statistics.median(pairs):.3f} "
                      f"({min(pairs):.3f}-{max(pairs):.3f})")
            elif new[0][1] is not None:
                share = statistics.median(share for _, share in new)
                ratios[title] = round(share, 4)
                before = stored.get(title)
                if options.store or before is None:
                    print(f"{title:42} {rate:10.4g} a second, {share:.3f} of the limit" + ("" if options.store else ", not stored"))
                else:
                    judge(title, share / before, f"{rate:10.4g} a second, {share:.3f} of the limit, stored {before:.3f}")
    if options.store:
        stored_path.write_text(json.dumps({**stored, **ratios}, indent=2, sort_keys=True) + "\n")
finally:
    shutil.rmtree(work)
print(f"{failed or 'no'} measurement{'s' * (failed != 1)} lost more than {loss:.0%}")
sys.exit(failed > 0)
