#!/usr/bin/env python3
"""Measures what Docs/benchmarks/sensing.md says of learned recovery: `measure_sensing.py run SECTION...`, then `tables SECTION...`.

    MARTLET=.build/release/martlet WORK=/tmp/sensing python3 Scripts/measure_sensing.py run small variants few beyond gan openics rounded
    WORK=/tmp/sensing python3 Scripts/measure_sensing.py tables small beyond gan openics rounded few

MARTLET is the command, IMAGES the folder of MNIST, Fashion-MNIST and Omniglot ($MARTLET_DATA/images), WORK the folder of models and of
results.jsonl, one line a measurement with its command, to which a later run adds only what is missing. One thread. `run` without a section
lists them. `beyond` needs numpy and pillow.

small    the small configuration (14x14 pixels, 16 measurements), three seeds
variants its encoder start with image loss, the same without latent steps, and unrolled shrinkage; in the table of small
beyond   those models on noise, missing and other measurements, masks and other images; several answers; steps behind regression
few      4 and 8 measurements
rounded  --precision bf16 beside single precision
gan      CS-GAN with three latent steps and without on 16x16 pixels, at equal steps (GAN_STEPS) and at equal processor time
openics  32x32 pixels, 512 to 32 measurements
"""
import gzip, io, json, os, pathlib, resource, struct, subprocess, sys, zipfile

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
IMAGES = pathlib.Path(os.environ.get("IMAGES", os.environ.get("MARTLET_DATA", "shared/data") + "/images"))
WORK = pathlib.Path(os.environ.get("WORK", "/tmp/measure_sensing"))
RESULTS = WORK / "results.jsonl"
MNIST = {name: str(IMAGES / "mnist" / f"{file}.gz") for name, file in {
    "train": "train-images-idx3-ubyte", "train labels": "train-labels-idx1-ubyte",
    "test": "t10k-images-idx3-ubyte", "test labels": "t10k-labels-idx1-ubyte"}.items()}
FASHION = str(IMAGES / "fashion-mnist" / "t10k-images-idx3-ubyte.gz")
SEEDS = (1, 2, 3)
SMALL = ["--pool", "2", "--hidden", "128", "--lr", "0.001"]
PUBLISHED = ["--method", "dcs", "--latents", "32", "--steps", "4000"]
METHODS = {
    "dcs": PUBLISHED, "dcs+": PUBLISHED + ["--encoder", "--image-loss"],
    "control": PUBLISHED + ["--encoder", "--image-loss", "--latent-steps", "0"],
    "regression": ["--method", "regression", "--steps", "28000"],
    "unrolled": ["--method", "unrolled", "--steps", "900", "--batch", "16"],
}


def read_results():
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return {(row["section"], row["name"], row["seed"]): row for row in map(json.loads, lines)}


def measure(section, name, seed, *arguments):
    """Runs a command once and keeps the last JSON object that it prints."""
    known = read_results().get((section, name, seed))
    if known:
        return known
    arguments = [str(part) for part in arguments] + ["--threads", "1", "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([MARTLET, "sense", *arguments], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        sys.exit(f"{section}, {name}, seed {seed}: {' '.join(arguments)}\n{run.stderr[-2000:]}")
    rows = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    row = {"section": section, "name": name, "seed": seed, "command": " ".join(arguments),
           "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
           "result": rows[-1] if arguments[0] != "bench" else rows}
    with open(RESULTS, "a") as file:
        file.write(json.dumps(row) + "\n")
    summary = row["result"] if isinstance(row["result"], dict) else {}
    error = f"L2 {summary['l2']:.3f}, " if "l2" in summary else ""
    print(f"{section}: {name}, seed {seed}: {error}{row['cpu_seconds']:.0f} s", flush=True)
    return row


def train(section, name, seed, *options):
    """A model of MNIST's training images; its folder."""
    out = WORK / "models" / section / f"{name} {seed}".replace(" ", "-")
    resumes = ["--resume"] if (out / "run.json").exists() else []
    measure(section, name, seed, "train", MNIST["train"], "--test", MNIST["test"], *options, "--seed", seed, "--out", out,
            *resumes)
    return out


def small_models(section, measurements, methods, extra=(), suffix=""):
    for method in methods:
        for seed in SEEDS:
            for matrix in ("linear", "random"):
                train(section, f"{method} {matrix}{suffix}", seed, *SMALL, "--measurements", measurements, "--measurement", matrix,
                      *METHODS[method], *extra)


def run_small():
    small_models("small", 16, ("dcs", "regression"))
    for seed in SEEDS:
        train("small", "csgm random", seed, *SMALL, "--measurements", 16, "--method", "csgm", "--steps", 8000)


def run_variants():
    small_models("small", 16, ("dcs+", "control", "unrolled"))


def run_rounded():
    small_models("rounded", 16, ("dcs", "regression"), ("--precision", "bf16"))


def run_few():
    for count in (4, 8):
        small_models("few", count, ("dcs", "regression"), suffix=f" {count}")


# MARK: What training did not have


def omniglot():
    """The characters of both small sets of Omniglot as images of 28x28 pixels, white on black: an IDX file."""
    path = WORK / "omniglot-idx3-ubyte.gz"
    if not path.exists():
        import numpy
        from PIL import Image
        images = []
        for part in ("1", "2"):
            archive = zipfile.ZipFile(IMAGES / "omniglot-small" / f"images_background_small{part}.zip")
            for name in sorted(name for name in archive.namelist() if name.endswith(".png")):
                ink = Image.open(io.BytesIO(archive.read(name))).convert("L").point(lambda value: 255 - value)
                # As digits of MNIST are: 20 pixels in the middle of 28.
                small = Image.new("L", (28, 28))
                small.paste(ink.resize((20, 20), Image.Resampling.BOX), (4, 4))
                images.append(numpy.asarray(small))
        order = numpy.random.default_rng(1).permutation(len(images))
        pixels = numpy.stack([images[place] for place in order])
        # Strokes of one pixel in 105 fade in the average; the brightest pixel of each image becomes white.
        pixels = (pixels / numpy.maximum(1, pixels.max(axis=(1, 2), keepdims=True)) * 255).round().astype(numpy.uint8)
        with gzip.GzipFile(path, "wb", mtime=0) as file:
            file.write(struct.pack(">4i", 2051, len(pixels), 28, 28) + pixels.tobytes())
    return str(path)


def pooled(name, images):
    """What `--pool 2` makes of an IDX file, as a .npy file for `sense bench`, which pools nothing."""
    import numpy
    path = WORK / f"{name}.npy"
    if not path.exists():
        data = numpy.frombuffer(gzip.open(images).read(), numpy.uint8, offset=16).reshape(-1, 28, 28)[:10_000]
        numpy.save(path, (data.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255).astype(numpy.float32))
    return str(path)


COUNT, DIRECT = 200, 1000
SEARCH = "--search-steps 200 --restarts 4"


def folder(name, seed, section="small"):
    return WORK / "models" / section / f"{name} {seed}".replace(" ", "-")


def tests(group, model, seed, conditions, images=MNIST["test"], count=COUNT, section="small"):
    """Tests of a model under named conditions, each the options of `sense test`."""
    if not (folder(model, seed, section) / "model.safetensors").exists():
        return print(f"{model}, seed {seed}: not trained; left out", flush=True)
    for name, options in conditions.items():
        measure("beyond", f"{group}: {name}: {model}", seed, "test", folder(model, seed, section) / "model.safetensors", images,
                "--pool", 2, "--count", count, "--seed", seed, *options.split())


INPUT = "--refine input --refine-rate 0.05 --refine-steps 200"


def run_noise():
    """`sense bench` has the noise as a part of the measurements' root mean square, which differs between matrices."""
    images, training = pooled("mnist-test", MNIST["test"]), pooled("mnist-train", MNIST["train"])
    for model in ("dcs linear", "dcs random", "dcs+ linear", "dcs+ random", "control linear", "control random", "regression linear",
                  "regression random", "unrolled random"):
        models = ",".join(str(folder(model, seed)) for seed in SEEDS if (folder(model, seed) / "model.safetensors").exists())
        if models:
            measure("beyond", f"noise: {model}", 0, "bench", images, "--methods", "none", "--models", models, "--noise", "0,0.1,0.3,1",
                "--limit", DIRECT)
    measure("beyond", "noise: mmse", 0, "bench", images, "--methods", "mmse", "--operator", "gaussian", "--measurements", 16,
            "--training", training, "--training-limit", 10_000, "--noise", "0,0.1,0.3,1", "--seeds", 3, "--limit", DIRECT)


def run_operators():
    missing = {f"{count} missing": f"--missing {count}" for count in (2, 4, 8)}
    others = {f"{kind} {count}": f"--operator {kind} --measurements {count} --operator-seed 9"
              for kind, count in (("gaussian", 16), ("mask", 49), ("mask", 98))}
    def added(conditions, options):
        return {name: f"{given} {options}" for name, given in conditions.items()}
    for seed in SEEDS:
        for matrix in ("linear", "random"):
            tests("filled in", f"regression {matrix}", seed, missing)
            tests("input from there", f"regression {matrix}", seed, added(missing, INPUT))
            tests("search of its input", f"regression {matrix}", seed, added(others, INPUT + " --anchor 0.1 --restarts 4"))
            tests("search", f"dcs {matrix}", seed, added({**missing, **others}, SEARCH))
        tests("search", "csgm random", seed, added({**missing, **others}, SEARCH))
    images, training = pooled("mnist-test", MNIST["test"]), pooled("mnist-train", MNIST["train"])
    for kind, counts, method in (("mask", "49,98", "mmse"), ("gaussian", "8,12,14,16", "mmse"), ("mask", "49,98", "tv"),
                                 ("gaussian", "8,12,14,16", "tv")):
        measure("beyond", f"classic: {kind}, {method}", 0, "bench", images, "--methods", method, "--operator", kind, "--measurements", counts,
                "--training", training, "--training-limit", 10_000, "--seeds", 3, "--limit", COUNT)
    for seed in SEEDS:
        for matrix in ("linear", "random"):
            tests("30 own steps", f"dcs {matrix}", seed, added({**missing, **others}, "--latent-steps 30"))


def run_others():
    sets = {"MNIST": MNIST["test"], "Fashion-MNIST": FASHION, "Omniglot": omniglot()}
    for seed in SEEDS:
        for name, images in sets.items():
            for method in ("dcs", "dcs+", "regression"):
                for matrix in ("linear", "random"):
                    tests("other images", f"{method} {matrix}", seed, {name: ""}, images, DIRECT)
            for matrix in ("linear", "random"):
                tests("other images, input", f"regression {matrix}", seed, {name: INPUT}, images, DIRECT)
                tests("other images, weights", f"regression {matrix}", seed,
                      {name: "--refine weights --refine-steps 50 --refine-rate 0.0003"}, images, DIRECT)
                tests("other images, 30 steps", f"dcs {matrix}", seed, {name: "--latent-steps 30"}, images, DIRECT)
            tests("other images, search", "csgm random", seed, {name: SEARCH}, images, COUNT)
    training = pooled("mnist-train", MNIST["train"])
    for name, images in sets.items():
        measure("beyond", f"classic: {name}", 0, "bench", pooled(name, images), "--methods", "mmse,tv", "--operator", "gaussian",
                "--measurements", 16, "--training", training, "--training-limit", 10_000, "--seeds", 3, "--limit", COUNT)


def run_answers():
    for seed in SEEDS:
        for section, count in (("small", ""), ("few", " 8"), ("few", " 4")):
            for matrix in ("linear", "random"):
                tests("answers" + count, f"dcs {matrix}{count}", seed, {"8 answers": "--answers 8"}, section=section, count=DIRECT)
        one = "--answers 8 --restarts 1 --search-steps 200"
        tests("answers", "csgm random", seed, {"16 measurements": one, "8 measurements": one + " --measurements 8",
                                               "4 measurements": one + " --measurements 4"})


def run_beyond():
    run_others()
    run_noise()
    run_answers()
    run_operators()


def run_gan():
    for seed in SEEDS:
        def gan(name, steps, latent_steps):
            out = WORK / "models" / "gan" / f"{name} {seed}".replace(" ", "-")
            resumes = ["--resume"] if (out / "run.json").exists() else []
            return measure("gan", name, seed, "gan", MNIST["train"], "--labels", MNIST["train labels"], "--test", MNIST["test"],
                           "--test-labels", MNIST["test labels"], "--pool", 2, "--pad", 1, "--lr", 0.0005, "--samples", 2000,
                           "--latent-steps", latent_steps, "--steps", steps, "--seed", seed, "--out", out, *resumes)
        steps = int(os.environ.get("GAN_STEPS", 300))
        with_steps = gan("T=3", steps, 3)
        without = gan("T=0", steps, 0)
        # How many steps without latent steps take as long, by the first seed, so that all seeds make the same number.
        first = [read_results()["gan", name, SEEDS[0]]["result"]["training_seconds"] for name in ("T=3", "T=0")]
        gan("T=0 as long", round(steps * first[0] / first[1] / 100) * 100, 0)


def run_openics():
    def one(name, *options):
        train("openics", name, 1, "--pad", 2, *options)
    one("dcs 32", "--measurements", 32, "--method", "dcs", "--steps", 8000)
    for count in (64, 128, 256, 512):
        one(f"regression {count}", "--measurements", count, "--steps", 9000, "--schedule", "cosine", "--lr", "0.001")


# MARK: Tables


def table(title, head, rows):
    print(f"\n{title}\n\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def cell(values, half=0.0, digits=3):
    """The mean over seeds with the smallest and the largest, and half the interval of 95 % over images."""
    if not values:
        return ""
    text = f"{sum(values) / len(values):.{digits}f}"
    if len(values) > 1:
        text += f" [{min(values):.{digits}f}, {max(values):.{digits}f}]"
    return text + (f" ±{half:.{digits}f}" if half else "")


def seeds_of(section, name):
    rows = [row for (s, n, _), row in read_results().items() if (s, n) == (section, name)]
    return [row["result"] for row in sorted(rows, key=lambda row: row["seed"])]


def test_cell(name):
    results = seeds_of("beyond", name)
    half = sum((r["l2_upper"] - r["l2_lower"]) / 2 for r in results) / max(1, len(results))
    return cell([r["l2"] for r in results], half)


def names_of(section):
    return list(dict.fromkeys(name for s, name, _ in read_results() if s == section))


def training_table(section):
    def lines():
        for name in names_of(section):
            results = seeds_of(section, name)
            yield (name, cell([r["l2"] for r in results]), cell([r["psnr"] for r in results], digits=2),
                   cell([r["ssim"] for r in results]), cell([r["seconds_per_step"] * 1000 for r in results], digits=2),
                   cell([r["training_seconds"] for r in results], digits=1))
    table(f"{section}: mean [smallest, largest seed]", ("method", "L2", "PSNR, dB", "SSIM", "ms a step", "s in all"), lines())


def bench_lines(prefix):
    for name in names_of("beyond"):
        if name.startswith(prefix):
            for entry in seeds_of("beyond", name)[0]:
                l2 = entry["l2"]
                yield (name[len(prefix):].strip(), entry["method"], str(entry["measurements"]), f"{entry['noise']:g}",
                       f"{l2['mean']:.3f} [{l2['seed_lower']:.3f}, {l2['seed_upper']:.3f}] ±{(l2['upper'] - l2['lower']) / 2:.3f}",
                       f"{entry['psnr']['mean']:.2f}", f"{entry['seconds']['mean'] * 1000:.3g}")


def beyond_tables():
    head = ("set", "method", "m", "noise", "L2", "PSNR, dB", "ms an image")
    table("noise: mean [smallest, largest seed] ±95 % over images", head, bench_lines("noise:"))
    table("classic methods", head, bench_lines("classic:"))
    tested = [name.split(": ") for name in names_of("beyond") if name.count(": ") == 2]
    for family in ("other images", "missing and other measurements"):
        chosen = [parts for parts in tested if parts[0].startswith("other images") == (family == "other images")
                  and not parts[0].startswith("answers")]
        conditions = list(dict.fromkeys(parts[1] for parts in chosen))
        ways = list(dict.fromkeys((parts[2], parts[0]) for parts in chosen))
        def lines():
            for model, group in ways:
                yield (model, group, *(test_cell(f"{group}: {condition}: {model}") for condition in conditions))
        table(f"{family}: L2, mean [smallest, largest seed] ±95 % over images", ("model", "how", *conditions), lines())
    def answers():
        for group, condition, model in tested:
            if not group.startswith("answers"):
                continue
            results = seeds_of("beyond", f"{group}: {condition}: {model}")
            several = [r["answers"] for r in results]
            yield (model, condition, cell([r["l2"] for r in several]), cell([r["spread"] for r in several]),
                   cell([r["measurement_error"] for r in results]), cell([r["l2_of_mean"] for r in several]),
                   cell([r["l2_of_least_measurement_error"] for r in several]), cell([r["l2_of_nearest"] for r in several]),
                   cell([r["correlation_of_spread_and_error"] for r in several], digits=2))
    table("several answers", ("model", "condition", "L2 of one", "distance of two", "measurement error", "L2 of the mean",
                              "of the least measurement error", "of the nearest", "rank correlation"), answers())


def gan_table():
    def lines():
        for name in names_of("gan"):
            results = seeds_of("gan", name)
            def of(key, digits=2):
                return cell([r["generated"][key] for r in results], digits=digits)
            yield (name, str(results[0]["steps"]), cell([r["training_seconds"] for r in results], digits=0), of("frechet_distance"),
                   of("classifier_score"), of("mode_count", 0), of("confident_share"), of("diversity"))
    head = ("training", "steps", "s", "Fréchet distance", "classifier score", "classes", "confident", "diversity")
    table("gan: mean [smallest, largest seed]", head, lines())
    for result in seeds_of("gan", "T=3")[:1]:
        print("real images:", json.dumps(result["real"]), "accuracy", result.get("classifier_accuracy"))


SECTIONS = {"small": run_small, "variants": run_variants, "beyond": run_beyond, "rounded": run_rounded, "few": run_few, "gan": run_gan, "openics": run_openics}

if __name__ == "__main__":
    verb, names = (sys.argv[1:2] or ["run"])[0], sys.argv[2:]
    if verb not in ("run", "tables") or not names or not set(names) <= set(SECTIONS):
        sys.exit(f"{__doc__}\nsections: {', '.join(SECTIONS)}")
    WORK.mkdir(parents=True, exist_ok=True)
    for name in names:
        if verb == "run":
            SECTIONS[name]()
        else:
            {"beyond": beyond_tables, "gan": gan_table}.get(name, lambda: training_table(name))()
