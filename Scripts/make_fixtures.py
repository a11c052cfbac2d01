"""Makes Tests/Fixtures: small models and texts with the answers of other people's programs (the `rwkv` package,
transformers, tokenizers, sentencepiece, gguf). Needs those packages and torch; run from the repository root.

    python Scripts/make_fixtures.py
"""
import base64
import collections
import contextlib
import ctypes
import io
import json
import os
import random
import subprocess
import sys

os.environ["RWKV_JIT_ON"] = "0"
import gguf
import numpy as np
import sentencepiece
import torch
from rwkv.model import RWKV
from rwkv.utils import PIPELINE
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

out = "Tests/Fixtures"
tokens = [(7 * i * i + 3 * i + 1) % 64 for i in range(24)]


def rwkv():
    for version in ["5.0", "5.1", "5.2"]:
        name = f"{out}/rwkv-{version}.pth"
        subprocess.run(
            [sys.executable, "Scripts/make_rwkv5.py", name, "--version", version, "--layers", "2", "--width", "64",
             "--head-size", "32", "--vocabulary", "64", "--seed", version[-1]], check=True)
        with contextlib.redirect_stdout(io.StringIO()):
            model = RWKV(model=name, strategy="cpu fp32")
        state, rows = None, []
        for token in tokens:
            logits, state = model.forward([token], state)
            rows.append(logits.float().numpy())
        np.stack(rows).astype("<f4").tofile(f"{out}/rwkv-{version}.logits")
        np.concatenate([s.float().numpy().ravel() for s in state]).astype("<f4").tofile(f"{out}/rwkv-{version}.state")


def llama():
    base = dict(vocab_size=64, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5)
    scaled = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                  original_max_position_embeddings=64, rope_theta=500000.0)
    for name, config, kind in [
        ("llama", LlamaConfig(**base, tie_word_embeddings=True), LlamaForCausalLM),
        ("llama3", LlamaConfig(**base, head_dim=24, rope_parameters=scaled), LlamaForCausalLM),
        ("qwen2", Qwen2Config(**base), Qwen2ForCausalLM),
        ("mistral", MistralConfig(**base, sliding_window=None), MistralForCausalLM),
    ]:
        torch.manual_seed(len(name))
        model = kind(config).eval().float()
        for parameter in model.parameters():
            parameter.data = torch.randn_like(parameter) * (0.2 if parameter.dim() > 1 else 0.1) + (parameter.dim() < 2)
        folder = f"{out}/{name}"
        os.makedirs(folder, exist_ok=True)
        weights = {k: v.half().contiguous() for k, v in model.state_dict().items()}
        if config.tie_word_embeddings:
            weights.pop("lm_head.weight")
        model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
        json.dump(config.to_dict(), open(f"{folder}/config.json", "w"), indent=1, default=str)
        with torch.no_grad():
            model(torch.tensor([tokens])).logits[0].numpy().astype("<f4").tofile(f"{folder}/logits")


texts = [
    "Hello, world! It's 2023; we're here, they'LL see.", "Hello\r\nWorld\r\n\r\n  tabs\t\tand   spaces  \n\n\n x",
    "👨‍👩‍👧‍👦 family 🏳️‍🌈 flags 🇩🇪🇫🇷", "é e\u0301 ñ n\u0303 ạ̈", "สวัสดีชาวโลก ภาษาไทย", "中文分词测试，你好世界！１２３４",
    "अनुच्छेद हिन्दी में", "1234567 ½ ² Ⅳ ٣٤٥ 12.5%", "   leading", "trailing   ", "\u00a0nbsp\u2003em\u3000ideo",
    "a\u200bb\ufeffc", "x=1;y+=2//comment\n\tif(a&&b){return}", "<|im_start|>user\nhi<|im_end|>\n", "", "\n", " ", "''s 'ſ", "\u0085next",
]
chance = random.Random(1)
alphabet = "abcXYZ 0129 \n\r\t'sRvLdm.,!?-_éßñ中文สว😀👍🏽\u0301\u200d½٣ſ\u00a0\u2028"
texts += ["".join(chance.choice(alphabet) for _ in range(chance.randint(1, 40))) for _ in range(150)]


def tokenizers():
    world = PIPELINE(None, "rwkv_vocab_v20230424").tokenizer
    raw = [t.encode() for t in texts] + [bytes(range(256)), b"\xff\xfe\x80abc\xc3"]
    json.dump([{"bytes": base64.b64encode(b).decode(), "ids": world.encodeBytes(b)} for b in raw], open(f"{out}/world.json", "w"))
    llama3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    p = pre_tokenizers
    level = p.ByteLevel(add_prefix_space=False, use_regex=False)
    kinds = {
        "smollm": (p.Sequence([p.Digits(individual_digits=True), p.ByteLevel(add_prefix_space=False)]), None, False),
        "gpt2": (p.ByteLevel(add_prefix_space=False), None, False),
        "llama3": (p.Sequence([p.Split(Regex(llama3), "isolated"), level]), None, True),
        "qwen2": (p.Sequence([p.Split(Regex(llama3.replace("{1,3}", "")), "isolated"), level]), normalizers.NFC(), False),
    }
    for name, (pre, normalizer, ignore) in kinds.items():
        t = Tokenizer(models.BPE(ignore_merges=ignore))
        t.pre_tokenizer, t.decoder = pre, decoders.ByteLevel()
        if normalizer:
            t.normalizer = normalizer
        special = [AddedToken(s, special=True, normalized=False) for s in ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]]
        t.train_from_iterator(texts * 2, trainers.BpeTrainer(
            vocab_size=700, special_tokens=special, initial_alphabet=p.ByteLevel.alphabet(), show_progress=False))
        t.save(f"{out}/{name}.tokenizer.json", pretty=False)
        cases = [{"text": s, "ids": t.encode(s, add_special_tokens=False).ids} for s in texts]
        json.dump(cases, open(f"{out}/{name}.cases.json", "w"))
    plain = [t.replace("\r", "").replace("\n", " ") for t in texts]
    open("/tmp/sp.txt", "w").write("\n".join(plain * 3))
    sentencepiece.SentencePieceTrainer.train(
        input="/tmp/sp.txt", model_prefix="/tmp/sp", model_type="bpe", vocab_size=600, byte_fallback=True, character_coverage=0.98,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2, hard_vocab_limit=False)
    sp = sentencepiece.SentencePieceProcessor("/tmp/sp.model")
    w = gguf.GGUFWriter(f"{out}/sentencepiece.gguf", "llama")
    ids = range(sp.vocab_size())
    w.add_tokenizer_model("llama")
    w.add_token_list([sp.id_to_piece(i).encode() for i in ids])
    w.add_token_scores([sp.get_score(i) for i in ids])
    w.add_token_types([2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 1 for i in ids])
    w.add_bos_token_id(1), w.add_eos_token_id(2), w.add_unk_token_id(0)
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()
    json.dump([{"text": s, "ids": sp.encode(s)} for s in texts], open(f"{out}/sentencepiece.cases.json", "w"))


def blocks():
    """Random bytes in every block type with gguf's own expansion, and gguf's own rounding."""
    t, generator, record = gguf.GGMLQuantizationType, np.random.default_rng(0), {}
    halves = {t.Q4_0: [0], t.Q4_1: [0, 2], t.Q5_0: [0], t.Q5_1: [0, 2], t.Q8_0: [0], t.Q2_K: [80, 82], t.Q3_K: [108],
              t.Q4_K: [0, 2], t.Q5_K: [0, 2], t.Q6_K: [208], t.IQ4_NL: [0], t.IQ4_XS: [0], t.MXFP4: []}
    for kind, places in halves.items():
        values, size = gguf.GGML_QUANT_SIZES[kind]
        raw = generator.integers(0, 256, (512 // values, size), dtype=np.uint8)
        for place in places:
            raw[:, place : place + 2] = generator.standard_normal(len(raw)).astype("<f2").view(np.uint8).reshape(-1, 2)
        record[str(int(kind))] = {"raw": base64.b64encode(raw.tobytes()).decode(), "values": base64.b64encode(
            gguf.quants.dequantize(raw.reshape(1, -1), kind).astype("<f4").tobytes()).decode()}
    x = generator.standard_normal(512).astype("<f4")
    rounded = {str(int(k)): base64.b64encode(np.ascontiguousarray(gguf.quants.quantize(x, k)).tobytes()).decode()
               for k in [t.Q4_0, t.Q4_1, t.Q8_0, t.F16, t.BF16]}
    # `gguf` does not round to K-quants: ggml's reference quantisers do (LIBGGML_BASE names libggml-base.so).
    if path := os.environ.get("LIBGGML_BASE"):
        ggml = ctypes.CDLL(path)
        for kind in [t.Q4_K, t.Q5_K, t.Q6_K]:
            raw = np.zeros(512 // 256 * gguf.GGML_QUANT_SIZES[kind][1], np.uint8)
            ggml.ggml_quantize_chunk(int(kind), x.ctypes.data_as(ctypes.c_void_p), raw.ctypes.data_as(ctypes.c_void_p),
                                     ctypes.c_int64(0), ctypes.c_int64(1), ctypes.c_int64(512), None)
            rounded[str(int(kind))] = base64.b64encode(raw.tobytes()).decode()
    json.dump({"expand": record, "input": base64.b64encode(x.tobytes()).decode(), "round": rounded}, open(f"{out}/blocks.json", "w"))


def archives():
    """A .pth with views and several types, and one that would run a command if it were unpickled."""
    torch.manual_seed(0)
    d = collections.OrderedDict()
    d["a.weight"], d["b.weight"] = torch.randn(4, 6).bfloat16(), torch.randn(3, 5).half()
    d["t"], d["v"], d["i"] = torch.randn(4, 3).t(), torch.randn(20)[3:9], torch.arange(5)
    torch.save(d, f"{out}/tiny.pth")
    record = {k: {"shape": list(v.shape), "values": v.float().flatten().tolist()} for k, v in d.items()}
    json.dump(record, open(f"{out}/tiny.json", "w"))

    class Evil:
        def __reduce__(self):
            return os.system, ("echo owned",)

    torch.save({"w": Evil()}, f"{out}/evil.pth")


rwkv(), llama(), tokenizers(), blocks(), archives()
