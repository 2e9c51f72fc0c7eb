"""windows.py MODEL.onnx LAYOUT DATA.npz WINDOWS.bin SHAPE: twenty random windows of a model's shape.

DATA.npz is for qc-import. WINDOWS.bin is for run.js: raw float32 in the model's layout (c: channels first, l: last),
its dimensions in SHAPE.
"""
import sys

import numpy as np
import onnx

model, layout, data, windows, shape = sys.argv[1:6]
dims = [d.dim_value for d in onnx.load(model).graph.input[0].type.tensor_type.shape.dim][1:]
x = np.random.default_rng(5).normal(size=(20, *dims)).astype("<f4")
x.tofile(windows)
with open(shape, "w") as f:
    f.write(",".join(map(str, x.shape)))
np.savez(data, x=np.moveaxis(x, -1, 1) if layout == "l" else x, y=np.arange(20) % 3)
