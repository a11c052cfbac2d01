#!/usr/bin/env python3
"""Answers alone, chains of thought and two tasks beside each other on the supplied data: trains and tests every run, then writes the reports.

  teach_arms.py MODEL [SET …]     (sets: last_letter svamp commonsenseqa; default: all)

MARTLET names the command, MARTLET_DATA the folder of data, SEEDS the seeds ("1 2 3"), ARMS the arms ("answer-only cot two-task"), WORK the
folder of the runs, THREADS the threads (1). Runs that are there are not repeated, so the same command goes on after any end. Each set gets
WORK/SET.html and WORK/SET.json with intervals over seeds and questions, and a line for each run with its tokens and CPU minutes.
"""
import gzip, json, os, subprocess, sys

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
DATA = os.path.join(os.environ["MARTLET_DATA"], "reasoning")
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "1 2 3").split()]
ARMS = os.environ.get("ARMS", "answer-only cot two-task").split()
WORK = os.environ.get("WORK", "/tmp/teach_arms")
THREADS = os.environ.get("THREADS", "1")


def read(name):
    with gzip.open(os.path.join(DATA, name), "rt") as file:
        return [json.loads(line) for line in file]


def rationales(training, testing, asked):
    """Rows of Google's files: the right rationales to learn from, the first `asked` questions to answer."""
    return [dict(row, split="train") for row in read(training) if row["teacher_correct"]] + [
        dict(row, split="test") for row in read(testing)[:asked]]


SETS = {
    "last_letter": dict(
        rows=lambda: [row for row in read("symbolic/symbolic.jsonl.gz") if row["task"] == "last_letter"],
        train=["--share", "0.25"], test=["--split", "test,test_ood3,test_ood4", "--limit", "100", "--max-tokens", "60"]),
    "svamp": dict(
        rows=lambda: rationales("palm540b_rationales/svamp_train.jsonl.gz", "palm540b_rationales/svamp_test.jsonl.gz", 200),
        train=["--calculator"], test=["--max-tokens", "110"]),
    "commonsenseqa": dict(
        rows=lambda: rationales(
            "palm540b_rationales/commonsenseqa_train.jsonl.gz", "palm540b_rationales/commonsenseqa_dev.jsonl.gz", 250),
        train=["--share", "0.03"], test=["--max-tokens", "100"]),
}


def command(*arguments):
    subprocess.run([MARTLET, "teach", *arguments, "--threads", THREADS], check=True, stdout=subprocess.DEVNULL)


def run(name, arm, seed, model, rows):
    chosen = SETS[name]
    folder = f"{WORK}/{name}/{arm}-seed-{seed}"
    command("train", rows, "--student", model, "--plain", "--method", arm, *chosen["train"], "--epochs", "1", "--lr", "5e-4", "--rank", "8",
            "--seed", str(seed), "--out", folder)
    record = json.load(open(f"{folder}/training.json"))
    answers = f"{folder}.jsonl"
    calculator = ["--calculator"] if "--calculator" in chosen["train"] and arm == "cot" else []
    command("test", rows, "--student", model, "--plain", "--run", folder, "--method", arm, *chosen["test"], *calculator, "-o", answers)
    print(name, arm, seed, {key: value for key, value in record.items() if isinstance(value, (int, float))}, flush=True)
    return answers


def main():
    model = sys.argv[1]
    for name in sys.argv[2:] or SETS:
        os.makedirs(f"{WORK}/{name}", exist_ok=True)
        rows = f"{WORK}/{name}/rows.jsonl"
        with open(rows, "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in SETS[name]["rows"]())
        answers = [run(name, arm, seed, model, rows) for seed in SEEDS for arm in ARMS]
        report = subprocess.run(
            [MARTLET, "teach", "report", *answers, "--html", f"{WORK}/{name}.html", "--output", f"{WORK}/{name}.json", "--force"], check=True,
            capture_output=True, text=True)
        print(report.stdout, flush=True)


main()
