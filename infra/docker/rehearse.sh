#!/usr/bin/env bash
# Runs what an image would hold, without Docker: production dependencies and the built program under a read-only root,
# as user 1000, without capabilities. Needs root, Linux and `npm run build`.
#   infra/docker/rehearse.sh none router --help
#   infra/docker/rehearse.sh cpu serve --grpc-port 18001
# First argument as prune.sh's second: whether ONNX Runtime is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
device=$1
shift
image=$(mktemp -d /tmp/shoal-image.XXXXXX)
trap 'rm -rf --one-file-system "$image"' EXIT
chmod 755 "$image"
mkdir "$image/shoal"
cp --parents package.json package-lock.json .npmrc libs/*/package.json services/*/package.json "$image/shoal/"
(cd "$image/shoal" && npm ci --omit=dev --no-progress --silent)
infra/docker/prune.sh "$image/shoal/node_modules" "$device"
infra/docker/collect.sh "$image/shoal"
echo "rehearse: $(du -sm "$image/shoal" | cut -f1) MB" >&2

# Everything is mounted in a namespace of its own and gone with it.
unshare --mount --pid --fork --kill-child bash -euc '
  image=$1 && shift
  mount --bind "$image" "$image"
  cd "$image"
  mkdir -p proc dev tmp
  for folder in usr bin lib lib64; do
    if [ -e "/$folder" ]; then mkdir -p "$folder" && mount --rbind -o ro "/$folder" "$folder"; fi
  done
  mount -t proc proc proc
  mount --rbind /dev dev
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount -o remount,bind,ro "$image"
  exec chroot "$image" /usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups --bounding-set=-all --no-new-privs \
    "$(command -v node)" /shoal/services/standalone/dist/cli.js "$@"
' rehearse "$image" "$@"
