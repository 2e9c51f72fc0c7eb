"""make_quantized.py ZERO: writes an int8 model (qdq.onnx) and windows (data.npz) to the current folder.

The model has QDQ nodes as ONNX Runtime's quantizer writes them: residual, concat, pools, weights by channel or by
tensor. ZERO: zero point of signed activations (0: symmetric). Exit status 77: python3-torch or python3-onnx is missing.
"""
import sys

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from onnx import TensorProto, helper, numpy_helper, save
except ImportError:
    sys.exit(77)
torch.manual_seed(4)
zero = int(sys.argv[1])
nodes, weights, values = [], {}, {}
x = torch.randn(60, 3, 20)
np.savez("data.npz", x=x.numpy(), y=np.arange(60) % 4)


def constant(name, array):
    weights[name] = np.asarray(array)
    return name


def add(op, inputs, name, **attributes):
    nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
    return name


def quantized(name, value, positive=False):
    """QuantizeLinear and DequantizeLinear of a value: unsigned codes of what is positive, else signed ones."""
    point = np.uint8(0) if positive else np.int8(zero)
    scale = np.float32(value.abs().max() / (255 if positive else 127 - abs(zero)))
    s, z = constant(name + ".s", scale), constant(name + ".z", point)
    low, high = (0, 255) if positive else (-128, 127)
    values[name + ".d"] = (torch.clamp(torch.round(value / scale) + int(point), low, high) - int(point)) * scale
    add("QuantizeLinear", [name, s, z], name + ".q")
    return add("DequantizeLinear", [name + ".q", s, z], name + ".d")


def codes(name, w, axis):
    top = w.abs().amax(tuple(k for k in range(w.dim()) if k != axis)) if axis is not None else w.abs().max()
    scale = (top / 127).numpy().astype(np.float32)
    shape = [-1 if k == axis else 1 for k in range(w.dim())]
    q = torch.round(w / torch.tensor(scale.reshape(shape) if axis is not None else scale))
    constant(name + ".c", q.numpy().astype(np.int8))
    constant(name + ".cs", scale)
    constant(name + ".cz", np.zeros(scale.shape, np.int8))
    add("DequantizeLinear", [name + ".c", name + ".cs", name + ".cz"], name,
        **({"axis": axis} if axis is not None else {}))
    return q * torch.tensor(scale.reshape(shape) if axis is not None else scale), scale


def biased(name, n, scale):
    q = torch.randint(-300, 300, (n,))
    scale = (scale * np.ones(n)).astype(np.float32)
    constant(name + ".c", q.numpy().astype(np.int32))
    constant(name + ".cs", scale)
    add("DequantizeLinear", [name + ".c", name + ".cs"], name, axis=0)
    return q * torch.tensor(scale)


def conv(name, at, out, axis, relu):
    v = values[at]
    w, s = codes(name + ".w", torch.randn(out, v.shape[1], 3) / 3, axis)
    b = biased(name + ".b", out, s * weights[at[:-2] + ".s"])
    add("Conv", [at, name + ".w", name + ".b"], name, pads=[1, 1])
    y = F.conv1d(v, w, b, padding=1)
    if relu:
        add("Relu", [name], name + "r")
        return quantized(name + "r", F.relu(y), True)
    return quantized(name, y)


x0 = quantized("x", x)
a = conv("a", x0, 6, 0, True)
b = conv("b", a, 6, None, False)
add("Add", [a, b], "sum")
s = quantized("sum", values[a] + values[b])
add("MaxPool", [s], "pool", kernel_shape=[2], strides=[2])
values["pool"] = F.max_pool1d(values[s], 2)
weights["pool.s"], weights["pool.z"] = weights["sum.s"], weights["sum.z"]
add("QuantizeLinear", ["pool", "pool.s", "pool.z"], "pool.q")
p = add("DequantizeLinear", ["pool.q", "pool.s", "pool.z"], "pool.d")
values[p] = values["pool"]
c, d = conv("c", p, 4, 0, True), conv("d", p, 3, 0, True)
add("Concat", [c, d], "join", axis=1)
j = quantized("join", torch.cat([values[c], values[d]], 1), True)
add("GlobalAveragePool", [j], "mean")
m = quantized("mean", values[j].mean(2, keepdim=True), True)
add("Flatten", [m], "row")
values["row"] = values[m].flatten(1)
w, scale = codes("fc.w", torch.randn(4, 7), None)
b = biased("fc.b", 4, scale * weights["mean.s"])
add("Gemm", ["row", "fc.w", "fc.b"], "last", transB=1)
quantized("last", F.linear(values["row"], w, b))
nodes[-1].output[0] = "logits"
info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"] + d) for n, d in (("x", [3, 20]), ("logits", [4]))]
graph = helper.make_graph(nodes, "net", info[:1], info[1:],
                          [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "qdq.onnx")
print("%.9g" % weights["last.s"])
