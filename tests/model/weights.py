"""weights.py MODEL.onnx MODEL.npz: the weights, inputs and logits of a dump as text for tests/unit/test_parity.c.

A line per tensor: its kind (conv, bias, linear, gain, shift, mean, variance, x, logits), its number of values, the
values. Order and layout are those that QcGraph has: weights [out][kernel_h][kernel_w][in], windows
[n][height][width][channels]. Exit status 77: python3-onnx is missing.
"""
import sys

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
except ImportError:
    sys.exit(77)


def show(kind, values):
    values = np.asarray(values, dtype=np.float32).ravel()
    print(kind, values.size, *("%.9g" % v for v in values))


def channels_last(values):
    return np.moveaxis(values, 1, -1)


graph = onnx.load(sys.argv[1]).graph
weights = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
for node in graph.node:
    given = [weights.get(name) for name in node.input]
    if node.op_type == "Conv":
        show("conv", channels_last(given[1]))
        if len(given) > 2:
            show("bias", given[2])
    elif node.op_type == "Gemm":
        show("linear", given[1])
        show("bias", given[2])
    elif node.op_type == "BatchNormalization":
        for kind, values in zip(("gain", "shift", "mean", "variance"), given[1:]):
            show(kind, values)
dump = np.load(sys.argv[2])
show("x", channels_last(dump["x"]))
show("logits", dump["logits"])
