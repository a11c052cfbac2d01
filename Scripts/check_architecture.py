#!/usr/bin/env python3
"""Holds the package to its layout: arrows between modules, unsafe pointers, the C kernels, and what documents name.

    python3 Scripts/check_architecture.py     (in the package's folder; needs swift)

MODULES says what each module may depend on, UNSAFE where unsafe pointers may be named, and why. Prints each violation with its
file and line, and ends with 1 if there is one. A module that MODULES does not list, or an entry that nothing needs, is one too.
"""
import pathlib, re, sys

from package_description import package_description

NUMBERS = ["MartletData", "MartletTensor", "MartletLayers"]
MODELS = NUMBERS + ["MartletDevice", "MartletOptimization", "MartletCheckpoints", "MartletTokenizers", "MartletModels"]
# Module -> the modules of this package that it may import. From the bottom to the top.
MODULES = {
    **{module: [] for module in ["CMartletKernels", "CMartletGPU", "CMartletData", "CMartletSystem", "CMartletBox"]},
    "MartletData": [],
    "MartletTensor": ["CMartletKernels", "MartletData"],
    "MartletCheckpoints": ["MartletData", "MartletTensor"],
    "MartletDevice": ["CMartletGPU", "MartletData", "MartletTensor"],
    "MartletLayers": ["MartletData", "MartletTensor"],
    "MartletOptimization": NUMBERS + ["MartletCheckpoints"],
    "MartletTokenizers": ["MartletData", "MartletCheckpoints", "CMartletData"],
    # The built-in model is one of those that LoadedModel.load opens by name, for every program.
    "MartletModels": NUMBERS + ["MartletDevice", "MartletOptimization", "MartletCheckpoints", "MartletTokenizers", "CMartletBox"],
    "MartletEngine": MODELS,
    "MartletTraining": MODELS,
    "MartletEditing": MODELS + ["MartletEngine"],
    "MartletSkeleton": MODELS + ["MartletEngine", "CMartletData"],
    # Independent: it uses data and system calls in C, and none of our Swift modules.
    "MartletHostCheck": ["CMartletData", "CMartletSystem"],
    "MartletEvaluation": MODELS + ["MartletEngine", "CMartletData"],
    "MartletProbes": MODELS + ["MartletEngine", "MartletTraining", "MartletEvaluation"],
    "MartletReasoning": MODELS + ["MartletEngine", "MartletTraining", "MartletEvaluation", "CMartletData"],
    "MartletSensing": NUMBERS + ["MartletOptimization", "MartletCheckpoints"],
    "MartletLaboratory": MODELS + ["MartletEngine", "MartletTraining", "MartletEditing", "MartletSkeleton", "MartletEvaluation",
                                   "MartletSensing", "CMartletData"],
    "MartletServer": MODELS + ["MartletEngine", "MartletEditing", "MartletSkeleton", "MartletSensing", "MartletHostCheck",
                               "CMartletData"],
    "martlet": None,  # The command may import everything.
}
# The one folder whose files call C.
KERNEL_CALLERS = "Sources/MartletTensor/Backend/CPU/"

# Folder or file -> why it names unsafe pointers. Everywhere else they are errors.
UNSAFE = {
    "Sources/MartletTensor/Backend/CPU/": "the calls of kernels",
    "Sources/MartletTensor/Storage.swift": "memory, lent for the length of a call",
    "Sources/MartletTensor/Tensor.swift": "elements, lent for the length of a call",
    "Sources/MartletLayers/PackedMatrix.swift": "packs rows that are written in place",
    "Sources/MartletDevice/": "memory that a graphics card and the host share; calls of the device layer in C",
    "Sources/MartletCheckpoints/": "bits of weights are read from mapped files",
    "Sources/MartletData/Files/": "mapped files and calls of read(2) and write(2)",
    "Sources/MartletData/Compression/": "unpacks mapped files; calls zstd by its C interface",
    "Sources/MartletData/JSON/JSONParser.swift": "parses bytes in place",
    "Sources/MartletData/SHA256.swift": "hashes mapped files in place",
    "Sources/MartletModels/Library/PartialFile.swift": "pwrite(2)",
    "Sources/MartletModels/Library/BuiltInModel.swift": "a model embedded by C",
    "Sources/MartletModels/Conversion/Conversion+Writing.swift": "hands a tensor's bytes to the writer of a file",
    "Sources/MartletOptimization/Runs/TensorFile.swift": "hands a tensor's bytes to the writer of a file",
    "Sources/MartletTraining/Run/ModelExport.swift": "hands a tensor's bytes to the writer of a file",
    "Sources/MartletEngine/Running/": "rows of logits, lent by Tensor.withFloats for one call",
    "Sources/MartletEngine/Sampler.swift": "rows of logits, lent by Tensor.withFloats for one call",
    "Sources/MartletEngine/TokenProbability.swift": "rows of logits, lent by Tensor.withFloats for one call",
    "Sources/MartletSkeleton/Router/SkeletonRouter.swift": "a router embedded by C",
    "Sources/MartletTokenizers/WorldTokenizer.swift": "a vocabulary embedded by C; texts are cut in place",
    "Sources/MartletTokenizers/ByteTrie.swift": "texts are cut in place",
    "Sources/MartletSkeleton/Prompts/PromptSet.swift": "prompts embedded by C",
    "Sources/MartletEvaluation/Tasks/ShippedTasks.swift": "tasks embedded by C",
    "Sources/MartletReasoning/Strategies/StrategyTable+Reading.swift": "strategies embedded by C",
    "Sources/MartletReasoning/Evaluating/InstructionCheck.swift": "instructions embedded by C",
    "Sources/MartletReasoning/Recipe/Recipe+Shipped.swift": "recipes embedded by C",
    "Sources/MartletReasoning/Evaluating/InstructionCheck.swift": "instructions embedded by C",
    "Sources/MartletSensing/Images/JPEG.swift": "calls libturbojpeg by its C interface",
    "Sources/MartletLaboratory/Sensing/RecoveryTable+Shipped.swift": "a table embedded by C",
    "Sources/MartletServer/Routes/PageRoutes.swift": "the page embedded by C",
    "Sources/MartletHostCheck/": "tables embedded by C, and files of /proc read in place; depends on none of our modules",
}

# What no comment and no document may name: files that a reader of the repository does not have.
OUTSIDE = re.compile(r"\.\./shared|\bdossiers?\b|(?<![\w.])/(?:work|root|home)/\w")
DOCUMENTS = [("Sources", {".swift", ".c", ".h", ".md", ".js", ".html", ".css"}), ("Docs", {".md", ".svg"}),
             ("Snippets", {".swift"}), ("Benchmarks", {".py", ".md"}), ("Scripts", {".py", ".sh"}), (".github", {".md", ".yml"})]
# Paths of the repository that a document names between backticks, or as the target of a link.
NAMED = re.compile(r"`((?:Sources|Tests|Scripts|Docs|Snippets|Benchmarks|Packaging)/[\w./+-]+)`")
LINK = re.compile(r"\]\(([\w./+-]+\.\w+)(?:#[\w-]*)?\)")

problems = 0


def problem(text):
    global problems
    problems += 1
    print(text)


def lines(path):
    return path.read_text(errors="replace").splitlines()


def code(line):
    """A line of Swift without its comment and the contents of its strings."""
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).split("//")[0]


package = package_description()
ours = {target["name"] for target in package["targets"]}
products = [target for target in package["targets"] if target["type"] in ("regular", "executable")
            and not (target.get("path") or "").startswith("Tests")]
for target in products:
    name = target["name"]
    if name not in MODULES:
        problem(f"Package.swift: {name} has no place in the layout; give it one in Scripts/check_architecture.py")
        continue
    for dependency in target["dependencies"]:
        other = (dependency.get("byName") or dependency.get("product") or dependency.get("target"))[0]
        if other in ours and MODULES[name] is not None and other not in MODULES[name]:
            problem(f"Package.swift: {name} depends on {other}, which the layout does not allow")

used = set()
for path in sorted(pathlib.Path("Sources").rglob("*.swift")):
    place = next((entry for entry in UNSAFE if str(path).startswith(entry)), None)
    for number, line in enumerate(lines(path), 1):
        if re.match(r"\s*(?:@\w+\s+)?(?:\w+\s+)?import\s+(?:\w+\s+)?CMartletKernels\b", line) and not str(path).startswith(KERNEL_CALLERS):
            problem(f"{path}:{number}: imports CMartletKernels; only {KERNEL_CALLERS} calls C")
        # By their other names too: what withFloats lends, what writers of files take, and embedded bytes.
        if re.search(r"\bUnsafe\w*Pointer|\bByteSink\b|\bTensor\.Elements\b|builtIn: \.init", code(line)):
            if place is None:
                problem(f"{path}:{number}: names an unsafe pointer; use a scoped access, or say in Scripts/check_architecture.py why not")
            used.add(place)
for entry in UNSAFE:
    if entry not in used:
        problem(f"Scripts/check_architecture.py: UNSAFE lists {entry}, which names no unsafe pointer; take it out")
for path in sorted(pathlib.Path("Tests").rglob("*.swift")):
    if path.parts[1] != "CMartletKernelsTests" and re.search(r"^\s*(?:@testable )?import CMartletKernels\b", path.read_text(), re.M):
        problem(f"{path}: imports CMartletKernels; only its own tests do")

documents = sorted(pathlib.Path(".").glob("*.md")) + [pathlib.Path("Makefile")]
for folder, endings in DOCUMENTS:
    documents += sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix in endings)
for path in documents:
    if path == pathlib.Path("Scripts/check_architecture.py"):
        continue
    for number, line in enumerate(lines(path), 1):
        if found := OUTSIDE.search(line):
            problem(f"{path}:{number}: names {found.group().strip()}, which is not in this repository")
        if path.suffix != ".md":
            continue
        for name in NAMED.findall(line):
            if not pathlib.Path(name).exists():
                problem(f"{path}:{number}: names {name}, which is not there")
        for name in LINK.findall(line):
            if ".docc/" not in str(path) and not (path.parent / name).exists():
                problem(f"{path}:{number}: links to {name}, which is not there")
print(f"{len(products)} modules, {len(documents)} documents: {problems or 'no'} violation{'s' * (problems != 1)} of the layout")
sys.exit(problems > 0)
