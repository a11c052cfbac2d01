"""Times Skeleton-of-Thought against normal decoding through the server, on replies of known length.

    python Scripts/race_skeleton.py MODEL --points 8 --tokens 60 --rounds 5 [--continue] [--format bf16]

Starts `martlet serve` with a script: every forward pass is run, but what is "said" is given, so that both ways have
exact lengths (points x tokens; normal the same number in one sequence). The two take turns; medians are printed, beside
T(skeleton) + T(longest point) from the decode and prefill speeds of `martlet bench` in the same minutes.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile, time, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--points", type=int, default=8)
parser.add_argument("--tokens", type=int, default=60)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--continue", dest="continues", action="store_true")
parser.add_argument("--format")
parser.add_argument("--threads", default="2")
parser.add_argument("--port", type=int, default=8097)
a = parser.parse_args()

martlet = os.environ.get("MARTLET", ".build/release/martlet")
base = f"http://127.0.0.1:{a.port}"
question = "How can I improve my time management skills?"
options = ["--threads", a.threads] + (["--format", a.format] if a.format else [])


def post(path, body):
    request = urllib.request.Request(base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def count(text):
    return post("/tokenize", {"content": text, "parse_special": False})["count"]


def words(tokens):
    """A text of exactly so many tokens, with no sentence end in it."""
    text, kinds = "", [" time", " plan", " work", " day"]
    while count(text) < tokens:
        text += kinds[len(text) % 4]
    assert count(text) == tokens, (count(text), tokens)
    return text


class Server:
    def __init__(self, lines):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".jsonl")
        self.file.write("\n".join(json.dumps(l) for l in lines))
        self.file.flush()
        command = [martlet, "serve", a.model, "--port", str(a.port), "--script", self.file.name, "--sentences", "0",
                   "--log-level", "error"] + options + (["--continue"] if a.continues else [])
        self.process = subprocess.Popen(command)
        for _ in range(600):
            try:
                urllib.request.urlopen(base + "/health")
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("the server did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


first = Server([])
heads = ["Set clear goals", "Plan each day", "Limit distractions", "Take short breaks", "Delegate tasks",
         "Review progress weekly", "Learn to say no", "Sleep enough", "Use a calendar", "Batch small tasks"][: a.points]
skeleton = " 1." + "".join(f" {i + 1}. {h}.\n" if i else f" {h}.\n" for i, h in enumerate(heads))
reply = skeleton[len(" 1."):].rstrip("\n")
point, normal = words(a.tokens), words(a.points * a.tokens)
skeleton_tokens = count(reply)
first.stop()
lines = [{"match": f"{i + 1}. {h}.", "reply": point} for i, h in enumerate(heads)]
lines += [{"match": " 1.", "reply": reply}]
lines += [{"match": f"{question}{end}", "reply": normal} for end in ("\nassistant\n", "\n\nAssistant:", "")]
server = Server(lines)


def ask(mode):
    started = time.perf_counter()
    # The limit holds for the skeleton as well.
    limit = a.points * a.tokens + (skeleton_tokens + 16 if mode == "on" else 0)
    body = {"messages": [{"role": "user", "content": question}], "max_tokens": limit, "temperature": 0,
            "martlet": {"skeleton": mode}}
    reply = post("/v1/chat/completions", body)
    return time.perf_counter() - started, reply


ask("off"), ask("on")
times = {"off": [], "on": []}
stages = []
for _ in range(a.rounds):
    for mode in ("off", "on"):
        seconds, answer = ask(mode)
        times[mode].append(seconds)
        if mode == "on":
            news = answer["martlet"]["skeleton"]
            assert news["used_skeleton"], news
            lengths = [p["tokens"] for p in news["points"]]
            assert lengths == [a.tokens] * a.points, lengths
            stages.append(news)
        else:
            assert answer["usage"]["completion_tokens"] == a.points * a.tokens, answer["usage"]
server.stop()
report = json.loads(subprocess.check_output(
    [martlet, "bench", a.model, "--batch", f"1,{a.points}", "--decode", "48", "--context", "200", "--prefill", "128",
     "--repeats", "3", "--json"] + options))
speed = {(r["test"], r.get("sequences")): r["tokens_per_second"] for r in report["results"]}
off, on = statistics.median(times["off"]), statistics.median(times["on"])
one, many = 1 / speed["decode", 1], a.points / speed["decode", a.points]
read = 1 / speed["prefill", None]
print(f"{os.path.basename(a.model)} {a.format or ''}: {a.points} points of {a.tokens} tokens, skeleton of {skeleton_tokens}")
print(f"  normal, {a.points * a.tokens} tokens     {off:.3f} s  (all: {' '.join('%.3f' % t for t in times['off'])})")
print(f"  skeleton-of-thought   {on:.3f} s  (all: {' '.join('%.3f' % t for t in times['on'])})")
print(f"  speed-up              {off / on:.2f}x")
median = lambda key: statistics.median(s[key] for s in stages)
skeleton_read, point_read = int(median("skeleton_read_tokens")), int(median("point_read_tokens"))
t_skeleton = skeleton_read * read + skeleton_tokens * one
t_point = point_read * read + a.tokens * many
print(f"  stages: skeleton {median('skeleton_seconds'):.3f} s ({skeleton_read} tokens read), "
      f"points {median('point_seconds'):.3f} s ({point_read} read)")
print(f"  T(skeleton) + T(longest point) = {t_skeleton:.3f} + {t_point:.3f} = {t_skeleton + t_point:.3f} s; "
      f"measured / model = {on / (t_skeleton + t_point):.2f}")
