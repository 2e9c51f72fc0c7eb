"""compare.py DATA.qcd MODEL.onnx LOGITS.npy WORDS: ONNX Runtime's logits of a data file against the logits of qc-eval.

Prints how many windows get another class, and on stderr the largest difference. Exit status 77: numpy or
onnxruntime-node is missing.
"""
import os
import struct
import subprocess
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(77)
data, model, logits, words = sys.argv[1:5]


def rank_of(path):
    """Dimensions of the model's input; without python3-onnx it is taken to be a series."""
    try:
        import onnx
    except ImportError:
        return 3
    return len(onnx.load(path).graph.input[0].type.tensor_type.shape.dim)



with open(data, "rb") as f:
    file = f.read()
sections = {}
for i in range(struct.unpack_from("<I", file, 12)[0]):
    name, _, _, offset, length = struct.unpack_from("<16sIIQQ", file, 24 + 40 * i)
    sections[name.rstrip(b"\0").decode()] = file[offset:offset + length]
shape = np.frombuffer(sections["shape"], "<u4")[:4]
n, channels, height, width = map(int, shape)
with open(model + ".x", "wb") as f:
    f.write(sections["x"])
shape = (n, channels, width) if height == 1 and rank_of(model) < 4 else (n, channels, height, width)
status = subprocess.call(["node", os.path.join(os.path.dirname(__file__), "run.js"), model, model + ".x",
                          ",".join(map(str, shape)), model + ".y"])
if status:
    sys.exit(status)
ours = np.load(logits)
theirs = np.fromfile(model + ".y", "<f4").reshape(ours.shape)
off = np.abs(ours - theirs).max()
print("%s: %d windows, %d other classes" % (words, n, (ours.argmax(1) != theirs.argmax(1)).sum()))
print("%s: largest difference %.2g of logits up to %.2g" % (words, off, np.abs(ours).max()), file=sys.stderr)
sys.exit(0 if off < 0.05 * np.abs(ours).max() else 1)
