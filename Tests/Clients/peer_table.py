"""The table of llama.cpp's cases: which test stands for which, and how each came out."""

import time, traceback

KEPT, REFUSED, NOT_MEANINGFUL = "kept", "refused", "not meaningful"
cases, reasons = [], []


def case(*names, verdict=KEPT):
    """A test of the cases of these names. It may return another verdict, or text that says more."""

    def add(test):
        cases.extend((name, verdict, test) for name in names)
        return test

    return add


def nothing_to_ask(reason, *names):
    reasons.extend((name, reason) for name in names)


def report(only=None):
    """Runs the tests and prints the table; whether all of it holds."""
    table, broken = [], []
    outcomes = {}
    for name, verdict, test in cases:
        if only and only not in name:
            continue
        if test not in outcomes:
            started = time.monotonic()
            try:
                outcomes[test] = test()
            except LookupError as missing:
                outcomes[test] = missing
            except Exception as problem:
                outcomes[test] = problem
                traceback.print_exc(limit=3)
            print(f"{time.monotonic() - started:6.1f} s {test.__name__}", flush=True)
        outcome = outcomes[test]
        if isinstance(outcome, Exception):
            broken.append(name)
            table.append((name, "broken", f"{outcome!r}"[:150]))
        else:
            word = outcome if outcome in (KEPT, REFUSED) else verdict
            table.append((name, word, outcome if outcome not in (None, KEPT, REFUSED) else ""))
    table += [(name, NOT_MEANINGFUL, reason) for name, reason in reasons if not only]
    for name, verdict, more in sorted(table):
        print(f"{name:74} {verdict:15} {more}")
    count = {
        word: sum(verdict == word for _, verdict, _ in table) for word in (KEPT, REFUSED, NOT_MEANINGFUL, "broken")
    }
    print(f"{len(table)} entries: " + ", ".join(f"{number} {word}" for word, number in count.items()))
    return not broken
