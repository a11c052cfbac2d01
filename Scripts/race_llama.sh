#!/usr/bin/env bash
# Races Martlet and llama.cpp on the same GGUF files, in turn, several times; prints medians.
#
#   Scripts/race_llama.sh LLAMA_CPP_BIN MODEL.gguf...      (THREADS="1 2", ROUNDS=3)
#
# llama.cpp's sources come inside PyPI's llama-cpp-python; see BENCHMARKS.md.
set -euo pipefail
bin=$1
shift
martlet=${MARTLET:-.build/release/martlet}
for model in "$@"; do
  for threads in ${THREADS:-1 2}; do
    for _ in $(seq "${ROUNDS:-3}"); do
      "$martlet" bench "$model" --threads "$threads" --context 1 --repeats 1 --json | sed 's/^/martlet /'
      "$martlet" bench "$model" --threads "$threads" --prefill 0 --batch 2,4,8,16 --repeats 1 --json | sed 's/^/martlet /'
      "$bin/llama-bench" -m "$model" -t "$threads" -p 512 -n 64 -r 1 -o json 2>/dev/null | tr -d '\n' | sed 's/^/bench /'
      echo
      "$bin/llama-batched-bench" -m "$model" -t "$threads" -tb "$threads" -npp 64 -ntg 64 -npl 1,2,4,8,16 -c 4096 \
        --output-format jsonl 2>/dev/null | grep '^{' | sed 's/^/batched /'
    done | python3 -c '
import collections, json, statistics, sys
ours, peer, limits = collections.defaultdict(list), collections.defaultdict(list), []
for line in sys.stdin:
    kind, _, text = line.partition(" ")
    if not text.strip():
        continue
    data = json.loads(text)
    if kind == "martlet":
        limits.append((data["read_bandwidth"] / 1e9, data["bytes_per_token"] / 1e9))
        for r in data["results"]:
            ours["prefill 512" if r["test"] == "prefill" else "decode x%d" % r["sequences"]].append(r["tokens_per_second"])
    elif kind == "bench":
        for r in data:
            peer["prefill 512" if r["n_prompt"] else "decode x1"].append(r["avg_ts"])
    elif data["pl"] > 1:
        peer["decode x%d" % data["pl"]].append(data["speed_tg"])
bandwidth = statistics.median(l[0] for l in limits)
print("'"$(basename "$model")"', '"$threads"' threads, memory read at %.1f GB/s" % bandwidth)
for key in ours:
    a, b = statistics.median(ours[key]), statistics.median(peer[key]) if peer[key] else float("nan")
    share = "  %3.0f %% of bandwidth" % (100 * a * limits[0][1] / bandwidth) if key == "decode x1" else ""
    print("  %-12s Martlet %7.1f  llama.cpp %7.1f  ratio %.2f%s" % (key, a, b, a / b, share))
'
  done
done
