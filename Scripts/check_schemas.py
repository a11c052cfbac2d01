#!/usr/bin/env python3
"""Holds Martlet's grammars of JSON schemas to PyPI's jsonschema.

Every schema of the JSON-Schema-Test-Suite (and of the files given) is turned into a grammar by Martlet, which draws
texts from it; each must be valid. No instance that the suite calls invalid may be in the grammar. How many valid ones
are is counted: what Martlet writes may be narrower than the schema.

  python3 Scripts/check_schemas.py SUITE [SCHEMA.json ...] [--seeds 50] [--llama json_schema_to_grammar.py]

SUITE is a checkout of github.com/json-schema-org/JSON-Schema-Test-Suite. The tests of the package must be built.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

DIALECTS = {
    "draft2020-12": (jsonschema.Draft202012Validator, "https://json-schema.org/draft/2020-12/schema"),
    "draft7": (jsonschema.Draft7Validator, "http://json-schema.org/draft-07/schema#"),
}


def suite_cases(root):
    """Yields (file, description, dialect, schema, [(instance, is valid)])."""
    for dialect in DIALECTS:
        folder = pathlib.Path(root) / "tests" / dialect
        for path in sorted(folder.rglob("*.json")):
            for case in json.loads(path.read_text()):
                schema = case["schema"]
                if isinstance(schema, dict) and "$schema" not in schema and dialect == "draft7":
                    schema = {"$schema": DIALECTS[dialect][1], **schema}
                tests = [(test["data"], test["valid"]) for test in case["tests"]]
                yield (f"{dialect}/{path.relative_to(folder)}", case["description"], dialect, schema, tests)


def more_cases(paths):
    for path in paths:
        text = pathlib.Path(path).read_text()
        lines = text.splitlines() if path.endswith(".jsonl") else [text]
        for line in lines:
            case = json.loads(line)
            yield (os.path.basename(path), "", "draft2020-12", case.get("schema", case), [])


def llama_keeps(converter, schema):
    try:
        schema = json.loads(json.dumps(schema))
        maker = converter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
        schema = maker.resolve_refs(schema, "input")
        maker.visit(schema, "")
        maker.format_grammar()
        return True
    except Exception:
        return False


def load(path):
    """llama.cpp's examples/json_schema_to_grammar.py, or its copy in llama-cpp-python (llama_grammar.py)."""
    spec = importlib.util.spec_from_file_location("converter", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SchemaConverter


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("suite")
    parser.add_argument("schemas", nargs="*")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--llama")
    parser.add_argument("--loose", action="store_true", help="as arguments of tools: what is loosened is not judged")
    parser.add_argument("--scratch-path", default=".build")
    parser.add_argument("--verbose", action="store_true", help="every refusal")
    options = parser.parse_args()
    cases = list(suite_cases(options.suite)) if options.suite != "-" else []
    cases += more_cases(options.schemas)
    with tempfile.TemporaryDirectory() as folder:
        questions = os.path.join(folder, "questions.jsonl")
        with open(questions, "w") as file:
            for _, _, _, schema, tests in cases:
                texts = []
                for instance, _ in tests:
                    texts.append(json.dumps(instance, separators=(",", ":"), ensure_ascii=False))
                    texts.append(json.dumps(instance, ensure_ascii=False))
                    texts.append(json.dumps(instance))
                texts = [text.encode(errors="replace").decode() for text in texts]
                line = {"schema": json.dumps(schema), "texts": texts, "seeds": options.seeds}
                file.write(json.dumps(line) + "\n")
        environment = dict(os.environ, MARTLET_SCHEMA_SUITE=questions)
        if options.loose:
            environment["MARTLET_SCHEMA_LOOSE"] = "1"
        command = ["swift", "test", "-c", "release", "--scratch-path", options.scratch_path, "--filter", "SchemaSuiteTests"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        if not os.path.exists(questions + ".results"):
            sys.exit(run.stdout[-3000:] + run.stderr[-3000:])
        answers = [json.loads(line) for line in open(questions + ".results", encoding="utf-8")]
    converter = load(options.llama) if options.llama else None
    counts = {}
    for (file, description, dialect, schema, tests), answer in zip(cases, answers, strict=True):
        group = counts.setdefault(file.split("/")[0], dict.fromkeys(
            ["kept", "refused", "broken", "samples", "not judged", "valid", "valid accepted", "invalid", "invalid accepted",
             "llama kept", "llama refused"], 0))
        if converter:
            group["llama kept" if llama_keeps(converter, schema) else "llama refused"] += 1
        if "error" in answer:
            group["refused"] += 1
            if options.verbose:
                print(f"refused  {file}: {description}: {answer['error']}")
            continue
        if answer["loosened"]:
            group.setdefault("loosened", 0)
            group["loosened"] += 1
        kind = DIALECTS[dialect][0]
        validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
        faults = [("stuck", text) for text in answer["stuck"]]
        for text in answer["samples"]:
            group["samples"] += 1
            try:
                value = json.loads(text)
                if options.loose and not isinstance(value, dict):
                    faults.append(("not an object", text))
                if not answer["loosened"]:
                    error = next(validator.iter_errors(value), None)
                    if error is not None:
                        faults.append((f"invalid ({error.message[:100]})", text))
            except ValueError as error:
                faults.append((f"no JSON ({error})", text))
            except Exception:  # a schema that jsonschema itself cannot follow, as \\p in a pattern
                group["not judged"] += 1
        for index, (instance, is_valid) in enumerate(tests):
            accepted = any(answer["accepted"][3 * index : 3 * index + 3])
            group["valid" if is_valid else "invalid"] += 1
            if accepted:
                group["valid accepted" if is_valid else "invalid accepted"] += 1
                if not is_valid and not answer["loosened"]:
                    faults.append(("accepts what is invalid", json.dumps(instance)))
        if not answer["samples"]:
            print(f"no texts {file}: {description}")
        if answer["seconds"] > 0.5:
            print(f"slow     {file}: {description}: {answer['seconds']} s")
        group["broken" if faults else "kept"] += 1
        for fault, text in faults[:3]:
            print(f"BROKEN   {file}: {description}: {fault}: {text[:300]}\n         {json.dumps(schema)[:600]}")
    for name, group in counts.items():
        print(name, json.dumps(group))
    sys.exit(any(group["broken"] for group in counts.values()))


if __name__ == "__main__":
    main()
