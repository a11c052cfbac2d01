#!/usr/bin/env python3
"""Ends `martlet sense train` and `sense gan` by kill -9 at random moments until they are done, and compares models with uninterrupted runs.

    python3 Scripts/kill_sensing.py MARTLET IMAGES [--kills 20] [--seed 1] [--only NAME]

MARTLET is the command and IMAGES the folder of MNIST's files. Every attempt resumes the one before. Models, samples and what the last
checkpoint keeps of parameters and moments must have the same bytes, and metrics the same numbers but for processor times.
"""
import argparse, json, pathlib, random, subprocess, sys, tempfile, time

SMALL = ["--pool", "2", "--measurements", "16", "--hidden", "64", "--lr", "0.001"]
RUNS = {
    "regression": ["train", *SMALL, "--steps", "3000", "--schedule", "cosine"],
    "dcs": ["train", *SMALL, "--method", "dcs", "--latents", "32", "--steps", "400"],
    "dcs with an encoder": ["train", *SMALL, "--method", "dcs", "--latents", "32", "--steps", "300", "--encoder", "--image-loss"],
    "dcs of several numbers": ["train", *SMALL[:2], "--measurements", "4,8,16", *SMALL[4:], "--method", "dcs", "--latents", "32",
                               "--steps", "400"],
    "regression, rounded": ["train", *SMALL, "--steps", "3000", "--precision", "bf16"],
    "dcs, rounded": ["train", *SMALL, "--method", "dcs", "--latents", "32", "--steps", "400", "--precision", "bf16"],
    "unrolled": ["train", *SMALL, "--method", "unrolled", "--steps", "40", "--batch", "16"],
    "csgm": ["train", *SMALL, "--method", "csgm", "--steps", "400", "--search-steps", "20", "--restarts", "2"],
    "gan": ["gan", "--pool", "2", "--pad", "1", "--channels", "4", "--steps", "40", "--batch", "16"],
    "gan without latent steps": ["gan", "--pool", "2", "--pad", "1", "--channels", "4", "--steps", "80", "--batch", "16",
                                 "--latent-steps", "0"],
}


def results(folder):
    """The bytes of everything that a run is to repeat."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or name.endswith(("run.json", ".html", ".part", "state.json")):
            continue
        if name.endswith("metrics.jsonl"):
            files[name] = [{key: value for key, value in json.loads(line).items() if key != "seconds"}
                           for line in path.read_text().splitlines()]
        else:
            files[name] = path.read_bytes()
    return files


def check(name, options, command, images, kills_wanted, draw):
    with tempfile.TemporaryDirectory() as scratch:
        whole, pieces = pathlib.Path(scratch, "whole"), pathlib.Path(scratch, "pieces")
        training = str(images / "train-images-idx3-ubyte.gz")
        options = options + ["--threads", "1", "--seed", "5"]
        if options[0] == "train":
            options += ["--test", str(images / "t10k-images-idx3-ubyte.gz"), "--test-count", "100"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started = time.time()
        subprocess.run([command, "sense", options[0], training, *options[1:], "--out", str(whole)], check=True, **quiet)
        seconds = time.time() - started
        kills = attempts = restarts = 0
        while True:
            attempts += 1
            begins = not (pieces / "run.json").exists()
            arguments = [training, *options[1:], "--out", str(pieces)] if begins else ["--resume", str(pieces)]
            log = open(pathlib.Path(scratch, "log"), "w+")
            run = subprocess.Popen([command, "sense", options[0], *arguments], stdout=subprocess.DEVNULL, stderr=log)
            try:
                code = run.wait(None if kills >= kills_wanted else draw.uniform(0.01, 1.1 * seconds))
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                kills += 1
                continue
            if code:
                log.seek(0)
                sys.exit(f"{name}: after {kills} kills it ended with {code}: {log.read()[-2000:]}")
            one, other = results(whole), results(pieces)
            different = [file for file in sorted(set(one) | set(other)) if one.get(file) != other.get(file)]
            if different:
                sys.exit(f"{name}: after {kills} kills these files differ: {', '.join(different)}")
            if kills >= kills_wanted:
                break
            # Done before all kills: what is done is done once more from its beginning.
            restarts += 1
            subprocess.run(["rm", "-rf", str(pieces)], check=True)
        print(f"{name}: the same bytes of {len(one)} files after {kills} kills in {attempts} attempts, {restarts + 1} runs to their end "
              f"(uninterrupted: {seconds:.1f} s)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("martlet")
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=RUNS)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    for name, arguments in RUNS.items():
        if options.only in (None, name):
            check(name, arguments, options.martlet, options.images, options.kills, draw)


if __name__ == "__main__":
    main()
