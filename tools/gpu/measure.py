#!/usr/bin/env python3
"""The 'run' half of measure.sh: checks the device, measures it, prints one table. Only the Python standard library is used.

usage: measure.py --pack FOLDER [--budget SECONDS] [--dry-run]
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

# What is asked for on an H200 (issue 5): tokens a second, and how often batch 1 a batch of 16 must be.
ASKED = {("q4_0", "decode"): 134, ("q8_0", "decode"): 100, ("f16", "decode"): 120, ("q4_0", "prefill"): 4900}
ASKED_BATCH = 8

KINDS = ("q4_0", "q8_0", "f16")
FILE_GIGABYTES = {"q4_0": 4.6, "q8_0": 8.6, "f16": 16.1}
QUESTION = "<|im_start|>user\nExplain Layer 8 in one paragraph.<|im_end|>\n<|im_start|>assistant\n"


class Run:
    """One run: where things are, how much time is left, what came out."""

    def __init__(self, options):
        self.began = time.monotonic()
        self.pack = options.pack
        self.budget = options.budget
        self.dry = options.dry_run
        self.program = os.path.join(self.pack, "kwaainet", "kwaainet")
        self.work = self.work_folder()
        self.device = None
        self.result = {"dry_run": self.dry, "checks": [], "parity": [], "bench": [], "torch": None, "skipped": []}

    @staticmethod
    def work_folder():
        named = os.environ.get("KWAAINET_GPU_WORK")
        places = [named] if named else [place for place in ("/dev/shm", tempfile.gettempdir()) if os.path.isdir(place)]
        return tempfile.mkdtemp(prefix="kwaainet-gpu-", dir=max(places, key=lambda place: shutil.disk_usage(place).free))

    def left(self):
        return self.budget - (time.monotonic() - self.began)

    def say(self, text):
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", flush=True)

    def has_time(self, seconds, what):
        if self.left() >= seconds:
            return True
        self.skip(what, f"needs about {seconds:.0f} s and {self.left():.0f} are left")
        return False

    def skip(self, what, why):
        self.say(f"{what}: left out, {why}.")
        self.result["skipped"].append({"what": what, "why": why})

    def command(self, *words):
        """Runs kwaainet; gives its JSON, exit code and words on stderr."""
        try:
            done = subprocess.run([self.program, *map(str, words), "--json"], capture_output=True, text=True, check=False, timeout=max(5, self.left()))
        except subprocess.TimeoutExpired:
            return None, 124, "no time was left"
        try:
            return json.loads(done.stdout), done.returncode, done.stderr.strip()
        except ValueError:
            # What nobody caught comes with a stack; the line that names it is worth more.
            words = [line for line in (done.stderr or done.stdout).splitlines() if line.strip() and not line.startswith("   at ")]
            return None, done.returncode or 1, "; ".join(words)[:600] or "it said nothing"

    def make(self, kind, preset):
        path = os.path.join(self.work, f"{preset}-{kind}.gguf")
        if not os.path.exists(path):
            began = time.monotonic()
            done = subprocess.run([sys.executable, os.path.join(self.pack, "make-gguf.py"), path, kind, preset], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SystemExit(f"The model {preset} {kind} cannot be made in {self.work}:\n{done.stderr[-2000:]}")
            self.say(f"made {os.path.basename(path)} in {time.monotonic() - began:.0f} s")
        return path

    def drop(self, path):
        if os.path.dirname(path) == self.work and os.path.exists(path):
            os.remove(path)


def find_device(run):
    found, code, error = run.command("devices")
    if found is None:
        raise SystemExit(f"'kwaainet devices' ended with {code}: {error}")
    run.result["devices"] = found
    for problem in found["problems"]:
        run.say(f"{problem['api']}: {problem['message']}")
    # The simulator comes last; 'auto' names the GPU.
    run.device = found["devices"][-1]["device"] if run.dry else found["auto"]["device"]
    if run.device is None:
        raise SystemExit("There is no GPU that ILGPU can use: " + found["auto"]["reason"] + " --dry-run needs none.")
    run.result["device"] = next(device for device in found["devices"] if device["device"] == run.device)
    run.say(f"device {run.device}: {describe_device(run.result['device'])}")
    try:
        smi = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"], capture_output=True, text=True, check=False, timeout=20)
        run.result["nvidia_smi"] = smi.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        run.result["nvidia_smi"] = None


def describe_device(device):
    return f"{device['name']} ({', '.join(part for part in (device['kind'], device['architecture'], device['driver']) if part)})"


def check_compiler(run):
    """Whether the trimmed program still compiles for CUDA; on a card this shows by itself."""
    done = subprocess.run([run.program, "devices", "--compile"], capture_output=True, text=True, check=False)
    run.result["compiles_for_cuda"] = done.returncode == 0
    run.say((done.stdout if done.returncode == 0 else done.stderr).strip()[:600])


def check_stub(run):
    """Walks the way to a card on a stub of the driver (stub/cuda.c): what is launched, and that a fault is told in one line. A dry run's part."""
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        run.skip("the stub of CUDA's driver", "there is no C compiler")
        return
    folder = tempfile.mkdtemp(prefix="stub-", dir=run.work)
    log = os.path.join(folder, "log")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", os.path.join(folder, "libcuda.so.1"), os.path.join(run.pack, "cuda.c")], check=True)
    stub = {**os.environ, "LD_LIBRARY_PATH": folder, "STUB_LOG": log}
    words = [run.program, "bench", "engine", "--backend", "ilgpu", "--model", run.make("q4_0", "tiny"), "--prompt", "8", "--json", "--generate"]

    def launches(tokens):
        if os.path.exists(log):
            os.remove(log)
        done = subprocess.run([*words, str(tokens)], capture_output=True, text=True, check=False, env=stub)
        if done.returncode != 0 or json.loads(done.stdout)["device_kind"] != "cuda":
            raise SystemExit(f"The way to a card does not work:\n{done.stderr[-2000:]}")
        with open(log, encoding="utf-8") as file:
            lines = file.readlines()
        recorded = [int(line.split()[3]) for line in lines if line.startswith("capture ends")]
        return sum(line.startswith("launch") for line in lines), sum(line.startswith("replay") for line in lines), max(recorded, default=None)

    few, many = launches(4), launches(12)
    faulty = subprocess.run([*words, "4"], capture_output=True, text=True, check=False, env={**stub, "STUB_FAULT": str(few[0] // 2)})
    told = faulty.returncode == 1 and faulty.stderr.startswith("error: ") and "   at " not in faulty.stderr
    found = {"launches_of_token": (many[0] - few[0]) / 8, "replays_of_token": (many[1] - few[1]) / 8, "launches_recorded": many[2], "fault_told": told}
    run.result["stub"] = found
    run.say(f"on a stub of CUDA's driver a token of 4 blocks takes {found['launches_of_token']:g} launches and {found['replays_of_token']:g} replays of a graph"
            + (f" of {found['launches_recorded']} launches; " if found["launches_recorded"] else "; ")
            + ("a fault is told in one line" if told else f"a fault is NOT told well: {faulty.stderr.strip()[:300]}"))


def check_kernels(run):
    found, code, error = run.command("devices", "--check", "--device", run.device)
    run.result["checks"] = found["checks"] if found else []
    run.result["checks_passed"] = bool(found and found["passed"])
    run.say("kernels against plain loops: " + ("all right" if run.result["checks_passed"] else f"WRONG ({error})"))


def parity(run, path, name, tokens, *prompt):
    found, code, error = run.command("bench", "parity", "--model", path, "--device", run.device, "--generate", tokens, *prompt)
    entry = {"name": name, **(found or {"passed": False, "error": error})}
    entry.pop("ids", None)
    run.result["parity"].append(entry)
    run.say(f"{name}, {tokens} tokens beside the processor: " + (describe_parity(entry)))


def describe_parity(entry):
    if "error" in entry:
        return f"FAILED: {entry['error']}"
    text = f"{entry['same']} of {entry['generate']} the same, KL mean {entry['kl_mean']:.1e}, most {entry['kl_max']:.1e}"
    if entry["parted_at"] is not None:
        text += f", parted at {entry['parted_at']} where the lead was {entry['lead_at_parting']:.2g}"
    return text + ("" if entry["passed"] else ": TOO FAR")


def bench(run, path, kind, batch, prompt, generate):
    found, code, error = run.command("bench", "engine", "--model", path, "--device", run.device, "--prompt", prompt, "--generate", generate, "--batch", batch)
    entry = {"kind": kind, **(found or {"batch": batch, "error": error})}
    entry["ids"] = (entry.get("ids") or [])[:16]
    run.result["bench"].append(entry)
    if found is None:
        run.say(f"{kind}, batch {batch}: FAILED, {error}")
    else:
        run.say(f"{kind}, batch {batch}: decode {found['decode_tok_s']} tok/s, prefill {found['prefill_tok_s']}, {found['bandwidth_gb_s']} GB/s of {found['device_gb_s']}")


def torch_peer(run, preset, batch, prompt, generate):
    seconds = int(min(run.left() - 10, 240))
    command = [sys.executable, os.path.join(run.pack, "torch_peer.py"), "--preset", preset, "--batch", str(batch), "--prompt", str(prompt),
               "--generate", str(generate), "--budget", str(seconds)] + (["--cpu"] if run.dry else [])
    said, error = "", ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 10)
        said, error = done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        # What it had said by then counts.
        said = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        error = f"took longer than {seconds} s"
    try:
        run.result["torch"] = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        run.result["torch"] = {"error": (error.strip().splitlines() or ["it said nothing"])[-1]}
    run.say(f"torch: {json.dumps(run.result['torch'])}")


def measure(run):
    # A tiny model on the simulator, or the shape of a real one on a card.
    preset, small, prompt, generate, batch, parity_tokens = ("tiny", "tiny", 8, 4, 2, 8) if run.dry else ("8b", "1b", 512, 128, 16, 256)
    check_compiler(run)
    if run.dry:
        check_stub(run)
    check_kernels(run)
    demo = os.path.join(run.pack, "kwaai-demo.gguf")
    if os.path.exists(demo):
        parity(run, demo, "demo model", parity_tokens, "--text", QUESTION)

    for kind in KINDS:
        scale = 0.1 if run.dry else FILE_GIGABYTES[kind]
        if not run.has_time(10 + 8 * scale, f"{preset} {kind}"):
            continue
        path = run.make(kind, preset)
        bench(run, path, kind, 1, prompt, generate)
        bench(run, path, kind, batch, 16 if not run.dry else 4, generate // 2)
        if preset != small:
            run.drop(path)

    if run.has_time(30, "torch beside it"):
        torch_peer(run, preset, batch, prompt, generate)

    # What takes the processor's time comes last: the card's figures are what the machine was lent for.
    for kind in KINDS:
        if not run.has_time(5 if run.dry else {"q4_0": 30, "q8_0": 35, "f16": 60}[kind], f"parity, {small} {kind}"):
            continue
        path = run.make(kind, small)
        parity(run, path, f"{small} {kind}", parity_tokens, "--prompt", 16 if not run.dry else 4)
        run.drop(path)
    if not run.dry and run.has_time(75, "parity, 8b q4_0"):
        parity(run, run.make("q4_0", "8b"), "8b q4_0", parity_tokens, "--prompt", 16)


def table(run):
    result = run.result
    device = result.get("device")
    lines = []
    if device:
        lines += [describe_device(device) + (", DRY RUN: nothing here is a measurement" if run.dry else ""), ""]
    torch = result["torch"] or {}
    lines += ["| model | | tokens/s | asked for | weights read, GB/s | share of the device's | torch f16, same card |", "|---|---|--:|--:|--:|--:|--:|"]
    for kind in KINDS:
        alone = next((entry for entry in result["bench"] if entry["kind"] == kind and entry.get("batch") == 1), None)
        many = next((entry for entry in result["bench"] if entry["kind"] == kind and entry.get("batch") != 1), None)
        name = kind.upper()
        for entry, what in ((alone, "decode"), (many, "batch"), (alone, "prefill")):
            if entry is None:
                lines.append(f"| {name} | {what} | not run | | | | |")
                continue
            if "error" in entry:
                lines.append(f"| {name} | {what} | failed: {entry['error'].splitlines()[0]} | | | | |")
                continue
            peer = torch.get({"decode": "decode", "batch": "decode_batch", "prefill": "prefill"}[what]) if kind == "f16" else None
            peer = f"{peer:.1f}" if peer else ""
            if what == "prefill":
                lines.append(f"| {name} | prefill {entry['prompt']} | {entry['prefill_tok_s']:.1f} | {asked(run, kind, what)} | | | {peer} |")
                continue
            times = ""
            label = "decode"
            if what == "batch":
                label = f"decode, {entry['batch']} sessions"
                times = f" ({entry['decode_tok_s'] / alone['decode_tok_s']:.1f} × one)" if alone and alone.get("decode_tok_s") else ""
            wanted = asked(run, kind, "decode") if what == "decode" else ("" if run.dry else f"{ASKED_BATCH} × one")
            lines.append(f"| {name} | {label} | {entry['decode_tok_s']:.1f}{times} | {wanted} | {entry['bandwidth_gb_s']:.1f} | {entry['bandwidth_share']:.0%} of {entry['device_gb_s']:.0f} | {peer} |")
    lines.append("")
    wrong = [check for check in result["checks"] if not check["passed"]]
    lines.append(f"Kernels against plain loops: {len(result['checks']) - len(wrong)} of {len(result['checks'])} kinds of weights right" + (": WRONG " + ", ".join(check["weights"] for check in wrong) if wrong else "."))
    for entry in result["parity"]:
        lines.append(f"Beside the processor, {entry['name']}: {describe_parity(entry)}.")
    if torch:
        lines.append("torch: " + (torch.get("error") or torch.get("what", "")))
    for skipped in result["skipped"]:
        lines.append(f"Left out: {skipped['what']}, {skipped['why']}.")
    return "\n".join(lines)


def asked(run, kind, what):
    return "" if run.dry else str(ASKED.get((kind, what), ""))


def write_out(run, text):
    folder = os.environ.get("OUT")
    if not folder:
        return
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "gpu.json"), "w", encoding="utf-8") as file:
        json.dump(run.result, file, indent=2)
    with open(os.path.join(folder, "gpu.md"), "w", encoding="utf-8") as file:
        file.write(text + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--budget", type=float, default=570)
    parser.add_argument("--dry-run", action="store_true")
    run = Run(parser.parse_args())
    try:
        find_device(run)
        measure(run)
    finally:
        # Whatever was measured is told, however the run ended.
        run.result["seconds"] = round(time.monotonic() - run.began, 1)
        text = table(run)
        print("\n" + text, flush=True)
        write_out(run, text)
        shutil.rmtree(run.work, ignore_errors=True)
    failed = run.result.get("stub", {}).get("fault_told") is False or not run.result.get("checks_passed") or not run.result.get("compiles_for_cuda") or any(not entry.get("passed") for entry in run.result["parity"]) or any("error" in entry for entry in run.result["bench"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
