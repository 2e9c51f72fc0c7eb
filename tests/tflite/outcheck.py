"""outcheck.py MODEL.tflite DATA.npz LOGITS.npy WORDS: Arm NN's logits of windows against the logits of qc-eval.

Prints how many windows get another class, and on stderr the largest difference. Exit status 77: python3-numpy or Arm NN
is missing.
"""
import sys

try:
    import arm
    import numpy as np
except ImportError:
    sys.exit(77)
model, data, logits, words = sys.argv[1:5]
if not arm.load():
    sys.exit(77)
x, ours = np.load(data)["x"], np.load(logits)
x = np.moveaxis(x if x.ndim == 4 else x[:, :, None], 1, -1)
theirs = arm.run(model, x)
if theirs is None:
    sys.exit("Arm NN does not take " + model)
off = np.abs(ours - theirs).max()
print("%s: %d windows, %d other classes" % (words, len(x), (ours.argmax(1) != theirs.argmax(1)).sum()))
print("%s: largest difference %.2g of logits up to %.2g" % (words, off, np.abs(ours).max()), file=sys.stderr)
sys.exit(0 if off < 0.05 * np.abs(ours).max() else 1)
