#!/bin/sh
# Copies from a built checkout what a service needs at run time besides node_modules. $1 = an empty or missing folder.
set -eu
cd "$(dirname "$0")/../.."
target=$1
mkdir -p "$target"
cp --parents -r package.json LICENSE proto models libs/*/package.json services/*/package.json \
  libs/*/dist services/*/dist "$target/"
# Types, maps, the compiler's notes and what only tests use.
find "$target" \( -name '*.d.ts' -o -name '*.map' -o -name '.tsbuildinfo' -o -name '*.fixture.js' \) -type f -delete
rm -rf "$target/libs/testing"
