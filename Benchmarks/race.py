#!/usr/bin/env python3
"""Races `martlet` against the engines on this machine, cell by cell and in turn, and draws the page of the results.

    python3 Benchmarks/race.py MODEL.gguf [MODEL.pth ...] [--threads 1,2] [--rounds 3] [--page race.html] [--chart lengths.svg]

GGUF files race llama.cpp: the library of the Python package `llama_cpp` where it is installed, and any other build named with
`--llama NAME=FOLDER` (the folder of its libllama.so; the package's bindings must fit it). Relatives of llama.cpp that the bindings do
not fit are named by their llama-bench and its options (`--llama-bench "ik_llama.cpp -rtr 1=/x/llama-bench -rtr 1"`; no batches, and
loading is not timed). An RWKV-5 .pth races the package `rwkv`
(torch). Of each cell one run of each engine makes a round, and the order changes from round to round. A round is dropped where other
programs left an engine less than the processors it was told to use, and is tried again up to three times. Prints medians as a table
in Markdown, with the level of instructions that Martlet used (`--simd avx2` chooses it for Martlet; a build of the peer for the same
level is named with --llama).
"""
import argparse, html, importlib.util, json, os, resource, statistics, subprocess, sys, time


def decode_cell(context):
    return "decode" if context <= 64 else f"decode at {context}"


# MARK: Engines, each in a process of its own. A cell is (kind, size): ("prefill", 512), ("decode", context), ("batch", sequences).

def martlet(options, model, threads, cell, weights=None):
    kind, size = cell
    command = [options.martlet, "bench", model, "--threads", str(threads), "--repeats", "1", "--json"]
    command += ["--format", weights] if weights else []
    command += {"prefill": ["--prefill", str(size), "--decode", "1", "--context", "1"],
                "decode": ["--prefill", "0", "--decode", str(options.tokens), "--context", str(size)],
                "batch": ["--prefill", "0", "--decode", str(options.tokens), "--batch", str(size)]}[kind]
    environment = {**os.environ, **({"MARTLET_SIMD": options.simd} if options.simd else {})}
    found = json.loads(run(command, environment))
    rates = [row["tokens_per_second"] for row in found["results"] if (row["test"] == "prefill") == (kind == "prefill")]
    share = [row["bandwidth_share"] for row in found["results"] if row.get("sequences") == 1]
    return {"rate": rates[0], "load": found["load_seconds"], "level": found["simd"], "share": share[0] if kind == "decode" else None}


def child(engine, folder=None):
    def measure(options, model, threads, cell):
        environment = {**os.environ, **({"LLAMA_CPP_LIB_PATH": folder} if folder else {})}
        return json.loads(run([sys.executable, __file__, "--child", engine, model, str(threads), *map(str, cell), str(options.tokens)],
                              environment).splitlines()[-1])
    return measure


def llama_bench(command):
    def measure(options, model, threads, cell):
        kind, size = cell
        tests = ["-n", "0", "-p", str(size)] if kind == "prefill" else ["-n", "0", "-p", "0", "-gp", f"{size},{options.tokens}"]
        found = json.loads(run([*command.split(), "-m", model, "-t", str(threads), "-r", "1", *tests, "-o", "json"], os.environ))
        return {"rate": found[0]["avg_ts"], "load": None}
    return measure


def run(command, environment):
    done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    return done.stdout


def llama_child(path, threads, kind, size, tokens):
    import llama_cpp as llama
    quiet = llama.llama_log_callback(lambda *_: None)
    llama.llama_log_set(quiet, None)
    llama.llama_backend_init()
    start = time.perf_counter()
    model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
    if not model:
        sys.exit(f"llama.cpp cannot load {path}")
    sequences, context = (size, 64) if kind == "batch" else (1, size)
    options = llama.llama_context_default_params()
    options.n_ctx = sequences * (context + tokens + 8)
    options.n_batch = options.n_ubatch = 512
    options.n_seq_max = sequences
    options.kv_unified = True
    options.n_threads = options.n_threads_batch = threads
    state = llama.llama_init_from_model(model, options)
    load = time.perf_counter() - start
    width = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    batch = llama.llama_batch_init(512, 0, 1)

    def step(entries):
        batch.n_tokens = len(entries)
        for i, (position, sequence, wants) in enumerate(entries):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = (position * 7919 + sequence * 131 + 11) % width, position, 1
            batch.seq_id[i][0], batch.logits[i] = sequence, wants
        if llama.llama_decode(state, batch):
            sys.exit("llama_decode failed")
        llama.llama_synchronize(state)

    def read(sequence, count):
        for first in range(0, count, 512):
            last = min(count, first + 512)
            step([(i, sequence, i == count - 1) for i in range(first, last)])

    read(0, 8)
    llama.llama_memory_clear(llama.llama_get_memory(state), True)
    start = time.perf_counter()
    for sequence in range(sequences):
        read(sequence, context)
    if kind == "prefill":
        return {"rate": size / (time.perf_counter() - start), "load": load}
    start = time.perf_counter()
    for i in range(tokens):
        step([(context + i, sequence, True) for sequence in range(sequences)])
    return {"rate": sequences * tokens / (time.perf_counter() - start), "load": load}


def rwkv_child(path, threads, kind, size, tokens):
    import contextlib, io
    os.environ.setdefault("RWKV_JIT_ON", "1")
    import torch
    torch.set_num_threads(threads)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        from rwkv.model import RWKV
        model = RWKV(model=path, strategy="cpu bf16")
    load = time.perf_counter() - start
    prompt = [(i * 7919 + 11) % 65536 for i in range(size)]
    model.forward(prompt[:32], None)
    start = time.perf_counter()
    _, state = model.forward(prompt, None)
    if kind == "prefill":
        return {"rate": size / (time.perf_counter() - start), "load": load}
    start = time.perf_counter()
    for i in range(tokens):
        _, state = model.forward([prompt[i % size]], state)
    return {"rate": tokens / (time.perf_counter() - start), "load": load}


# MARK: Rounds

def busy_seconds():
    """Processor seconds that all programs have used, and those that another guest of the machine took."""
    fields = list(map(int, open("/proc/stat").readline().split()[1:9]))
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watched(measure, threads):
    """The measurement, and whether other programs left enough processors for it."""
    busy, own, start = busy_seconds(), own_seconds(), time.perf_counter()
    result = measure()
    others = (busy_seconds() - busy - own_seconds() + own) / (time.perf_counter() - start)
    return result, others <= os.cpu_count() - threads + 0.15


def race(options, engines, threads, model, cell):
    rounds, dropped = [], 0
    while len(rounds) < options.rounds and dropped < 3:
        order = list(engines) if len(rounds) % 2 == 0 else list(engines)[::-1]
        results, undisturbed = {}, True
        for name in order:
            results[name], enough = watched(lambda: engines[name](options, model, threads, cell), threads)
            undisturbed &= enough
        if undisturbed or options.keep_starved:
            rounds.append(results)
        else:
            dropped += 1
    return rounds, dropped


def cells_of(options, model):
    prefill = [("prefill", options.prefill or (256 if model.endswith(".pth") else 512))]
    contexts = [64] if model.endswith(".pth") else options.contexts
    return prefill + [("decode", context) for context in contexts] + (
        [] if model.endswith(".pth") else [("batch", count) for count in options.batch])


def engines_of(options, model):
    if model.endswith(".pth"):
        ours = {f"Martlet {form}": lambda o, m, t, c, form=form: martlet(o, m, t, c, form) for form in ("bf16", "q8_0", "q4_0")}
        return ours, {"rwkv bf16": child("rwkv")} if importlib.util.find_spec("rwkv") else {}
    peers = {name: child("llama", folder) for name, _, folder in (text.partition("=") for text in options.llama)}
    peers |= {name: llama_bench(command) for name, _, command in (text.partition("=") for text in options.llama_bench)}
    if not peers and importlib.util.find_spec("llama_cpp"):
        peers["llama.cpp"] = child("llama")
    return {"Martlet": martlet}, peers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--martlet", default=".build/release/martlet")
    parser.add_argument("--llama", action="append", default=[], metavar="NAME=FOLDER", help="a build of llama.cpp; may be repeated")
    parser.add_argument("--llama-bench", action="append", default=[], metavar="NAME=COMMAND", help="a llama-bench; may be repeated")
    parser.add_argument("--simd", help="the level of instructions for Martlet: portable, avx2, avx512, avx512bf16, neon")
    numbers = lambda text: [int(part) for part in text.split(",") if part]
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--contexts", type=numbers, default=[64, 4096], help="tokens before decoding starts")
    parser.add_argument("--batch", type=numbers, default=[], help="numbers of sequences that are decoded together")
    parser.add_argument("--prefill", type=int, help="tokens of a prefill (512; 256 for RWKV)")
    parser.add_argument("--tokens", type=int, default=64, help="tokens that are decoded")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep-starved", action="store_true", help="keep rounds that other programs disturbed")
    parser.add_argument("--page", help="write the results as a page")
    parser.add_argument("--chart", help="write what a token costs by context as an SVG: of one GGUF model, with three --contexts or more")
    options = parser.parse_args()
    if options.batch and options.llama_bench:
        parser.error("llama-bench decodes one sequence; race --batch without --llama-bench")
    if options.chart and (len(options.models) > 1 or options.models[0].endswith(".pth") or len(options.threads) > 1
                          or len({max(64, context) for context in options.contexts}) < 3):
        parser.error("--chart draws one GGUF model with one number of --threads and three --contexts or more (of those up to 64 one)")
    for path in (options.page, options.chart):
        if path and os.path.exists(path):
            parser.error(f"{path} exists; name another file or remove it")
    table = []
    for model in options.models:
        ours, peers = engines_of(options, model)
        if not peers:
            sys.exit(f"{model}: no engine to race is installed; install {'rwkv and torch' if model.endswith('.pth') else 'llama-cpp-python'}.")
        name = os.path.basename(model)
        for threads in options.threads:
            for cell in cells_of(options, model):
                rounds, dropped = race(options, {**ours, **peers}, threads, model, cell)
                title = {"prefill": f"prefill {cell[1]}", "decode": decode_cell(cell[1]), "batch": f"batch of {cell[1]}"}[cell[0]]
                note = f"{dropped} rounds dropped" if dropped else ""
                if not rounds:
                    print(f"{name}, {threads} threads, {title}: {note}, other programs were busy", file=sys.stderr, flush=True)
                    continue
                for our in ours:
                    for peer in peers:
                        row = line(rounds, our, peer, lambda run: run["rate"])
                        shares = [run[our]["share"] for run in rounds if run[our]["share"]]
                        bandwidth = f"{statistics.median(shares):.0%}" if shares else ""
                        table.append([name, rounds[0][our]["level"], threads, title, our, peer, *row, bandwidth, note])
                        print(" | ".join(map(shown, table[-1])), file=sys.stderr, flush=True)
                        if cell[0] == "prefill" and threads == options.threads[0] and rounds[0][peer]["load"]:
                            row = line(rounds, our, peer, lambda run: 1 / run["load"])
                            table.append([name, rounds[0][our]["level"], threads, "loads a second", our, peer, *row, "", note])
    print("| model | level | threads | cell | engine | peer | tokens/s | peer's | ratio | of bandwidth | |\n|" + "---|" * 11)
    for row in table:
        print("| " + " | ".join(map(shown, row)) + " |")
    if options.page:
        with open(options.page, "x") as file:
            file.write(page(table))
    if options.chart:
        drawings = charts(table)
        if not drawings:
            sys.exit("--chart: other programs were busy in too many rounds; nothing was drawn.")
        with open(options.chart, "x") as file:
            file.write(drawings[0])


def line(rounds, our, peer, rate):
    """Medians of both rates, and the median of the ratios of the rounds."""
    return [statistics.median(rate(run[our]) for run in rounds), statistics.median(rate(run[peer]) for run in rounds),
            statistics.median(rate(run[our]) / rate(run[peer]) for run in rounds)]


def shown(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def lengths(table):
    """Milliseconds a token by context, for each model, number of threads and engine: {(model, threads): {engine: [(context, ms)]}}."""
    found = {}
    for model, _, threads, cell, our, peer, rate, peers_rate, *_ in table:
        if cell.startswith("decode"):
            context = int(cell.rpartition(" ")[2]) if " " in cell else 64  # decode_cell names no shorter one
            for engine, speed in ((our, rate), (peer, peers_rate)):
                found.setdefault((model, threads), {}).setdefault(engine, {})[context] = 1000 / speed
    return {key: {engine: sorted(points.items()) for engine, points in engines.items()} for key, engines in found.items()
            if all(len(points) > 2 for points in engines.values())}


def chart(title, engines):
    """A line for each engine: what a token costs after so many tokens."""
    width, height, left, top, bottom = 680, 300, 52, 40, 260
    right = width - 60 - 7 * max(map(len, engines))
    most_x = max(x for points in engines.values() for x, _ in points)
    most_y = max(y for points in engines.values() for _, y in points)
    step = next(s for s in (part * 10.0 ** power for power in range(-4, 9) for part in (1, 2, 5)) if most_y / s <= 6)
    lines = int(most_y / step) + 1
    at = lambda x, y: (left + (right - left) * x / most_x, bottom - (bottom - top) * y / (step * lines))
    parts = [f'<text x="{left}" y="18" font-weight="600">{html.escape(title)}: milliseconds a token</text>',
             f'<text x="{left}" y="{height - 6}">tokens in the context</text>']
    for number in range(lines + 1):
        y = at(0, number * step)[1]
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#8884"/>'
                     f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>')
    last = -100.0
    for x in sorted({x for points in engines.values() for x, _ in points}):
        if at(x, 0)[0] - last > 40:
            last = at(x, 0)[0]
            parts.append(f'<text x="{last:.1f}" y="{bottom + 16}" text-anchor="middle">{x:,}</text>')
    label = height
    for number, (engine, points) in enumerate(sorted(engines.items(), key=lambda item: item[1][-1][1])):
        color = "#2a7" if engine.startswith("Martlet") else ("#c63", "#36c", "#a4a", "#888")[number % 4]
        x, y = at(*points[-1])
        label = min(y + 4, label - 13)  # from the bottom up, none over another
        parts.append(f'<polyline points="{" ".join("%.1f,%.1f" % at(*point) for point in points)}" fill="none" stroke="{color}" '
                     f'stroke-width="2"/><text x="{x + 6:.1f}" y="{label:.1f}" fill="{color}">{html.escape(engine)} '
                     f'{points[-1][1]:,.{0 if points[-1][1] >= 100 else 1}f}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" font-family="system-ui, sans-serif" '
            f'font-size="12" fill="#777" role="img" aria-label="{html.escape(title)}">{"".join(parts)}</svg>\n')


def page(table):
    """One bar a row, as long as the ratio; the line is where both are equally fast. Then the cost of a token by context."""
    longest = max([2.0] + [row[8] for row in table])
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(shown(value))}</td>" for value in row[:9]) +
        f'<td class=bar><svg width=300 height=14 role=img aria-label="{row[8]:.2f} times the peer"><rect height=14 '
        f'width={300 * row[8] / longest:.1f} fill="{"#2a7" if row[8] >= 1 else "#c63"}"/><path d="M{300 / longest:.1f} 0v14" '
        f'stroke="currentColor"/></svg></td><td>{row[9]}</td><td>{html.escape(row[10])}</td></tr>' for row in table)
    head = "".join(f"<th>{text}</th>" for text in (
        "model", "level", "threads", "cell", "engine", "peer", "tokens/s", "peer's", "ratio", "", "of bandwidth", ""))
    return ('<!doctype html><html lang=en><meta charset=utf-8><title>Martlet raced</title><style>body{font:15px system-ui;margin:2em;'
            'color-scheme:light dark}td,th{padding:.2em .7em;text-align:left;white-space:nowrap}</style><h1>Martlet raced</h1>'
            '<p>Medians of rounds in turn on one machine; the line is where both are equally fast.</p>'
            f'<table><tr>{head}</tr>{rows}</table>' + "".join(f"<p>{drawing}</p>" for drawing in charts(table)) + "</html>\n")


def charts(table):
    return [chart(f"Decoding {model}, {threads} thread{'s' if threads > 1 else ''}", engines)
            for (model, threads), engines in lengths(table).items()]


if len(sys.argv) > 1 and sys.argv[1] == "--child":
    engine, path, threads, kind, size, tokens = sys.argv[2:8]
    measure = {"llama": llama_child, "rwkv": rwkv_child}[engine]
    print(json.dumps(measure(path, int(threads), kind, int(size), int(tokens))))
else:
    main()
