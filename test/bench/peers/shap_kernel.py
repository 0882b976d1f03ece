"""The same explanations by Python's shap, which calls the same ONNX model in process. Started by the bench with a job as JSON on
standard input; writes a result as JSON. One thread, as Shoal's runner has."""

import json
import sys
import time

import numpy as np
import onnxruntime as ort
import shap

job = json.load(sys.stdin)
if job is None:
    # Only whether all that is needed is here.
    print("{}")
    sys.exit()
options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = ort.InferenceSession(job["file"], options)
rows = 0


def predict(x):
    global rows
    rows += len(x)
    return session.run([job["output"]], {job["input"]: np.asarray(x, np.float32)})[0][:, 0]


row = np.array([job["row"]], np.float32)
background = np.array(job["background"], np.float32).reshape(-1, row.shape[1])
np.random.seed(job["seed"])
explainer = shap.KernelExplainer(predict, background)
how = {} if job["l1"] else {"l1_reg": 0}


def explain():
    return explainer.shap_values(row, nsamples=job["evaluations"], silent=True, **how)[0]


end = time.perf_counter() + job["warmupSeconds"]
explain()
while time.perf_counter() < end:
    explain()
rows = 0
count = 0
began = time.perf_counter()
cpu = time.process_time()
while count == 0 or time.perf_counter() - began < job["seconds"]:
    values = explain()
    count += 1
elapsed = time.perf_counter() - began
print(
    json.dumps(
        {
            "milliseconds": 1000 * elapsed / count,
            "cpuMs": 1000 * (time.process_time() - cpu) / count,
            "rows": rows / count,
            "values": [float(value) for value in values],
        }
    )
)
