"""The values of a graph of writer.py, by NumPy from TensorFlow's definitions, and the graph's int8 form.

Values of int8 tensors are rounded to their codes after each operator.
"""
import numpy as np

from writer import Graph


def real(t):
    """A constant as real numbers."""
    if t["scale"] is None:
        return t["data"].astype("f8") if t["kind"].startswith("float") else t["data"]
    shape = [1] * len(t["shape"])
    if len(t["scale"]) > 1:
        shape[t["axis"]] = -1
    return (t["data"].astype("f8") - t["zero"].reshape(shape)) * t["scale"].astype("f8").reshape(shape)


def codes(t, value):
    """A value as codes of its tensor."""
    low = {"int8": -128, "uint8": 0}[t["kind"]]
    scaled = np.abs(value) / np.float64(t["scale"][0])
    rounded = np.where(value < 0, -np.floor(scaled + 0.5), np.floor(scaled + 0.5))
    return np.clip(rounded + t["zero"][0], low, low + 255)


def windows(x, height, width, o, empty):
    """[n][oh][ow][h][w][c] of the windows that an operator with options `o` sees; outside the value lies `empty`."""
    down, right = o.get("dilation_h", 1), o.get("dilation_w", 1)
    pads, sizes = [], []
    for size, k, stride, d in zip(x.shape[1:3], (height, width), (o["stride_h"], o["stride_w"]), (down, right)):
        out = -(-size // stride) if o["padding"] == 0 else (size - (k - 1) * d - 1) // stride + 1
        missing = max(0, (out - 1) * stride + (k - 1) * d + 1 - size) if o["padding"] == 0 else 0
        pads.append((missing // 2, missing - missing // 2))
        sizes.append(out)
    x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=empty)
    rows = np.arange(sizes[0])[:, None] * o["stride_h"] + np.arange(height) * down
    columns = np.arange(sizes[1])[:, None] * o["stride_w"] + np.arange(width) * right
    return x[:, rows[:, None, :, None], columns[None, :, None, :]]


def apply(kind, v, o, shape):
    x = v[0]
    if kind == "CONV_2D":  # in groups if the weights have fewer channels than x
        groups = x.shape[3] // v[1].shape[3]
        seen = np.split(windows(x, *v[1].shape[1:3], o, 0), groups, -1)
        y = [np.einsum("nabhwc,ohwc->nabo", s, w, optimize=True) for s, w in zip(seen, np.split(v[1], groups))]
        y = np.concatenate(y, -1) + v[2]
    elif kind == "DEPTHWISE_CONV_2D":
        _, h, w, out = v[1].shape
        y = np.einsum("nabhwc,hwcm->nabcm", windows(x, h, w, o, 0), v[1].reshape(h, w, x.shape[3], -1))
        y = y.reshape(*y.shape[:3], out) + v[2]
    elif kind == "FULLY_CONNECTED":
        y = (x if o.get("keep") else x.reshape(-1, v[1].shape[1])) @ v[1].T
        y = y + v[2] if len(v) > 2 else y
    elif kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        seen = windows(x, o["height"], o["width"], o, np.nan)
        y = (np.nanmax if kind == "MAX_POOL_2D" else np.nanmean)(seen, (3, 4))
    elif kind == "ADD":
        y = x + v[1]
    elif kind == "MUL":
        y = x * v[1]
    elif kind == "CONCATENATION":
        y = np.concatenate(v, o["axis"])
    elif kind in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"):
        y = x.reshape(len(x), *shape[1:])
    elif kind == "PAD":
        y = np.pad(x, v[1])
    elif kind == "TRANSPOSE":
        y = x.transpose(v[1])
    elif kind == "MEAN":
        y = x.mean(tuple(int(k) for k in v[1]), keepdims=bool(o.get("keep")))
    elif kind == "SOFTMAX":
        e = np.exp(x - x.max(-1, keepdims=True))
        y = e / e.sum(-1, keepdims=True)
    elif kind == "LOGISTIC":
        y = 1 / (1 + np.exp(-x))
    elif kind == "LEAKY_RELU":
        y = np.where(x < 0, o["alpha"] * x, x)
    elif kind == "HARD_SWISH":
        y = x * np.clip(x + 3, 0, 6) / 6
    elif kind in ("RELU", "RELU6"):
        y = np.clip(x, 0, 6 if kind == "RELU6" else None)
    else:
        y = x  # QUANTIZE, DEQUANTIZE
    return {0: y, 1: np.maximum(y, 0), 3: np.clip(y, 0, 6)}[o.get("activation", 0)]


def run(g, x):
    """Values by tensor for windows x [n][...]; `x` as real numbers."""
    values = {}

    def put(k, value):
        t = g.tensors[k]
        if t["kind"] in ("int8", "uint8"):
            value = (codes(t, value) - t["zero"][0]) * np.float64(t["scale"][0])
        values[k] = value

    for k, t in enumerate(g.tensors):
        if t["data"] is not None:
            values[k] = real(t)
    put(g.inputs[0], x.astype("f8"))
    for kind, inputs, outputs, o in g.nodes:
        if kind in ("SHAPE", "STRIDED_SLICE", "PACK"):
            continue
        shaped = kind in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
        operands = [values[k] for k in inputs[:1 if shaped else None]]
        put(outputs[0], apply(kind, operands, o, g.tensors[outputs[0]]["shape"]))
    return values


SAME_CODES = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "CONCATENATION")


def quantize(g, x, middle=False, float_ends=False):
    """g as int8, as TensorFlow's converter makes it: weights by channel, scales from windows x.

    middle: signed values have the zero point 0. float_ends: the input and the output stay float32.
    """
    values, q, to = run(g, x), Graph(), {}

    def params(k):
        # a margin, so that nothing saturates: our logits do not
        low, high = min(0, values[k].min()) * 1.1, max(0, values[k].max()) * 1.1
        if middle and low < 0:
            low, high = -max(-low, high), max(-low, high)
            return np.float32(high / 127), 0
        scale = np.float32((high - low) / 255)
        return scale, int(np.clip(round(-128 - low / float(scale)), -128, 127))

    def activation(k, scale, zero):
        t = g.tensors[k]
        to[k] = q.tensor(t["name"], t["shape"], "int8", scale=scale, zero=zero)
        return to[k]

    def weights(k, axis):
        t = g.tensors[k]
        w = real(t)
        if axis is None:
            scale = np.float32(np.abs(w).max() / 127)
        else:
            scale = (np.abs(w).max(tuple(a for a in range(w.ndim) if a != axis)) / 127).astype("f4")
        shape = [-1 if a == axis else 1 for a in range(w.ndim)]
        form = scale.reshape(shape) if axis is not None else scale
        return q.tensor(t["name"], t["shape"], "int8", np.round(w / form), scale=scale, axis=axis or 0), scale

    first = g.inputs[0]
    scale, zero = params(first)
    q.inputs = [activation(first, scale, zero)]
    if float_ends:
        q.inputs = [q.tensor("float_" + g.tensors[first]["name"], g.tensors[first]["shape"])]
        q.op("QUANTIZE", q.inputs, [to[first]])
    for kind, inputs, outputs, o in g.nodes:
        read = [to.get(k, -1) for k in inputs]
        step = [q.tensors[k]["scale"] for k in read if k >= 0]
        if kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            axis = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}.get(kind)
            read[1], scale = weights(inputs[1], axis)
            bias = g.tensors[inputs[2]]
            scale = (step[0] * scale).astype("f4")
            read[2] = q.tensor(bias["name"], bias["shape"], "int32", np.round(bias["data"] / scale), scale=scale)
        else:
            for i, k in enumerate(inputs):
                if read[i] < 0 and g.tensors[k]["kind"] == "float32":
                    read[i], _ = weights(k, None)
                elif read[i] < 0:
                    read[i] = q.constant(g.tensors[k]["name"], g.tensors[k]["data"])
        scale, zero = params(outputs[0])
        if kind == "SOFTMAX":
            scale, zero = np.float32(1 / 256), -128
        elif kind in SAME_CODES[:-1]:
            scale, zero = step[0], q.tensors[read[0]]["zero"][0]
        elif kind == "CONCATENATION":
            for i, k in enumerate(inputs):
                read[i] = q.tensor(g.tensors[k]["name"] + "_again", g.tensors[k]["shape"], "int8",
                                   scale=scale, zero=zero)
                q.op("QUANTIZE", [to[k]], [read[i]])
        q.op(kind, read, [activation(outputs[0], scale, zero)], **o)
    q.outputs = [to[k] for k in g.outputs]
    if float_ends:
        q.outputs = [q.tensor("float_end", g.tensors[g.outputs[0]]["shape"])]
        q.op("DEQUANTIZE", [to[g.outputs[0]]], q.outputs)
    return q
