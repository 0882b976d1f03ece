#!/bin/sh
# Takes out of a production node_modules ($1) what an image does not run. $2 = none: no model runs in it, so ONNX
# Runtime goes; cpu, cuda: its files for other platforms go, which is most of the package.
set -eu
modules=$1 device=$2
runtime=$modules/onnxruntime-node
case $device in
none) rm -rf "$runtime" "$modules/onnxruntime-common" ;;
cpu | cuda)
  case $(uname -m) in
  x86_64) other=arm64 ;;
  aarch64) other=x64 ;;
  *) echo "prune: ONNX Runtime for Node has no files for $(uname -m)" >&2 && exit 1 ;;
  esac
  rm -rf "$runtime"/bin/napi-v6/darwin "$runtime"/bin/napi-v6/win32 "$runtime/bin/napi-v6/linux/$other"
  [ -e "$runtime"/bin/napi-v6/linux/*/onnxruntime_binding.node ] || { echo "prune: $runtime is not as expected" >&2 && exit 1; }
  ;;
*) echo "prune: unknown device $device" >&2 && exit 1 ;;
esac
# Types are of no use to a program that runs.
find "$modules" \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -type f -delete
rm -rf "$modules/@types" "$modules/@shoal/testing"
