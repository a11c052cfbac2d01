#!/usr/bin/env python3
"""Rollouts of `martlet teach policy` beside llama.cpp's batched decoding: the same questions, samples and lengths, in turn.

  race_rollouts.py MODEL.gguf     (needs llama-cpp-python)

MARTLET names the command, QUESTIONS and SAMPLES the answers of a step (8 and 8), TOKENS their length (48), STEPS the steps (6), ROUNDS the
pairs (3), THREADS the threads (1), WORK a scratch folder. No answer can be right, so no step learns and its time is that of its
rollouts. llama.cpp decodes the same number of sequences in one batch, its prompts read beforehand; ours are in our time. Both figures count the tokens
that are written, per second of CPU time; loading and the first step are left out. Prints each pair, the medians and their ratio, and
`martlet bench` with the same batch.
"""
import ctypes, json, os, resource, statistics, subprocess, sys, time

import llama_cpp
import numpy

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
QUESTIONS, SAMPLES, TOKENS, STEPS, ROUNDS, THREADS = (
    int(os.environ.get(name, value)) for name, value in
    (("QUESTIONS", 8), ("SAMPLES", 8), ("TOKENS", 48), ("STEPS", 6), ("ROUNDS", 3), ("THREADS", 1)))
model_path = sys.argv[1]
work = os.environ.get("WORK", "/tmp/race_rollouts")
os.makedirs(work, exist_ok=True)
questions = [f"Tell a long story about number {i} and the sea." for i in range(QUESTIONS)]
with open(f"{work}/questions.jsonl", "w") as file:
    for question in questions:
        file.write(json.dumps({"question": question, "answer": "none of these words", "rule": "exact"}) + "\n")


def martlet():
    spent, tokens = {}, {}
    for steps in (1, STEPS):
        subprocess.run(["rm", "-rf", f"{work}/run"])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([MARTLET, "teach", "policy", model_path, "--data", f"{work}/questions.jsonl", "--out", f"{work}/run", "--plain",
                        "--steps", str(steps), "--questions", str(QUESTIONS), "--samples", str(SAMPLES), "--max-tokens", str(TOKENS),
                        "--temperature", "1", "--threads", str(THREADS), "--json"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent[steps] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows = [json.loads(line) for line in open(f"{work}/run/metrics.jsonl")]
        assert all(row["skipped"] for row in rows if "skipped" in row), "a step learnt"
        tokens[steps] = sum(json.loads(line)["completion_tokens"] for line in open(f"{work}/run/rollouts.jsonl"))
    return (tokens[STEPS] - tokens[1]) / (spent[STEPS] - spent[1])


def llama():
    count = QUESTIONS * SAMPLES
    settings = llama_cpp.llama_model_default_params()
    model = llama_cpp.llama_model_load_from_file(model_path.encode(), settings)
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = count * (TOKENS + 32)
    options.n_batch = options.n_ubatch = 512
    options.n_seq_max = count
    options.n_threads = options.n_threads_batch = THREADS
    options.kv_unified = True
    context = llama_cpp.llama_init_from_model(model, options)
    vocabulary = llama_cpp.llama_model_get_vocab(model)
    width = llama_cpp.llama_vocab_n_tokens(vocabulary)
    batch = llama_cpp.llama_batch_init(512, 0, 1)

    def fill(entries):
        batch.n_tokens = len(entries)
        for i, (token, position, sequence, wants) in enumerate(entries):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, position, 1, sequence, wants
        assert llama_cpp.llama_decode(context, batch) == 0

    # The prompts are read before the clock runs; sequences share the prompt of their question, as samples do.
    lengths = []
    for number, question in enumerate(questions):
        text = f"Q: {question}\nA:".encode()
        ids = (llama_cpp.llama_token * 64)()
        read = llama_cpp.llama_tokenize(vocabulary, text, len(text), ids, 64, False, True)
        fill([(ids[i], i, number * SAMPLES, i == read - 1) for i in range(read)])
        for sample in range(1, SAMPLES):
            llama_cpp.llama_memory_seq_cp(llama_cpp.llama_get_memory(context), number * SAMPLES, number * SAMPLES + sample, 0, read)
        lengths += [read] * SAMPLES
    tokens = [1] * count
    before = time.process_time()
    for step in range(TOKENS):
        fill([(tokens[i], lengths[i] + step, i, True) for i in range(count)])
        for i in range(count):
            logits = numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, i), (width,))
            # The most likely token: drawing one would cost numpy more than it costs a sampler, and is left out in its favour.
            tokens[i] = int(logits.argmax())
    spent = time.process_time() - before
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return count * TOKENS / spent


llama_cpp.llama_log_set(ctypes.cast(None, llama_cpp.llama_log_callback), None)
llama_cpp.llama_backend_init()
pairs = []
for number in range(ROUNDS):
    pairs.append((martlet(), llama()) if number % 2 == 0 else tuple(reversed((llama(), martlet()))))
    print(f"martlet {pairs[-1][0]:.0f}  llama.cpp {pairs[-1][1]:.0f} tokens per CPU second: {pairs[-1][0] / pairs[-1][1]:.2f}x", flush=True)
ours, theirs = (statistics.median(column) for column in zip(*pairs))
print(f"median: martlet {ours:.0f}  llama.cpp {theirs:.0f}: {ours / theirs:.2f}x")
bench = json.loads(subprocess.run([MARTLET, "bench", model_path, "--batch", str(QUESTIONS * SAMPLES), "--decode", str(TOKENS), "--context", "20",
                                   "--prefill", "0", "--threads", str(THREADS), "--json"], check=True, capture_output=True, text=True).stdout)
print(f"martlet bench, batch of {QUESTIONS * SAMPLES}: {bench['results'][0]['tokens_per_second']:.0f} tokens per second")
