"""The messages of grpc.testing.TestService as bytes, without generated code: what the checks and the server need of them."""


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def fields(data):
    """Yields (field number, int or bytes) of a message that has varints and length-delimited fields only."""
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(data):
        tag = read()
        value = read()
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        yield tag >> 3, value


def payload(size):
    return message(1, b"") if size == 0 else message(1, message(2, bytes(size)))


def flag(field, value):
    return b"" if value is None else message(field, number(1, int(value)))


def status(code, text):
    return message(7, number(1, code) + message(2, text.encode()))


def simple_request(response_size=0, payload_size=0, response_compressed=None, expect_compressed=None):
    body = message(3, message(2, bytes(payload_size)))
    return number(2, response_size) + body + flag(6, response_compressed) + flag(8, expect_compressed)


def output_request(*parameters):
    """Parameters: (size, interval in us, compressed or None) each."""
    parts = (message(2, number(1, size) + number(2, pause) + flag(3, compressed)) for size, pause, compressed in parameters)
    return b"".join(parts)


def payload_size(response):
    """Length of the payload's body of a SimpleResponse, StreamingOutputCallResponse or StreamingInputCallRequest."""
    body = dict(fields(dict(fields(response)).get(1, b""))).get(2, b"")
    assert not any(body), "the payload is not zeros"
    return len(body)


def first(data, field, default):
    return dict(fields(data)).get(field, default)
