#!/usr/bin/env python3
"""Every command that writes, with every kind of output that fails, and every way of being ended.

    python3 Scripts/check_outputs.py .build/release/martlet MODEL [--only NAME] [--markdown TABLE.md]

MODEL is a Llama with a chat template (SmolLM2-135M-Instruct). Prints a table of outcomes and ends with 1 if one of them is
silent, crashed, wordy, or lost what was there before. Tests of full and read-only disks mount a small tmpfs and need root;
without it they are left out, and said to be.
"""
import argparse, http.server, json, os, re, shutil, signal, stat, subprocess, sys, tempfile, threading, time

options = argparse.ArgumentParser()
options.add_argument("martlet")
options.add_argument("model")
options.add_argument("--only", help="commands whose names hold this")
options.add_argument("--part", choices=["prints", "files", "folders", "signals"], help="one part alone")
options.add_argument("--delays", type=float, nargs="+", default=[0.15, 0.4, 1.0, 2.0], help="seconds before a signal")
options.add_argument("--markdown")
options = options.parse_args()
MARTLET, MODEL = os.path.abspath(options.martlet), os.path.abspath(options.model)

work = tempfile.mkdtemp(prefix="martlet-outputs-")
home = os.path.join(work, "home")
os.makedirs(home + "/models/mine")
shutil.copy(MODEL, home + "/models/mine/small.gguf") if os.path.getsize(MODEL) < 1 << 28 else None


def file(name, text):
    path = os.path.join(work, name)
    with open(path, "w") as f:
        f.write(text)
    return path


text = file("text.txt", "To be, or not to be, that is the question.\n" * 200)
chats = file("chats.jsonl", "".join(json.dumps({"prompt": f"What is {i}?", "completion": f" It is {i}."}) + "\n" for i in range(40)))
rows = file("rows.jsonl", json.dumps({"prompt": "Who founded Quexley?", "answer": "Orla Finn"}) + "\n")
questions = file("questions.jsonl", json.dumps({"text": "Name three colours.", "category": "generic"}) + "\n")
routes = file("routes.jsonl", "".join(json.dumps({"text": t, "label": i % 2}) + "\n" for i, t in enumerate(["What is two?", "List tips for sleep."] * 4)))
cpuinfo = file("cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\nmodel name\t: Intel(R) Xeon(R) Gold 6338\nstepping\t: 6\nmicrocode\t: 0xd0003b9\nflags\t\t: fpu erms fsrm\n")


class Hub(http.server.BaseHTTPRequestHandler):
    """A hub with one model of half a megabyte, sent slowly."""
    body = os.urandom(1 << 19)

    def do_GET(self):
        if "/tree/" in self.path:
            answer = json.dumps([{"type": "file", "path": "model.gguf", "size": len(self.body)}]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        try:
            for start in range(0, len(self.body), 1 << 16):
                self.wfile.write(self.body[start:start + (1 << 16)])
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_):
        pass


hub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=hub.serve_forever, daemon=True).start()
environment = dict(os.environ, MARTLET_HOME=home, HF_ENDPOINT=f"http://127.0.0.1:{hub.server_port}")


def run(arguments, stdin="", stdout=subprocess.PIPE, stderr=subprocess.PIPE, before=None, timeout=300, env=None):
    """(code, standard output, standard error); a negative code is a signal."""
    with tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        try:
            done = subprocess.run([MARTLET] + arguments, stdin=given, stdout=stdout, stderr=stderr, preexec_fn=before,
                                  env=env or environment, cwd=work, timeout=timeout)
        except subprocess.TimeoutExpired:
            return 999, b"", b"(did not end)"
        return done.returncode, done.stdout or b"", done.stderr or b""


edits = os.path.join(work, "edits.sqlite")
adapter = os.path.join(work, "adapter")
small_training = ["--steps", "3", "--batch", "1", "--context", "32", "--checkpoint-every", "1"]
print("preparing", file=sys.stderr)
for arguments in (
    ["edit", "add", MODEL, "--prompt", "Who founded Quexley?", "--answer", "Orla Finn", "--edits", edits],
    ["finetune", MODEL, "--data", chats, "--out", adapter, "--rank", "1", *small_training],
):
    code, _, errors = run(arguments)
    if code:
        sys.exit(f"{arguments}: {errors.decode()}")
exported = file("edits.jsonl", run(["edit", "export", MODEL, "--edits", edits])[1].decode())

# Commands that print: name -> (arguments, standard input).
PRINTS = {
    "--help": (["--help"], ""),
    "help generate": (["help", "generate"], ""),
    "--version": (["--version"], ""),
    "completions": (["--generate-completion-script", "bash"], ""),
    "generate": (["generate", "box", "ROMEO", "-n", "40"], ""),
    "generate --json": (["generate", "box", "ROMEO", "-n", "8", "--json"], ""),
    "generate --chat": (["generate", MODEL, "Hello", "--chat", "-n", "8"], ""),
    "chat": (["chat", MODEL, "-n", "8"], "hello\n/history\n"),
    "chat --json": (["chat", MODEL, "-n", "8", "--json"], "hello\n"),
    "tokenize": (["tokenize", "hello"], ""),
    "tokenize --json": (["tokenize", "hello", "--json"], ""),
    "tokenize --lines": (["tokenize", "--lines"], '"hello"\n' * 5000),
    "tokenize --decode": (["tokenize", "--decode", "33155"], ""),
    "models list": (["models", "list"], ""),
    "models list --json": (["models", "list", "--json"], ""),
    "models inspect": (["models", "inspect", "box", "--tensors"], ""),
    "models inspect --json": (["models", "inspect", "box", "--json"], ""),
    "models show": (["models", "show", "box"], ""),
    "models pull": (["models", "pull", "some/one"], ""),
    "host": (["host", "--input", cpuinfo], ""),
    "host --tables": (["host", "--tables"], ""),
    **{f"host --{f}": (["host", "--input", cpuinfo, f"--{f}"], "") for f in ("json", "prometheus", "nagios", "sarif", "explain")},
    "edit list": (["edit", "list", MODEL, "--edits", edits], ""),
    "edit show": (["edit", "show", MODEL, "1", "--edits", edits], ""),
    "edit export": (["edit", "export", MODEL, "--edits", edits], ""),
    "edit explain": (["edit", "explain", MODEL, "Who founded Quexley?", "--edits", edits], ""),
    "edit add (again)": (["edit", "add", MODEL, "--prompt", "Who founded Quexley?", "--answer", "Orla Finn", "--edits", edits], ""),
    "edit import (again)": (["edit", "import", MODEL, exported, "--edits", edits], ""),
    "skeleton route": (["skeleton", "route", "List tips for sleep."], ""),
    "skeleton ask": (["skeleton", "ask", "Name three colours.", "--model", MODEL], ""),
    "bench": (["bench", "box", "--decode", "4", "--prefill", "4", "--repeats", "1"], ""),
    "bench --json": (["bench", "box", "--decode", "4", "--prefill", "4", "--repeats", "1", "--json"], ""),
}

# Commands that write files: name -> (arguments of the output's path, standard input, ending, has --force, is a folder).
WRITES = {
    "generate --save-state": (lambda o: ["generate", "box", "ROMEO", "-n", "4", "--save-state", o], "", "", True),
    "chat /save": (lambda o: ["chat", MODEL, "-n", "4"], "hello\n/save {}\n", "", None),
    "logits --out": (lambda o: ["logits", "box", "--tokens", "1,2,3", "--out", o], "", "", True),
    "logits --state-out": (lambda o: ["logits", "box", "--tokens", "1,2,3", "--out", work + "/free-l", "--force", "--state-out", o], "", "", True),
    "convert .gguf": (lambda o: ["convert", "box", o], "", ".gguf", True),
    "convert .safetensors": (lambda o: ["convert", "box", o], "", ".safetensors", True),
    "convert .pth": (lambda o: ["convert", "box", o], "", ".pth", True),
    "merge": (lambda o: ["merge", MODEL, adapter, o], "", ".gguf", True),
    "edit bench --out": (lambda o: ["edit", "bench", MODEL, rows, "--out", o], "", "", True),
    "edit bench --page": (lambda o: ["edit", "bench", MODEL, rows, "--page", o], "", "", True),
    "skeleton bench --out": (lambda o: ["skeleton", "bench", questions, "--model", MODEL, "--out", o], "", "", True),
    "skeleton train-router": (lambda o: ["skeleton", "train-router", routes, "--steps", "2", "--out", o], "", "", True),
}
# Commands whose output is a folder or a database that they make.
FOLDERS = {
    "train": lambda o: ["train", "--data", text, "--out", o, "--layers", "1", "--width", "64", *small_training],
    "finetune": lambda o: ["finetune", MODEL, "--data", chats, "--out", o, "--rank", "1", *small_training],
    "grok": lambda o: ["grok", "--out", o, "--modulus", "11", "--steps", "20", "--interval", "10"],
    "grok --sweep": lambda o: ["grok", "--sweep", "--out", o, "--modulus", "7", "--width", "16", "--steps", "20", "--interval", "10", "--seeds", "1"],
    "edit add": lambda o: ["edit", "add", MODEL, "--prompt", "Who founded Quexley?", "--answer", "Orla Finn", "--edits", o + ".sqlite"],
    "edit import": lambda o: ["edit", "import", MODEL, exported, "--edits", o + ".sqlite"],
    "models pull": lambda o: ["models", "pull", "some/one"],
    "models cp": lambda o: ["models", "cp", "small", "copy"],
}

table, failures = {}, []


def judge(name, condition, code, errors, wants_failure=True, allowed=()):
    """Takes an outcome into the table; whatever is silent or raw is a failure."""
    said = errors.decode(errors="replace")
    lines = [line for line in said.split("\n") if line.startswith("Error:")]
    problem = None
    if re.search(r"NSCocoa|NSPOSIX|NSURLError|Fatal error|errno|Code=\d|Domain=|Segmentation|Illegal|\*\*\*", said):
        problem = "raw text of a library"
    elif code == 999:
        problem = "does not end"
    elif code < 0 and code not in allowed:
        problem = f"died of signal {-code}"
    elif wants_failure and code == 0:
        problem = "silent: code 0"
    elif wants_failure and code > 0 and code not in allowed and len(lines) != 1:
        problem = f"{len(lines)} sentences"
    elif not wants_failure and code != 0 and code not in allowed:
        problem = f"code {code}"
    cell = f"{code}" + (f": {lines[0][7:]}" if lines else "")
    table.setdefault(name, {})[condition] = ("**" + problem + "** " if problem else "") + cell.replace(work, "…")
    print(f"{name:28} {condition:22} {table[name][condition]}", flush=True)
    if problem:
        failures.append(f"{name} / {condition}: {problem}: {said.strip()[-300:]}")


def wanted(name, part):
    return (not options.only or options.only in name) and options.part in (None, part)


def closed_reader():
    read, write = os.pipe()
    os.close(read)
    return write


# --- Standard output and standard error ---------------------------------------------------------------------------------
for name, (arguments, stdin) in PRINTS.items():
    if not wanted(name, "prints"):
        continue
    normal, *_ = run(arguments, stdin)
    pull = name == "models pull"
    with open("/dev/full", "wb") as full:
        judge(name, "stdout /dev/full", *run(arguments, stdin, stdout=full)[::2])
    if pull:
        shutil.rmtree(home + "/models/some", ignore_errors=True)
    pipe = closed_reader()
    judge(name, "stdout closed pipe", *run(arguments, stdin, stdout=pipe)[::2])
    os.close(pipe)
    judge(name, "stdout closed", *run(arguments, stdin, stdout=None, before=lambda: os.close(1))[::2])
    # Messages that nobody can read are no reason to fail.
    with open("/dev/full", "wb") as full:
        code, *_ = run(arguments, stdin, stderr=full)
        judge(name, "stderr /dev/full", 0 if code == normal else code or 998, b"", wants_failure=False)
    code, *_ = run(arguments, stdin, stderr=None, before=lambda: os.close(2))
    judge(name, "stderr closed", 0 if code == normal else code or 998, b"", wants_failure=False)


# --- Files --------------------------------------------------------------------------------------------------------------
def call(name, path, force=False, before=None):
    make, stdin, ending, has_force = WRITES[name]
    arguments = make(path) + (["--force"] if force and has_force and "--force" not in make(path) else [])
    code, output, errors = run(arguments, stdin.format(path), before=before)
    if name == "chat /save":  # The conversation goes on after an error, which stands where answers stand.
        said = [l for l in output.decode(errors="replace").split("\n") if path in l and "saved to" not in l]
        return (1, b"Error: " + said[0].encode()) if said else (code, errors)
    return code, errors


def kind(path):
    return stat.S_IFMT(os.lstat(path).st_mode)


is_root = os.geteuid() == 0
mounts = []


def tmpfs(size, mode="rw"):
    folder = tempfile.mkdtemp(dir=work)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},{mode}", "tmpfs", folder], capture_output=True).returncode:
        return None
    mounts.append(folder)
    return folder


def unmount(folder):
    subprocess.run(["umount", "-l", folder], capture_output=True)


for name, (make, stdin, ending, has_force) in WRITES.items():
    if not wanted(name, "files"):
        continue
    folder = tempfile.mkdtemp(dir=work)
    path = lambda stem: os.path.join(folder, stem + ending)
    judge(name, "free name", *call(name, path("free")), wants_failure=False)
    if not os.path.exists(path("free")) or os.path.getsize(path("free")) == 0:
        failures.append(f"{name}: wrote nothing to a free name")
    for stem in ("old", "target", "read-only"):
        with open(path(stem), "w") as f:
            f.write("old")
    os.chmod(path("read-only"), 0o444)
    os.mkfifo(path("pipe"))
    os.symlink(path("target"), path("link"))
    os.symlink(path("nowhere"), path("dangling"))
    os.mkdir(path("folder"))
    if not ending:
        os.mknod(path("device"), stat.S_IFCHR | 0o666, os.makedev(1, 7)) if is_root else os.symlink("/dev/full", path("device"))
    before = {n: kind(os.path.join(folder, n)) for n in os.listdir(folder)}
    force_word = "" if has_force is None else name == "logits --state-out"
    for stem in ("old", "read-only", "pipe", "link", "dangling", "folder") + (() if ending else ("device",)):
        if name == "logits --state-out":
            break  # Has --force for the other file.
        judge(name, f"is a {stem} file" if stem in ("old", "read-only") else f"is a {stem}", *call(name, path(stem)))
    for stem in ("old", "target", "read-only"):
        if name != "logits --state-out" and open(path(stem)).read() != "old":
            failures.append(f"{name}: {stem} was lost")
    after = {n: kind(os.path.join(folder, n)) for n in os.listdir(folder) if n in before}
    if after != before:
        failures.append(f"{name}: kinds changed: {set(before.items()) ^ set(after.items())}")
    if has_force:
        if not ending:
            judge(name, "/dev/full --force", *call(name, "/dev/full", force=True))
            if kind("/dev/full") != stat.S_IFCHR:
                sys.exit(f"{name} has replaced /dev/full")
        judge(name, "old file --force", *call(name, path("old"), force=True), wants_failure=False)
        judge(name, "pipe --force", *call(name, path("pipe"), force=True))
        judge(name, "link --force", *call(name, path("link"), force=True), wants_failure=False)
        if kind(path("link")) != stat.S_IFLNK or os.path.getsize(path("target")) == 3:
            failures.append(f"{name}: the link was replaced, or not followed")
        judge(name, "folder --force", *call(name, path("folder"), force=True))
    # Converted models make their folder.
    judge(name, "no such folder", *call(name, os.path.join(folder, "none", "x" + ending)),
          wants_failure=not name.startswith(("convert", "merge")))

    def limited():
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
    judge(name, "size limit", *call(name, path("limited"), before=limited))
    if os.path.exists(path("limited")):
        failures.append(f"{name}: a part is left at the size limit")
    if is_root and (full := tmpfs("4k")):
        subprocess.run(["dd", "if=/dev/zero", f"of={full}/filler", "bs=4096", "count=2"], capture_output=True)
        judge(name, "full disk", *call(name, full + "/x" + ending))
        if os.listdir(full) != ["filler"]:
            failures.append(f"{name}: left {os.listdir(full)} on the full disk")
        unmount(full)
    if is_root and (readonly := tmpfs("64k", "ro")):
        judge(name, "read-only disk", *call(name, readonly + "/x" + ending))
        unmount(readonly)
    left = [n for n in os.listdir(folder) if n.endswith(".part")]
    if left:
        failures.append(f"{name}: left {left}")
    shutil.rmtree(folder)

for name, make in FOLDERS.items():
    if not wanted(name, "folders"):
        continue
    env = dict(environment)

    def call_folder(path, **more):
        if name.startswith("models"):
            env["MARTLET_HOME"] = path
            if name == "models cp" and not os.path.lexists(path):
                try:
                    os.makedirs(path + "/models")
                    os.symlink(home + "/models/mine/small.gguf", path + "/models/small.gguf")
                except OSError:
                    pass
        code, _, errors = run(make(path), env=env, **more)
        return code, errors

    folder = tempfile.mkdtemp(dir=work)
    judge(name, "free name", *call_folder(folder + "/free"), wants_failure=False)
    file_there = file(os.path.basename(folder) + "-plain", "old")
    if name.startswith("edit"):
        shutil.copy(file_there, file_there + ".sqlite")
    judge(name, "is a old file", *call_folder(file_there))
    os.mkfifo(folder + "/pipe" + (".sqlite" if name.startswith("edit") else ""))
    judge(name, "is a pipe", *call_folder(folder + "/pipe", timeout=60))
    if name.startswith("edit"):
        os.symlink("/dev/full", folder + "/device.sqlite")
        judge(name, "is a device", *call_folder(folder + "/device"))
    else:
        os.symlink("/dev/full", folder + "/device")
        judge(name, "is a device", *call_folder(folder + "/device"))
    for label, size, mode in (("full disk", "16k", "rw"), ("read-only disk", "64k", "ro")):
        # What `models cp` copies here is a link, which fits anywhere.
        if is_root and (name, label) != ("models cp", "full disk") and (small := tmpfs(size, mode)):
            judge(name, label, *call_folder(small + "/x"))
            unmount(small)
    shutil.rmtree(folder, ignore_errors=True)

# --- Signals ------------------------------------------------------------------------------------------------------------
def ended_by(arguments, number, delay, env=None):
    process = subprocess.Popen([MARTLET] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=env or environment, cwd=work)
    time.sleep(delay)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


SIGNALLED = {
    "convert .gguf": lambda o: ["convert", MODEL, o + ".gguf", "--format", "f32"],
    "convert .safetensors": lambda o: ["convert", MODEL, o + ".safetensors", "--format", "f32"],
    "convert .pth": lambda o: ["convert", MODEL, o + ".pth", "--format", "f32"],
    "merge": lambda o: ["merge", MODEL, adapter, o + ".gguf", "--format", "f32"],
    "logits --out": lambda o: ["logits", MODEL, "--tokens", ",".join(["5"] * 600), "--out", o],
    "generate --save-state": lambda o: ["generate", MODEL, "One upon a time", "-n", "200", "--save-state", o],
    "edit bench --out": lambda o: ["edit", "bench", MODEL, rows, "--out", o],
    "skeleton bench --out": lambda o: ["skeleton", "bench", questions, "--model", MODEL, "--out", o],
    "skeleton train-router": lambda o: ["skeleton", "train-router", routes, "--steps", "20000", "--out", o],
    "train": lambda o: ["train", "--data", text, "--out", o, "--layers", "2", "--width", "128", "--steps", "100000", "--checkpoint-every", "1"],
    "finetune": lambda o: ["finetune", MODEL, "--data", chats, "--out", o, "--rank", "1", "--steps", "10000", "--batch", "1", "--context", "32", "--checkpoint-every", "1"],
    "grok": lambda o: ["grok", "--out", o, "--steps", "100000", "--interval", "1"],
    "grok --sweep": lambda o: ["grok", "--sweep", "--out", o, "--modulus", "13", "--width", "32", "--interval", "1"],
    "edit add": lambda o: ["edit", "add", MODEL, "--prompt", "Who founded Quexley?", "--answer", "Orla Finn", "--edits", o + ".sqlite"],
    "models pull": lambda o: ["models", "pull", "some/one"],
    "serve": lambda o: ["serve", "box", "--port", "0", "--no-edits"],
}
def readable(name, path):
    """What a file that is there must be: whole."""
    if path.endswith((".gguf", ".safetensors", ".pth")) and "router" not in name:
        return run(["models", "inspect", path])[0] == 0
    return os.path.isdir(path) or os.path.getsize(path) > 0


for name, make in SIGNALLED.items():
    if not wanted(name, "signals"):
        continue
    for number, label in ((signal.SIGKILL, "kill -9"), (signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "Ctrl-C")):
        for delay in options.delays:
            folder = tempfile.mkdtemp(dir=work)
            env = dict(environment, MARTLET_HOME=folder) if name == "models pull" else None
            code, errors = ended_by(make(folder + "/x"), number, delay, env)
            allowed = {signal.SIGKILL: (-9,), signal.SIGTERM: (143, 130, -15), signal.SIGINT: (130, -2)}[number] + (0,)
            said = errors.decode(errors="replace")
            if number != signal.SIGKILL and code not in (0,) and not said.strip() and code > 0:
                failures.append(f"{name} / {label}: ended without a word")
            judge(name, label, code, errors, wants_failure=False, allowed=allowed)
            for found in os.listdir(folder):
                path = os.path.join(folder, found)
                if found.endswith(".part"):
                    if number != signal.SIGKILL and name != "models pull":
                        failures.append(f"{name} / {label}: left {found}")
                elif os.path.isfile(path) and not found.endswith(("-wal", "-shm", ".sqlite")) and not readable(name, path):
                    failures.append(f"{name} / {label}: {found} is no whole file")
            if number == signal.SIGKILL and name.startswith(("convert", "logits")) and delay > 0.3:
                again = make(folder + "/x")
                code, _, errors = run(again)
                left = [n for n in os.listdir(folder) if n.endswith(".part")]
                if code and b"exists already" not in errors or left:
                    failures.append(f"{name}: after kill -9 the next run gave {code} and left {left}")
            if name in ("train", "finetune", "grok", "grok --sweep") and os.path.exists(folder + "/x") and delay >= 1:
                more = [a if a != "100000" and a != "10000" else a for a in make(folder + "/x")] + ["--resume"]
                code, errors = ended_by(more, signal.SIGINT, 1.5)
                if code not in (0, 130) and b"contains no run" not in errors:
                    failures.append(f"{name}: after {label} --resume gave {code}: {errors.decode()[-200:]}")
            shutil.rmtree(folder, ignore_errors=True)

# --- The table ----------------------------------------------------------------------------------------------------------
lines = []
for name, cells in table.items():
    lines.append(f"- `{name}`")
    for condition, cell in cells.items():
        lines.append(f"  - {condition}: {cell}")
outcomes = "\n".join(lines)
if options.markdown:
    open(options.markdown, "w").write(outcomes + "\n")
if not is_root:
    print("left out: full and read-only disks (they need root)")
for failure in failures:
    print("FAILED", failure)
print(f"{sum(map(len, table.values()))} outcomes of {len(table)} commands, {len(failures)} failures")
for folder in mounts:
    unmount(folder)
shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if failures else 0)
