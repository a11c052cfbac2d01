#!/usr/bin/env python3
"""Holds the examples of the documents to the snippets that compile.

    python3 Scripts/check_examples.py [--modules .build/release/Modules]

Every block of Swift in README.md, Docs and the articles of Sources/*/*.docc must stand in a file of Snippets, line by line.
With --modules the snippets are type-checked as well, without linking; `swift build` and `swift test` build them as programs.
"""
import argparse, concurrent.futures, os, pathlib, re, subprocess, sys, textwrap

# Articles that show code of other places, which is compiled there.
ELSEWHERE = {"Sources/MartletModels/MartletModels.docc/AddingAModelFamily.md": "Tests/ThirdFamilyTests"}

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--modules", help="folder of built modules to type-check the snippets against")
options = parser.parse_args()
snippets = {path: path.read_text() for path in sorted(pathlib.Path("Snippets").glob("*.swift"))}
lines = {path: [line.strip() for line in text.splitlines()] for path, text in snippets.items()}
problems = blocks = 0


def stands_in(block, own):
    """Whether the lines of a block follow each other in a snippet; empty lines and `// ...` may stand for lines left out."""
    wanted = [line.strip() for line in block.splitlines() if line.strip() and line.strip() != "// ..."]
    place = 0
    for line in own:
        if place < len(wanted) and line == wanted[place]:
            place += 1
    return place == len(wanted)


documents = [pathlib.Path("README.md"), *sorted(pathlib.Path("Docs").rglob("*.md")), *sorted(pathlib.Path("Sources").glob("*/*.docc/*.md"))]
for path in documents:
    if str(path) in ELSEWHERE:
        continue
    text = path.read_text()
    for found in re.finditer(r"^```swift\n(.*?)^```", text, re.M | re.S):
        blocks += 1
        if not any(stands_in(textwrap.dedent(found[1]), own) for own in lines.values()):
            problems += 1
            print(f"{path}:{text.count(chr(10), 0, found.start()) + 1}: this example stands in no file of Snippets")


def check(path):
    modules = pathlib.Path(options.modules).resolve()
    maps = list(modules.glob("*.modulemap")) + list(modules.parent.glob("*.build/module.modulemap"))
    maps += [map for pattern in ("Sources/*/module.modulemap", "Sources/*/include/module.modulemap")
             for map in modules.parent.parent.parent.glob(f"checkouts/*/{pattern}")]
    done = subprocess.run(["swiftc", "-typecheck", "-swift-version", "6", "-warnings-as-errors", "-module-name", path.stem, str(path), "-I", str(modules),
                           *(flag for map in maps for flag in ("-Xcc", f"-fmodule-map-file={map}"))], capture_output=True, text=True)
    return path, done.returncode, done.stderr


if options.modules:
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, code, said in pool.map(check, snippets):
            if code:
                problems += 1
                print(f"{path}:\n{said}")
print(f"{len(snippets)} snippets{' type-checked' if options.modules else ''}, {blocks} examples in documents: "
      f"{problems or 'no'} problem{'s' * (problems != 1)}")
sys.exit(problems > 0)
