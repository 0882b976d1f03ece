#!/usr/bin/env python3
"""Trains and writes the demo models of this folder, and their reference answers for the tests.

    python3 -m venv .tools/models
    .tools/models/bin/pip install scikit-learn==1.7.2 numpy==2.4.6 onnx==1.19.1 onnxruntime==1.23.2
    .tools/models/bin/python models/make-models.py

Everything is seeded, so a second run on the same kind of machine writes the same bytes. The data sets ship with scikit-learn: its digits are the
test part of UCI's "Optical Recognition of Handwritten Digits", its breast cancer data UCI's "Breast Cancer Wisconsin
(Diagnostic)", both CC BY 4.0.
"""

import base64
import json
import os
from pathlib import Path

# Sums come out the same only when they are always cut into the same parts.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

MODELS = Path(__file__).resolve().parent
REFERENCES = MODELS.parent / "test" / "fixtures" / "demo"
DATATYPES = {np.dtype("float32"): "FP32", np.dtype("int64"): "INT64", np.dtype("int32"): "INT32"}


def save(name, graph, config, labels=None):
    """Writes one model folder and returns the model file's path."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="shoal")
    onnx.checker.check_model(model, full_check=True)
    folder = MODELS / name
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "1" / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    (folder / "config.pbtxt").write_text(config.lstrip())
    if labels:
        (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    return folder / "1" / "model.onnx"


def tensor(name, array):
    return {
        "name": name,
        "datatype": DATATYPES[array.dtype],
        "shape": list(array.shape),
        "raw": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode(),
    }


def reference(name, path, cases, atol, rtol):
    """Writes what ONNX Runtime answers; each case must equal its rows run one by one."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    written = []
    for title, feeds in cases.items():
        answer = session.run(outputs, feeds)
        for row in range(len(answer[0])):
            alone = session.run(outputs, {key: value[row : row + 1] for key, value in feeds.items()})
            for whole, single in zip(answer, alone):
                assert np.allclose(whole[row : row + 1], single, atol=atol, rtol=rtol), (name, title, row)
        written.append(
            {
                "name": title,
                "inputs": [tensor(key, value) for key, value in feeds.items()],
                "outputs": [tensor(key, value) for key, value in zip(outputs, answer)],
            }
        )
    REFERENCES.mkdir(parents=True, exist_ok=True)
    document = {
        "model": name,
        "tool": f"onnxruntime {onnxruntime.__version__} (Python, CPU)",
        "tolerance": {"atol": atol, "rtol": rtol},
        "cases": written,
    }
    (REFERENCES / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def weights(name, array):
    return numpy_helper.from_array(np.asarray(array, dtype=np.float32), name)


def make_digits():
    """A two-layer perceptron that reads 8x8 grey-scale digits, pixels 0 … 16."""
    pixels, digits = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels.astype(np.float32), digits, test_size=0.25, random_state=0, stratify=digits
    )
    net = MLPClassifier((64,), alpha=0.05, max_iter=1000, random_state=0).fit(train_x / 16, train_y)
    accuracy = net.score(test_x / 16, test_y)
    print(f"digits: {accuracy:.1%} of {len(test_y)} unseen digits are read correctly")
    assert accuracy >= 0.97
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], ["pixels"], axis=1),
            helper.make_node("Div", ["pixels", "scale"], ["scaled"]),
            helper.make_node("Gemm", ["scaled", "w0", "b0"], ["sum"]),
            helper.make_node("Relu", ["sum"], ["hidden"]),
            helper.make_node("Gemm", ["hidden", "w1", "b1"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10]),
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10]),
        ],
        [
            weights("scale", 16.0),
            *(weights(f"w{i}", w) for i, w in enumerate(net.coefs_)),
            *(weights(f"b{i}", b) for i, b in enumerate(net.intercepts_)),
        ],
    )
    config = """
name: "digits"
platform: "onnxruntime_onnx"
max_batch_size: 64
input [ { name: "image" data_type: TYPE_FP32 dims: [ 1, 8, 8 ] } ]
output [
  { name: "probabilities" data_type: TYPE_FP32 dims: [ 10 ] label_filename: "labels.txt" },
  { name: "logits" data_type: TYPE_FP32 dims: [ 10 ] }
]
dynamic_batching { }
"""
    path = save("digits", graph, config, [f"digit {digit}" for digit in range(10)])
    images = test_x.reshape(-1, 1, 8, 8)
    reference("digits", path, {"one": {"image": images[:1]}, "sixteen": {"image": images[:16]}}, 1e-5, 1e-4)


def float32_below(threshold):
    """The largest float32 not above `threshold`: x <= threshold then means the same for every float32 x."""
    rounded = np.float32(threshold)
    return rounded if rounded <= threshold else np.nextafter(rounded, np.float32(-np.inf))


def tree_nodes(trees, rate):
    """The attributes of ai.onnx.ml.TreeEnsembleRegressor for scikit-learn's regression trees."""
    a = {key: [] for key in (
        "nodes_treeids nodes_nodeids nodes_featureids nodes_values nodes_modes nodes_truenodeids nodes_falsenodeids "
        "target_treeids target_nodeids target_ids target_weights"
    ).split()}
    for number, tree in enumerate(trees):
        for node in range(tree.node_count):
            leaf = tree.children_left[node] == -1
            a["nodes_treeids"].append(number)
            a["nodes_nodeids"].append(node)
            a["nodes_featureids"].append(0 if leaf else int(tree.feature[node]))
            a["nodes_values"].append(0.0 if leaf else float(float32_below(tree.threshold[node])))
            a["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            a["nodes_truenodeids"].append(0 if leaf else int(tree.children_left[node]))
            a["nodes_falsenodeids"].append(0 if leaf else int(tree.children_right[node]))
            if leaf:
                a["target_treeids"].append(number)
                a["target_nodeids"].append(node)
                a["target_ids"].append(0)
                a["target_weights"].append(float(rate * tree.value[node][0][0]))
    return a


def make_breast_cancer():
    """Gradient-boosted trees: is a tumour benign, from 30 measurements of its cells' nuclei?"""
    data = load_breast_cancer()
    train_x, test_x, train_y, test_y = train_test_split(
        data.data.astype(np.float32), data.target, test_size=0.25, random_state=0, stratify=data.target
    )
    booster = GradientBoostingClassifier(n_estimators=60, max_depth=3, subsample=0.8, random_state=0)
    booster.fit(train_x, train_y)
    accuracy = booster.score(test_x, test_y)
    print(f"breast_cancer: {accuracy:.1%} of {len(test_y)} unseen cases are classified correctly")
    assert accuracy >= 0.93
    prior = float(np.log(train_y.mean() / (1 - train_y.mean())))
    trees = [stage[0].tree_ for stage in booster.estimators_]
    graph = helper.make_graph(
        [
            helper.make_node(
                "TreeEnsembleRegressor", ["measurements"], ["margin"], domain="ai.onnx.ml",
                n_targets=1, base_values=[prior], post_transform="NONE", **tree_nodes(trees, booster.learning_rate),
            ),
            helper.make_node("Sigmoid", ["margin"], ["benign"]),
            helper.make_node("Sub", ["one", "benign"], ["malignant"]),
            helper.make_node("Concat", ["malignant", "benign"], ["probabilities"], axis=1),
            helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=1),
        ],
        "breast_cancer",
        [helper.make_tensor_value_info("measurements", TensorProto.FLOAT, ["N", 30])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N", 1]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2]),
        ],
        [weights("one", 1.0)],
    )
    config = """
name: "breast_cancer"
platform: "onnxruntime_onnx"
max_batch_size: 64
input [ { name: "measurements" data_type: TYPE_FP32 dims: [ 30 ] } ]
output [
  { name: "label" data_type: TYPE_INT64 dims: [ 1 ] },
  { name: "probabilities" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "labels.txt" }
]
dynamic_batching { }
"""
    path = save("breast_cancer", graph, config, list(data.target_names))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    difference = np.abs(session.run(["probabilities"], {"measurements": test_x})[0] - booster.predict_proba(test_x)).max()
    print(f"breast_cancer: ONNX differs from scikit-learn by at most {difference:.1e}")
    assert difference < 1e-5
    cases = {"one": {"measurements": test_x[:1]}, "sixteen": {"measurements": test_x[:16]}}
    reference("breast_cancer", path, cases, 1e-5, 1e-4)


def make_simple():
    """Triton's first example: the sum and the difference of two vectors."""
    shape = ["N", 16]
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
            helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"]),
        ],
        "simple",
        [helper.make_tensor_value_info(f"INPUT{i}", TensorProto.INT32, shape) for i in (0, 1)],
        [helper.make_tensor_value_info(f"OUTPUT{i}", TensorProto.INT32, shape) for i in (0, 1)],
    )
    config = """
name: "simple"
platform: "onnxruntime_onnx"
max_batch_size: 8
input [
  { name: "INPUT0" data_type: TYPE_INT32 dims: [ 16 ] },
  { name: "INPUT1" data_type: TYPE_INT32 dims: [ 16 ] }
]
output [
  { name: "OUTPUT0" data_type: TYPE_INT32 dims: [ 16 ] },
  { name: "OUTPUT1" data_type: TYPE_INT32 dims: [ 16 ] }
]
"""
    path = save("simple", graph, config)
    count = np.arange(16, dtype=np.int32).reshape(1, 16)
    eight = np.arange(128, dtype=np.int32).reshape(8, 16)
    cases = {"one": {"INPUT0": count, "INPUT1": np.ones_like(count)}, "eight": {"INPUT0": eight, "INPUT1": 7 - eight}}
    reference("simple", path, cases, 0, 0)


if __name__ == "__main__":
    make_digits()
    make_breast_cancer()
    make_simple()
