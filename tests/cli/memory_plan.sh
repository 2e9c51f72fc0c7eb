# The plan of a model's memory: parts add up to the sums, text and JSON agree. A file and a session give the same plan.
qc-synth -q --subjects 2 --activities 4 --windows 30 --channels 3 --length 40 -o data.qcd || exit 1
printf 'name: tiny\ninception:\n  filters: 4\n  depth: 3\n  kernels: [9, 5, 3]\n  bottleneck: 4\n  residual: 3\n' \
    >tiny.yaml
qc-split -q -g p1 -o p1.qcd data.qcd && qc-split -q -g p2 -o p2.qcd data.qcd || exit 1
qc-train -q -a tiny.yaml -d p1.qcd --epochs 1 -L miss -o fp.qcm || exit 1
qc-coreset -q -n 12 -d p1.qcd -o core.qcd || exit 1
qc-quantize --force -q -b 2 -c core.qcd --epochs 0 -o q2.qcm fp.qcm >/dev/null || exit 1
qc-bitflip-train -q -c core.qcd --subjects 1 --test-subjects 1 --oracle-steps 1 --steps 5 -o q2f.qcm q2.qcm >/dev/null \
    || exit 1
qc-info --memory -n 12 -B 60 q2f.qcm >plan.txt && qc-info --memory -n 12 -B 60 --json q2f.qcm >plan.json || exit 1
qc-calibrate --memory --ask 1 -c core.qcd -s p2.qcd --batches 2 -C never.qcd -o never.qcm q2f.qcm >same.txt || exit 1
cmp plan.txt same.txt && echo "the same of a file and of a session"
[ ! -e never.qcd ] && [ ! -e never.qcm ] && echo "nothing is written"
/usr/bin/python3 - <<'P'
import json, os
plan = json.load(open("plan.json"))
parts = {key: plan[key] for key in ("model", "inference", "calibration")}
for part in parts.values():
    assert sum(v for k, v in part.items() if k != "bytes") == part["bytes"], part
assert plan["bytes"] == sum(parts[k]["bytes"] for k in ("model", "calibration"))
assert abs(parts["model"]["bytes"] - os.path.getsize("q2f.qcm")) < 4000
# Flips need the windows themselves, not only their features.
assert parts["calibration"]["coreset"] >= 12 * 120
assert parts["calibration"]["ring_of_windows_to_label"] >= 60 * 120
text = [line.split() for line in open("plan.txt")]
assert [int(w[1]) for w in text if len(w) == 2] == [v for p in parts.values() for v in p.values()] + [plan["bytes"]]
P
echo "second source: $?"
# no network: features instead of windows
bytes() { sed -n "s/^  $2: //p" $1; }
qc-info --memory -n 12 -B 60 q2.qcm >features.txt &&
    [ "$(bytes features.txt coreset)" -lt "$(($(bytes plan.txt coreset) / 2))" ] && echo "features take less than half"
qc-info --memory fp.qcm
echo "exit $?"
qc-info --memory p1.qcd
echo "exit $?"
head -c 3000 q2f.qcm >cut.qcm
qc-info --memory cut.qcm
echo "exit $?"
qc-info --memory -n 0 q2f.qcm
echo "exit $?"
