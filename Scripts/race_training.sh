#!/usr/bin/env bash
# Training, side by side with eager torch on the same threads: Martlet and torch in turn, ROUNDS times, medians.
#   Scripts/race_training.sh shakespeare.txt          (needs PYTHON with torch and safetensors)
# PRECISION=bf16 races bfloat16 products against torch's autocast.
set -euo pipefail
cd "$(dirname "$0")/.."
DATA=$1 PYTHON=${PYTHON:-python3} MARTLET=${MARTLET:-.build/release/martlet} ROUNDS=${ROUNDS:-3} THREADS=${THREADS:-2}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
for family in rwkv5 llama; do
  "$MARTLET" train --model $family --data "$DATA" --out "$WORK/$family" --steps 0 >/dev/null 2>&1
  for ((i = 0; i < ROUNDS; i++)); do
    rm -rf "$WORK/run"
    /usr/bin/env time -f '%M' -o "$WORK/memory" "$MARTLET" train --model $family --data "$DATA" --out "$WORK/run" --steps 12 \
      --validate-every 0 --threads "$THREADS" --json ${PRECISION:+--precision $PRECISION} > "$WORK/lines" 2>/dev/null
    # Steps 3 to 12, from the times between lines.
    "$PYTHON" - "$WORK/lines" >> "$WORK/$family.martlet" <<'PY'
import json, sys
rate = {}
for line in open(sys.argv[1]):
    o = json.loads(line)
    if o.get("event") == "step": rate[o["step"]] = o["step"] * 4096 / o["tokens_per_second"]
print((12 - 2) * 4096 / (rate[12] - rate[2]))
PY
    awk '{ print $1 / 1024 }' "$WORK/memory" >> "$WORK/$family.martlet.mb"
    "$PYTHON" Scripts/torch_training.py $family --data "$DATA" --init "$WORK/$family/model.safetensors" --steps 7 \
      --threads "$THREADS" --chunk 16 $([ "${PRECISION:-}" = bf16 ] && echo --autocast) 2> "$WORK/torch" > /dev/null
    "$PYTHON" -c "import json; print(json.loads(open('$WORK/torch').read().splitlines()[-1])['tokens_per_second'])" >> "$WORK/$family.torch"
    "$PYTHON" -c "import json; print(json.loads(open('$WORK/torch').read().splitlines()[-1])['peak_mb'])" >> "$WORK/$family.torch.mb"
  done
  echo "$family 6 x 256, batch 16 x 256, $THREADS threads: Martlet $(median < "$WORK/$family.martlet") tokens/s, $(median < "$WORK/$family.martlet.mb") MB;" \
    "torch $(median < "$WORK/$family.torch") tokens/s, $(median < "$WORK/$family.torch.mb") MB"
done
for ((i = 0; i < ROUNDS; i++)); do
  rm -rf "$WORK/grok"
  "$MARTLET" grok --out "$WORK/grok" --steps 200 --interval 100 --until 2 --threads "$THREADS" --json 2>/dev/null |
    "$PYTHON" -c "import json,sys; print([1000 / json.loads(l)['steps_per_second'] for l in sys.stdin if 'steps_per_second' in l][-1])" >> "$WORK/grok.martlet"
  "$PYTHON" Scripts/torch_grokking.py --threads "$THREADS" | cut -d' ' -f1 >> "$WORK/grok.torch"
done
echo "grokking, 59 at 40 %, $THREADS threads: Martlet $(median < "$WORK/grok.martlet") ms a step, torch $(median < "$WORK/grok.torch") ms"
