"""Reads a handwritten digit with the stock Triton client: pip install "tritonclient[grpc]", then python infer.py."""

import sys

import numpy as np
import tritonclient.grpc as triton

SEVEN = """
. . 2 13 16 15 4 .
. . 12 12 8 16 8 .
. . . . 2 16 5 .
. . 4 8 12 16 10 1
. . 11 16 16 13 9 1
. . 1 8 14 4 . .
. . . 13 11 . . .
. . 1 16 4 . . .
"""

client = triton.InferenceServerClient(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8001")
pixels = np.array(SEVEN.replace(".", "0").split(), dtype=np.float32).reshape(1, 1, 8, 8)
image = triton.InferInput("image", pixels.shape, "FP32")
image.set_data_from_numpy(pixels)
# class_count: the three likeliest classes as "score:index:label".
answer = client.infer("digits", [image], outputs=[triton.InferRequestedOutput("probabilities", class_count=3)])
for line in answer.as_numpy("probabilities")[0]:
    print(line.decode())
