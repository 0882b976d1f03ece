"""A bench model in Triton's Python backend: `simple` and `identity_fp32` in NumPy, the others in ONNX Runtime."""

import json
import os

import numpy
import triton_python_backend_utils as utils


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.name = config["name"]
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        if self.name in ("simple", "identity_fp32"):
            return
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = os.path.join(os.environ["BENCH_MODELS"], self.name, "1", "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(self, feeds):
        if self.name == "simple":
            a, b = feeds["INPUT0"], feeds["INPUT1"]
            return [a + b, a - b]
        if self.name == "identity_fp32":
            return [feeds["INPUT0"]]
        return self.session.run(self.outputs, feeds)

    def execute(self, requests):
        columns = {
            name: [utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
            for name in self.inputs
        }
        one = len(requests) == 1
        feeds = {name: column[0] if one else numpy.concatenate(column) for name, column in columns.items()}
        results = self.run(feeds)
        responses, start = [], 0
        for rows in (len(array) for array in columns[self.inputs[0]]):
            tensors = [
                utils.Tensor(name, result[start : start + rows]) for name, result in zip(self.outputs, results)
            ]
            responses.append(utils.InferenceResponse(tensors))
            start += rows
        return responses
