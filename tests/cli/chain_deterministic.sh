# The same seed makes the same bytes, through files, standard streams and pipes; --json parses and has its keys; figures
# agree with each other.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 10 --channels 3 --length 24 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -t 0.2 --by block -o $p.train.qcd -O $p.test.qcd people.qcd >words 2>&1 ||
    exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - batchnorm\n  - relu\n' >tiny.yaml
printf '  - conv: 6\n    kernel: 3\n  - relu\n  - gap\n' >>tiny.yaml
qc-train -q --threads 1 --epochs 10 -a tiny.yaml -d p1.train.qcd -o fp.qcm &&
    qc-coreset -q -n 9 -d p1.train.qcd -o core.qcd || exit 1
few='--subjects 1 --test-subjects 1 --oracle-steps 4 --steps 20 --threads 1'
quantize='qc-quantize --force -b 2 --epochs 5 --threads 1 -c core.qcd'
flip="qc-bitflip-train $few -c core.qcd -d p1.train.qcd"
calibrate='qc-calibrate -c core.qcd -s p2.train.qcd --batches 4 -t p2.test.qcd -t p1.test.qcd'

$quantize -o q.qcm fp.qcm >q.tsv && $flip -o qf.qcm q.qcm >f.tsv && $calibrate -C c.qcd -o qn.qcm qf.qcm >n.tsv ||
    exit 1

same() { # same WHAT A B
    cmp "$2" "$3" && echo "$1: the same bytes"
}
cut_times() { awk -F'\t' -v OFS='\t' \
    'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "ms") ms = i } { $ms = ""; print }' "$1"; }
$quantize fp.qcm 2>q2.tsv >q2.qcm; same 'quantize to standard output' q.qcm q2.qcm
$quantize - <fp.qcm 2>q3.tsv | cmp - q.qcm; cmp q.tsv q2.tsv
$flip -o - <q.qcm 2>f2.tsv >qf2.qcm; same 'flip network through standard streams' qf.qcm qf2.qcm
cmp f.tsv f2.tsv
$calibrate -C c2.qcd - <qf.qcm 2>n2.tsv >qn2.qcm; same 'calibrate through standard streams' qn.qcm qn2.qcm
same 'the coreset beside it' c.qcd c2.qcd
cut_times n.tsv >n.cut; cut_times n2.tsv | cmp - n.cut
$quantize <fp.qcm 2>words | $flip 2>words |
    $calibrate -C c3.qcd 2>words >qn3.qcm; same 'calibrate at the end of a pipe' qn.qcm qn3.qcm
same 'and its coreset' c.qcd c3.qcd
qc-coreset -q -n 9 -d p1.train.qcd | qc-calibrate -c - -s p2.train.qcd --batches 4 -C c4.qcd -o qn4.qcm qf.qcm >words; \
    same 'the coreset from a pipe' qn.qcm qn4.qcm
cp qf.qcm place.qcm && cp core.qcd place.qcd
qc-calibrate -c place.qcd -C place.qcd -s p2.train.qcd --batches 4 -o place.qcm place.qcm >words; same 'in place' \
    qn.qcm place.qcm
qc-calibrate -c place.qcd -C place.qcd -s p2.test.qcd -B 3 -o place.qcm place.qcm >words &&
    qc-info place.qcm >words && qc-info place.qcd >words && echo "a session goes on from its files"
QC_ISA=scalar $calibrate -o qs.qcm -C cs.qcd qf.qcm >words; same 'without better kernels' qn.qcm qs.qcm
$calibrate --seed 2 -C c5.qcd -o qn5.qcm qf.qcm >words; cmp -s qn.qcm qn5.qcm || echo "another seed, another model"
$calibrate -m none -o none.qcm qf.qcm >none.tsv
awk -F'\t' 'NR > 1 && NR < 6 && $9 + 0 != 0 { print "flips without a method" }' none.tsv

$quantize --json -o q.qcm fp.qcm >q.json; $flip --json -o qf.qcm q.qcm >f.json; $calibrate --json -C c.qcd -o qn.qcm \
    qf.qcm >n.json
for t in p2 p1; do qc-eval --json -d $t.test.qcd qn.qcm; done >eval.json
for t in p2 p1; do qc-eval --json -d $t.test.qcd none.qcm; done >none.json
qc-info --json c.qcd >c.json; qc-info --json q.qcm >info.json
/usr/bin/python3 - <<'END'
import json
def lines(name): return [json.loads(line) for line in open(name)]
q, f, info = lines("q.json")[0], lines("f.json")[0], lines("info.json")[0]
assert q["bits"] == 2 and q["weights"] == info["parameters"], (q, info)
assert q["bytes"] == info["packed_bytes"] and q["layers"] == info["weighted_layers"], (q, info)
assert q["loss"] <= q["rounded_loss"] and 0 <= q["accuracy"] <= 1
rates = {"base_rate", "sign_right", "precision_network", "precision_hebb"}
assert {"samples", "test_samples", "bytes"} | rates <= set(f), f
assert all(0 <= f[k] <= 1 for k in rates), f
*batches, summary = lines("n.json")
assert [b["batch"] for b in batches] == [1, 2, 3, 4] and sum(b["n"] for b in batches) == 24
for b in batches:
    assert set(b) >= {"batch", "accuracy_before", "accuracy_after", "test", "flips", "ms"}, b
    assert b["accepted"] <= b["proposals"] <= 20 and (b["flips"] > 0) == (b["accepted"] > 0), b
    assert sum(b["coreset"].values()) == 9 and b["coreset"]["source"] >= 6, b
assert summary["summary"] is True and summary["batches"] == 4
for key in ("accuracy_before", "accuracy_after", "flips"):
    assert abs(summary[key] - sum(b[key] for b in batches) / 4) < 1e-3 * (1 + summary[key]), key
assert summary["model_bytes"] + summary["working_bytes"] == batches[0]["bytes"]
measured, last = [e["accuracy"] for e in lines("eval.json")], batches[-1]["test"]
assert [round(a, 4) for a in measured] == [round(a, 4) for a in last], "qc-eval and the last batch disagree"
coreset = lines("c.json")[0]["coreset"]
last = batches[-1]["coreset"]
assert coreset["reserved"] == 6 and coreset["from_stream"] == last["stream"] + last["new"], coreset
header, *rows, mean = [line.rstrip("\n").split("\t") for line in open("n.tsv")]
assert len(rows) == 4 and mean[0] == "mean" and {len(header)} == {len(r) for r in rows + [mean]}, "columns"
none = [line.split("\t") for line in open("none.tsv")][1:5]
assert len({(r[4], r[5]) for r in none}) == 1, "the model changed without a method"
pairs = [(e["accuracy"], float(x)) for e, x in zip(lines("none.json"), none[-1][4:6])]
assert all(abs(a - b) < 1e-4 for a, b in pairs), "qc-eval and the last batch without a method disagree"
print("the figures agree")
END
