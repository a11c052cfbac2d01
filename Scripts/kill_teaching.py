#!/usr/bin/env python3
"""Ends `martlet teach run` by kill -9 at random moments until it is done, and compares what it comes to with an uninterrupted run.

    python3 Scripts/kill_teaching.py MARTLET RECIPE.json [--kills 20] [--seed 1]

The report, all files of rows, and all weights must have the same bytes; times alone may differ. MARTLET is the command.
"""
import argparse, json, os, pathlib, random, subprocess, sys, tempfile, time


def untimed(value):
    """A report without processor times."""
    if isinstance(value, dict):
        return {key: untimed(part) for key, part in value.items() if not key.startswith("cpu_")}
    return [untimed(part) for part in value] if isinstance(value, list) else value


def results(folder):
    """The bytes of everything that a run is to repeat."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or "checkpoints/" in name or name.endswith((".answers", ".html", "run.json")):
            continue
        # A kill within a millisecond leaves a temporary file, which the next writer of the file removes.
        if name.endswith(("processor_time.jsonl", ".part")):
            continue
        if name == "report.json" or name.endswith("training.json"):
            files[name] = untimed(json.loads(path.read_text()))
        elif name.endswith("metrics.jsonl"):
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            files[name] = lines
        else:
            files[name] = path.read_bytes()
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("martlet")
    parser.add_argument("recipe")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        whole, pieces = pathlib.Path(scratch, "whole"), pathlib.Path(scratch, "pieces")
        command = [options.martlet, "teach", "run", options.recipe, "--threads", "1", "--json", "--out"]
        started = time.time()
        subprocess.run(command + [str(whole)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.time() - started
        print(f"uninterrupted: {seconds:.1f} s", flush=True)
        kills = attempts = 0
        while True:
            attempts += 1
            log = open(os.path.join(scratch, "log"), "w+")
            run = subprocess.Popen(command + [str(pieces)], stdout=subprocess.DEVNULL, stderr=log)
            try:
                # Moments spread over the whole run, though each attempt begins behind the one before.
                code = run.wait(None if kills >= options.kills else draw.uniform(0.02, 2.5 * seconds / options.kills))
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                kills += 1
                continue
            log.seek(0)
            if code:
                sys.exit(f"after {kills} kills it ended with {code}: {log.read()[-2000:]}")
            if kills >= options.kills:
                break
            # Done before all kills: what is done is done once more from its beginning.
            print(f"done after {kills} kills", flush=True)
            compare(whole, pieces)
            subprocess.run(["rm", "-rf", str(pieces)], check=True)
        compare(whole, pieces)
        print(f"the same bytes after {kills} kills in {attempts} attempts: {len(results(whole))} files")


def compare(whole, pieces):
    one, other = results(whole), results(pieces)
    different = [name for name in sorted(set(one) | set(other)) if one.get(name) != other.get(name)]
    if different:
        sys.exit(f"these files differ: {', '.join(different)}")


if __name__ == "__main__":
    main()
