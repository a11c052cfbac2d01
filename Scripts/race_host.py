#!/usr/bin/env python3
"""`martlet host` beside spectre-meltdown-checker on the same files and on this machine, as root:

  Scripts/race_host.py .build/release/martlet PATH/spectre-meltdown-checker DATA/host [cpuinfo FOLDER]

The peer is fed each file by a bind mount over /proc/cpuinfo in a private mount namespace. It reads the signature from
the CPUID instruction, so a mocked name is set with which it takes cpuinfo's fields; it does not know CacheWarp.
"""
import collections, csv, json, os, subprocess, sys, time

martlet, peer, data = sys.argv[1:4]
os.environ["SMC_MOCK_CPU_FRIENDLY_NAME"] = "x"
# Asked for this flaw alone, the peer does not find its own table of fixed revisions; a full run does.
modes = {"peer, --cve": "--cve CVE-2023-23583", "peer, full run": ""}


def run(command):
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True)
    return result, (time.perf_counter() - start) * 1000


def peer_verdict(path, options):
    script = f"mount --bind {path} /proc/cpuinfo && exec {peer} {options} --batch json-terse"
    result, milliseconds = run(["unshare", "-m", "sh", "-c", script])
    try:
        rows = json.loads(result.stdout.strip().splitlines()[-1])
        row = next(row for row in rows if row["CVE"] == "CVE-2023-23583")
        return {True: "vulnerable", False: "fine", None: "unknown"}[row["VULNERABLE"]], milliseconds
    except Exception:
        return "error", milliseconds


def ours(path):
    result, milliseconds = run([martlet, "host", "--json", "--input", path])
    status = json.loads(result.stdout)["results"][0]["status"]
    return status, milliseconds


def folded(status):
    return "fine" if status in ("not_affected", "mitigated") else status


counts = {name: collections.Counter() for name in ["martlet", *modes]}
times = {name: [] for name in counts}
print("| file | expected | " + " | ".join(counts) + " |\n|---|---|" + "---|" * len(counts))
for row in csv.DictReader(open(f"{data}/cpuinfo/expected.tsv"), delimiter="\t"):
    path = os.path.abspath(f"{data}/cpuinfo/{row['file']}")
    expected = row["reptar_status"]
    verdicts = {"martlet": ours(path), **{name: peer_verdict(path, options) for name, options in modes.items()}}
    for name, (verdict, milliseconds) in verdicts.items():
        times[name].append(milliseconds)
        is_same = verdict == expected if name == "martlet" else verdict == folded(expected)
        verdict = folded(verdict)
        kind = ("agree" if is_same else
                "vulnerable called fine" if expected == "vulnerable" and verdict == "fine" else
                "fine called vulnerable" if folded(expected) == "fine" and verdict == "vulnerable" else
                "unknown given a verdict" if expected == "unknown" else
                "known called unknown" if verdict == "unknown" else "other")
        counts[name][kind] += 1
    if any(folded(verdict) != folded(expected) for verdict, _ in verdicts.values()):
        print(f"| {row['file']} | {expected} | " + " | ".join(verdict for verdict, _ in verdicts.values()) + " |", flush=True)
for name in counts:
    print(name, dict(counts[name]), f"median {sorted(times[name])[len(times[name]) // 2]:.0f} ms")
for name, command in (("martlet host", [martlet, "host", "--json"]), ("peer", [peer, "--cve", "CVE-2023-23583", "--batch", "json-terse"])):
    samples = sorted(run(command)[1] for _ in range(11))
    print(f"{name} on this machine: median {samples[5]:.1f} ms")
