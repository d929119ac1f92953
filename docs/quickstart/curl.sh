#!/usr/bin/env bash
# The API quickstart's curl commands, as they stand there but for the model's name. $1: the address, by default the quickstart's.
# CI runs this against a fresh network; the output is checked, not only the exit codes.
set -euo pipefail
url=${1:-http://localhost:11435}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

curl -sS "$url/v1/models" | tee "$out/models"; echo
grep -q '"object": *"list"' "$out/models" || { echo "curl: /v1/models is not a list" >&2; exit 1; }
grep -q '"kwaainet": *{' "$out/models" || { echo "curl: /v1/models says nothing about sharding and trust" >&2; exit 1; }

MODEL_ID="kwaai-demo" # replace with a model from /v1/models

curl -sS "$url/v1/chat/completions" \
-H "Content-Type: application/json" \
-d "{
\"model\": \"${MODEL_ID}\",
\"messages\": [
{\"role\": \"user\", \"content\": \"Explain Layer 8 in one paragraph.\"}
]
}" | tee "$out/completion"; echo
grep -q '"object": *"chat.completion"' "$out/completion" || { echo "curl: no chat.completion came back" >&2; exit 1; }
grep -Eq '"content": *"[^"]' "$out/completion" || { echo "curl: the answer is empty" >&2; exit 1; }

curl -sS "$url/v1/chat/completions" \
-H "Content-Type: application/json" \
-N \
-d "{
\"model\": \"${MODEL_ID}\",
\"stream\": true,
\"messages\": [
{\"role\": \"user\", \"content\": \"List three benefits of decentralized AI.\"}
]
}" >"$out/stream"
head -n 5 "$out/stream"; echo "… $(grep -c '^data: {' "$out/stream") events …"; tail -n 4 "$out/stream"
[ "$(grep -c '^data: {' "$out/stream")" -ge 3 ] || { echo "curl: the stream has fewer than three events" >&2; exit 1; }
grep -q '"object": *"chat.completion.chunk"' "$out/stream" || { echo "curl: the stream holds no chunks" >&2; exit 1; }
grep -q '^data: \[DONE\]' "$out/stream" || { echo "curl: the stream does not end in [DONE]" >&2; exit 1; }
echo "curl: ok"
