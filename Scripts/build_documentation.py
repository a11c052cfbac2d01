#!/usr/bin/env python3
"""Makes one documentation site of all public libraries from the modules that a build has left.

    python3 Scripts/build_documentation.py [--scratch-path .build] [--output docs-build]     (`make doc` builds first)

Every library product gets the symbols of its module and the articles of Sources/NAME/NAME.docc; only a module that is not built yet is
compiled. A warning of docc, such as a parameter without a description or a link to nothing, is an error. The site is files:
`python3 -m http.server --directory docs-build` shows it at http://127.0.0.1:8000/documentation/.
"""
import argparse, concurrent.futures, json, os, pathlib, platform, shutil, subprocess, sys, tempfile, time

from package_description import package_description

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--scratch-path", default=".build", help="folder of the build")
parser.add_argument("--modules", help="folder of the built modules (default: release/Modules of the scratch path)")
parser.add_argument("--output", default="docs-build")
parser.add_argument("--only", help="one library alone")
parser.add_argument("--undocumented", action="store_true", help="list public declarations without a comment")
options = parser.parse_args()
modules = pathlib.Path(options.modules or f"{options.scratch_path}/release/Modules").resolve()
output = pathlib.Path(options.output)
start = time.time()


def tool(name):
    """The toolchain's program: beside swift, or where Xcode has it."""
    beside = pathlib.Path(os.path.realpath(shutil.which("swift"))).parent / name
    return [str(beside)] if beside.exists() else ["xcrun", name] if sys.platform == "darwin" else [name]


package = package_description()
target = json.loads(subprocess.check_output(["swiftc", "-print-target-info"]))["target"]["triple"]
libraries = [product["targets"][0] for product in package["products"] if "library" in product["type"]]
for name in libraries:
    if not (modules / f"{name}.swiftmodule").exists():
        subprocess.run(["swift", "build", "-c", "release", "--scratch-path", options.scratch_path, "--target", name], check=True)
maps = list(modules.glob("*.modulemap")) + list(modules.parent.glob("*.build/module.modulemap"))
maps += [map for pattern in ("Sources/*/module.modulemap", "Sources/*/include/module.modulemap")
         for map in modules.parent.parent.parent.glob(f"checkouts/*/{pattern}")]
flags = [flag for map in maps for flag in ("-Xcc", f"-fmodule-map-file={map}")]
sdk = ["-sdk", subprocess.check_output(["xcrun", "--show-sdk-path"], text=True).strip()] if sys.platform == "darwin" else []


def archive(name, scratch):
    """Makes one library's archive; what docc says of it, and the public declarations that have no comment."""
    graphs = scratch / name
    graphs.mkdir()
    done = subprocess.run([*tool("swift-symbolgraph-extract"), "-module-name", name, "-I", str(modules), *flags, "-target", target, *sdk,
                           "-minimum-access-level", "public", "-skip-synthesized-members",
                           "-output-dir", str(graphs)], capture_output=True, text=True)
    if done.returncode:
        return name, 1, done.stderr, []
    # What this library adds to types of others belongs to their documentation only.
    for graph in graphs.glob("*@*.symbols.json"):
        graph.unlink()
    undocumented = []
    for symbol in json.loads((graphs / f"{name}.symbols.json").read_text())["symbols"]:
        if "docComment" not in symbol and "location" in symbol and "::SYNTHESIZED::" not in symbol["identifier"]["precise"]:
            place = symbol["location"]
            undocumented.append(f"{os.path.relpath(place['uri'].removeprefix('file://'))}:{place['position']['line'] + 1}: "
                                f"{'.'.join(symbol['pathComponents'])} has no comment")
    catalog = pathlib.Path("Sources") / name / f"{name}.docc"
    done = subprocess.run([*tool("docc"), "convert", *([str(catalog)] if catalog.exists() else []), "--additional-symbol-graph-dir",
                           str(graphs), "--output-path", str(scratch / f"{name}.doccarchive"), "--transform-for-static-hosting",
                           "--fallback-display-name", name, "--fallback-bundle-identifier", f"martlet.{name}",
                           "--warnings-as-errors"], capture_output=True, text=True)
    return name, done.returncode, done.stderr + done.stdout, undocumented


failed, without = 0, []
with tempfile.TemporaryDirectory() as folder:
    scratch = pathlib.Path(folder)
    names = [options.only] if options.only else libraries
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, code, said, undocumented in pool.map(lambda name: archive(name, scratch), names):
            failed += code != 0
            without += undocumented
            if code:
                print(f"{name}:\n{said}")
    if not failed:
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([*tool("docc"), "merge", *(str(scratch / f"{name}.doccarchive") for name in names), "--output-path", str(output),
                        "--synthesized-landing-page-name", "Martlet", "--synthesized-landing-page-kind", "Package",
                        "--synthesized-landing-page-topics-style", "compactGrid"], check=True)
        print(f"{output}/documentation: {len(names)} libraries, {sum(1 for _ in output.rglob('index.html'))} pages, "
              f"{len(without)} declarations without a comment, {time.time() - start:.0f} s")
if options.undocumented:
    print(*sorted(without), sep="\n")
sys.exit(failed > 0)
