"""Drives a running server with NVIDIA's own client: python tritonclient_checks.py HOST:PORT CHECK, or --list."""

import asyncio
import json
import queue
import sys
import threading
import uuid

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as aio
from tritonclient.utils import InferenceServerException

FIRST = np.arange(16, dtype=np.int32).reshape(1, 16)
SECOND = np.full((1, 16), 3, dtype=np.int32)


def tensor(name, array, datatype=None, make=grpc.InferInput):
    made = make(name, list(array.shape), datatype or grpc_type(array))
    made.set_data_from_numpy(array)
    return made


def grpc_type(array):
    from tritonclient.utils import np_to_triton_dtype

    return np_to_triton_dtype(array.dtype)


def simple(first=FIRST, second=SECOND):
    return [tensor("INPUT0", first), tensor("INPUT1", second)]


def check_simple(result, first=FIRST, second=SECOND):
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), first + second)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), first - second)


def refused(call, status, text):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == f"StatusCode.{status}", error.status()
        assert text in error.message(), error.message()
    else:
        raise AssertionError("it was not refused")


def health_and_metadata(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("simple") and not client.is_model_ready("nope")
    server = client.get_server_metadata()
    assert server.name == "triton"
    assert {"statistics", "classification", "model_configuration"} <= set(server.extensions)
    model = client.get_model_metadata("simple")
    assert [(i.name, i.datatype, list(i.shape)) for i in model.inputs] == [
        ("INPUT0", "INT32", [-1, 16]),
        ("INPUT1", "INT32", [-1, 16]),
    ]
    config = client.get_model_config("simple", as_json=True)["config"]
    assert config["max_batch_size"] == 8
    assert config["instance_group"][0]["kind"] == "KIND_CPU", config


def infer_sync(client):
    result = client.infer("simple", simple(), request_id="one")
    check_simple(result)
    assert result.get_response().id == "one"
    only = client.infer("simple", simple(), outputs=[grpc.InferRequestedOutput("OUTPUT1")])
    assert only.as_numpy("OUTPUT0") is None
    np.testing.assert_array_equal(only.as_numpy("OUTPUT1"), FIRST - SECOND)
    half = np.array([[1.5, -2.25, 65504.0, np.inf]], dtype=np.float16)
    np.testing.assert_array_equal(client.infer("identity_fp16", [tensor("INPUT0", half)]).as_numpy("OUTPUT0"), half)
    check_simple(client.infer("simple", simple(), compression_algorithm="gzip"))


def infer_async(client):
    answers = queue.Queue()
    for i in range(64):
        first = FIRST + i
        client.async_infer(
            "simple", simple(first), lambda result, error, first=first: answers.put((first, result, error))
        )
    for _ in range(64):
        first, result, error = answers.get(timeout=20)
        assert error is None, error
        check_simple(result, first)


def infer_aio(client):
    async def main():
        async with aio.InferenceServerClient(ADDRESS) as other:
            inputs = [
                [tensor("INPUT0", FIRST + i, make=aio.InferInput), tensor("INPUT1", SECOND, make=aio.InferInput)]
                for i in range(32)
            ]
            results = await asyncio.gather(*(other.infer("simple", each) for each in inputs))
            for i, result in enumerate(results):
                check_simple(result, FIRST + i)

    asyncio.run(main())


def infer_stream(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for i in range(50):
        client.async_stream_infer("simple", simple(FIRST + i), request_id=str(i))
    client.async_stream_infer("nope", simple(), request_id="unknown")
    client.async_stream_infer("simple", simple(), request_id="last", enable_empty_final_response=True)
    for i in range(50):
        result, error = answers.get(timeout=20)
        assert error is None, error
        assert result.get_response().id == str(i)
        check_simple(result, FIRST + i)
    _, error = answers.get(timeout=20)
    assert "Request for unknown model: 'nope' is not found" in error.message(), error
    result, error = answers.get(timeout=20)
    assert error is None and result.get_response().parameters["triton_final_response"].bool_param
    client.stop_stream()


def infer_strings(client):
    first = np.array([[str(i).encode() for i in range(16)]], dtype=np.object_)
    second = np.array([[b"7"] * 16], dtype=np.object_)
    result = client.infer("simple_string", simple(first, second))
    assert [int(x) for x in result.as_numpy("OUTPUT0")[0]] == [i + 7 for i in range(16)]
    words = np.array([["", "é中😀", "x" * 1000]], dtype=np.object_)
    back = client.infer("simple_identity", [tensor("INPUT0", words)]).as_numpy("OUTPUT0")
    assert [x.decode() for x in back[0]] == list(words[0])


def infer_classification(client):
    pixels = np.zeros((2, 64), dtype=np.float32)
    outputs = [grpc.InferRequestedOutput("probabilities", class_count=3)]
    classes = client.infer("digits_mlp", [tensor("pixels", pixels)], outputs=outputs).as_numpy("probabilities")
    assert classes.shape == (2, 3), classes.shape
    plain = client.infer("digits_mlp", [tensor("pixels", pixels)]).as_numpy("probabilities")
    score, index, label = classes[0][0].decode().split(":")
    assert int(index) == int(np.argmax(plain[0])) and label == index
    assert abs(float(score) - float(np.max(plain[0]))) < 1e-5


def infer_shared_memory(client):
    import tritonclient.utils.shared_memory as shm

    name = f"py_{uuid.uuid4().hex}"
    handle = shm.create_shared_memory_region(name, f"/{name}", 256)
    try:
        shm.set_shared_memory_region(handle, [FIRST, SECOND])
        client.register_system_shared_memory(name, f"/{name}", 256)
        assert name in client.get_system_shared_memory_status().regions
        inputs = [grpc.InferInput(f"INPUT{i}", [1, 16], "INT32") for i in range(2)]
        outputs = [grpc.InferRequestedOutput(f"OUTPUT{i}") for i in range(2)]
        for i in range(2):
            inputs[i].set_shared_memory(name, 64, offset=64 * i)
            outputs[i].set_shared_memory(name, 64, offset=128 + 64 * i)
        client.infer("simple", inputs, outputs=outputs)
        sums = shm.get_contents_as_numpy(handle, np.int32, [1, 16], offset=128)
        np.testing.assert_array_equal(sums, FIRST + SECOND)
        client.unregister_system_shared_memory(name)
        assert len(client.get_system_shared_memory_status().regions) == 0
    finally:
        shm.destroy_shared_memory_region(handle)
    refused(lambda: client.register_system_shared_memory("x", "/no_such_key", 64), "INTERNAL", "Unable to open")


def model_control(client):
    entry = lambda: next(m for m in client.get_model_repository_index().models if m.name == "lc_one")
    assert (entry().version, entry().state) == ("2", "READY")
    client.unload_model("lc_one")
    assert not client.is_model_ready("lc_one")
    assert (entry().state, entry().reason) == ("UNAVAILABLE", "unloaded")
    client.load_model("lc_one", config=json.dumps({"max_batch_size": "4"}))
    assert client.get_model_config("lc_one").config.max_batch_size == 4
    one = np.array([[40]], dtype=np.int32)
    assert client.infer("lc_one", [tensor("INPUT0", one)]).as_numpy("OUTPUT0")[0][0] == 42


def statistics(client):
    count = lambda: int(client.get_inference_statistics("simple").model_stats[0].inference_stats.success.count)
    before = count()
    for _ in range(5):
        client.infer("simple", simple())
    waited = threading.Event()
    for _ in range(100):
        if count() >= before + 5:
            break
        waited.wait(0.05)
    assert count() == before + 5, (before, count())
    assert len(client.get_inference_statistics().model_stats) >= 7


def settings(client):
    assert "trace_level" in client.get_trace_settings().settings
    assert client.get_log_settings().settings["log_info"].bool_param
    client.update_log_settings({"log_verbose_level": 1})
    assert client.get_log_settings().settings["log_verbose_level"].uint32_param == 1
    client.update_log_settings({"log_verbose_level": 0})


def errors(client):
    refused(lambda: client.infer("nope", simple()), "NOT_FOUND", "Request for unknown model: 'nope' is not found")
    refused(lambda: client.infer("simple", simple()[:1]), "INVALID_ARGUMENT", "expected 2 inputs but got 1 inputs")
    wide = np.zeros((9, 16), dtype=np.int32)
    refused(lambda: client.infer("simple", simple(wide, wide)), "INVALID_ARGUMENT", "batch-size must be <= 8")
    refused(lambda: client.get_model_metadata("nope"), "NOT_FOUND", "unknown model")
    refused(lambda: client.load_model("nope"), "INTERNAL", "failed to poll from model repository")
    refused(lambda: client.get_cuda_shared_memory_status("nope"), "NOT_FOUND", "Unable to find")


def deadline(client):
    rounds = [tensor("X", np.ones((1, 64), np.float32)), tensor("ITERATIONS", np.array([[10**8]], np.int64))]
    refused(lambda: client.infer("slow_loop", rounds, client_timeout=0.3), "DEADLINE_EXCEEDED", "")
    answers = queue.Queue()
    running = client.async_infer("slow_loop", rounds, lambda result, error: answers.put(error))
    running.cancel()
    assert "cancelled" in answers.get(timeout=10).message().lower()
    rounds[1] = tensor("ITERATIONS", np.array([[1]], np.int64))
    client.infer("slow_loop", rounds, client_timeout=20)


CHECKS = [
    health_and_metadata,
    infer_sync,
    infer_async,
    infer_aio,
    infer_stream,
    infer_strings,
    infer_classification,
    infer_shared_memory,
    model_control,
    statistics,
    settings,
    errors,
    deadline,
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print("\n".join(check.__name__ for check in CHECKS))
        sys.exit()
    ADDRESS, wanted = sys.argv[1:]
    with grpc.InferenceServerClient(ADDRESS) as server:
        next(check for check in CHECKS if check.__name__ == wanted)(server)
    print("PASS", wanted)
