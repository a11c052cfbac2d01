#!/usr/bin/env python3
"""Every module that a target imports must be one that Package.swift declares for it.

  check_imports.py     (in the package's folder; needs swift)

Prints each file and import that is not declared, and each declared dependency of our own that nothing imports; ends with 1 if
there is one. Modules of the toolchain (Foundation, Glibc, Synchronization, ...) need no declaration.
"""
import pathlib, re, sys

from package_description import package_description

TOOLCHAIN = {
    "Android", "Bionic", "Builtin", "CoreFoundation", "Darwin", "Dispatch", "Foundation", "FoundationEssentials",
    "FoundationNetworking", "FoundationXML", "Glibc", "Musl", "PackageDescription", "RegexBuilder", "SQLite3", "Swift",
    "Synchronization", "Testing", "XCTest", "os", "simd",
}
DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |fileprivate |private |final |nonisolated |indirect )*"
    r"(?:struct|enum|class|actor|protocol|extension|func|let|var|typealias)\b", re.M)
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |fileprivate |private )?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|typealias|var|let)\s+)?(\w+)", re.M)

package = package_description()
ours = {target["name"] for target in package["targets"]}
problems = 0
for target in package["targets"]:
    folder = pathlib.Path(target.get("path") or ("Tests" if target["type"] == "test" else "Sources") + "/" + target["name"])
    declared = set()
    for dependency in target["dependencies"]:
        declared.add((dependency.get("byName") or dependency.get("product") or dependency.get("target"))[0])
    used = set()
    for file in sorted(folder.rglob("*.swift")):
        text = file.read_text()
        # Imports stand in front; what comes later may be a text of another language.
        for name in IMPORT.findall(DECLARATION.split(text, maxsplit=1)[0]):
            used.add(name)
            if name not in declared | TOOLCHAIN | {target["name"]}:
                problems += 1
                print(f"{file}: imports {name}, which {target['name']} does not declare in Package.swift")
    for name in sorted((declared & ours) - used):
        if any(folder.rglob("*.swift")):
            problems += 1
            print(f"Package.swift: {target['name']} declares {name}, which no file of it imports")
sys.exit(problems > 0)
