#!/usr/bin/env python3
"""Makes Tests/Fixtures/teaching_report.json: right and wrong answers of two arms, and their statistics as numpy computes them.

    python3 Scripts/make_teaching_report_fixture.py     (needs numpy)

Means are exact. Intervals are percentiles of 200,000 draws of questions and of seeds, where the report makes 2,000 with other random
numbers: a test allows for the error of those draws, and so finds an interval over questions alone, seeds alone, or unpaired ones.
"""
import json, math, pathlib

import numpy as np

FILE = pathlib.Path(__file__).parent.parent / "Tests/Fixtures/teaching_report.json"
DRAWS = 200_000


def interval(values):
    return np.percentile(values, [2.5, 97.5]).round(5).tolist()


def draws(table, questions, random):
    """Means of `table`, [seed][question], over questions that are drawn already and seeds that are drawn here."""
    seeds, count = table.shape
    by_question = random.integers(seeds, size=(len(questions), seeds))
    weights = np.stack([(by_question == seed).sum(axis=1) for seed in range(seeds)], axis=1) / seeds
    return np.einsum("rs,rs->r", weights, np.stack([row[questions].mean(axis=1) for row in table], axis=1))


def wilson(successes, count, z=1.959963984540054):
    share = successes / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return [middle - reach, middle + reach]


def main():
    random = np.random.default_rng(17)
    hardness = random.random(60)
    arms = {"answers": (random.random((3, 60)) > hardness * 1.1).astype(int)}
    ease = np.array([0.9, 0.75, 0.6])
    arms["thoughts"] = (random.random((3, 60)) < ease[:, None] * (1.1 - hardness)[None, :]).astype(int)
    questions = random.integers(60, size=(DRAWS, 60))
    means = {name: draws(table, questions, random) for name, table in arms.items()}
    FILE.write_text(json.dumps({
        "arms": {
            name: {
                "right": table.tolist(), "value": table.mean(), "seeds": table.mean(axis=1).tolist(),
                "interval": interval(means[name]),
            } for name, table in arms.items()
        },
        "difference": {
            "value": arms["thoughts"].mean() - arms["answers"].mean(),
            "interval": interval(means["thoughts"] - means["answers"]),
        },
        "wilson_of_none": wilson(0, 60),
    }) + "\n")


main()
