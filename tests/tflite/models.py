"""models.py FOLDER [NAME...]: writes test models of the layers of MLPerf Tiny and of small Keras CNNs.

A model is NAME.tflite with NAME.npz (x, y: windows as qc-import reads them) and NAME.expected.npy (NumPy's output
before a last SOFTMAX). NAME-int8 is quantized as TensorFlow's converter does it; NAME-middle has zero points in the
middle or at the end. Prints each name and the step of its logits (0: float). FOLDER/refused has models that must be
refused. Exit status 77: python3-numpy or python3-flatbuffers is missing.
"""
import os
import sys

try:
    import numpy as np
    from writer import Graph
except ImportError:
    sys.exit(77)
from reference import quantize, real, run

folder, wanted = sys.argv[1], sys.argv[2:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(5)


class Net(Graph):
    """Layers in the manner of Keras; each returns the tensor that it makes."""

    def __init__(self, shape):
        super().__init__()
        self.inputs = [self.tensor("serving_default_input:0", [1, *shape], open_batch=True)]
        self.count = 0

    def make(self, kind, inputs, shape, activation="", **options):
        self.count += 1
        out = self.tensor("model/layer_%d/%s;model/layer_%d/bias" % (self.count, kind, self.count), shape)
        if activation:
            options["activation"] = {"relu": 1, "relu6": 3}[activation]
        self.op(kind, inputs, [out], **options)
        return out

    def random(self, shape, fan):
        return self.constant("w%d" % len(self.tensors), (rng.normal(size=shape) * (2 / fan) ** 0.5).astype("f4"))

    def bias(self, n):
        return self.constant("b%d" % len(self.tensors), (rng.normal(size=n) * 0.2).astype("f4"))

    def shape(self, k):
        return self.tensors[k]["shape"]

    def window(self, x, kernel, stride, same, dilation=1):
        _, h, w, _ = self.shape(x)
        reach = [(k - 1) * dilation + 1 for k in kernel]
        return [-(-s // t) if same else (s - r) // t + 1 for s, r, t in zip((h, w), reach, stride)]

    def conv(self, x, out, kernel, stride=(1, 1), same=True, activation="relu", dilation=1, groups=1):
        size = self.window(x, kernel, stride, same, dilation)
        c = self.shape(x)[3] // groups
        w = self.random([out, *kernel, c], kernel[0] * kernel[1] * c)
        return self.make("CONV_2D", [x, w, self.bias(out)], [1, *size, out], activation, padding=0 if same else 1,
                         stride_h=stride[0], stride_w=stride[1], dilation_h=dilation, dilation_w=dilation)

    def depthwise(self, x, kernel, stride=(1, 1), same=True, activation="relu", multiplier=1):
        size = self.window(x, kernel, stride, same)
        out = self.shape(x)[3] * multiplier
        w = self.random([1, *kernel, out], kernel[0] * kernel[1])
        return self.make("DEPTHWISE_CONV_2D", [x, w, self.bias(out)], [1, *size, out], activation,
                         padding=0 if same else 1, stride_h=stride[0], stride_w=stride[1], multiplier=multiplier,
                         dilation_h=1, dilation_w=1)

    def pool(self, x, kind, kernel, stride, same=False):
        size = self.window(x, kernel, stride, same)
        return self.make(kind + "_POOL_2D", [x], [1, *size, self.shape(x)[3]], padding=0 if same else 1,
                         stride_h=stride[0], stride_w=stride[1], height=kernel[0], width=kernel[1])

    def dense(self, x, out, activation="", keep=False):
        c = self.shape(x)[-1]
        return self.make("FULLY_CONNECTED", [x, self.random([out, c], c), self.bias(out)],
                         [*self.shape(x)[:-1], out] if keep else [1, out], activation, **({"keep": 1} if keep else {}))

    def reshape(self, x, shape, kind="RESHAPE"):
        return self.make(kind, [x, self.constant("s%d" % len(self.tensors), np.array(shape, "i4"))], shape)

    def flat(self, x):
        return self.reshape(x, [1, int(np.prod(self.shape(x)))])

    def mean(self, x):
        return self.make("MEAN", [x, self.constant("axes%d" % len(self.tensors), np.array([1, 2], "i4"))],
                         [1, self.shape(x)[3]])

    def end(self, x, softmax=True):
        self.outputs = [self.make("SOFTMAX", [x], self.shape(x), beta=1.0) if softmax else x]
        return self


def kws(softmax):
    """Keyword spotting at the size of MLPerf Tiny: DS-CNN."""
    n = Net([49, 10, 1])
    x = n.conv(n.inputs[0], 64, (10, 4), (2, 2))
    for _ in range(4):
        x = n.conv(n.depthwise(x, (3, 3)), 64, (1, 1))
    return n.end(n.dense(n.flat(n.pool(x, "AVERAGE", (25, 5), (25, 5))), 12), softmax)


def ic(softmax):
    """Image classification at the size of MLPerf Tiny: ResNet8."""
    n = Net([32, 32, 3])
    x = n.conv(n.inputs[0], 16, (3, 3))
    for out in (16, 32, 64):
        step = (out // n.shape(x)[3],) * 2
        y = n.conv(n.conv(x, out, (3, 3), step), out, (3, 3), activation="")
        skip = n.conv(x, out, (1, 1), step, activation="") if step[0] > 1 else x
        x = n.make("ADD", [skip, y], n.shape(y), "relu")
    return n.end(n.dense(n.flat(n.pool(x, "AVERAGE", (8, 8), (8, 8))), 10), softmax)


def vww(softmax):
    """Visual wake words at the size of MLPerf Tiny: MobileNetV1, a quarter of its channels."""
    n = Net([96, 96, 3])
    x = n.conv(n.inputs[0], 8, (3, 3), (2, 2))
    for out, step in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)):
        x = n.conv(n.depthwise(x, (3, 3), (step, step)), out, (1, 1))
    return n.end(n.dense(n.flat(n.pool(x, "AVERAGE", (3, 3), (3, 3))), 2), softmax)


def ds_cnn(softmax):
    """Keyword spotting."""
    n = Net([49, 10, 1])
    x = n.conv(n.inputs[0], 16, (10, 4), (2, 2))
    for _ in range(2):
        x = n.conv(n.depthwise(x, (3, 3)), 16, (1, 1))
    return n.end(n.dense(n.flat(n.pool(x, "AVERAGE", (25, 5), (25, 5))), 12), softmax)


def resnet(softmax):
    """Image classification."""
    n = Net([16, 16, 3])
    x = n.conv(n.inputs[0], 8, (3, 3))
    for out in (8, 16):
        step = (out // 8,) * 2
        y = n.conv(n.conv(x, out, (3, 3), step), out, (3, 3), activation="")
        skip = n.conv(x, out, (1, 1), step, activation="") if out > 8 else x
        x = n.make("ADD", [skip, y], n.shape(y), "relu")
    return n.end(n.dense(n.flat(n.pool(x, "AVERAGE", (8, 8), (8, 8))), 10), softmax)


def mobilenet(softmax):
    """Visual wake words: padding by an operator of its own before a stride of 2."""
    n = Net([24, 24, 3])
    x = n.conv(n.inputs[0], 8, (3, 3), (2, 2), activation="relu6")
    x = n.conv(n.depthwise(x, (3, 3), activation="relu6"), 16, (1, 1), activation="relu6")
    pads = n.constant("pads", np.array([[0, 0], [0, 1], [0, 1], [0, 0]], "i4"))
    x = n.make("PAD", [x, pads], [1, 13, 13, 16])
    x = n.depthwise(x, (3, 3), (2, 2), same=False, activation="relu6")
    x = n.conv(x, 32, (1, 1), activation="relu6")
    return n.end(n.dense(n.mean(x), 2), softmax)


def series(softmax):
    """Keras' Conv1D, MaxPooling1D and Flatten of an open batch."""
    n = Net([50, 3])
    x = n.reshape(n.inputs[0], [1, 1, 50, 3], "EXPAND_DIMS")
    x = n.reshape(n.conv(x, 8, (1, 5), same=False), [1, 46, 8])
    x = n.pool(n.reshape(x, [1, 46, 1, 8], "EXPAND_DIMS"), "MAX", (2, 1), (2, 1))
    x = n.reshape(x, [1, 23, 8], "SQUEEZE")
    x = n.reshape(n.conv(n.reshape(x, [1, 1, 23, 8], "EXPAND_DIMS"), 8, (1, 3), dilation=2), [1, 23, 8], "SQUEEZE")
    shape = n.make("SHAPE", [x], [3])
    n.tensors[shape]["kind"] = "int32"
    packed = n.make("PACK", [shape], [2])
    n.tensors[packed]["kind"] = "int32"
    x = n.make("RESHAPE", [x, packed], [1, 184])
    return n.end(n.dense(n.dense(x, 20, "relu"), 6), softmax)


def branches(softmax):
    """Everything else that is supported."""
    n = Net([12, 9, 2])
    a = n.depthwise(n.inputs[0], (3, 3), activation="", multiplier=3)
    a = n.make("LEAKY_RELU", [a], n.shape(a), alpha=0.1)
    b = n.conv(n.inputs[0], 4, (3, 3), dilation=2, activation="")
    b = n.make("RELU6", [n.make("HARD_SWISH", [b], n.shape(b))], n.shape(b))
    x = n.make("CONCATENATION", [a, b], [1, 12, 9, 10], axis=-1)
    x = n.pool(x, "MAX", (3, 3), (2, 2), same=True)
    x = n.make("MUL", [x, n.constant("gain", rng.uniform(0.5, 1.5, 10).astype("f4"))], n.shape(x))
    x = n.make("ADD", [x, n.constant("shift", np.float32(0.25).reshape(1))], n.shape(x), "relu")
    x = n.make("AVERAGE_POOL_2D", [x], [1, 6, 5, 10], padding=0, stride_h=1, stride_w=1, height=2, width=3)
    gate = n.make("LOGISTIC", [n.dense(n.mean(x), 10)], [1, 10])
    x = n.make("MUL", [x, n.reshape(gate, [1, 1, 1, 10])], n.shape(x))
    x = n.dense(x, 7, "relu", keep=True)
    x = n.make("TRANSPOSE", [x, n.constant("order", np.array([0, 3, 2, 1], "i4"))], [1, 7, 5, 6])
    return n.end(n.dense(n.flat(x), 5), softmax)


def steps(softmax):
    """A ReLU and a padding as operators of their own, whose result is read twice; a padding before a maximum."""
    n = Net([10, 8, 3])
    x = n.conv(n.inputs[0], 6, (3, 3), activation="")
    x = n.make("RELU", [x], n.shape(x))
    pads = n.constant("pads", np.array([[0, 0], [1, 1], [0, 2], [0, 0]], "i4"))
    x = n.make("PAD", [x, pads], [1, 12, 10, 6])
    x = n.make("ADD", [x, n.depthwise(x, (3, 3), activation="")], n.shape(x))
    x = n.make("RELU6", [x], n.shape(x))
    x = n.pool(n.make("PAD", [x, pads], [1, 14, 12, 6]), "MAX", (2, 2), (2, 2))
    return n.end(n.dense(n.mean(x), 4), softmax)


def groups(softmax):
    """Keras' Conv2D(groups=3), whose weights have a third of the input's channels."""
    n = Net([9, 8, 6])
    x = n.conv(n.inputs[0], 12, (3, 3), groups=3)
    x = n.conv(x, 6, (3, 2), (2, 1), groups=2, activation="")
    return n.end(n.dense(n.mean(x), 4), softmax)


def sideways(softmax):
    """A reshape makes the steps of a series channels, which a convolution reads."""
    n = Net([1, 8, 3])
    x = n.reshape(n.conv(n.inputs[0], 1, (1, 3)), [1, 1, 1, 8])
    x = n.conv(x, 6, (1, 1))
    return n.end(n.dense(n.flat(x), 3), softmax)


def halves(softmax):
    """Weights of float16 behind DEQUANTIZE."""
    n = ds_cnn(softmax)
    for k in range(len(n.tensors)):
        t = n.tensors[k]
        if t["data"] is not None and t["kind"] == "float32":
            half = n.constant(t["name"] + "_half", t["data"].astype("f2"))
            t["data"] = None
            n.nodes.insert(0, ("DEQUANTIZE", [half], [k], {}))
    return n


def autoencoder(_):
    """Anomaly detection, at the size of MLPerf Tiny."""
    n = Net([640])
    x = n.inputs[0]
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = n.dense(x, width, "relu")
    return n.end(n.dense(x, 640), False)


def tiny(softmax):
    """Most operators at sizes that suit the seeds of the fuzz target (tests/fuzz/seeds/tflite)."""
    n = Net([6, 4, 2])
    pads = n.constant("pads", np.array([[0, 0], [1, 0], [0, 1], [0, 0]], "i4"))
    x = n.conv(n.make("PAD", [n.inputs[0], pads], [1, 7, 5, 2]), 2, (3, 3), (2, 2))
    y = n.make("ADD", [n.depthwise(x, (2, 2)), n.conv(x, 2, (1, 1), activation="")], n.shape(x), "relu")
    x = n.pool(n.make("CONCATENATION", [x, y], [1, *n.shape(x)[1:3], 4], axis=3), "MAX", (2, 1), (2, 1))
    return n.end(n.dense(n.flat(n.pool(x, "AVERAGE", (2, 3), (2, 3))), 3), softmax)


def refused():
    """Models that must be refused, each with one thing that is wrong."""
    os.makedirs(os.path.join(folder, "refused"), exist_ok=True)

    def spoil(name, change):
        g = tiny(name not in ("scales", "int16"))
        if name in ("scales", "int16", "zero"):
            g = quantize(g, np.abs(rng.normal(size=[4, 6, 4, 2])))
        change(g)
        g.save(os.path.join(folder, "refused", name + ".tflite"))

    def tensor(g, kind, k):
        return g.tensors[next(i for op, i, _, _ in g.nodes if op == kind)[k]]

    def options(g, kind, **more):
        next(o for op, _, _, o in g.nodes if op == kind).update(more)

    def insert(g, kind):
        last, (_, read, _, _) = len(g.nodes) - 1, g.nodes[-1]
        g.nodes.insert(last, (kind, read, [g.tensor("between", g.tensors[read[0]]["shape"])], {}))
        g.nodes[-1][1][0] = len(g.tensors) - 1

    spoil("lstm", lambda g: insert(g, "LSTM"))
    spoil("custom", lambda g: insert(g, "CUSTOM"))
    spoil("beta", lambda g: options(g, "SOFTMAX", beta=0.5))
    spoil("activation", lambda g: options(g, "ADD", activation=5))
    spoil("shuffled", lambda g: options(g, "FULLY_CONNECTED", format=1))
    spoil("stride", lambda g: options(g, "CONV_2D", stride_h=0))
    spoil("short", lambda g: tensor(g, "CONV_2D", 1).update(data=np.zeros(3, "<f4")))
    spoil("misfit", lambda g: tensor(g, "FULLY_CONNECTED", 1).update(shape=[4, 3]))
    spoil("shape", lambda g: tensor(g, "FULLY_CONNECTED", 0).update(shape=[1, 5]))
    spoil("size", lambda g: tensor(g, "ADD", 0).update(shape=[1, 5, 2, 2]))
    spoil("computed", lambda g: tensor(g, "FULLY_CONNECTED", 1).update(data=None))
    spoil("open", lambda g: g.tensors[0].update(shape=[1, -1, 4, 2]))
    spoil("scales", lambda g: tensor(g, "ADD", 0).update(scale=None))
    spoil("zero", lambda g: tensor(g, "ADD", 0).update(zero=np.array([200])))
    spoil("int16", lambda g: tensor(g, "ADD", 0).update(kind="int16"))
    spoil("inputs", lambda g: g.inputs.append(g.tensor("second", [1, 3])))
    spoil("range", lambda g: g.nodes[0][1].__setitem__(0, 900))
    spoil("twice", lambda g: g.nodes.append(g.nodes[0]))
    spoil("loop", lambda g: g.nodes[0][1].__setitem__(0, g.nodes[2][2][0]))


def unsigned(g):
    """The same with codes of 0 to 255."""
    for t in g.tensors:
        if t["kind"] == "int8":
            t["kind"], t["zero"] = "uint8", t["zero"] + 128
            if t["data"] is not None:
                t["data"] = (t["data"].astype("i2") + 128).astype("u1")
    return g


def asymmetric(g):
    """Codes of 0 to 255 with one scale and zero point for the weights of a layer, as TensorFlow 1 quantized them."""
    for op, inputs, _, _ in unsigned(g).nodes:
        if op not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        x, weights, bias = (g.tensors[k] for k in inputs)
        w, b = real(weights), real(bias)
        low, high = min(w.min(), 0), max(w.max(), 0)
        scale = np.float32((high - low) / 255)
        weights["scale"], weights["zero"] = np.atleast_1d(scale), np.atleast_1d(np.round(-low / scale).astype("<i8"))
        weights["data"] = np.clip(np.round(w / scale) + weights["zero"][0], 0, 255).astype("u1")
        step = (x["scale"] * scale).astype("<f4")
        bias["scale"], bias["zero"] = step, np.zeros(1, "<i8")
        bias["data"] = np.round(b / step).astype("<i4")
    return g


def save(name, g, x, n_classes):
    values = run(g, x)
    last = g.outputs[0]
    if g.nodes[-1][0] in ("SOFTMAX", "DEQUANTIZE"):
        last = g.nodes[-1][1][0]
    g.save(os.path.join(folder, name + ".tflite"))
    ours = np.moveaxis(x, -1, 1) if x.ndim > 2 else x
    np.savez(os.path.join(folder, name + ".npz"), x=ours.astype("f4"), y=np.arange(len(x)) % n_classes)
    np.save(os.path.join(folder, name + ".expected.npy"), values[last])
    scale = g.tensors[last]["scale"]
    print(name, 0 if scale is None else float(scale[0]))


def save_bare(name, g):
    """FOLDER/bare/NAME.tflite and NAME-full.tflite: the first has no scales of biases, which follow from the others."""
    os.makedirs(os.path.join(folder, "bare"), exist_ok=True)
    g.save(os.path.join(folder, "bare", name + "-full.tflite"))
    for op, inputs, _, _ in g.nodes:
        if op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            g.tensors[inputs[2]]["scale"] = None
    g.save(os.path.join(folder, "bare", name + ".tflite"))


refused()
SMALL = "ds-cnn", "resnet", "mobilenet", "series", "branches", "halves", "autoencoder", "tiny", "steps", "groups", \
    "sideways"
for make in (kws, ic, vww, ds_cnn, resnet, mobilenet, series, branches, halves, autoencoder, tiny, steps, groups,
             sideways):
    name = make.__name__.replace("_", "-")
    if name not in (wanted or SMALL):
        continue
    g = make(True)
    shape = g.tensors[g.inputs[0]]["shape"][1:]
    n_classes = g.tensors[g.outputs[0]]["shape"][-1]
    x = np.abs(rng.normal(size=[24, *shape]))  # such as pixels and energies
    save(name, g, x, n_classes)
    if make is tiny:
        g.graphs = 2
        g.save(os.path.join(folder, "two-graphs.tflite"))
    if make in (branches, halves, autoencoder):
        continue
    signed = x * np.where(np.arange(x[0].size).reshape(x[0].shape) % 2, 1, -0.7)
    logits = make(False)
    if make is series:  # quantize() makes codes of all that is computed, and shapes are no codes
        logits.nodes = [(k, i[:1] if k == "RESHAPE" else i, o, f)
                        for k, i, o, f in logits.nodes if k not in ("SHAPE", "PACK")]
    save(name + "-int8", quantize(logits, signed), signed, n_classes)
    if make in (ds_cnn, resnet):
        save(name + "-uint8", unsigned(quantize(logits, signed)), signed, n_classes)
        save(name + "-asymmetric-uint8", asymmetric(quantize(logits, signed)), signed, n_classes)
        save_bare(name, quantize(logits, signed))
    save(name + "-ends", quantize(logits, signed, float_ends=True), signed, n_classes)
    save(name + "-middle", quantize(logits, x, middle=True), x, n_classes)
