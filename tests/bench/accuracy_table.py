"""The runs that accuracy.sh left in a folder, as a table of means over seeds, and beside each figure that was set a bar: bar NAME VALUE >= BAR ok|short.

A run's name: ARCH.sSEED.SOURCE-TARGET.bBITS.cCAPACITY.ORDER.HOW.run
"""
import collections
import glob
import json
import os
import re
import sys

folder = sys.argv[1]
SMALL, LARGE = "inceptiontime-16x3", "inceptiontime"
FIGURES = ["test_then_train", "target_mean", "target_last", "source_last"]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def read(name):
    with open(os.path.join(folder, name)) as lines:
        return [json.loads(line) for line in lines if line.strip()]


def parts(pattern, kind):
    """What is in the folder: (groups of the name, its JSON lines)."""
    for path in sorted(glob.glob(os.path.join(folder, "*." + kind))):
        match = re.fullmatch(pattern, os.path.basename(path))
        if match:
            yield match.groups(), read(match.group(0))


def load_runs():
    """setting -> figures of each seed"""
    runs = collections.defaultdict(list)
    name = r"(.+)\.s(\d+)\.(\w+-\w+)\.b(\d)\.c(\d+)\.(\w+)\.(\w+)\.run"
    for (arch, _, pair, bits, capacity, order, how), lines in parts(name, "run"):
        batches = [line for line in lines if not line.get("summary")]
        target = [b["test"][0] for b in batches]
        runs[arch, pair, int(bits), int(capacity), order, how].append({
            "test_then_train": mean(b["accuracy_before"] for b in batches), "target_mean": mean(target), "target_last": target[-1],
            "source_last": batches[-1]["test"][1], "target": target, "flips": mean(b["flips"] for b in batches), "ms": mean(b["ms"] for b in batches)})
    return runs


def bar(name, value, least, digits=3):
    print(f"bar {name} {value:.{digits}f} >= {least:g} {'ok' if value >= least else 'short'}")


def print_table(runs):
    print("\t".join(["network", "pair", "bits", "capacity", "order", "choice", "seeds"] + FIGURES + ["flips", "ms"]))
    rank = {"network": 0, "random": 1, "greedy": 2, "none": 3}
    for key in sorted(runs, key=lambda k: (k[4] != "shuffled", len(k[0]) < len(SMALL), k[1], k[2], k[3], rank[k[5]])):
        seeds = runs[key]
        figures = [f"{mean(s[f] for s in seeds):.3f}" for f in FIGURES] + [f"{mean(s[f] for s in seeds):.0f}" for f in ("flips", "ms")]
        print("\t".join(map(str, key + (len(seeds),))) + "\t" + "\t".join(figures))


def judge_sources():
    evaluations = collections.defaultdict(list)
    for (arch, _, model), lines in parts(r"(.+)\.s(\d+)\.\w+\.(float|b\d\.source)\.json", "json"):
        evaluations[arch, model.split(".")[0]].append(lines[0]["accuracy"])
    for (arch, model), values in sorted(evaluations.items()):
        least = {"float": 0.98, "b2": 0.95}.get(model, 0.97)
        what = "float-source" if model == "float" else f"quantized-source-{model[1:]}bit"
        bar(what + ("-32x6" if arch == LARGE else ""), mean(values), least)


def judge_networks():
    reports = collections.defaultdict(list)
    for (arch, _, bits), lines in parts(r"(.+)\.s(\d+)\.\w+\.b(\d)\.teach\.json", "json"):
        reports[arch, int(bits)].append(lines[0])
    print("network\tbits\tseeds\tbase_rate\tprecision_network\tprecision_hebb")
    for (arch, bits), seeds in sorted(reports.items()):
        print(arch, bits, len(seeds), *(f"{mean(s[f] for s in seeds):.3f}" for f in ("base_rate", "precision_network", "precision_hebb")), sep="\t")
    for seeds in [reports.get((SMALL, 2))]:
        if not seeds:
            continue
        network, hebb = (mean(s[f] for s in seeds) for f in ("precision_network", "precision_hebb"))
        bar("flip-network-precision-2bit", network, 0.75)
        bar("flip-network-precision-over-hebb-2bit", network / hebb if hebb else float("inf"), 1.3)


def judge_calibration(runs):
    for (arch, pair, bits, capacity, order, how), seeds in sorted(runs.items()):
        if how != "network" or order != "shuffled":
            continue
        source = 0.97 if capacity >= 60 else 0.90 if bits == 2 else 0.93
        least = [0.92, 0.965 if bits == 2 else 0.97, 0.985, source]
        for figure, limit in zip(FIGURES, least):
            name = f"{pair}-{bits}bit-capacity{capacity}{'-32x6' if arch == LARGE else ''}-{figure.replace('_', '-')}"
            bar(name, mean(s[figure] for s in seeds), limit)


def judge_class_order(runs):
    """Never below no adaptation: the worst batch of the worst seed."""
    for (arch, pair, bits, capacity, order, how), seeds in sorted(runs.items()):
        if how != "network" or order != "classes":
            continue
        idle = [s for key, all_seeds in runs.items() if key[:3] == (arch, pair, bits) and key[4:] == (order, "none") for s in all_seeds]
        name = f"{pair}-{bits}bit-capacity{capacity}-by-class"
        if len(idle) == len(seeds):
            bar(name + "-worst-over-none", min(a - b for s, n in zip(seeds, idle) for a, b in zip(s["target"], n["target"])), 0)
        bar(name + "-target-last", mean(s["target_last"] for s in seeds), 0.85)


def main():
    runs = load_runs()
    if not runs:
        sys.exit(f"accuracy_table.py: there are no runs in {folder}")
    print_table(runs)
    judge_networks()
    judge_sources()
    judge_calibration(runs)
    judge_class_order(runs)


main()
