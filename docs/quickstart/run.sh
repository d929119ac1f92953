#!/usr/bin/env bash
# Runs the quickstart's samples against a network of its own: a free port, a home of its own, gone when it ends.
# usage: docs/quickstart/run.sh     (after 'dotnet build KwaaiNet.Core.slnf -c Release'; JavaScript is left out where Node is missing)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
KWAAINET_HOME=$(mktemp -d)
export KWAAINET_HOME
kwaainet() { dotnet "$root/KwaaiNet.Cli/bin/Release/net10.0/kwaainet.dll" "$@"; }
cleanup() {
  code=$?
  [ "$code" = 0 ] || kwaainet logs --lines 100 >&2 || true
  kwaainet down >/dev/null 2>&1 || true
  rm -rf "$KWAAINET_HOME"
  exit "$code"
}
trap cleanup EXIT

kwaainet up --detach --port 0
url=$(kwaainet status --json | sed -n 's/^ *"url": *"\([^"]*\)".*/\1/p' | head -1)
[ -n "$url" ] || { echo "quickstart: status --json names no url" >&2; exit 1; }
kwaainet status
kwaainet models

bash "$here/curl.sh" "$url"
KWAAINET_URL=$url dotnet run --project "$here/csharp" -c Release --no-build
answer=$(printf 'Hello!\n/exit\n' | kwaainet chat)
printf '%s\n' "$answer"
[ "$(printf '%s\n' "$answer" | wc -l)" -ge 2 ] || { echo "chat: no answer" >&2; exit 1; }

if command -v node >/dev/null && command -v npm >/dev/null; then
  # Installed beside a copy, so that nothing is left in the working copy.
  cp "$here/package.json" "$here/quickstart.mjs" "$KWAAINET_HOME/"
  (cd "$KWAAINET_HOME" && npm install --silent --no-audit --no-fund --no-package-lock && KWAAINET_URL=$url node quickstart.mjs)
else
  echo "javascript: left out, Node is not installed here"
fi

kwaainet down
code=0; kwaainet status >/dev/null 2>&1 || code=$?
[ "$code" = 3 ] || { echo "quickstart: status after down ended with $code, not 3" >&2; exit 1; }
echo "quickstart: ok"
