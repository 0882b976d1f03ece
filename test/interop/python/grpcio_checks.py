"""gRPC's C core, through grpcio, against a server of grpc.testing.TestService.

usage: grpcio_checks.py ADDRESS CHECK | --list
"""

import asyncio
import sys
import threading

import grpc
import grpc.aio

from test_messages import first, message, number, output_request, payload_size, simple_request, status

SERVICE = "/grpc.testing.TestService/"
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"
TIMEOUT = 30


def unary(channel, request, **options):
    return channel.unary_unary(SERVICE + "UnaryCall")(request, timeout=TIMEOUT, **options)


def check_unary_sizes(channel):
    for size in (0, 1, 16384, 1 << 20, 4 << 20, 20_000_000):
        assert payload_size(unary(channel, simple_request(size, size))) == size, size


def check_streams(channel):
    sizes = [1, 0, 100_000, 7, 3_000_000, 5] * 10
    requests = (message(1, message(2, bytes(size))) for size in sizes)
    answer = channel.stream_unary(SERVICE + "StreamingInputCall")(requests, timeout=TIMEOUT)
    assert first(answer, 1, 0) == sum(sizes)
    request = output_request(*((size, 0, None) for size in sizes))
    answers = channel.unary_stream(SERVICE + "StreamingOutputCall")(request, timeout=TIMEOUT)
    assert [payload_size(answer) for answer in answers] == sizes


def check_bidi(channel):
    call = channel.stream_stream(SERVICE + "FullDuplexCall")
    one_by_one = threading.Semaphore(1)

    def requests():
        for size in range(500):
            one_by_one.acquire()
            yield output_request((size, 0, None))

    sizes = []
    for answer in call(requests(), timeout=TIMEOUT):
        sizes.append(payload_size(answer))
        one_by_one.release()
    assert sizes == list(range(500))
    # All at once, both directions full.
    many = call((output_request((100_000, 0, None)) for _ in range(200)), timeout=TIMEOUT)
    assert [payload_size(answer) for answer in many] == [100_000] * 200


def check_metadata(channel):
    sent = ((ECHO_INITIAL, "text" * 500), (ECHO_TRAILING, bytes(range(256))))
    _, call = channel.unary_unary(SERVICE + "UnaryCall").with_call(simple_request(), metadata=sent, timeout=TIMEOUT)
    assert dict(call.initial_metadata())[ECHO_INITIAL] == sent[0][1], call.initial_metadata()
    assert dict(call.trailing_metadata())[ECHO_TRAILING] == sent[1][1], call.trailing_metadata()


def check_status(channel):
    for code, text in ((2, "plain"), (5, "\t\nspecial ☺ 😈 100%\r\n"), (16, "")):
        try:
            unary(channel, status(code, text))
            raise AssertionError("it did not fail")
        except grpc.RpcError as error:
            assert (error.code().value[0], error.details()) == (code, text), error
    try:
        channel.unary_unary(SERVICE + "UnimplementedCall")(b"", timeout=TIMEOUT)
        raise AssertionError("it did not fail")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error


def check_deadline_and_cancel(channel):
    slow = output_request((1, 60_000_000, None))
    for _ in range(20):
        try:
            list(channel.unary_stream(SERVICE + "StreamingOutputCall")(slow, timeout=0.02))
            raise AssertionError("it did not fail")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
        call = channel.unary_stream(SERVICE + "StreamingOutputCall")(slow, timeout=TIMEOUT)
        call.cancel()
        assert call.code() == grpc.StatusCode.CANCELLED, call.code()
    assert payload_size(unary(channel, simple_request(3))) == 3


def check_concurrent(channel):
    call = channel.unary_unary(SERVICE + "UnaryCall")
    futures = [call.future(simple_request(i, i), timeout=TIMEOUT) for i in range(3000)]
    assert [payload_size(future.result()) for future in futures] == list(range(3000))


def check_aio(channel):
    async def talk(address):
        async with grpc.aio.insecure_channel(address, options=OPTIONS) as aio:
            call = aio.stream_stream(SERVICE + "FullDuplexCall")(timeout=TIMEOUT)
            for size in (5, 0, 70_000):
                await call.write(output_request((size, 0, None)))
                assert payload_size(await call.read()) == size
            await call.done_writing()
            assert await call.read() is grpc.aio.EOF
            asked = (aio.unary_unary(SERVICE + "UnaryCall")(simple_request(i), timeout=TIMEOUT) for i in range(200))
            assert [payload_size(answer) for answer in await asyncio.gather(*asked)] == list(range(200))

    asyncio.run(talk(sys.argv[1]))


def check_compression(channel):
    for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        for size in (1000, 100_000, 10_000_000):
            request = simple_request(size, size, response_compressed=True, expect_compressed=True)
            assert payload_size(unary(channel, request, compression=compression)) == size
        requests = [output_request((50_000, 0, i % 2 == 0)) for i in range(20)]
        call = channel.stream_stream(SERVICE + "FullDuplexCall")
        answers = call(iter(requests), timeout=TIMEOUT, compression=compression)
        assert [payload_size(answer) for answer in answers] == [50_000] * 20
    try:
        unary(channel, simple_request(1, 1, expect_compressed=True))
        raise AssertionError("it did not fail")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error


CHECKS = {name.removeprefix("check_"): check for name, check in globals().items() if name.startswith("check_")}


def main():
    if sys.argv[1] == "--list":
        print("\n".join(CHECKS))
        return
    address, check = sys.argv[1:]
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        CHECKS[check](channel)
    print(f"PASS {check}")


if __name__ == "__main__":
    main()
