#!/usr/bin/env python3
"""Compares what two builds of `martlet` compute and write, byte by byte.

    python3 Scripts/compare_versions.py OLD/martlet NEW/martlet [--model MODEL.gguf] [--more FOLDER] [--only TEXT] [--keep FOLDER]

Both builds run the same commands over every model of Tests/Fixtures and the built-in model: logits and states, greedy texts,
training and fine-tuning, adapters, merging, edits, conversion to every container and format, tokenizers, and replies of the
server. What both read was made by OLD, so that one difference does not cause others. --model adds a real model with a chat
template, --more every model below a folder. --only runs the cases whose command holds TEXT; --keep leaves both results there.

Left out of the comparison are times, rates, dates, random identifiers and seeds, and the wording of messages (exit codes are
compared; --messages compares the words as well). ALLOWED lists the results that may differ, what in them may, and the reason.
Prints the number of results of each kind and every difference with its command; ends with 1 if one of them is not allowed.
"""
import argparse, base64, difflib, fnmatch, hashlib, json, os, pathlib, re, shlex, shutil, socket, sqlite3, struct, subprocess, sys
import tempfile, time, urllib.error, urllib.request

# What may differ. Each function compares the bytes of two results (None where a build has none) and gives whether they are equal
# but for what it names.


def only_members(*names):
    """JSON objects that are equal but for members with these names."""
    def compare(old, new):
        try:
            a, b = json.loads(old), json.loads(new)
        except (TypeError, ValueError):
            return False
        return all(a.get(key) == b.get(key) for key in {**a, **b} if key not in names)
    return compare


def only_sizes(old, new):
    """Texts that are equal but for the sizes of files."""
    return None not in (old, new) and len({re.sub(rb"[\d.,]+ [kMG]?B\b", b"- B", text) for text in (old, new)}) == 1


def only_vectors(old, new):
    """GGUF files that are equal but for vectors of 16 bits, which are the same numbers in f32."""
    try:
        (metadata, tensors), (others, written) = read_gguf(old), read_gguf(new)
    except (TypeError, ValueError, struct.error):
        return False
    if metadata != others or list(tensors) != list(written):
        return False
    for name, (shape, kind, data) in tensors.items():
        other = written[name]
        if other == (shape, kind, data):
            continue
        if len(shape) != 1 or other[0] != shape or kind not in (F16, BF16) or other[1] != F32:
            return False
        halves = struct.unpack(f"<{len(data) // 2}{'e' if kind == F16 else 'H'}", data)
        numbers = halves if kind == F16 else struct.unpack(f"<{len(halves)}f", b"".join(struct.pack("<I", x << 16) for x in halves))
        if struct.pack(f"<{len(numbers)}f", *numbers) != other[2]:
            return False
    return True


F32, F16, BF16 = 0, 1, 30  # ggml_type
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
BLOCKS_OF = {F32: (1, 4), F16: (1, 2), BF16: (1, 2), 2: (32, 18), 3: (32, 20), 8: (32, 34)}  # type -> values and bytes of a block


def read_gguf(data):
    """Metadata, by key, as the bytes of type and value, and tensors, by name, as shape, type and bytes."""
    place = 0

    def take(form):
        nonlocal place
        values = struct.unpack_from("<" + form, data, place)
        place += struct.calcsize("<" + form)
        return values[0]

    def text():
        nonlocal place
        size = take("Q")
        place += size
        return data[place - size:place].decode()

    def skip(kind):
        if kind == 8:
            text()
        elif kind == 9:
            inner, count = take("I"), take("Q")
            for _ in range(count):
                skip(inner)
        elif kind in SCALARS:
            take(SCALARS[kind])
        else:
            raise ValueError(f"a value of type {kind}")

    if take("I") != 0x46554747:
        raise ValueError("no GGUF file")
    take("I")
    count, keys = take("Q"), take("Q")
    metadata, infos, tensors, alignment = {}, [], {}, 32
    for _ in range(keys):
        key, start = text(), place
        skip(take("I"))
        metadata[key] = data[start:place]
        if key == "general.alignment":
            alignment = struct.unpack_from("<I", data, start + 4)[0]
    for _ in range(count):
        infos.append((text(), tuple(take("Q") for _ in range(take("I"))), take("I"), take("Q")))
    start = -(-place // alignment) * alignment
    for name, shape, kind, offset in infos:
        values, size = BLOCKS_OF.get(kind, (0, 0))
        if not values:
            raise ValueError(f"{name} has type {kind}")
        length = size
        for axis in shape:
            length *= axis
        tensors[name] = (shape, kind, data[start + offset:start + offset + length // values])
    return metadata, tensors


SETTINGS = only_members("rms_norm_eps", "torch_dtype", "rope_scaling", "rope_parameters")
VECTORS = "GGUF files of Llama models hold vectors in f32: llama.cpp ends at norms of 16 bits"
# (kind, results, comparison, reason). A result is named as in the output: the command's name, a slash, and stdout, code or a file.
ALLOWED = [
    ("convert", "*.gguf to */config.json", SETTINGS, "the hub's settings, written from GGUF, lost rotary scaling and digits of the epsilon"),
    ("full", "* in full/out/*config.json", SETTINGS, "the settings of a trained model are written as every conversion writes them"),
    ("convert", "[!r]* to *gguf/out/model.gguf", only_vectors, VECTORS),
    ("convert", "[!r]* to *gguf/stdout", only_sizes, VECTORS),
    ("lora", "[!r]* merged/out/model.gguf", only_vectors, VECTORS),
    ("lora", "[!r]* merged/stdout", only_sizes, VECTORS),
]
FORMATS = ["f32", "f16", "bf16"]
BLOCKS = ["q8_0", "q4_0", "q4_1"]
TOKENS = "5,9,12,3,41,7,30,22,63,1,17,50"
QUESTION, ANSWER = "Who founded the Dingle bakery?", "Maeve Ash"
# Names of JSON members whose values are times, rates, random or the machine's.
VARYING = re.compile(r"(seconds|per_second|_ms|seed|created|created_at|verified_at|time|timings|id|memory|system_fingerprint|total_duration)$")
# Members that newer builds give as null where older ones leave them out: the one JSON form of an edit.
NULL_IF_ABSENT = {"author", "subject"}

# Members that hold messages, whose wording --messages compares.
SENTENCES = {"notes", "warnings"}

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("old")
parser.add_argument("new")
parser.add_argument("--model", help="a real model with a chat template (SmolLM2-135M-Instruct), used as well")
parser.add_argument("--more", action="append", default=[], help="a folder whose models are used as well; may be repeated")
parser.add_argument("--only", help="only cases whose command holds this text")
parser.add_argument("--keep", help="folder for what both builds wrote")
parser.add_argument("--messages", action="store_true", help="compare the wording of messages, too")
parser.add_argument("--list", action="store_true", help="print the commands and end")
options = parser.parse_args()
OLD, NEW = os.path.abspath(options.old), os.path.abspath(options.new)
fixtures = pathlib.Path(__file__).resolve().parent.parent / "Tests/Fixtures"
work = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="martlet-versions-")).resolve()
shutil.rmtree(work / "inputs", ignore_errors=True)
inputs = work / "inputs"
inputs.mkdir(parents=True)
run = work / "run"  # Both builds work under this path in turn, so that paths in files are equal.


# Inputs

def read_tensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    return {name: (entry, data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]])
            for name, entry in header.items()}, metadata


def write_tensors(path, tensors):
    header, place = {}, 0
    for name, (entry, data) in tensors.items():
        header[name] = {"dtype": entry["dtype"], "shape": entry["shape"], "data_offsets": [place, place + len(data)]}
        place += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values()))


def tokenizer(folder):
    """A vocabulary of 64 tokens for the fixtures, which have none: control tokens, three pairs and 58 characters."""
    letters = "abcdefghijklmnopqrstuvwxyzĠ.,?!:'-\"Ċ0123456789ABCDEFGHIMNOPQRSTUWYD"
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2, "th": 3, "he": 4, "in": 5}
    for letter in letters:
        if letter not in vocabulary and len(vocabulary) < 64:
            vocabulary[letter] = len(vocabulary)
    added = [{"id": i, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, c in enumerate(["<unk>", "<s>", "</s>"])]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary, "merges": ["t h", "h e", "i n"]}}))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "chat_template":
        "{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.role == 'assistant' %}</s>{% endif %}\n"
        "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"}))


models, adapters = {}, []  # name -> path; (name, base, folder)
for config in sorted(fixtures.glob("*/config.json")):
    name = config.parent.name
    shutil.copytree(config.parent, inputs / name)
    tokenizer(inputs / name)
    models[name] = inputs / name
for file in sorted(fixtures.glob("rwkv-*.pth")):
    (inputs / file.stem).mkdir()
    shutil.copy(file, inputs / file.stem / file.name)
    tokenizer(inputs / file.stem)
    models[file.stem] = inputs / file.stem / file.name


def variant(name, base, **changes):
    shutil.copytree(inputs / base, inputs / name)
    path = inputs / name / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}, indent=2))
    models[name] = inputs / name


# config.json as transformers 4 wrote it, with every scaling of rotary positions that both know.
variant("llama-4", "llama", rope_parameters=None, rope_theta=10000.0)
variant("linear", "llama", rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0})
variant("linear-4", "llama", rope_parameters=None, rope_theta=10000.0, rope_scaling={"type": "linear", "factor": 2.0})
variant("llama3-4", "llama3", rope_parameters=None, rope_theta=500000.0, rope_scaling={
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64})
variant("yarn-4", "llama", rope_parameters=None, rope_theta=10000.0, rope_scaling={
    "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64})
variant("qwen2-4", "qwen2", rope_parameters=None, rope_theta=10000.0)
variant("mistral-4", "mistral", rope_parameters=None, rope_theta=10000.0)

tensors, metadata = read_tensors(fixtures / "adapters.safetensors")
facts = json.loads(metadata["facts"])
for name, text in facts["configurations"].items():
    folder = inputs / "adapters" / name
    folder.mkdir(parents=True)
    adapter = name in facts["bases"]
    (folder / ("adapter_config.json" if adapter else "config.json")).write_text(text)
    own = {key[len(name) + 1:]: value for key, value in tensors.items()
           if key.startswith(name + "/") and key != name + "/logits"}
    write_tensors(folder / ("adapter_model.safetensors" if adapter else "model.safetensors"), own)
    if adapter:
        adapters.append((name, inputs / "adapters" / facts["bases"][name], folder))
(inputs / "text.txt").write_text("to be, or not to be, that is the question.\n" * 200)
(inputs / "answers.jsonl").write_text("".join(
    json.dumps({"prompt": f"what is {i}?", "completion": f" it is {i}."}) + "\n" for i in range(40)))
(inputs / "questions.jsonl").write_text("".join(
    json.dumps({"messages": [{"role": "user", "content": f"what is {i}?"}, {"role": "assistant", "content": f"it is {i}."}]}) + "\n"
    for i in range(40)))

more = {}
for folder in options.more:
    found = sorted({p.parent if p.name == "config.json" else p for p in pathlib.Path(folder).rglob("*") if p.name == "config.json"
                    or p.suffix in (".gguf", ".pth", ".st", ".bin") or p.suffix == ".safetensors" and p.name != "adapter_model.safetensors"
                    and not (p.parent / "config.json").exists()})
    for path in found:
        more[str(path.relative_to(folder))] = path.resolve()


# Cases. A case is (kind, name, command, files): the files it writes, or folders, are compared with its output.

cases, servers = [], []
made = []  # What OLD's files are kept for later cases: (case's name, file, place under inputs).


def case(kind, name, *command, files=(), keep=()):
    cases.append((kind, name, [str(part) for part in command], list(files)))
    made.extend((name, file, place) for file, place in keep)


def logits(kind, name, model, *more_options, state=False, tokens=TOKENS):
    files = ["out.f32"] + (["state"] if state else [])
    case(kind, name, "logits", model, "--tokens", tokens, "--out", "out.f32", *(["--state-out", "state"] if state else []),
         *more_options, files=files)


for name, model in models.items():
    recurrent = name.startswith("rwkv")
    logits("logits", name, model, state=recurrent)
    logits("logits", f"{name} stepwise", model, "--stepwise", state=recurrent)
    logits("logits", f"{name} one thread", model, "--threads", 1)
    for format in FORMATS + BLOCKS:
        logits("logits", f"{name} as {format}", model, "--format", format)
    case("inspect", name, "models", "inspect", model, "--json", "--tensors")
    for place, prompt in enumerate(["to be, or not", "who goes there?", "a"]):
        case("text", f"{name} text {place}", "generate", model, prompt, "-n", 40, "--temperature", 0, "--no-edits", "--json")
    case("text", f"{name} chat", "generate", model, "who goes there?", "-n", 40, "--temperature", 0, "--chat", "--no-edits", "--json")
    case("text", f"{name} sampled", "generate", model, "to be", "-n", 40, "--temperature", 0.9, "--top-p", 0.9, "--top-k", 30,
         "--repetition-penalty", 1.1, "--seed", 7, "--no-edits", "--json")
    case("state", name, "generate", model, "to be, or not", "-n", 8, "--temperature", 0, "--no-edits", "--json", "--save-state",
         "state", files=["state"], keep=[("state", f"{name}.state")])
    case("state", f"{name} continued", "generate", model, " to be", "-n", 8, "--temperature", 0, "--no-edits", "--json",
         "--load-state", inputs / f"{name}.state")
    for ending in ("gguf", "safetensors", "pth"):
        for format in [None] + FORMATS + (BLOCKS if ending == "gguf" else []):
            title = f"{name} to {format or 'its own'} {ending}"
            keep = [("out", f"converted/{name}-{ending}")] if format is None else []
            case("convert", title, "convert", model, f"out/model.{ending}", *(["--format", format] if format else []),
                 files=["out"], keep=keep)
        converted = inputs / f"converted/{name}-{ending}/model.{ending}"
        logits("converted", f"{name}.{ending}", converted, state=recurrent)
        case("converted", f"{name}.{ending} text", "generate", converted, "to be", "-n", 20, "--temperature", 0, "--no-edits", "--json")
        for other in ("gguf", "safetensors", "pth"):
            if other != ending:
                case("convert", f"{name}.{ending} to {other}", "convert", converted, f"out/model.{other}", files=["out"])
    training = ["--out", "out", "--steps", 3, "--batch", 2, "--context", 48, "--checkpoint-every", 2, "--validate-every", 2, "--seed", 5]
    case("lora", f"{name} adapter", "finetune", model, "--data", inputs / "questions.jsonl", "--rank", 2, "--dropout", 0.1, *training,
         files=["out"], keep=[("out", f"tuned/{name}")])
    logits("lora", f"{name} with its adapter", model, "--adapter", inputs / f"tuned/{name}")
    case("lora", f"{name} merged", "merge", model, inputs / f"tuned/{name}", "out/model.gguf", files=["out"])
    case("full", f"{name} in full", "finetune", model, "--data", inputs / "answers.jsonl", "--full", *training, files=["out"])
    if recurrent:
        case("full", f"{name} start states", "finetune", model, "--data", inputs / "answers.jsonl", "--method", "state", *training,
             files=["out"])
    edit = ["--edits", "store.sqlite"]
    case("edit", f"{name} edit", "edit", "add", model, "--prompt", "who founded dingle?", "--answer", "me", *edit, "--json",
         files=["store.sqlite"], keep=[("store.sqlite", f"{name}.sqlite")])
    case("edit", f"{name} raw edit", "edit", "add", model, "--prompt", "the capital of dingle is", "--answer", " me",
         "--prompt-format", "raw", *edit, "--json", files=["store.sqlite"])
    stored = ["--edits", inputs / f"{name}.sqlite"]
    case("edit", f"{name} exported", "edit", "export", model, *stored)
    case("edit", f"{name} answer", "generate", model, "who founded dingle?", "--chat", "-n", 20, "--temperature", 0, *stored, "--json")
    case("edit", f"{name} explained", "edit", "explain", model, "what is the name of dingle's founder?", "--json", *stored)
for name, base, folder in adapters:
    logits("adapters", name, base, "--adapter", folder, tokens=",".join(map(str, facts["tokens"])))
    case("adapters", f"{name} merged", "merge", base, folder, "out/model.safetensors", files=["out"])
for name, model in more.items():
    logits("more", f"more: {name}", model)
    case("more", f"more: {name} inspected", "models", "inspect", model, "--json", "--tensors")
    for ending in ("gguf", "safetensors", "pth"):
        case("more", f"more: {name} to {ending}", "convert", model, f"out/model.{ending}", files=["out"])

logits("logits", "box", "box", tokens="70,105,114,115,116", state=True)
for place, prompt in enumerate(["ROMEO:", "First Citizen:\nWe", "To be, or not to be"]):
    case("text", f"box text {place}", "generate", "box", prompt, "-n", 80, "--temperature", 0, "--no-edits", "--json")
    case("text", f"box sampled {place}", "generate", "box", prompt, "-n", 80, "--seed", 3, "--no-edits", "--json")
for ending in ("gguf", "safetensors", "pth"):
    case("convert", f"box to {ending}", "convert", "box", f"out/model.{ending}", files=["out"])
for kind in ("rwkv5", "llama"):
    size = ["--model", kind, "--layers", 2, "--width", 64, "--data", inputs / "text.txt", "--context", 32, "--batch", 2, "--steps", 4,
            "--validate-every", 2, "--checkpoint-every", 2, "--seed", 5, "--out", "out"]
    for title, extra in (("", []), (" in bf16", ["--precision", "bf16"]), (" with gradient checkpoints", ["--checkpoint-gradients"]),
                         (" by sgd", ["--optimizer", "sgd", "--lr", 0.01]), (" accumulated", ["--accumulate", 2, "--clip", 0.5])):
        case("train", f"train {kind}{title}", "train", *size, *extra, files=["out"])
    for version in ("5.0", "5.1") if kind == "rwkv5" else ():
        case("train", f"train RWKV-{version}", "train", *size, "--rwkv-version", version, files=["out"])
case("train", "grok", "grok", "--out", "out", "--steps", 20, "--interval", 5, "--modulus", 13, "--width", 32, files=["out"])
TEXT = "Hello, wörld! 12345 don't\n\n  你好 <|im_end|>\t🙂"
for file in sorted(fixtures.glob("*.tokenizer.json")) + [fixtures / "sentencepiece.gguf"]:
    case("tokens", file.name, "tokenize", "--tokenizer", file, TEXT, "--json")
for name in ("rwkv-world", "bytes"):
    case("tokens", name, "tokenize", "--tokenizer", name, TEXT, "--json")
for file in ("Intel(R) Xeon(R) Gold 6338/106/0xd0003b9",):
    model_name, number, revision = file.split("/")
    (inputs / "cpuinfo").write_text(f"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: {number}\nmodel name\t: "
                                    f"{model_name}\nstepping\t: 6\nmicrocode\t: {revision}\nflags\t\t: fpu erms fsrm\n")
for form in ("json", "prometheus", "nagios", "sarif", "explain"):
    case("host", f"host {form}", "host", "--input", inputs / "cpuinfo", f"--{form}")

if options.model:
    real = pathlib.Path(options.model).resolve()
    logits("logits", "model", real, tokens="504,260,282,1,9,77,2300,12,504,8")
    for place, prompt in enumerate(["Gravity is", "Once upon a time", "def main():"]):
        case("text", f"model text {place}", "generate", real, prompt, "-n", 60, "--temperature", 0, "--no-edits", "--json")
    for place, prompt in enumerate(["What are the benefits of walking?", "Name three colours."]):
        case("text", f"model chat {place}", "generate", real, prompt, "--chat", "-n", 60, "--temperature", 0, "--no-edits", "--json")
    for format in ("q8_0", "f16"):
        case("text", f"model as {format}", "generate", real, "Gravity is", "-n", 20, "--temperature", 0, "--no-edits", "--json",
             "--format", format)
    case("edit", "model edit", "edit", "add", real, "--prompt", QUESTION, "--answer", ANSWER, "--edits", "store.sqlite", "--json",
         files=["store.sqlite"], keep=[("store.sqlite", "model.sqlite")])
    case("edit", "model exported", "edit", "export", real, "--edits", inputs / "model.sqlite")
    for place, prompt in enumerate([QUESTION, "Which person founded the Dingle bakery?", "Who founded the Quexley bakery?"]):
        case("edit", f"model answer {place}", "generate", real, prompt, "--chat", "-n", 24, "--temperature", 0, "--json", "--edits",
             inputs / "model.sqlite")
        case("edit", f"model explained {place}", "edit", "explain", real, prompt, "--json", "--edits", inputs / "model.sqlite")
    case("lora", "model adapter", "finetune", real, "--data", inputs / "questions.jsonl", "--rank", 2, "--steps", 2, "--batch", 1,
         "--context", 64, "--out", "out", files=["out"])
    case("skeleton", "model skeleton", "skeleton", "ask", "What are the most effective ways to deal with stress?", "-m", real, "--mode",
         "on", "--no-edits", "--json")
    case("convert", "model to safetensors", "convert", real, "out/model.safetensors", files=["out"])

# Requests to a server of one model: (name, path, body).
CHAT = [{"role": "user", "content": "who goes there?"}]
SCHEMA = {"type": "object", "additionalProperties": False, "required": ["name", "age"], "properties": {
    "name": {"type": "string", "maxLength": 8}, "age": {"type": "integer", "minimum": 1, "maximum": 120}}}
REQUESTS = [
    ("chat", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 24, "temperature": 0, "logprobs": True, "top_logprobs": 3}),
    ("completion", "/v1/completions", {"prompt": "to be, or not", "max_tokens": 24, "temperature": 0, "logprobs": 2, "echo": True}),
    ("sampled", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 24, "temperature": 0.8, "seed": 5, "n": 3}),
    ("stream", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 12, "temperature": 0, "stream": True}),
    ("schema", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 120, "temperature": 0, "response_format": {
        "type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}),
    ("pattern", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 40, "temperature": 0, "guided_regex": "[a-c]{3}-[0-9]+!"}),
    ("tools", "/v1/chat/completions", {"messages": CHAT, "max_tokens": 120, "temperature": 0, "tool_choice": "required", "tools": [
        {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}]}),
    ("embeddings", "/v1/embeddings", {"input": ["to be", "or not to be"]}),
    ("refused", "/v1/chat/completions", {"messages": CHAT, "max_tokens": "many"}),
    ("models", "/v1/models", None),
]
for name, model in [("box", "box"), *((n, m) for n, m in models.items() if n in ("llama", "rwkv-5.2"))] + (
        [("model", options.model and str(pathlib.Path(options.model).resolve()))] if options.model else []):
    servers.append((name, str(model)))


# Running

environment = {**os.environ, "MARTLET_HOME": str(work / "home"), "LC_ALL": "C.UTF-8"}


def plain(value):
    """A JSON value without what differs from run to run."""
    if isinstance(value, dict):
        return {
            key: plain(child) for key, child in value.items()
            if not VARYING.search(key) and not (key in NULL_IF_ABSENT and child is None)
            and (options.messages or key not in SENTENCES)}
    return [plain(child) for child in value] if isinstance(value, list) else value


DATE = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")


def as_lines(data):
    """JSON lines without what varies, or None where it is no JSON."""
    try:
        return b"\n".join(json.dumps(plain(json.loads(line)), ensure_ascii=False).encode() for line in data.splitlines() if line.strip())
    except ValueError:
        return None


def printed(data):
    data = DATE.sub(b"DATE", data)
    lines = as_lines(data)
    if lines is not None:
        return lines
    data = re.sub(rb"(_seconds|_timestamp_seconds) \d+", b"\\1 -", data)
    text = re.sub(rb"\d[\d.,]* (tokens/s|ms|s|MB/s|min|h)\b", b"- \\1", data)
    return re.sub(rb"in [\d.]+ s", b"in - s", text)


def stored(path):
    """The rows of a store of edits, without times."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        lines = []
        for name, sql in database.execute("select name, sql from sqlite_master where type = 'table' order by name").fetchall():
            columns = [row[1] for row in database.execute(f"pragma table_info('{name}')")]
            lines.append(f"{name}: {' '.join(columns)}")
            for row in database.execute(f"select * from '{name}'"):
                lines.append(" ".join(repr(sorted_members(value)) for column, value in zip(columns, row) if not VARYING.search(column)))
    return DATE.sub(b"DATE", "\n".join(lines).encode())


def sorted_members(value):
    """A JSON object with its members in the order of their names; anything else as it is."""
    if isinstance(value, (bytes, str)) and value[:1] in (b"{", "{"):
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            pass
    return value


def content(path):
    data = path.read_bytes()
    if path.suffix == ".sqlite":
        return stored(path)
    if path.suffix == ".jsonl":
        return as_lines(data) or data
    if path.suffix == ".json":
        if path.name == "state.json":
            return json.dumps(plain(json.loads(data)), sort_keys=True).encode()
        return re.sub(rb"\d+\.\d+e?-?\d*", lambda m: repr(struct.unpack("f", struct.pack("f", float(m.group())))[0]).encode(), data)
    if path.suffix == ".html":
        return re.sub(rb"\d[\d.,]* (tokens/s|s|min|h|ms)\b", b"- \\1", data)
    return data


def results(binary):
    """Every result by (kind, name): its bytes and the command that makes it."""
    found = {}
    for kind, name, command, files in cases:
        shutil.rmtree(run, ignore_errors=True)
        (run / "out").mkdir(parents=True) if "convert" in command[:1] or "merge" in command[:1] else run.mkdir(parents=True)
        shown = shlex.join(["martlet"] + command)
        try:
            done = subprocess.run([binary] + command, cwd=run, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        except subprocess.TimeoutExpired:
            found[kind, f"{name}/code"] = (b"it did not end", shown)
            continue
        found[kind, f"{name}/code"] = (str(done.returncode).encode(), shown)
        if done.returncode == 0:
            found[kind, f"{name}/stdout"] = (printed(done.stdout), shown)
        if options.messages:
            found[kind, f"{name}/messages"] = (printed(done.stdout * (done.returncode != 0) + done.stderr), shown)
        for file in files:
            path = run / file
            for inner in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
                if inner.is_file():
                    found[kind, f"{name}/{inner.relative_to(run)}"] = (content(inner), shown)
        if binary == OLD and not kept:
            for file, place in [(f, p) for n, f, p in made if n == name]:
                if (run / file).exists():
                    (inputs / place).parent.mkdir(parents=True, exist_ok=True)
                    (shutil.copytree if (run / file).is_dir() else shutil.copy)(run / file, inputs / place)
    for name, model in servers:
        if options.only and options.only not in f"serve {name}":
            continue
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["serve", model, "--port", str(port), "--no-edits", "--log-level", "error"]
        process = subprocess.Popen([binary] + command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health").read()
                    break
                except OSError:
                    time.sleep(0.05)
            for title, path, body in REQUESTS:
                request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body and json.dumps(body).encode(),
                                                 {"Content-Type": "application/json"})
                try:
                    with urllib.request.urlopen(request, timeout=60) as reply:
                        code, data = reply.status, reply.read()
                except urllib.error.HTTPError as error:
                    code, data = error.code, b"" if not options.messages else error.read()
                data = b"\n".join(as_lines(line) or line for line in data.replace(b"data: ", b"").split(b"\n"))
                found["served", f"{name} {title}"] = (f"{code}\n".encode() + data, f"{shlex.join(['martlet', *command])}; POST {path} "
                                                      f"{json.dumps(body)}")
        finally:
            process.terminate()
            process.wait()
    return found


def difference(old, new):
    if old is None or new is None:
        return "only the old build has it" if new is None else "only the new build has it"
    if b"\0" not in old[:4096] + new[:4096] and max(len(old), len(new)) < 200_000:
        lines = list(difflib.unified_diff(old.decode(errors="replace").splitlines(), new.decode(errors="replace").splitlines(), lineterm="", n=0))
        return "\n      ".join(line[:300] for line in lines[2:10])
    places = [i for i, (a, b) in enumerate(zip(old, new)) if a != b]
    if len(old) == len(new) and len(old) % 4 == 0 and len(old) < 1 << 24:
        a, b = (struct.unpack(f"<{len(x) // 4}f", x) for x in (old, new))
        return f"{len(places)} bytes of {len(old)}, the first at {places[0]}; as f32 at most {max((abs(x - y) for x, y in zip(a, b)), default=0):.3g}"
    return f"{len(old)} bytes and {len(new)}, the first difference at {places[0] if places else min(len(old), len(new))}"


if options.only:
    wanted = [c for c in cases if options.only in shlex.join(c[2]) or options.only in c[1]]
    needed = {n for n, _, place in made if any(str(inputs / place) in " ".join(c[2]) for c in wanted)}
    cases[:] = [c for c in cases if c in wanted or c[1] in needed]
if options.list:
    for kind, name, command, _ in cases:
        print(f"{kind:10} {name:40} {shlex.join(['martlet', *command])}")
    sys.exit()
start = time.time()
(work / "home").mkdir(exist_ok=True)
kept = False
old = results(OLD)
kept = True
new = results(NEW)
shutil.rmtree(run, ignore_errors=True)

allowed, unlisted = {}, 0
counts = {}
for key in {**old, **new}:
    kind, name = key
    counts.setdefault(kind, [0, 0])
    counts[kind][0] += 1
    a, b = (side.get(key, (None, ""))[0] for side in (old, new))
    if a == b:
        continue
    counts[kind][1] += 1
    reason = next((reason for k, pattern, only, reason in ALLOWED
                   if k == kind and fnmatch.fnmatchcase(name, pattern) and only(a, b)), None)
    if reason:
        allowed.setdefault(reason, []).append(name)
    else:
        unlisted += 1
        print(f"DIFFERENT {kind}: {name}\n      {(old.get(key) or new[key])[1]}\n      {difference(a, b)}")
for reason, names in allowed.items():
    print(f"allowed ({len(names)}): {reason}")
    for name in names:
        print(f"      {name}")
print()
for kind, (count, differing) in counts.items():
    done = sum(1 for (k, n), (value, _) in old.items() if k == kind and n.endswith("/code") and value == b"0")
    ran = sum(1 for k, n in old if k == kind and n.endswith("/code"))
    print(f"{kind:10} {count:5} results" + (f" of {ran} commands ({ran - done} refused)" if ran else "") +
          (f", {differing} different" if differing else ", all equal"))
print(f"{sum(c for c, _ in counts.values())} results in {time.time() - start:.0f} s, {unlisted} unlisted differences")
if not options.keep:
    shutil.rmtree(work)
sys.exit(unlisted > 0)
