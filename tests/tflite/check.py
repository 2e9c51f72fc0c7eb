"""check.py FOLDER SCALES: compares the logits of models that models.py has written to FOLDER with NumPy's.

SCALES is the output of models.py. If Arm NN is installed and knows the model's operators, the logits of its reference
backend are compared too. Prints a line for each model; exit status 1 if a model is wrong.
"""
import subprocess
import sys

import arm
import numpy as np

folder, wrong, ran = sys.argv[1], 0, 0
# Arm NN 20.08 pads with the code 0, not with the zero point. TensorFlow pads with the real number 0. Arm NN
# also ignores the groups of CONV_2D. TensorFlow's reference kernel has input channels / channels of the weights groups.
ARM_IS_WRONG = ["groups"] + [name + form for name in ("mobilenet", "steps", "tiny", "groups")
                             for form in ("-int8", "-ends", "-middle")]


def soft(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def program(*words):
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
    return done.returncode, done.stderr


for line in open(sys.argv[2]):
    name, step = line.split()
    step = float(step)
    path = "%s/%s" % (folder, name)
    status, words = program("qc-import", "-o", "m.qcm", path + ".tflite")
    if status:
        print(name + ": refused: " + words.split(": ", 2)[2].strip())
        continue
    program("qc-import", "-q", "-f", "npz", "-o", "d.qcd", path + ".npz")
    status, trouble = program("qc-eval", "-q", "--threads", "1", "-d", "d.qcd", "--logits", "l.npy", "m.qcm")
    ours, expected, x = np.load("l.npy"), np.load(path + ".expected.npy"), np.load(path + ".npz")["x"]
    off, most = np.abs(ours - expected).max(), np.abs(expected).max()
    if "codes of 8 bits and its scales are kept" in words:
        # A feature may be one code apart, and only theirs is rounded.
        form, holds = "quantized, its codes and scales are kept", off <= 3 * step
    else:
        form, holds = "float", off < 1e-5 * most
    theirs = None if name.endswith("-uint8") else arm.run(path + ".tflite", np.moveaxis(x, 1, -1) if x.ndim > 2 else x)
    if theirs is not None and name not in ARM_IS_WRONG:
        ran += 1
        close = np.abs(theirs - expected).max() <= 1.01 * step if step else np.abs(theirs - soft(expected)).max() < 1e-5
        if not close:
            holds = 0
            difference = np.abs(theirs - (expected if step else soft(expected))).max()
            print(name + ": Arm NN and NumPy differ by %g" % difference)
    wrong += not holds or status
    verdict = ", as computed by others" if holds else ": off by %g of %g, step %g" % (off, most, step)
    print(name + ": " + form + verdict)
print("Arm NN ran %d of the models" % ran if ran else "skipped: Arm NN is not installed", file=sys.stderr)
sys.exit(wrong > 0)
