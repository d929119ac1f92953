#!/usr/bin/env bash
# Checks and measures the engine on a machine with a GPU, beside torch on the same card, and prints one table.
#
#   tools/gpu/measure.sh [build|run] [--dry-run] [--make-gguf PATH] [--budget SECONDS]
#
#   build       here: publishes the command for linux-x64, trimmed, and packs it with what measures into artifacts/gpu/pack.tar.gz (under 64 MiB)
#   run         on the machine with the GPU: unpacks that, makes the models, checks, measures. Needs Python 3 and no .NET
#   (neither)   both, one after the other
#   --dry-run   everything on ILGPU's CPU accelerator with a tiny model, and the way to a card on a stub of CUDA's driver where there is a C
#               compiler: shows that all of it works, measures nothing worth keeping
#   --make-gguf the generator of models of random weights; default $KWAAINET_MAKE_GGUF, then ../shared/bench/make-gguf.py
#   --budget    seconds that 'run' may take (default 570); what finds no time is named in the table
#
# OUT, when set, is a folder that gets gpu.json and gpu.md. KWAAINET_GPU_WORK is where models are made (17 GB at a time; default: the
# roomiest of /dev/shm and the temporary folder). docs/gpu.md says more.
set -euo pipefail
cd "$(dirname "$0")/../.."
pack=artifacts/gpu/pack.tar.gz
most=$((64 * 1024 * 1024))

build=1 run=1 dry= generator=${KWAAINET_MAKE_GGUF:-../shared/bench/make-gguf.py} budget=570
while [ $# -gt 0 ]; do
  case $1 in
    build) run= ;;
    run) build= ;;
    --dry-run) dry=--dry-run ;;
    --make-gguf) generator=${2:?--make-gguf needs a path}; shift ;;
    --budget) budget=${2:?--budget needs seconds}; shift ;;
    -h | --help) sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
    *) echo "measure.sh: what is '$1'? --help says what there is." >&2; exit 2 ;;
  esac
  shift
done

if [ -n "$build" ]; then
  [ -f "$generator" ] || { echo "measure.sh: there is no model generator at $generator; give its path with --make-gguf." >&2; exit 2; }
  folder=artifacts/gpu/pack
  rm -rf "$folder" "$pack"
  mkdir -p "$folder"
  # The analyzer's warnings would be errors, and about code that this command never reaches.
  dotnet publish KwaaiNet.Cli -c Release -r linux-x64 --self-contained -p:PublishTrimmed=true -p:EnableTrimAnalyzer=false \
    -p:GenerateDocumentationFile=false -p:EnforceCodeStyleInBuild=false -o "$folder/kwaainet" -v q
  # Debuggers' libraries and documentation stay here.
  rm -f "$folder"/kwaainet/{*.xml,*.pdb,createdump,libmscordaccore.so,libmscordbi.so,libclrgcexp.so,libcoreclrtraceptprovider.so}
  cp tools/gpu/*.py tools/bench/*.py tools/gpu/stub/cuda.c "$folder"
  cp "$generator" "$folder/make-gguf.py"
  if [ -f models/kwaai-demo.gguf ]; then cp models/kwaai-demo.gguf "$folder"; fi
  python3 - "$folder" "$pack" <<'PY'
import sys, tarfile
with tarfile.open(sys.argv[2], "w:gz", compresslevel=9) as pack:
    pack.add(sys.argv[1], "pack")
PY
  rm -rf "$folder"
  bytes=$(wc -c <"$pack")
  echo "$pack: $((bytes / 1024 / 1024)) MiB"
  [ "$bytes" -lt "$most" ] || { echo "measure.sh: that is more than 64 MiB, too much to carry." >&2; exit 1; }
fi

if [ -n "$run" ]; then
  [ -f "$pack" ] || { echo "measure.sh: there is no $pack; run 'tools/gpu/measure.sh build' on a machine with the .NET SDK first." >&2; exit 2; }
  unpacked=$(mktemp -d)
  trap 'rm -rf "$unpacked"' EXIT
  python3 - "$pack" "$unpacked" <<'PY'
import sys, tarfile
with tarfile.open(sys.argv[1]) as pack:
    if hasattr(tarfile, "data_filter"): pack.extractall(sys.argv[2], filter="data")
    else: pack.extractall(sys.argv[2])
PY
  chmod +x "$unpacked/pack/kwaainet/kwaainet"
  # A .NET that is installed must not be taken for the one that was packed.
  env -u DOTNET_ROOT PYTHONUNBUFFERED=1 python3 "$unpacked/pack/measure.py" --pack "$unpacked/pack" --budget "$budget" $dry
fi
