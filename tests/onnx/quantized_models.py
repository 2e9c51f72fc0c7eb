"""quantized_models.py FOLDER: QDQ models of other tools, and ONNX Runtime's logits, for test_onnxquantized.c.

A case is NAME.onnx, NAME.x (windows [40][3][16], float32), NAME.y (logits) and a line
"NAME STEP channels height width" in FOLDER/quantized: STEP is the scale that a quantizer would give the logits, which
are not rounded. Exit status 77: python3-onnx or onnxruntime-node is missing.
"""
import os
import subprocess
import sys

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
except ImportError:
    sys.exit(77)
folder, here, n = sys.argv[1], os.path.dirname(os.path.abspath(__file__)), 40


class Net:
    def __init__(self, name, opset=13):
        self.name, self.opset, self.nodes, self.weights = name, opset, [], []
        self.rng = np.random.default_rng(len(name))
        self.x = (self.rng.normal(size=(n, 3, 16)) + self.rng.normal(size=(n, 3, 1))).astype("<f4")

    def constant(self, value, kind="f4"):
        self.weights.append(numpy_helper.from_array(np.asarray(value, kind), "k%d" % len(self.weights)))
        return self.weights[-1].name

    def add(self, op, *inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, ["v%d" % len(self.nodes)], "%s_%d" % (op, len(self.nodes)),
                                           **attributes))
        return self.nodes[-1].output[0]

    def q(self, value, scale, zero=0, kind="i1"):
        s, z = self.constant(scale), self.constant(zero, kind)
        return self.add("DequantizeLinear", self.add("QuantizeLinear", value, s, z), s, z)

    def codes(self, w, zero=None, kind="i1", axis=None):
        """Weights as codes; with a zero point of (the first channel's) `zero`, the whole range of the type."""
        low, high = (-128, 127) if kind == "i1" else (0, 255)
        over = tuple(k for k in range(w.ndim) if k != axis)
        if zero is None:
            scale, zero = np.abs(w).max(over) / 127, np.zeros(w.shape[axis] if axis is not None else ())
        else:
            zero = np.clip(zero + np.arange(w.shape[axis]) * 9 % 60, low, high) if axis is not None else np.array(zero)
            room = np.maximum(zero - low, 1), np.maximum(high - zero, 1)
            scale = np.maximum(np.maximum(-w.min(over), 0) / room[0], w.max(over) / room[1])
        shape = [-1 if k == axis else 1 for k in range(w.ndim)]
        q = np.clip(np.round(w / scale.reshape(shape)) + zero.reshape(shape), low, high)
        more = {"axis": axis} if axis is not None else {}
        return self.add("DequantizeLinear", self.constant(q, kind), self.constant(scale), self.constant(zero, kind),
                        **more)

    def layer(self, op, value, shape, real=False, positive=False, coded={}, **attributes):
        w = self.rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        w -= w.mean()  # logits on both sides of 0
        w = np.abs(w) if positive else w
        scale = np.float32(np.abs(w).max() / 127)
        codes = self.q(self.constant(w), scale) if real else self.codes(w, **coded)
        return self.add(op, value, codes, **attributes)

    def conv(self, value, channels_in=3, channels=8, **how):
        return self.layer("Conv", value, (channels, channels_in, 3), pads=[1, 1], **how)

    def finish(self, at, scale=0.012, **how):
        at = self.q(self.add("Flatten", self.add("GlobalAveragePool", at)), scale)
        at = self.layer("Gemm", at, (4, 8), transB=1, **how)  # logits that are not rounded
        ends = [helper.make_tensor_value_info(*v) for v in (("x", TensorProto.FLOAT, ["n", 3, 16]),
                                                            (at, TensorProto.FLOAT, None))]
        graph = helper.make_graph(self.nodes, "g", ends[:1], ends[1:], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        if self.opset > 20:
            model.ir_version = 10
        path = os.path.join(folder, self.name)
        save(model, path + ".onnx")
        self.x.tofile(path + ".x")
        jobs.extend([path + ".onnx", path + ".x", "%d,3,16" % n, path + ".y"])
        cases.append("%s 0.02 3 1 16" % self.name)


cases, jobs = [], []
pads = [0, 0, 1, 0, 0, 1]


def case(name, opset=13):
    net = Net(name, opset)
    return net, net.q("x", 0.03)


m, x = case("weights-quantized-in-the-file")
m.finish(m.q(m.add("Relu", m.conv(x, real=True)), 0.01, 0, "u1"))
m, x = case("with-and-without-relu")
y = m.conv(x)
m.finish(m.q(m.add("Add", m.q(y, 0.02), m.q(m.add("Relu", y), 0.011, 0, "u1")), 0.025, 3))
m, x = case("two-scales-of-one-value")
y = m.conv(x)
m.finish(m.q(m.add("Add", m.q(y, 0.02), m.q(y, 0.013, -20)), 0.025, 3))
m, x = case("sum-with-and-without-relu")
y = m.add("Add", m.q(m.conv(x), 0.0203), m.q(m.conv(x), 0.0307, 5))
m.finish(m.q(m.add("Add", m.q(y, 0.0307), m.q(m.add("Relu", y), 0.0171, 0, "u1")), 0.0413, 3))
m, x = case("sum-over-time")
y = m.q(m.add("Relu", m.conv(x)), 0.01, 0, "u1")
y = m.q(m.add("ReduceSum", y, m.constant([2], "i8"), keepdims=1), 0.1137, 0, "u1")
m.finish(m.q(m.add("Mul", y, m.constant(1 / 16)), 0.0063, 0, "u1"), 0.0063)
m, x = case("scaled-codes")
m.finish(m.q(m.add("Mul", m.q(m.conv(x), 0.02), m.constant(0.7)), 0.013))
m, x = case("shifted-by-channel")
m.finish(m.q(m.add("Add", m.q(m.conv(x), 0.02), m.q(m.constant(m.rng.normal(size=(1, 8, 1))), 0.02)), 0.03))
m, x = case("scaled-before-rounding")
m.finish(m.q(m.add("Mul", m.conv(x), m.constant(0.7)), 0.013))
m, x = case("norm-of-codes")
m.finish(m.q(m.add("BatchNormalization", m.q(m.conv(x), 0.02), *[m.constant(m.rng.uniform(0.5, 1.5, 8))
                                                               for _ in range(4)]), 0.03))
m, x = case("pool-before-rounding")
m.finish(m.q(m.add("MaxPool", m.add("Relu", m.conv(x)), kernel_shape=[2], strides=[2]), 0.01, 0, "u1"))
m, x = case("pad-before-sum")
y = m.add("Pad", m.q(m.conv(x), 0.02), m.constant(pads, "i8"))
m.finish(m.q(m.add("Add", y, m.q(m.conv(y, 8), 0.03)), 0.03))
m, x = case("pad-before-rounding")
m.finish(m.q(m.add("Pad", m.add("Relu", m.conv(x)), m.constant(pads, "i8")), 0.01, 0, "u1"))
m, x = case("gate")
y = m.q(m.conv(x), 0.02)
m.finish(m.q(m.add("Mul", y, m.q(m.add("Sigmoid", y), 1 / 256, -128)), 0.015, -110))
m, x = case("no-zero-point", 21)
s = m.constant(0.02)
m.finish(m.add("DequantizeLinear", m.add("QuantizeLinear", m.conv(x), s, output_dtype=int(TensorProto.INT8)), s))
m, x = case("limits-of-the-codes")
m.finish(m.q(m.add("Clip", m.conv(x), m.constant(-1), m.constant(1)), 2.003 / 255))
m, x = case("turned")
m.finish(m.add("Transpose", m.q(m.add("Transpose", m.conv(x), perm=[0, 2, 1]), 0.02), perm=[0, 2, 1]))
m, x = case("concat")
m.finish(m.q(m.add("Concat", m.q(m.conv(x, 3, 4), 0.02), m.q(m.add("Relu", m.conv(x, 3, 4)), 0.0137, -128), axis=1),
             0.02))
m, x = case("pad-before-average")  # a window of zeros alone
y = m.q(m.add("Pad", m.q(m.conv(x), 0.0203), m.constant([0, 0, 2, 0, 0, 1], "i8")), 0.0203)
m.finish(m.q(m.add("AveragePool", y, kernel_shape=[2], strides=[2]), 0.0171))
m, x = case("shift-of-padded-codes")
y = m.q(m.add("Pad", m.q(m.conv(x), 0.0203), m.constant(pads, "i8")), 0.0203)
m.finish(m.q(m.add("Sub", y, m.constant(m.rng.normal(size=(1, 8, 1)))), 0.0271, 3))
m, x = case("function-of-padded-codes")
y = m.q(m.add("Pad", m.q(m.conv(x), 0.0203), m.constant(pads, "i8")), 0.0203)
y = m.add("Slice", y, m.constant([1], "i8"), m.constant([9], "i8"), m.constant([2], "i8"))
m.finish(m.q(m.add("HardSigmoid", y), 0.0039, 0, "u1"))
m, x = case("shift-by-one-number")
m.finish(m.q(m.add("Sub", m.q(m.conv(x), 0.0203), m.constant(0.3550775)), 0.0171, -20))
for name, coded in (("int8-zero", {"zero": 10}), ("int8-far-zero", {"zero": -127}),
                    ("uint8-middle", {"zero": 128, "kind": "u1"}), ("uint8-zero", {"zero": 117, "kind": "u1"}),
                    ("by-channel", {"zero": 100, "kind": "u1", "axis": 0})):
    m, x = case("weights-" + name)
    y = m.q(m.add("Relu", m.conv(x, coded=coded)), 0.01, 0, "u1")
    m.finish(m.q(m.layer("Conv", y, (8, 1, 3), group=8, pads=[1, 1], coded=coded), 0.02), coded=coded)
m, x = case("weights-above-zero")
y = m.q(m.conv(x, positive=True, coded={"zero": 0, "kind": "u1"}), 0.03)
y = m.layer("Conv", y, (8, 2, 3), group=4, pads=[1, 1], positive=True, coded={"zero": 0, "kind": "u1"})
m.finish(m.q(y, 0.03), 0.03)
m, x = case("difference")
m.finish(m.q(m.add("Sub", m.q(m.conv(x), 0.02, -20), m.q(m.add("Relu", m.conv(x)), 0.011, 0, "u1")), 0.025, 3))
m, x = case("difference-of-fewer-codes")
y = m.q(m.add("Clip", m.conv(x), m.constant(-0.07 * 5), m.constant(0.07 * 10)), 0.07, 5, "u1")
m.finish(m.q(m.add("Sub", m.q(m.conv(x), 0.02), m.add("MaxPool", y, kernel_shape=[1])), 0.025, 3))
m, x = case("raw-for-three")
y = m.conv(x)
a, b = m.q(m.add("Relu", y), 0.011, 0, "u1"), m.q(m.add("Sigmoid", m.q(y, 0.05)), 1 / 256, -128)
m.finish(m.q(m.add("Add", m.q(m.add("Add", m.q(y, 0.03), a), 0.03), b), 0.03, -10))
m, x = case("raw-sum-for-two")
y = m.add("Add", m.q(m.conv(x), 0.0203), m.q(m.conv(x), 0.0307))
m.finish(m.q(m.add("Add", m.q(y, 0.0709), m.q(m.add("Relu", y), 0.0053, 0, "u1")), 0.0413, 3))
with open(os.path.join(folder, "quantized"), "w") as f:
    f.write("\n".join(cases) + "\n")
sys.exit(subprocess.call(["node", os.path.join(here, "run.js"), *jobs]))
