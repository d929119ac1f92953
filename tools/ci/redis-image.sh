#!/usr/bin/env bash
# A Redis image made of the redis-server that this system has, for machines with a container engine and no image registry.
# usage: redis-image.sh TAG ...     (needs redis-server and a running Docker engine)
# In the image: redis-server, a shell (Aspire starts Redis through one), what the tests' waiting needs, and the libraries of all of them.
set -euo pipefail
command -v redis-server >/dev/null || { echo "There is no redis-server here to make an image of."; exit 1; }
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/data" "$tree/tmp" "$tree/etc"
chmod 1777 "$tree/tmp" "$tree/data"
copy() { mkdir -p "$tree/$(dirname "$1")" && cp -L "$1" "$tree/$1"; }
for name in redis-server redis-cli sh bash grep cat; do
  program=$(command -v "$name") || continue
  copy "$program"
  # ldd names each library by its path, behind the arrow or alone.
  for library in $(ldd "$program" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }'); do copy "$library"; done
done
# Whoever execs into the container may name the shell by either path.
for shell in sh bash; do [ -e "$tree/bin/$shell" ] || [ ! -e "$tree/usr/bin/$shell" ] || copy "/bin/$shell"; done
tar -C "$tree" -c . | docker import --change 'WORKDIR /data' --change 'EXPOSE 6379' --change 'CMD ["redis-server", "--protected-mode", "no"]' - "$1" >/dev/null
for tag in "${@:2}"; do docker tag "$1" "$tag"; done
