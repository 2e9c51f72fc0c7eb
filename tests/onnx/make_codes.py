"""make_codes.py CASE: writes a small QDQ model (case.onnx) and its windows (data.npz) to the current folder.

Prints the size of one output step. The cases are what other tools write and what qc-import once read wrong.
"""
import sys

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
except ImportError:
    sys.exit(77)
rng = np.random.default_rng(6)
nodes, weights = [], []
x = (rng.normal(size=(60, 3, 16)) + rng.normal(size=(60, 3, 1))).astype("f4")
np.savez("data.npz", x=x, y=np.arange(60) % 2)


def constant(value, kind="f4"):
    weights.append(numpy_helper.from_array(np.asarray(value, kind), f"k{len(weights)}"))
    return weights[-1].name


def add(op, *inputs, **attributes):
    nodes.append(helper.make_node(op, inputs, [f"v{len(nodes)}"], f"{op}_{len(nodes)}", **attributes))
    return nodes[-1].output[0]


def quantized(value, scale, zero, kind="u1"):
    s, z = constant(scale), constant(zero, kind)
    return add("DequantizeLinear", add("QuantizeLinear", value, s, z), s, z)


def layer(op, value, shape, **attributes):
    w = rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
    w -= w.mean() # logits on both sides of 0
    scale = np.float32(np.abs(w).max() / 127)
    if case == "weights of 9 bits" and op == "Conv":
        scale = np.float32(np.ptp(w) / 255)
        zero = np.round(-w.min() / scale)
        codes = add("DequantizeLinear", constant(np.clip(np.round(w / scale) + zero, 0, 255), "u1"), constant(scale),
                    constant(zero, "u1"))
    elif case == "weights of 16 bits" and op == "Gemm":
        codes = add("DequantizeLinear", constant(np.round(w / scale * 200), "i4"), constant(scale / 200))
    else:
        codes = add("DequantizeLinear", constant(np.round(w / scale), "i1"), constant(scale))
    return add(op, value, codes, **attributes)


case = sys.argv[1]
at = quantized("x", .03, 0, "i1")
if case == "operators on codes":
    at = add("QLinearConv", at, at, at, at, at, at, at, at)
at = layer("Conv", at, (8, 3, 3), pads=[1, 1])
if case == "codes before the ReLU":  # their range ends what goes on, which the ReLU's codes would not
    at = quantized(add("Relu", quantized(at, .005, 0, "i1")), .01, 0)
elif case == "a clip below the codes":
    at = quantized(add("Clip", at, constant(0), constant(1)), .01, 0)
elif case == "a clip at half a code":  # 1 is 127.49999 steps: a code below the last
    at = quantized(add("Clip", at, constant(-1), constant(1)), np.float32(2 / 255), 128)
elif case == "a clip between two codes":  # at 32.5 steps, which are rounded to 32
    at = quantized(add("Clip", at, constant(-65 / 128), constant(65 / 128)), 1 / 64, 128)
elif case == "no ReLU":  # quantizers leave it out, since unsigned codes end at 0
    at = quantized(at, .01, 0)
else:
    at = quantized(add("Relu", at), .01, 0)
at = quantized(add("Flatten", add("GlobalAveragePool", at)), .004, 0)
if case == "one probability":
    at = add("Reshape", add("Sigmoid", layer("Gemm", at, (1, 8), transB=1)), constant([-1, 1], "i8"))
    step = 1
else:
    alpha = {"alpha": 2.} if case == "alpha" else {}
    at, step = quantized(layer("Gemm", at, (4, 8), transB=1, **alpha), .02, 0, "i1"), .02
output = helper.make_tensor_value_info(at, TensorProto.FLOAT, None)
entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 16])
graph = helper.make_graph(nodes, "g", [entry], [output], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
model.ir_version = 8
save(model, "case.onnx")
print(step)
