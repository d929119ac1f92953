#!/usr/bin/env python3
"""What reuse of the KV cache gives: starts a network of shards and asks it as an app would.

Prints the time to the first token of a long prompt and of the next turn of the same conversation, then of one user with a
long system prompt and of several who send one at once, each with a question of their own.

    dotnet build KwaaiNet.Cli -c Release
    python3 tools/bench/conversation.py --kwaainet KwaaiNet.Cli/bin/Release/net10.0/kwaainet --model MODEL --shards 4
"""
import argparse
import json
import os
import random
import subprocess
import tempfile
import threading
import time
import urllib.request

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--kwaainet", required=True, help="the command")
parser.add_argument("--model", required=True, help="a model's name or path")
parser.add_argument("--shards", type=int, default=4)
parser.add_argument("--users", type=int, default=8, help="how many send the same system prompt at once")
parser.add_argument("--words", type=int, default=250, help="words of three letters in the long prompt")
parser.add_argument("--system-words", type=int, default=170, help="the same, in the system prompt")
parser.add_argument("--generate", type=int, default=16)
parser.add_argument("--port", type=int, default=23117)
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()

home = tempfile.mkdtemp(prefix="kwaainet-bench-")
environment = dict(os.environ, KWAAINET_HOME=home)
url = f"http://127.0.0.1:{options.port}"
network = subprocess.Popen(
    [options.kwaainet, "up", "--model", options.model, "--shards", str(options.shards), "--port", str(options.port)],
    env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
words = random.Random(5)


def text(count):
    return " ".join("".join(words.choice("abcdefghij") for _ in range(3)) for _ in range(count))


def model():
    end = time.time() + 120
    while time.time() < end:
        try:
            served = json.load(urllib.request.urlopen(url + "/v1/models", timeout=2))["data"]
            if served:
                return served[0]["id"]
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("the network was not ready in time")


def ask(messages):
    """Seconds to the first token, the text, and usage."""
    body = {"model": served, "messages": messages, "max_tokens": options.generate, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
    request = urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    start, first, said, usage = time.time(), None, "", None
    for line in urllib.request.urlopen(request, timeout=300):
        if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
            continue
        first = first or time.time() - start
        event = json.loads(line[6:])
        said += "".join(choice["delta"].get("content") or "" for choice in event["choices"])
        usage = event.get("usage") or usage
    return first, said, usage


def cached(usage):
    return usage["prompt_tokens_details"]["cached_tokens"]


try:
    served = model()
    ask([{"role": "user", "content": "warm"}])
    for _ in range(options.rounds):
        question = {"role": "user", "content": text(options.words)}
        first = ask([question])
        second = ask([question, {"role": "assistant", "content": first[1]}, {"role": "user", "content": "and then?"}])
        print(f"first turn {first[0]:.2f} s ({first[2]['prompt_tokens']} tokens), second {second[0]:.3f} s "
              f"({second[2]['prompt_tokens']}, {cached(second[2])} cached): 1/{first[0] / second[0]:.0f}", flush=True)

    alone = ask([{"role": "system", "content": text(options.system_words)}, {"role": "user", "content": "I am 0."}])
    system = {"role": "system", "content": text(options.system_words)}
    answers = [None] * options.users

    def run(user):
        answers[user] = ask([system, {"role": "user", "content": f"I am {user}."}])

    threads = [threading.Thread(target=run, args=(user,)) for user in range(options.users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"system prompt, one user {alone[0]:.2f} s ({alone[2]['prompt_tokens']} tokens), {options.users} at once: all first tokens within "
          f"{max(answer[0] for answer in answers):.2f} s, cached {sorted(cached(answer[2]) for answer in answers)}")
finally:
    subprocess.run([options.kwaainet, "down"], env=environment, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    network.terminate()
    network.wait(30)
