#!/usr/bin/env python3
"""Measures the engine beside llama.cpp on the same files in the same minutes, and prints one Markdown table.

usage: compare.py --llama BUILD_FOLDER --kwaainet PROGRAM [--threads 2] [--prompt 512] [--generate 64] [--runs 5] [--batch 16] [--deep] [--half-busy] MODEL.gguf ...

  BUILD_FOLDER  a native build of llama.cpp with bin/llama-bench (and bin/llama-batched-bench, for --batch)
  PROGRAM       the built kwaainet command, such as KwaaiNet.Cli/bin/Release/net10.0/kwaainet

Runs alternate, one of each engine after the other; figures are medians. Both decode from an empty context, as llama-bench does; the row
"decode at 512" is from behind the prompt in both. Only the Python standard library is used.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama", required=True)
    parser.add_argument("--kwaainet", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=0, help="also decode so many sessions together")
    parser.add_argument("--deep", action="store_true", help="also decode from behind the prompt, in both")
    parser.add_argument("--half-busy", action="store_true", help="also decode while another process keeps one core half busy")
    parser.add_argument("models", nargs="+")
    return parser.parse_args()


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def llama(options, model):
    result = {}
    if options.deep:
        rows = json.loads(output_of([
            os.path.join(options.llama, "bin", "llama-bench"), "-m", model, "-t", str(options.threads),
            "-p", "0", "-n", str(options.generate), "-d", str(options.prompt), "-r", "1", "-o", "json"]))
        result["deep"] = rows[0]["avg_ts"]
    rows = json.loads(output_of([
        os.path.join(options.llama, "bin", "llama-bench"), "-m", model, "-t", str(options.threads),
        "-p", str(options.prompt), "-n", str(options.generate), "-r", "1", "-o", "json"]))
    result["prefill"] = next(r["avg_ts"] for r in rows if r["n_prompt"])
    result["decode"] = next(r["avg_ts"] for r in rows if r["n_gen"])
    return result


def llama_batch(options, model):
    text = output_of([
        os.path.join(options.llama, "bin", "llama-batched-bench"), "-m", model, "-t", str(options.threads), "-c", "8192",
        "-npp", "16", "-ntg", "32", "-npl", str(options.batch)])
    # | PP | TG | B | N_KV | T_PP s | S_PP t/s | T_TG s | S_TG t/s | T s | S t/s |
    row = [cell.strip() for line in text.splitlines() if re.match(r"\|\s+\d+", line) for cell in line.split("|")[1:-1]]
    return float(row[7])


def ours(options, model, prompt=None, generate=None, batch=1):
    return json.loads(output_of([
        options.kwaainet, "bench", "engine", "--model", model, "--threads", str(options.threads),
        "--prompt", str(prompt or options.prompt), "--generate", str(generate or options.generate), "--batch", str(batch), "--json"]))


def ours_once(options, model):
    behind = ours(options, model)
    empty = ours(options, model, 1)
    return {"prefill": behind["prefill_tok_s"], "deep": behind["decode_tok_s"], "decode": empty["decode_tok_s"],
            "share": empty["bandwidth_share"], "peak": behind["peak_rss_mb"], "load": behind["load_ms"]}


# Computes for 5 ms, sleeps for 5 ms, and so on until it is killed.
HALF_BUSY = """
import time
while True:
    end = time.perf_counter() + 0.005
    while time.perf_counter() < end: pass
    time.sleep(0.005)
"""


def disturbed(options, model):
    quiet = ours(options, model, 16)["decode_tok_s"]
    other = subprocess.Popen([sys.executable, "-c", HALF_BUSY])
    try:
        return ours(options, model, 16)["decode_tok_s"], quiet
    finally:
        other.kill()
        other.wait()


def main():
    options = arguments()
    print("| model | | llama.cpp | KwaaiNet | ratio | share of bandwidth | peak MiB ÷ file | load ms |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for model in options.models:
        name = os.path.basename(model)
        pairs = [(llama(options, model), ours_once(options, model)) for _ in range(options.runs)]
        median = {key: statistics.median(own[key] for _, own in pairs) for key in pairs[0][1]}
        memory = median["peak"] / (os.path.getsize(model) / 2**20)
        for test, key in (("decode", "decode"), (f"prefill {options.prompt}", "prefill")) + (((f"decode at {options.prompt}", "deep"),) if options.deep else ()):
            peer = statistics.median(other[key] for other, _ in pairs)
            ratio = statistics.median(own[key] / other[key] for other, own in pairs)
            rest = f"{median['share']:.0%} | {memory:.2f} | {median['load']:.0f}" if key == "decode" else " | |"
            print(f"| {name} | {test} | {peer:.1f} | {median[key]:.1f} | {ratio:.2f} | {rest} |", flush=True)
        if options.batch:
            batches = [(llama_batch(options, model), ours(options, model, 16, 32, options.batch)["decode_tok_s"], ours(options, model, 16, 32)["decode_tok_s"])
                       for _ in range(options.runs)]
            peer, own, alone = (statistics.median(values) for values in zip(*batches))
            print(f"| {name} | decode, {options.batch} sessions | {peer:.1f} | {own:.1f} | {own / peer:.2f} | {own / alone:.1f} × one session | | |", flush=True)
        if options.half_busy:
            pairs = [disturbed(options, model) for _ in range(options.runs)]
            busy, quiet = (statistics.median(values) for values in zip(*pairs))
            print(f"| {name} | decode, one core half busy | | {busy:.1f} | {busy / quiet:.2f} of quiet | | | |", flush=True)


if __name__ == "__main__":
    main()
