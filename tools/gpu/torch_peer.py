#!/usr/bin/env python3
"""Decodes and prefills a llama of random weights in float16 with transformers, for measure.py to put beside ours. Prints lines of JSON, the last of which counts.

usage: torch_peer.py [--preset 8b] [--batch 16] [--prompt 512] [--generate 128] [--budget SECONDS] [--cpu]

Eager first; then, where time is left, with a static cache, which transformers compiles by itself: its fastest without other packages.
The better figure is given, with what it was.
"""
import argparse
import json
import sys
import time

PRESETS = {  # width, blocks, heads, kv heads, ffn, vocab: as make-gguf.py has them
    "tiny": (256, 4, 8, 4, 768, 2048),
    "1b": (2048, 16, 32, 8, 8192, 32000),
    "8b": (4096, 32, 32, 8, 14336, 128256),
}


def give(result):
    print(json.dumps(result), flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="8b", choices=PRESETS)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=128)
    parser.add_argument("--budget", type=float, default=240)
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        import torch
        import transformers
    except ImportError as missing:
        return give({"error": f"not installed ({missing.name})"})
    device = "cpu" if options.cpu else "cuda"
    if device == "cuda" and not torch.cuda.is_available():
        return give({"error": "torch sees no GPU"})

    width, blocks, heads, kv_heads, ffn, vocab = PRESETS[options.preset]
    config = transformers.LlamaConfig(
        hidden_size=width, num_hidden_layers=blocks, num_attention_heads=heads, num_key_value_heads=kv_heads, intermediate_size=ffn,
        vocab_size=vocab, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=False)
    torch.manual_seed(20261122)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16 if device == "cuda" else torch.float32)
    with torch.device(device):
        model = transformers.LlamaForCausalLM(config).eval()
    torch.set_default_dtype(before)
    result = {"torch": torch.__version__, "transformers": transformers.__version__}

    def synchronise():
        if device == "cuda":
            torch.cuda.synchronize()

    @torch.inference_mode()
    def eager(batch, prompt, generate):
        """Tokens a second of prefill and decode, the second time round: the first warms up."""
        ids = torch.randint(259, vocab, (batch, prompt), device=device)
        for _ in range(2):
            past = transformers.DynamicCache()
            synchronise()
            start = time.perf_counter()
            token = model(input_ids=ids, past_key_values=past, use_cache=True).logits[:, -1:].argmax(-1)
            synchronise()
            prefill = batch * prompt / (time.perf_counter() - start)
            start = time.perf_counter()
            for _ in range(generate):
                token = model(input_ids=token, past_key_values=past, use_cache=True).logits[:, -1:].argmax(-1)
            synchronise()
            decode = batch * generate / (time.perf_counter() - start)
        return prefill, decode

    @torch.inference_mode()
    def compiled(prompt, generate):
        """Tokens a second of one session's decode with a static cache, which transformers compiles by itself: a long answer's time less a short one's."""
        ids = torch.randint(259, vocab, (1, prompt), device=device)

        def seconds(tokens):
            synchronise()
            start = time.perf_counter()
            model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens,
                           pad_token_id=0, cache_implementation="static")
            synchronise()
            return time.perf_counter() - start

        few = 8
        seconds(few)
        seconds(generate)
        return (generate - few) / (seconds(generate) - seconds(few))

    prefill, decode = eager(1, options.prompt, options.generate)
    _, many = eager(options.batch, 16, options.generate // 2)
    result.update(prefill=round(prefill, 1), decode=round(decode, 1), decode_batch=round(many, 1), what=f"transformers {transformers.__version__}, torch {torch.__version__}, eager")

    # Compiling takes a minute or more; what is there already is given whatever comes of it.
    print(json.dumps(result), flush=True)
    if device == "cuda" and options.budget - (time.monotonic() - began) > 110:
        try:
            faster = compiled(options.prompt, options.generate)
            result["decode_compiled"] = round(faster, 1)
            if faster > result["decode"]:
                result["decode"] = round(faster, 1)
                result["what"] += "; decode of one session with a static cache, compiled"
        except Exception as error:  # the peer's own trouble must not cost our figures
            result["compiled_error"] = (str(error).splitlines() or [type(error).__name__])[0][:300]
    return give(result)


if __name__ == "__main__":
    sys.exit(main())
