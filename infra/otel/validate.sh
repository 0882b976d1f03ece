#!/usr/bin/env bash
# Has a real collector check collector.yaml. It is $OTELCOL, or built here once with Go (about four minutes) into .tools/otelcol.
# infra/otel/validated holds the checksum of what passed last, so that CI builds a collector only when the file has changed.
#   infra/otel/validate.sh            checks, and writes down what passed
#   infra/otel/validate.sh --changed  does nothing where the file is as it was
set -euo pipefail
cd "$(dirname "$0")/../.."
builder=go.opentelemetry.io/collector/cmd/builder@v0.165.0
files=(infra/otel/collector.yaml infra/otel/builder.yaml)
record=infra/otel/validated

if [ "${1:-}" = --changed ] && sha256sum --check --status "$record" 2>/dev/null; then
  echo "infra/otel/collector.yaml is as it was when a collector checked it"
  exit
fi
collector=${OTELCOL:-.tools/otelcol/otelcol}
if [ ! -x "$collector" ]; then
  timeout 300 env GOBIN="$PWD/.tools/otelcol" go install "$builder"
  timeout 900 .tools/otelcol/builder --config infra/otel/builder.yaml
  collector=.tools/otelcol/otelcol
fi
"$collector" validate --config infra/otel/collector.yaml
sha256sum "${files[@]}" >"$record"
