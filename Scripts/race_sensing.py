#!/usr/bin/env python3
"""Speed of `martlet sense` beside PyTorch and PyLops: one thread each, processor time, in turn.

  race_sensing.py [steps] [images] [variation] [growth]     (needs torch, or pylops for `variation`; default: all but `growth`)

MARTLET names the command, MARTLET_DATA the folder of data, ROUNDS the rounds (3), PRECISION the products of Martlet's steps (f32), WORK a scratch folder.

steps      a step of training of the full configuration (784 pixels, 25 measurements, 100-500-500-784, 64 images): exact deep compressed sensing,
           and regression. Martlet's is the difference of two runs of different lengths, so that reading and testing are left out.
images     64 images recovered by three latent steps: of 6,400 for Martlet, so that its start does not count, and forty times for PyTorch.
variation  total variation of the first three natural images of 256x256 from a tenth of their cosine coefficients: the time of Martlet, and that of PyLops'
           split Bregman iterations until its error is as small as Martlet's; PyLops' best of several settings counts.
growth     an exact step of deep compressed sensing of Martlet alone, by the number of measurements, of latent steps and of images, in the full and
           the small configuration: a table, medians of the rounds.
"""
import json, os, resource, statistics, subprocess, sys, time

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # threads that wait for each other count as processor time

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
IMAGES = os.path.join(os.environ["MARTLET_DATA"], "images")
MNIST = f"{IMAGES}/mnist/train-images-idx3-ubyte.gz", f"{IMAGES}/mnist/t10k-images-idx3-ubyte.gz"
ROUNDS = int(os.environ.get("ROUNDS", 3))
PRECISION = os.environ.get("PRECISION", "f32")
WORK = os.environ.get("WORK", "/tmp/race_sensing")


def spent(*arguments):
    """Processor seconds of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([MARTLET, "sense", *arguments], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def show(what, ours, theirs, unit, peer):
    ratios = [a / b for a, b in zip(ours, theirs)]
    pairs = ", ".join(f"{a:.3g}/{b:.3g}" for a, b in zip(ours, theirs))
    print(f"{what}: Martlet {statistics.median(ours):.3g} {unit}, {peer} {statistics.median(theirs):.3g} {unit}, "
          f"ratio {statistics.median(ratios):.2f} ({pairs})", flush=True)


def network(torch, sizes):
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.LeakyReLU(0.2))][:-1]
    return torch.nn.Sequential(*layers, torch.nn.Tanh())


class Latent:
    """Deep compressed sensing with a learnt matrix, exact gradients of the second order, joint losses."""

    def __init__(self, torch):
        self.torch = torch
        self.generator = network(torch, [100, 500, 500, 784])
        self.matrix = torch.nn.Parameter(torch.randn(784, 25) / 5)
        self.log_step = torch.nn.Parameter(torch.tensor(0.01).log())
        self.optimizer = torch.optim.Adam([*self.generator.parameters(), self.matrix, self.log_step], 5e-4)

    def recover(self, measured, exact):
        torch = self.torch
        start = torch.randn(len(measured), 100)
        z = (start / start.norm(dim=1, keepdim=True)).requires_grad_()
        for _ in range(3):
            error = (self.generator(z) @ self.matrix - measured).square().sum()
            slope, = torch.autograd.grad(error, z, create_graph=exact)
            z = z - self.log_step.exp() * slope
            z = z / z.norm(dim=1, keepdim=True)
            if not exact:
                z = z.detach().requires_grad_()
        return start, self.generator(z)

    def step(self, x):
        measured = x @ self.matrix
        start, last = self.recover(measured, True)
        first = self.generator(start)

        def distortion(a, b):
            return ((a - b).norm(dim=1) - ((a - b) @ self.matrix).norm(dim=1)).square().mean()
        loss = (last @ self.matrix - measured).square().sum(1).mean() + (
            distortion(last, first) + distortion(last, x) + distortion(first, x)) / 3
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class Regression:
    def __init__(self, torch):
        self.decoder = network(torch, [25, 500, 500, 784])
        self.matrix = torch.nn.Parameter(torch.randn(784, 25) / 5)
        self.optimizer = torch.optim.Adam([*self.decoder.parameters(), self.matrix], 1e-3)

    def step(self, x):
        loss = (self.decoder(x @ self.matrix) - x).square().sum(1).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def seconds_of(body, count):
    body()
    start = time.process_time()
    for _ in range(count):
        body()
    return (time.process_time() - start) / count


def steps():
    import torch
    torch.set_num_threads(1)
    for method, model, short, long in (("dcs", Latent, 20, 100), ("regression", Regression, 100, 700)):
        peer, ours, theirs = model(torch), [], []
        for _ in range(ROUNDS):
            used = {}
            for count in (short, long):
                subprocess.run(["rm", "-rf", f"{WORK}/{method}"])
                used[count], _ = spent("train", MNIST[0], "--test", MNIST[1], "--method", method, "--steps", str(count), "--seed", "1",
                                       "--precision", PRECISION, "--threads", "1", "--out", f"{WORK}/{method}")
            ours.append((used[long] - used[short]) / (long - short) * 1000)
            theirs.append(seconds_of(lambda: peer.step(torch.rand(64, 784) * 2 - 1), (long - short) // 2) * 1000)
        show(f"a step of {method}, {PRECISION}", ours, theirs, "ms", "PyTorch")


def images():
    import torch
    torch.set_num_threads(1)
    if not os.path.exists(f"{WORK}/latent/model.safetensors"):
        spent("train", MNIST[0], "--method", "dcs", "--steps", "50", "--threads", "1", "--out", f"{WORK}/latent")
    peer, ours, theirs = Latent(torch), [], []
    measured = torch.rand(64, 25)
    for _ in range(ROUNDS):
        printed = spent("bench", MNIST[1], "--methods", "none", "--models", f"{WORK}/latent", "--limit", "6400", "--threads", "1", "--json")[1]
        row = json.loads(printed.splitlines()[0])
        ours.append(row["seconds"]["mean"] * 64000)
        with torch.enable_grad():
            theirs.append(seconds_of(lambda: peer.recover(measured, False), 40) * 1000)
    show("64 images by three latent steps", ours, theirs, "ms", "PyTorch")


def variation():
    import glob
    import numpy, pylops, scipy.fft
    from PIL import Image
    planes = [numpy.asarray(Image.open(path), dtype=float) / 255 for path in sorted(glob.glob(f"{IMAGES}/natural-gray256/*.png"))[:3]]
    random = numpy.random.default_rng(1)

    class Cosine(pylops.LinearOperator):
        def __init__(self, signs, kept):
            self.signs, self.kept = signs, kept
            super().__init__(dtype=float, shape=(len(kept), signs.size))

        def _matvec(self, x):
            return scipy.fft.dctn(x.reshape(self.signs.shape) * self.signs, norm="ortho").ravel()[self.kept]

        def _rmatvec(self, y):
            every = numpy.zeros(self.signs.size)
            every[self.kept] = y
            return (scipy.fft.idctn(every.reshape(self.signs.shape), norm="ortho") * self.signs).ravel()

    def psnr(a, b):
        return -10 * numpy.log10(numpy.mean((numpy.clip(a, 0, 1) - b) ** 2))

    printed = spent("bench", f"{IMAGES}/natural-gray256", "--ratios", "0.1", "--methods", "tv", "--operator", "cosine", "--limit", "3",
                    "--threads", "1", "--json")[1]
    row = json.loads(printed.splitlines()[0])
    ours, target = row["seconds"]["mean"], row["psnr"]["mean"]
    print(f"Martlet: {ours:.3g} s an image, mean PSNR {target:.2f} dB", flush=True)
    size = planes[0].size
    best = None
    for weight in (10, 100):
        for inner in (3, 8):
            for outer in (10, 20, 40):
                found, used = [], 0.0
                for plane in planes:
                    signs = random.integers(0, 2, plane.shape) * 2.0 - 1
                    kept = numpy.sort(random.permutation(size)[:size // 10])
                    measured = Cosine(signs, kept)
                    y = measured @ plane.ravel()
                    differences = [pylops.FirstDerivative(plane.shape, axis=axis, edge=False, kind="forward") for axis in (0, 1)]
                    start = time.process_time()
                    x = pylops.optimization.sparsity.splitbregman(
                        measured, y, differences, niter_outer=outer, niter_inner=1, mu=weight, epsRL1s=[0.1, 0.1],
                        tau=1.0, iter_lim=inner, damp=0)[0]
                    used += time.process_time() - start
                    found.append(psnr(x.reshape(plane.shape), plane))
                mean, each = float(numpy.mean(found)), used / len(planes)
                print(f"PyLops split Bregman, weight {weight:g}, {outer} x {inner}: {each:.3g} s an image, mean PSNR {mean:.2f} dB", flush=True)
                if mean >= target - 0.05 and (best is None or each < best):
                    best = each
                if best is not None and each > best:
                    break
    if best is None:
        print("no setting of PyLops reached Martlet's error", flush=True)
    else:
        print(f"total variation: ratio {ours / best:.2f}", flush=True)


def growth():
    small = ["--pool", "2", "--hidden", "128", "--latents", "32", "--lr", "0.001"]
    counts, latent_steps, batches = (10, 25, 50), (1, 3, 5), (16, 64)
    cells = [(name, options, m, t, b) for m in counts for t in latent_steps
             for name, options in (("full", ["--steps", "60"]), ("small", [*small, "--steps", "300"])) for b in batches]
    found = {}
    for _ in range(ROUNDS):
        for name, options, m, t, b in cells:
            subprocess.run(["rm", "-rf", f"{WORK}/growth"])
            printed = spent("train", MNIST[1], "--test", MNIST[1], "--test-count", "10", "--method", "dcs", *options, "--measurements", str(m),
                            "--latent-steps", str(t), "--batch", str(b), "--seed", "1", "--precision", PRECISION, "--threads", "1",
                            "--json", "--out", f"{WORK}/growth")[1]
            found.setdefault((name, m, t, b), []).append(json.loads(printed.splitlines()[-1])["seconds_per_step"] * 1000)
    names = [(name, b) for name in ("full", "small") for b in batches]
    print("| m | latent steps | " + " | ".join(f"{name}, {b} images" for name, b in names) + " |\n|" + "---|" * (2 + len(names)))
    for m in counts:
        for t in latent_steps:
            print(f"| {m} | {t} | " + " | ".join(f"{statistics.median(found[name, m, t, b]):.3g}" for name, b in names) + " |", flush=True)


os.makedirs(WORK, exist_ok=True)
for name in sys.argv[1:] or ["steps", "images", "variation"]:
    {"steps": steps, "images": images, "variation": variation, "growth": growth}[name]()
