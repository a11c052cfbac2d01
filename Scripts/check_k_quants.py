"""Holds the rounding to Q4_K, Q5_K and Q6_K to ggml's, and what tiles hold to the `gguf` package.

    python3 Scripts/check_k_quants.py LIBGGML_BASE      # libggml-base.so of llama.cpp, for its reference quantisers

Needs numpy, gguf and clang. Prints, for each type, how many blocks have ggml's bytes, and both squared errors as parts of
the square of the values.
"""

import ctypes, os, subprocess, sys, tempfile

import gguf
import numpy as np

kernels = os.path.join(os.path.dirname(__file__), "../Sources/CMartletKernels")
TYPES = {12: ("Q4_K", 6), 13: ("Q5_K", 7), 14: ("Q6_K", 8)}


def main():
    ggml = ctypes.CDLL(sys.argv[1])
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/kernels.so"
        sources = [f"{kernels}/{name}.c" for name in ("Formats", "Round_k", "Pack", "Pack_k")]
        subprocess.run(["clang", "-O2", "-shared", "-fPIC", f"-I{kernels}/include", "-o", library, *sources, "-lm"], check=True)
        ours = ctypes.CDLL(library)
    ours.martlet_tile_bytes.restype = ctypes.c_size_t
    generator = np.random.default_rng(5)
    rows, inputs = 16, 2048
    failed = False
    for noise in ("normal", "uniform", "heavy"):
        x = {"normal": lambda s: generator.standard_normal(s), "uniform": lambda s: generator.uniform(-1, 1, s),
             "heavy": lambda s: generator.standard_t(3, s)}[noise]((rows, inputs)).astype(np.float32) * np.float32(0.02)
        pointer = x.ctypes.data_as(ctypes.c_void_p)
        for kind, (name, code) in TYPES.items():
            size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)][1]
            theirs, mine = (np.zeros((rows, inputs // 256 * size), np.uint8) for _ in range(2))
            ggml.ggml_quantize_chunk(kind, pointer, theirs.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0),
                                     ctypes.c_int64(rows), ctypes.c_int64(inputs), None)
            ours.martlet_file_round(kind, pointer, ctypes.c_int64(x.size), mine.ctypes.data_as(ctypes.c_void_p))
            same = np.mean((theirs.reshape(-1, size) == mine.reshape(-1, size)).all(axis=1))
            expand = lambda bytes: gguf.quants.dequantize(bytes, gguf.GGMLQuantizationType(kind)).reshape(rows, inputs)
            errors = [float(np.mean((expand(b) - x) ** 2) / np.mean(x**2)) for b in (theirs, mine)]
            tile = np.zeros(ours.martlet_tile_bytes(code, ctypes.c_int64(inputs)), np.uint8)
            ours.martlet_pack_tile(code, theirs.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(theirs.shape[1]), rows,
                                   ctypes.c_int64(inputs), tile.ctypes.data_as(ctypes.c_void_p))
            values = np.zeros((rows, inputs), np.float32)
            for row in range(rows):
                ours.martlet_unpack_row(code, tile.ctypes.data_as(ctypes.c_void_p), row, ctypes.c_int64(inputs),
                                        values[row:].ctypes.data_as(ctypes.c_void_p))
            held = np.array_equal(values.view(np.uint32), expand(theirs).astype(np.float32).view(np.uint32))
            failed |= not held or tile.size != theirs.size or errors[1] > errors[0] * 1.001
            print(f"{noise:8}{name}: {same:6.1%} of blocks as ggml's; error {errors[1]:.3e}, ggml's {errors[0]:.3e}; "
                  f"tile {tile.size} bytes for {theirs.size}, values {'held' if held else 'CHANGED'}")
    sys.exit(failed)


main()
