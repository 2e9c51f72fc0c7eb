# The session and the pipeline of the design, word for word, on a small tree of recordings with a small network in the
# place of InceptionTime.
awk 'BEGIN {
    srand(7)
    for (p = 1; p <= 2; p++) for (a = 1; a <= 3; a++) {
        folder = "DailyActivities/a0" a "/p" p
        system("mkdir -p " folder)
        for (s = 1; s <= 15; s++) {
            file = sprintf("%s/s%02d.txt", folder, s)
            for (t = 0; t < 16; t++) printf "%.3f,%.3f,%.3f\n", sin(t * a / 2 + s) + .2 * rand(), a * (3 - 2 * p) / 2 + .2 * rand(), cos(t * a / 3) + p / 2 + .2 * rand() >file
            close(file)
        }
    }
}'
mkdir -p share/arch
printf 'name: small\ninception:\n  filters: 3\n  depth: 3\n  kernels: [5, 3]\n  bottleneck: 3\n  residual: 3\n' \
    >share/arch/inceptiontime.yaml
# the words stay as they are, the training is shorter
mkdir short
printf '#!/bin/sh\nexec %s --subjects 2 --test-subjects 1 --oracle-steps 6 --steps 60 "$@"\n' \
    "$(command -v qc-bitflip-train)" >short/qc-bitflip-train
chmod +x short/qc-bitflip-train
PATH=$PWD/short:$PATH OMP_NUM_THREADS=1
export PATH OMP_NUM_THREADS

qc-import -f dsa -g p2 -o p2.qcd DailyActivities || exit
qc-split  -t 0.2 --by block -o p2.train.qcd -O p2.test.qcd p2.qcd || exit

qc-import -f dsa -g p1 -o p1.qcd DailyActivities || exit
qc-split  -t 0.2 --by block -o p1.train.qcd -O p1.test.qcd p1.qcd || exit
qc-train  -a share/arch/inceptiontime.yaml -d p1.train.qcd -L p1.miss -o fp.qcm || exit
qc-coreset -n 30 -L p1.miss -d p1.train.qcd -o core.qcd || exit
qc-quantize -b 4 -c core.qcd -d p1.train.qcd -o q4.qcm fp.qcm >quantize.tsv || exit
qc-bitflip-train -c core.qcd -d p1.train.qcd -o q4f.qcm q4.qcm >bitflip.tsv || exit
qc-calibrate -c core.qcd -C core2.qcd -s p2.train.qcd --batches 10 -t p2.test.qcd -t p1.test.qcd --json -o q4n.qcm \
    q4f.qcm >batches.json || exit
qc-eval -d p2.test.qcd --json q4n.qcm >after.json || exit
qc-eval -d p2.test.qcd --json q4.qcm >before.json || exit

/usr/bin/python3 - <<'END' || exit
import json
lines = [json.loads(line) for line in open("batches.json")]
batches, summary = lines[:-1], lines[-1]
assert len(batches) == 10 and summary["summary"] is True
for i, b in enumerate(batches):
    assert b["batch"] == i + 1 and len(b["test"]) == 2, b
    assert all(0 <= x <= 1 for x in [b["accuracy_before"], b["accuracy_after"]] + b["test"]), b
    assert b["flips"] >= 0 and b["ms"] > 0, b
before, after = (json.load(open(name + ".json"))["accuracy"] for name in ("before", "after"))
assert abs(batches[-1]["test"][0] - after) < 1e-6, "qc-eval and the last batch disagree"
assert abs(summary["test"][0] - sum(b["test"][0] for b in batches) / 10) < 1e-4
assert after >= before + .2, f"calibration does not help on person 2: {before} {after}"
END

qc-train -a share/arch/inceptiontime.yaml -d p1.train.qcd -L p1.miss | qc-quantize -b 4 -c core.qcd |
qc-bitflip-train -c core.qcd | qc-calibrate -c core.qcd -s p2.train.qcd --batches 10 |
    qc-eval -d p2.test.qcd >piped.tsv || exit
grep -q '^accuracy	[01]' piped.tsv || cat piped.tsv
