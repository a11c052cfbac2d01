#!/usr/bin/env python3
"""Makes Tests/Fixtures/icl: rows of an in-context-learning probe, and their statistics as numpy computes them.

    python3 Scripts/make_icl_fixtures.py [ROWS.jsonl]     (needs numpy)

With a file of rows it only prints the statistics, so that any rows can be compared with `martlet probe summary ROWS.jsonl --json`.
"""
import json, pathlib, re, sys

import numpy as np

FOLDER = pathlib.Path(__file__).parent.parent / "Tests/Fixtures/icl"


def made_rows():
    """Two labels with many equal scores, and three; contexts of five queries."""
    random = np.random.default_rng(7)
    for task, labels in (("two", 2), ("three", 3)):
        for setting in ("regular", "flipped50", "flipped100", "sul", "sul-swapped"):
            for block in range(4):
                for query in range(5):
                    gold = int(random.integers(labels))
                    scores = np.round(-np.abs(random.normal(size=labels) * 2), 1 if labels == 3 else 0)
                    scores[gold] += 0.5 if setting == "regular" else 0
                    answer = int(random.integers(labels + 1))
                    yield {
                        "task": task, "k": 4, "setting": setting, "seed": 1 + block // 2, "block": block % 2,
                        "eval_id": f"q{query}", "gold": gold, "lp": scores.round(3).tolist(), "tokens": list(range(1, labels + 1)),
                        "lp_content_free": random.normal(size=(2, labels)).round(2).tolist(),
                        "lp_domain": random.normal(size=(2, labels)).round(2).tolist(),
                        "lp_zero_shot": random.normal(size=labels).round(2).tolist(),
                        "answer": answer if answer < labels else None,
                    }


def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def flipped_share(setting):
    match = re.fullmatch(r"flip(?:ped)?(\d+)", setting)
    return int(match[1]) / 100 if match else 0.0


def statistics(rows):
    scores, gold = np.array([row["lp"] for row in rows]), np.array([row["gold"] for row in rows])
    labels, count, places = scores.shape[1], len(rows), np.arange(len(rows))
    predicted, probabilities = scores.argmax(1), softmax(scores)
    contexts = {}
    for place, row in enumerate(rows):
        contexts.setdefault((row["seed"], row["block"]), []).append(place)
    calibrated = np.zeros(count, int)
    right = pairs = 0.0
    for context in contexts.values():
        own = probabilities[context]
        calibrated[context] = (np.log(own) - np.log(own.mean(0))).argmax(1)
        for label in [1] if labels == 2 else range(labels):
            others = np.delete(scores[context], label, 1)
            odds = scores[context][:, label] - (others[:, 0] if labels == 2 else np.logaddexp.reduce(others, axis=1))
            mine = gold[context] == label
            differences = odds[mine][:, None] - odds[~mine][None, :]
            right += (differences > 0).sum() + 0.5 * (differences == 0).sum()
            pairs += differences.size
    others = scores.copy()
    others[places, gold] = -np.inf
    z, p = 1.959963984540054, (predicted == gold).mean()
    half = z * np.sqrt(p * (1 - p) / count + z * z / 4 / count**2)
    found = {
        "n": count, "accuracy": p, "accuracy_batch_calibrated": (calibrated == gold).mean(),
        "auroc": right / pairs if pairs else None, "gold_margin": (scores[places, gold] - others.max(1)).mean(),
        "class_share": [(predicted == label).mean() for label in range(labels)],
        "accuracy_wilson": [(p + z * z / 2 / count + sign * half) / (1 + z * z / count) for sign in (-1, 1)],
    }
    for name, key in (("contextual", "lp_content_free"), ("domain", "lp_domain")):
        if key in rows[0]:
            prior = np.array([softmax(np.array(row[key])).mean(0) for row in rows])
            found[f"accuracy_{name}_calibrated"] = ((np.log(probabilities) - np.log(prior)).argmax(1) == gold).mean()
    if "tokens" in rows[0]:
        found["accuracy_length_normalized"] = ((scores / np.array([row["tokens"] for row in rows])).argmax(1) == gold).mean()
    share = flipped_share(rows[0]["setting"])
    suggested = None if share == 0.5 else (gold + 1) % labels if share > 0.5 else gold
    if suggested is not None:
        found["prompt_alignment"] = (predicted == suggested).mean()
    if "lp_zero_shot" in rows[0]:
        believed = np.array([row["lp_zero_shot"] for row in rows]).argmax(1)
        found["prior_alignment"] = (predicted == believed).mean()
        if suggested is not None and (suggested != believed).any():
            found["override_rate"] = (predicted == suggested)[suggested != believed].mean()
    if "answer" in rows[0]:
        answers = [row["answer"] for row in rows]
        found["accuracy_generated"] = np.mean([answer == label for answer, label in zip(answers, gold)])
        found["out_of_set_rate"] = np.mean([answer is None for answer in answers])
    return {
        name: [float(v) for v in value] if isinstance(value, list) else None if value is None else float(value)
        for name, value in found.items()
    }


def cells(rows):
    groups = {}
    for row in rows:
        groups.setdefault((row.get("model"), row["task"], row["k"], row["setting"]), []).append(row)
    for (model, task, shots, setting), group in groups.items():
        yield {"model": model, "task": task, "k": shots, "setting": setting} | statistics(group)


if len(sys.argv) > 1:
    with open(sys.argv[1]) as file:
        print(json.dumps({"cells": list(cells([json.loads(line) for line in file]))}, indent=1))
else:
    FOLDER.mkdir(exist_ok=True)
    rows = list(made_rows())
    (FOLDER / "rows.jsonl").write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    (FOLDER / "cells.json").write_text(json.dumps(list(cells(rows)), indent=1, sort_keys=True) + "\n")
