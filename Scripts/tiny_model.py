"""A model for tests of the server: tiny, of random weights, and always the same. Standard library only."""

import json, os, random, struct

VOCABULARY, CONTEXT, WIDTH = 262, 2048, 32
END_TOKENS = [258, 260]
#: Characters.
LONGEST_TOKEN = len("<|endoftext|>")


def make_model(folder, context=CONTEXT):
    """Writes a Llama of one layer over 256 bytes, two merges and the marks of ChatML as a hub folder."""
    os.makedirs(folder)
    rng = random.Random(7)
    width, inner = WIDTH, 64
    tensors = {
        "model.embed_tokens.weight": (VOCABULARY, width),
        "lm_head.weight": (VOCABULARY, width),
        "model.norm.weight": (width,),
        "model.layers.0.input_layernorm.weight": (width,),
        "model.layers.0.post_attention_layernorm.weight": (width,),
    }
    for name in "qkvo":
        tensors[f"model.layers.0.self_attn.{name}_proj.weight"] = (width, width)
    for name, shape in (("gate", (inner, width)), ("up", (inner, width)), ("down", (width, inner))):
        tensors[f"model.layers.0.mlp.{name}_proj.weight"] = shape
    header, data = {}, bytearray()
    for name, shape in tensors.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = [1.0] * count if len(shape) == 1 else [rng.gauss(0, 0.3) for _ in range(count)]
        start = len(data)
        data += struct.pack(f"<{count}f", *values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, len(data)]}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + data)
    json.dump(
        {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": VOCABULARY,
            "hidden_size": width,
            "intermediate_size": inner,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "hidden_act": "silu",
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "max_position_embeddings": context,
            "tie_word_embeddings": False,
            "bos_token_id": END_TOKENS[0],
            "eos_token_id": END_TOKENS[1],
            "torch_dtype": "float32",
        },
        open(f"{folder}/config.json", "w"),
    )
    # Bytes as GPT-2 writes them: those that print stand for themselves, the others follow from U+0100 on.
    printing = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printing]
    sign = {b: chr(b) for b in printing} | {b: chr(256 + i) for i, b in enumerate(others)}
    vocabulary = {sign[b]: b for b in range(256)} | {"th": 256, "the": 257}
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<unk>"]
    json.dump(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "normalizer": None,
            "post_processor": None,
            "added_tokens": [
                {
                    "id": 258 + i,
                    "content": mark,
                    "single_word": False,
                    "lstrip": False,
                    "rstrip": False,
                    "normalized": False,
                    "special": True,
                }
                for i, mark in enumerate(marks)
            ],
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "vocab": vocabulary,
                "merges": ["t h", "th e"],
            },
        },
        open(f"{folder}/tokenizer.json", "w"),
    )
    template = (
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
        "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
        "{% endif %}"
    )
    json.dump(
        {"eos_token": "<|im_end|>", "bos_token": "<|endoftext|>", "add_bos_token": False, "chat_template": template},
        open(f"{folder}/tokenizer_config.json", "w"),
    )
