"""fit_model.py: writes synthetic windows of three classes and a network that classifies them to the current folder.

train.csv and drifted.csv have three channels of 24 steps, label last. net.onnx is a normalization, a random convolution
and a linear layer that least squares fits. Exit status 77: python3-onnx is missing.
"""
import sys

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
except ImportError:
    sys.exit(77)
rng = np.random.default_rng(7)
C, T, CLASSES, FILTERS = 3, 24, 3, 16
patterns = rng.normal(size=(CLASSES, C, T))


def windows(n, tilt):
    label = np.arange(n) % CLASSES
    x = patterns[label] + 0.4 * rng.normal(size=(n, C, T))
    x += tilt * np.roll(x, 1, axis=1)
    return (5 + 3 * x).astype(np.float32), label


def write(name, x, label):
    with open(name, "w") as f:
        for row, k in zip(x.reshape(len(x), -1), label):
            f.write(",".join("%.5g" % v for v in row) + ",class-%d\n" % k)


def convolve(x, w, b):  # 5 taps, padded by 2
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2)))
    parts = np.stack([padded[:, :, k:k + T] for k in range(5)], axis=-1)
    return np.einsum("nctk,ock->not", parts, w) + b[:, None]


x, label = windows(240, 0)
write("train.csv", x, label)
write("drifted.csv", *windows(120, 8.0))
mean, std = x.mean((0, 2), keepdims=True)[0], x.std((0, 2), keepdims=True)[0]
w, b = rng.normal(size=(FILTERS, C, 5)) / 4, rng.normal(size=FILTERS) / 4
features = np.maximum(convolve((x - mean) / std, w, b), 0).reshape(len(x), -1)
design = np.hstack([features, np.ones((len(x), 1))])
v = np.linalg.solve(design.T @ design + 50 * np.eye(design.shape[1]), design.T @ (8 * np.eye(CLASSES)[label] - 4))
weights = {"mean": mean, "std": std, "conv.weight": w, "conv.bias": b, "fc.weight": v[:-1].T, "fc.bias": v[-1]}
nodes = [helper.make_node("Sub", ["x", "mean"], ["a"]), helper.make_node("Div", ["a", "std"], ["b"]),
         helper.make_node("Conv", ["b", "conv.weight", "conv.bias"], ["c"], pads=[2, 2]),
         helper.make_node("Relu", ["c"], ["d"]), helper.make_node("Flatten", ["d"], ["e"]),
         helper.make_node("Gemm", ["e", "fc.weight", "fc.bias"], ["f"], transB=1),
         helper.make_node("Softmax", ["f"], ["probabilities"], axis=1)]
graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", C, T])],
                          [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", CLASSES])],
                          [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), "net.onnx")
with open("classes.txt", "w") as f:
    f.write("".join("class-%d\n" % k for k in range(CLASSES)))
