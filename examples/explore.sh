#!/usr/bin/env bash
# Looks around with grpcurl, which needs no .proto files: the server describes itself. Usage: explore.sh [HOST:PORT]
set -euo pipefail
server=${1:-127.0.0.1:8001}
grpcurl -plaintext "$server" list
grpcurl -plaintext "$server" inference.GRPCInferenceService/ServerMetadata
grpcurl -plaintext "$server" inference.GRPCInferenceService/RepositoryIndex
grpcurl -plaintext -d '{"name":"digits"}' "$server" inference.GRPCInferenceService/ModelMetadata
grpcurl -plaintext "$server" grpc.health.v1.Health/Check
