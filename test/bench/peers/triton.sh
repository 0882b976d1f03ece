#!/bin/sh
# Starts the Triton that `pip install nvidia-pytriton onnxruntime` brings (its Python backend only) on the bench models.
# Usage: triton.sh VENV PORT, with BENCH_MODELS naming the folder with the models, as `npm run bench -- peers --start` sets it.
set -eu
venv=$1
port=$2
here=$(cd "$(dirname "$0")" && pwd)
site=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
version=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
triton=$site/pytriton/tritonserver
repository=$(mktemp -d)
trap 'rm -rf "$repository"' EXIT

# The same models under the same names: those with next to no arithmetic in NumPy, the others in ONNX Runtime.
for folder in "$BENCH_MODELS"/*/; do
  model=$(basename "$folder")
  mkdir -p "$repository/$model/1"
  cp "$here/triton_model.py" "$repository/$model/1/model.py"
  sed 's/^platform: .*/backend: "python"/' "$folder/config.pbtxt" > "$repository/$model/config.pbtxt"
done

cp "$triton/python_backend_stubs/$version/triton_python_backend_stub" "$triton/backends/python/"
PATH=$venv/bin:$PATH
LD_LIBRARY_PATH=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))'):${LD_LIBRARY_PATH:-}
export PATH LD_LIBRARY_PATH
"$triton/bin/tritonserver" --model-repository="$repository" --backend-directory="$triton/backends" \
  --grpc-address=127.0.0.1 --grpc-port="$port" --allow-http=false --allow-metrics=false --log-info=false >&2 &
server=$!
trap 'kill "$server"; wait "$server"; rm -rf "$repository"' TERM INT
wait "$server"
