#!/usr/bin/env python3
"""Records what llama.cpp computes on the demo model, for our engine's tests to compare with: its greedy run and the five best logits.

usage: reference.py LIBRARY_FOLDER MODEL.gguf OUTPUT_PREFIX        writes OUTPUT_PREFIX.<n>.json, one file a prompt
LIBRARY_FOLDER holds llama.cpp's shared libraries: after
    npm install --prefix SCRATCH --ignore-scripts node-llama-cpp @node-llama-cpp/linux-x64
it is SCRATCH/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64.

One position is one token fed alone (a batch of one, one thread), so the figures do not depend on how a prompt is cut.
"top5" is from the file as it is: llama.cpp rounds activations to 8 bits before it multiplies them with Q8_0 weights, and keeps keys and
values as float16. "top5_f32" is from the same weights written out as float32, with a float32 KV cache: nothing is rounded, and this is
the one to compare with closely. Both are fed the tokens of the first one's greedy run.
"""
import ctypes
import glob
import heapq
import json
import os
import sys
import tempfile

POSITIONS = 64
PROMPTS = ["Explain Layer 8 in one paragraph.", "Tell me a short story about a fox."]


class Parameters(ctypes.Structure):
    """Any of llama.cpp's parameter structs: larger than all of them, so that it can be returned and passed by value unread."""

    _fields_ = [("words", ctypes.c_int32 * 256)]


def load_library(folder):
    for pattern in ("libggml-base*.so", "libggml.*so", "libllama.*so"):
        for path in glob.glob(os.path.join(folder, pattern)):
            library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
            if "libggml." in path:
                library.ggml_backend_load_all_from_path.argtypes = [ctypes.c_char_p]
                library.ggml_backend_load_all_from_path(folder.encode())
    for name in ("llama_model_default_params", "llama_context_default_params", "llama_model_quantize_default_params", "llama_batch_get_one"):
        getattr(library, name).restype = Parameters
    for name in ("llama_model_load_from_file", "llama_init_from_model", "llama_model_get_vocab", "llama_print_system_info"):
        getattr(library, name).restype = ctypes.c_void_p
    library.llama_get_logits_ith.restype = ctypes.POINTER(ctypes.c_float)
    return library


def open_context(library, path, float32_cache):
    model = ctypes.c_void_p(library.llama_model_load_from_file(path.encode(), library.llama_model_default_params()))
    if not model:
        raise SystemExit(f"llama.cpp does not load {path}")
    parameters = library.llama_context_default_params()
    if float32_cache:
        # type_k and type_v: the only two neighbours that are both 1, which is float16; 0 is float32.
        at = [i for i in range(16, 40) if parameters.words[i] == 1 and parameters.words[i + 1] == 1]
        if len(at) != 1:
            raise SystemExit("This llama.cpp keeps its cache types elsewhere.")
        parameters.words[at[0]] = parameters.words[at[0] + 1] = 0
    context = ctypes.c_void_p(library.llama_init_from_model(model, parameters))
    library.llama_set_n_threads(context, 1, 1)
    return model, context


def tokenize(library, model, text):
    vocabulary = ctypes.c_void_p(library.llama_model_get_vocab(model))
    ids = (ctypes.c_int32 * 1024)()
    data = text.encode()
    count = library.llama_tokenize(vocabulary, data, len(data), ids, 1024, ctypes.c_bool(True), ctypes.c_bool(True))
    return list(ids[:count]), library.llama_vocab_n_tokens(vocabulary)


def run(library, context, size, tokens, positions):
    """Feeds the tokens, then the greedy choices, and yields each token with the five best logits after it."""
    token, previous = None, None
    for position in range(positions):
        token = tokens[position] if position < len(tokens) else previous
        if library.llama_decode(context, library.llama_batch_get_one((ctypes.c_int32 * 1)(token), 1)) != 0:
            raise SystemExit("llama_decode failed")
        logits = library.llama_get_logits_ith(context, -1)
        best = heapq.nsmallest(5, range(size), key=lambda i: -logits[i])
        previous = best[0]
        yield token, [[i, round(float(logits[i]), 5)] for i in best]


def write_float32(library, path, target):
    """llama.cpp's own converter: quantize to the file type 0, all float32."""
    parameters = library.llama_model_quantize_default_params()
    parameters.words[1] = 0
    parameters.words[4] |= 1  # allow_requantize, the first byte of the fifth word
    if library.llama_model_quantize(path.encode(), target.encode(), ctypes.byref(parameters)) != 0:
        raise SystemExit("llama.cpp does not write the float32 model")


def main():
    folder, path, prefix = sys.argv[1:]
    library = load_library(folder)
    with tempfile.TemporaryDirectory() as scratch:
        exact = os.path.join(scratch, "f32.gguf")
        write_float32(library, path, exact)
        for number, prompt in enumerate(PROMPTS, 1):
            text = f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
            model, context = open_context(library, path, float32_cache=False)
            ids, size = tokenize(library, model, text)
            stored = list(run(library, context, size, ids, POSITIONS))
            tokens = [token for token, _ in stored]
            _, context = open_context(library, exact, float32_cache=True)
            unrounded = [top for _, top in run(library, context, size, tokens, POSITIONS)]
            with open(f"{prefix}.{number}.json", "w", encoding="utf-8", newline="\n") as file:
                rows = ",\n".join("    " + json.dumps({"token": token, "top5": top, "top5_f32": top32}) for (token, top), top32 in zip(stored, unrounded))
                file.write('{\n  "engine": "llama.cpp (node-llama-cpp\'s prebuilt CPU library), one token at a time, one thread",\n')
                file.write(f'  "prompt": {json.dumps(text)},\n  "prompt_ids": {json.dumps(ids)},\n')
                file.write(f'  "greedy_ids": {json.dumps([tokens[i] for i in range(len(ids), POSITIONS)] + [stored[-1][1][0][0]])},\n')
                file.write(f'  "positions": [\n{rows}\n  ]\n}}\n')


main()
