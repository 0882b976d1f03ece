"""grpc.testing.TestService on gRPC's C core, through grpcio; prints its port and ends with its stdin."""

import sys
import time
from concurrent import futures

import grpc

from test_messages import fields, first, message, number, payload, payload_size

ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"


def echo_metadata(context):
    metadata = dict(context.invocation_metadata())
    if ECHO_INITIAL in metadata:
        context.send_initial_metadata(((ECHO_INITIAL, metadata[ECHO_INITIAL]),))
    if ECHO_TRAILING in metadata:
        context.set_trailing_metadata(((ECHO_TRAILING, metadata[ECHO_TRAILING]),))


def fail(request, context):
    status = first(request, 7, b"")
    if code := first(status, 1, 0):
        known = next(known for known in grpc.StatusCode if known.value[0] == code)
        context.abort(known, first(status, 2, b"").decode())


def is_set(flag):
    return first(flag, 1, 0) == 1


def unary(request, context):
    # Before the headers go.
    if is_set(first(request, 6, b"")):
        context.set_compression(grpc.Compression.Gzip)
    echo_metadata(context)
    fail(request, context)
    return payload(first(request, 2, 0))


def answers(request, context):
    for field, parameters in fields(request):
        if field != 2:
            continue
        time.sleep(first(parameters, 2, 0) / 1e6)
        if not is_set(first(parameters, 3, b"")):
            context.disable_next_message_compression()
        yield payload(first(parameters, 1, 0))


def output(request, context):
    context.set_compression(grpc.Compression.Gzip)
    yield from answers(request, context)


def aggregate(requests, context):
    return number(1, sum(payload_size(request) for request in requests))


def duplex(requests, context):
    echo_metadata(context)
    for request in requests:
        fail(request, context)
        yield from answers(request, context)


def main():
    handlers = {
        "EmptyCall": grpc.unary_unary_rpc_method_handler(lambda request, context: b""),
        "UnaryCall": grpc.unary_unary_rpc_method_handler(unary),
        "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(output),
        "StreamingInputCall": grpc.stream_unary_rpc_method_handler(aggregate),
        "FullDuplexCall": grpc.stream_stream_rpc_method_handler(duplex),
    }
    server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.testing.TestService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0)


if __name__ == "__main__":
    main()
