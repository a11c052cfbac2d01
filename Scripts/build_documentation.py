#!/usr/bin/env python3
"""Makes one documentation site of all public libraries from the modules that a build has left, without compiling anything.

    python3 Scripts/build_documentation.py [--modules .build/release/Modules] [--output docs-build]     (after `make build`)

Every library product gets the symbols of its module and the articles of Sources/NAME/NAME.docc. A warning of docc, such as a
parameter without a description or a link to nothing, is an error. The site can be served as files:
`python3 -m http.server --directory docs-build`.
"""
import argparse, concurrent.futures, json, os, pathlib, platform, shutil, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--modules", default=".build/release/Modules", help="folder of the built modules")
parser.add_argument("--output", default="docs-build")
parser.add_argument("--only", help="one library alone")
options = parser.parse_args()
modules, output = pathlib.Path(options.modules), pathlib.Path(options.output)
start = time.time()


def tool(name):
    """The toolchain's program: beside swift, or where Xcode has it."""
    beside = pathlib.Path(os.path.realpath(shutil.which("swift"))).parent / name
    return [str(beside)] if beside.exists() else ["xcrun", name] if sys.platform == "darwin" else [name]


package = json.loads(subprocess.check_output(["swift", "package", "dump-package"], stderr=subprocess.DEVNULL))
target = json.loads(subprocess.check_output(["swiftc", "-print-target-info"]))["target"]["triple"]
libraries = [product["targets"][0] for product in package["products"] if "library" in product["type"]]
missing = [name for name in libraries if not list(modules.glob(f"{name}.swiftmodule"))]
if missing:
    sys.exit(f"{modules} lacks {', '.join(missing)}; build first: make build")
maps = list(modules.glob("*.modulemap")) + list(modules.parent.glob("*.build/module.modulemap"))
maps += [map for pattern in ("Sources/*/module.modulemap", "Sources/*/include/module.modulemap")
         for map in modules.parent.parent.parent.glob(f"checkouts/*/{pattern}")]
flags = [flag for map in maps for flag in ("-Xcc", f"-fmodule-map-file={map}")]
sdk = ["-sdk", subprocess.check_output(["xcrun", "--show-sdk-path"], text=True).strip()] if sys.platform == "darwin" else []


def archive(name, scratch):
    """Makes one library's archive; what docc says of it."""
    graphs = scratch / name
    graphs.mkdir()
    done = subprocess.run([*tool("swift-symbolgraph-extract"), "-module-name", name, "-I", str(modules), *flags, "-target", target, *sdk,
                           "-minimum-access-level", "public", "-skip-inherited-docs", "-skip-synthesized-members",
                           "-output-dir", str(graphs)], capture_output=True, text=True)
    if done.returncode:
        return name, 1, done.stderr
    # What this library adds to types of others belongs to their documentation only.
    for graph in graphs.glob("*@*.symbols.json"):
        graph.unlink()
    catalog = pathlib.Path("Sources") / name / f"{name}.docc"
    done = subprocess.run([*tool("docc"), "convert", *([str(catalog)] if catalog.exists() else []), "--additional-symbol-graph-dir",
                           str(graphs), "--output-path", str(scratch / f"{name}.doccarchive"), "--transform-for-static-hosting",
                           "--fallback-display-name", name, "--fallback-bundle-identifier", f"martlet.{name}",
                           "--warnings-as-errors"], capture_output=True, text=True)
    return name, done.returncode, done.stderr + done.stdout


failed = 0
with tempfile.TemporaryDirectory() as folder:
    scratch = pathlib.Path(folder)
    names = [options.only] if options.only else libraries
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, code, said in pool.map(lambda name: archive(name, scratch), names):
            failed += code != 0
            if code:
                print(f"{name}:\n{said}")
    if not failed:
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([*tool("docc"), "merge", *(str(scratch / f"{name}.doccarchive") for name in names), "--output-path", str(output),
                        "--synthesized-landing-page-name", "Martlet", "--synthesized-landing-page-kind", "Package"], check=True)
        print(f"{output}: {len(names)} libraries, {sum(1 for _ in output.rglob('index.html'))} pages, {time.time() - start:.0f} s")
sys.exit(failed > 0)
