#!/usr/bin/env python3
"""Compares the rows of `martlet evaluate --rows` with those of the lm-evaluation-harness on the same model.

    python3 Scripts/check_evaluation.py rows.jsonl reference.jsonl [reference.jsonl ...]

A reference is a file of the same form as `--rows`, or a file `samples_TASK_*.jsonl` that lm-eval's --log_samples wrote (which has no
token ids). Rows of the reference that are not in the first file are left out, and counted. Prints one line a task and every row that
differs, and ends with 1 if one does: other token ids; a log-likelihood further off than 0.02 + 0.0005 of its size; another prediction
where the best two choices lie 0.02 or further apart; a sum further off than 0.05 %; another text, but where a greedy step was as close.
"""
import json, pathlib, re, sys

ABSOLUTE, RELATIVE, MARGIN, SUM = 0.02, 0.0005, 0.02, 0.0005


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def reference(path):
    """The rows of a reference in the form of --rows."""
    rows = lines(path)
    if not rows or "task" in rows[0]:
        return rows
    task = re.sub(r"^samples_|_\d{4}-\d\d-\d\dT.*$", "", pathlib.Path(path).stem)
    found = []
    for row in rows:
        answers = [answer[0] for answer in row["resps"]]
        row_of_ours = {"task": task, "row": row["doc_id"], "requests": [], "generated": None, "prediction": None}
        if isinstance(answers[0], str):
            row_of_ours["generated"] = answers[0]
        else:
            row_of_ours["requests"] = [{"log_likelihood": float(value), "is_greedy": str(greedy) == "True"}
                                       for value, greedy in answers]
            if len(answers) > 1:
                values = [request["log_likelihood"] for request in row_of_ours["requests"]]
                row_of_ours["prediction"] = values.index(max(values))
        found.append(row_of_ours)
    return found


def differences(ours, theirs):
    """What differs between two rows, in words, and the largest difference of log-likelihoods."""
    found, largest = [], 0.0
    scored = [request for request in theirs["requests"] if request.get("log_likelihood") is not None]
    for request, other in zip(ours["requests"], theirs["requests"]):
        for key in ("context_tokens", "continuation_tokens"):
            if other.get(key) is not None and request[key] != other[key]:
                found.append(f"{key} {request[key][-8:]} are {other[key][-8:]}")
    if scored:
        if len(ours["requests"]) != len(scored):
            return [f"{len(ours['requests'])} requests are {len(scored)}"], largest
        values = [request["log_likelihood"] for request in scored]
        for request, value in zip(ours["requests"], values):
            difference = abs(request["log_likelihood"] - value)
            largest = max(largest, difference)
            if difference > ABSOLUTE + RELATIVE * abs(value):
                found.append(f"log-likelihood {request['log_likelihood']:.4f} is {value:.4f}")
        best = sorted(values, reverse=True)
        is_clear = len(best) > 1 and best[0] - best[1] >= MARGIN
        if is_clear and theirs.get("prediction") is not None and ours["prediction"] != theirs["prediction"]:
            found.append(f"prediction {ours['prediction']} is {theirs['prediction']}")
    text = theirs.get("generated")
    if text is not None and theirs.get("first_close_step") is None:
        # A reference may have been written with fewer tokens, which it says then.
        was_cut = len(theirs.get("generated_tokens") or []) >= theirs.get("max_new_tokens", 1 << 30)
        is_same = ours["generated"].startswith(text) if was_cut else ours["generated"] == text
    else:
        is_same = True
    if not is_same:
        found.append(f"text {ours['generated']!r:.60} is {theirs['generated']!r:.60}")
    return found, largest


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    ours = {(row["task"], row["row"]): row for row in lines(sys.argv[1])}
    failed = False
    for path in sys.argv[2:]:
        tasks = {}
        for row in reference(path):
            tasks.setdefault(row["task"], []).append(row)
        for task, rows in tasks.items():
            pairs = [(ours[task, row["row"]], row) for row in rows if (task, row["row"]) in ours]
            worst, wrong, sums = 0.0, 0, [0.0, 0.0]
            for one, other in pairs:
                found, largest = differences(one, other)
                worst = max(worst, largest)
                if found:
                    wrong += 1
                    print(f"  {task} row {one['row']}: {'; '.join(found)}")
                for place, row in enumerate((one, other)):
                    sums[place] += sum(request.get("log_likelihood") or 0 for request in row["requests"])
            sum_differs = abs(sums[0] - sums[1]) > SUM * abs(sums[1])
            failed |= wrong > 0 or sum_differs or not pairs
            print(f"{task}: {len(pairs)} of {len(rows)} rows compared, {wrong} differ, largest difference {worst:.5f}, "
                  f"sums {sums[0]:.4f} and {sums[1]:.4f}{' DIFFER' if sum_differs else ''}")
    sys.exit(1 if failed else 0)


main()
