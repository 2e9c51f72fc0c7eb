"""fit.py - fits the coefficients of lib/export/targettable.c to the counts of `FIT=DIR make bench-target`.

    fit.py DIR          run where qc-info is on PATH; prints the rows of the table and the errors of the fit

A count is a sum of amounts of work times coefficients. The amounts come from qc-info itself, by a target whose
coefficients are all 0 but one. The fit has the least squared relative errors of all non-negative coefficients. Layers
that are a small part of their network weigh less, because errors of the whole network matter. Networks named head*
are for adapts only.
"""
import collections
import json
import re
import subprocess
import sys

import numpy as np

FOLDER, VERBOSE = sys.argv[1], "-v" in sys.argv
HEADER = open("lib/export/target.h").read()
KEYS = re.findall(r"^    X\((\w+),", HEADER, re.M)[:-3]


def non_negative(a, b):
    """The x >= 0 with the least |a x - b|, one coordinate at a time."""
    square, product, x = a.T @ a, a.T @ b, np.zeros(a.shape[1])
    for _ in range(20000):
        for i in range(len(x)):
            if square[i, i] > 0:
                x[i] = max(0, x[i] + (product[i] - square[i] @ x) / square[i, i])
    return x


def work_of(net, core, slots, batch):
    """{"0": [keys], "adapt": [keys] ...}: amounts of work of each layer, of an adapt and of quantizing a window."""
    columns = []
    for key in KEYS:
        with open(FOLDER + "/one.yaml", "w") as f:
            f.write("like: %s\n" % core + "".join("%s: %d\n" % (k, k == key) for k in KEYS))
        out = subprocess.run(["qc-info", "--json", "-n", slots, "-B", batch, "--target", FOLDER + "/one.yaml",
                              "%s/%s/q.qcm" % (FOLDER, net)], stdout=subprocess.PIPE, check=True).stdout
        found = json.loads(out)
        layers = [y["instructions"] for y in found["layers"]]
        columns.append(layers + [found.get("frame", {}).get("instructions", 0),
                                 found.get("adapt", {}).get("instructions", 0),
                                 found["window"]["instructions"] - sum(layers)])
    names = [str(i) for i in range(len(columns[0]) - 3)] + ["frame", "adapt", "quantize"]
    return dict(zip(names, np.array(columns, float).T))


counts = collections.defaultdict(list)
for line in open(FOLDER + "/counts.tsv"):
    core, name, bits, what, n = line.split()
    counts[core].append((name + "." + bits, what, float(n)))
networks = {to: (slots, batch) for to, _, _, slots, batch in map(str.split, open(FOLDER + "/networks"))}
work = {}
for core, rows in counts.items():
    a, b, weight = [], [], []
    total = collections.Counter()
    for net, what, n in rows:
        total[net] += n if what.isdigit() else 0
    kernels = "m4" if core == "m7" else "m3" if core == "m0plus" else core
    used = []
    for net, what, n in rows:
        if (net, kernels) not in work:
            work[net, kernels] = work_of(net, kernels, *networks[net])
        if what in work[net, kernels] and not (what.isdigit() and net.startswith("head")):
            a.append(work[net, kernels][what])
            b.append(n)
            weight.append(1 / (n + .02 * total[net]) if what.isdigit() else 1 / n)
            used.append((net, what))
    a, b, weight = np.array(a), np.array(b), np.array(weight)
    scale = np.maximum(np.abs(a * weight[:, None]).max(axis=0), 1e-12)
    x = non_negative(a * weight[:, None] / scale, b * weight) / scale
    errors = (a @ x - b) * weight
    print("/* %s: largest errors %s */" % (core, " ".join("%.2f" % e for e in sorted(errors, key=abs)[-6:])))
    if VERBOSE:
        for (net, what), n, sum_of, e in zip(used, b, a @ x, errors):
            print("   %s %-12s %-8s %10d %10d %6.2f" % (core, net, what, n, sum_of, e))
    print("    {\"cortex-%s\", 0,\n     {" % core + ", ".join("%.4g" % v for v in x) + "}},")
