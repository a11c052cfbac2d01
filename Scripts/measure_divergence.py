#!/usr/bin/env python3
"""How far the next-token probabilities of a quantised GGUF file lie from exact arithmetic with the same weights, for Martlet and llama.cpp.

  measure_divergence.py MODEL.gguf…     (needs llama-cpp-python; LLAMA_CPP_LIB_PATH names another build of its library)

Each file is written out in f32, value by value, and both engines read a text in it and in the file: the divergence (Kullback-Leibler, natural
logarithm) of the file's probabilities from those in f32 is then the rounding of activations alone. MARTLET names the command.
"""
import os, subprocess, sys, tempfile

import llama_cpp as llama
import numpy

MARTLET = os.environ.get("MARTLET", ".build/release/martlet")
TEXT = (
    "The history of the lighthouse is older than most people think. Long before towers were built of stone, fires were lit on hills near the "
    "sea to guide ships into harbour at night. The most famous of the early towers stood on the island of Pharos, near Alexandria in Egypt; it "
    "was finished around 280 BC and was counted among the seven wonders of the ancient world. Its light could be seen from many miles away, and "
    "it served sailors for more than a thousand years until earthquakes damaged it.")


class Peer:
    def __init__(self, path):
        self.model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
        self.vocabulary = llama.llama_model_get_vocab(self.model)

    def tokens(self, text):
        found = (llama.llama_token * 512)()
        return list(found[: llama.llama_tokenize(self.vocabulary, text.encode(), len(text.encode()), found, 512, False, False)])

    def logits(self, tokens):
        options = llama.llama_context_default_params()
        options.n_ctx = options.n_batch = options.n_ubatch = 512
        context = llama.llama_init_from_model(self.model, options)
        batch = llama.llama_batch_init(512, 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, True
        assert llama.llama_decode(context, batch) == 0
        width = llama.llama_vocab_n_tokens(self.vocabulary)
        rows = [numpy.ctypeslib.as_array(llama.llama_get_logits_ith(context, i), (width,)).copy() for i in range(len(tokens))]
        llama.llama_free(context)
        return numpy.stack(rows)


def martlet(path, tokens, folder):
    subprocess.run([MARTLET, "logits", path, "--force", "--tokens", ",".join(map(str, tokens)), "--out", f"{folder}/logits.f32"], check=True,
                   capture_output=True)
    return numpy.fromfile(f"{folder}/logits.f32", numpy.float32).reshape(len(tokens), -1)


def logarithms(logits):
    x = logits.astype(numpy.float64)
    x -= x.max(axis=1, keepdims=True)
    return x - numpy.log(numpy.exp(x).sum(axis=1, keepdims=True))


quiet = llama.llama_log_callback(lambda *_: None)
llama.llama_log_set(quiet, None)
llama.llama_backend_init()
for path in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as folder:
        exact = f"{folder}/exact.gguf"
        subprocess.run([MARTLET, "convert", path, exact, "--format", "f32"], check=True, capture_output=True)
        file, reference = Peer(path), Peer(exact)
        tokens = file.tokens(TEXT)
        truth = logarithms(martlet(exact, tokens, folder))
        print(f"{os.path.basename(path)}, {len(tokens)} tokens")
        for name, logits in (("llama.cpp in f32", reference.logits(tokens)), ("Martlet", martlet(path, tokens, folder)),
                             ("llama.cpp", file.logits(tokens))):
            values = logarithms(logits)
            each = (numpy.exp(truth) * (truth - values)).sum(axis=1)
            same = (values.argmax(axis=1) == truth.argmax(axis=1)).mean()
            print(f"  {name:17} mean {each.mean():.2g}, median {numpy.median(each):.2g}, largest {each.max():.2g}; same first choice {same:.1%}")
