#!/usr/bin/env python3
"""Kills a stream of edits at random moments: every acknowledged edit must survive, none may be half there.

  Scripts/kill_editor.py MARTLET MODEL DATA.jsonl.gz [KILLS]
"""
import gzip, json, os, random, signal, sqlite3, subprocess, sys, tempfile, time

martlet, model, data = sys.argv[1:4]
kills = int(sys.argv[4]) if len(sys.argv) > 4 else 200
rows = [json.loads(line) for line in gzip.open(data)]
random.seed(1)
folder = tempfile.mkdtemp()
store = os.path.join(folder, "edits.sqlite")
acknowledged, place, lost, half, refused_open = {}, 0, 0, 0, 0
for kill in range(kills):
    process = subprocess.Popen(
        [martlet, "edit", "add", model, "--edits", store, "--stream", "-", "--json"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    batch = [{"prompt": r["prompt"], "answer": r["target_new"]} for r in (rows[(place + i) % len(rows)] for i in range(30))]
    process.stdin.write("".join(json.dumps(b) + "\n" for b in batch).encode())
    process.stdin.flush()
    time.sleep(random.uniform(0.3, 3.0))
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    for line in output.split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue  # cut in the middle: not acknowledged
        if record.get("outcome") == "made":
            acknowledged[record["id"]] = (record["prompt"], record["answer"])
            place += 1
    if not os.path.exists(store):
        continue
    database = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    if not database.execute("SELECT name FROM sqlite_master WHERE name = 'edit'").fetchone():
        database.close()
        continue
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    kept = {row[0]: row[1:] for row in database.execute("SELECT id, prompt, answer FROM edit")}
    lost += sum(kept.get(key) != value for key, value in acknowledged.items())
    for table, column in (("key", "edit"), ("value", "edit"), ("event", "edit")):
        half += database.execute(
            f"SELECT count(*) FROM edit WHERE id NOT IN (SELECT {column} FROM {table})").fetchone()[0]
    database.close()
check = subprocess.run([martlet, "edit", "test", model, "--edits", store, "--json"], capture_output=True, text=True)
result = json.loads(check.stdout)
print(json.dumps({"kills": kills, "acknowledged": len(acknowledged), "lost": lost, "half": half,
                  "passed": result["passed"], "failed": len(result["failed"])}))
sys.exit(bool(lost or half or result["failed"]))
