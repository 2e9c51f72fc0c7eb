# A session over one person after another: R is the accuracy that the batches' tests print, and the coreset has examples
# of each stream.
qc-synth -q --subjects 3 --activities 3 --windows 12 --channels 3 --length 24 -o all.qcd || exit
for p in p1 p2 p3; do qc-split -q -g $p -t 0.25 -o $p.qcd -O $p.test.qcd all.qcd || exit; done
qc-train -q -a fcn -d p1.qcd --epochs 3 --threads 1 -o fp.qcm && qc-coreset -q -n 6 -d p1.qcd -o core.qcd fp.qcm || exit
qc-quantize --force -q -b 4 --epochs 0 -c core.qcd -o q.qcm fp.qcm >report || exit
qc-bitflip-train -q -c core.qcd -d p1.qcd --subjects 1 --test-subjects 1 --oracle-steps 2 --steps 20 --threads 1 -o \
    f.qcm q.qcm >report || exit
all='-s p2.qcd -s p3.qcd --batches 2 -t p2.test.qcd -t p3.test.qcd -t p1.test.qcd'
qc-calibrate -q -c core.qcd -C core2.qcd $all --json -o n.qcm f.qcm >run || exit
qc-calibrate -q -c core.qcd $all -o n2.qcm f.qcm >run.tsv && cmp n.qcm n2.qcm || exit
for p in p2 p3 p1; do qc-eval -q --json -d $p.test.qcd f.qcm; done >start
qc-info --json core2.qcd >core2.json || exit
qc-calibrate -q -c core2.qcd -s p3.qcd --batches 1 --no-output n.qcm >again || exit # its coreset fits the model
/usr/bin/python3 - <<'END' || exit
import json
*batches, summary = [json.loads(line) for line in open("run")]
start = [json.loads(line)["accuracy"] for line in open("start")]
R = summary["R"]
near = lambda a, b: all(abs(x - y) < 1e-5 for x, y in zip(a, b)) and len(a) == len(b)
assert [b["stream"] for b in batches] == [1, 1, 2, 2], batches
assert len(R) == 3 and near(R[0], start), (R, start)
assert near(R[1], batches[1]["test"]) and near(R[2], batches[3]["test"]), R
assert abs(summary["acc"] - sum(R[2]) / 3) < 1e-5
assert abs(summary["bwt"] - (R[2][0] - R[1][0] + R[2][2] - R[0][2]) / 2) < 1e-5
assert abs(summary["fwt"] - (R[1][1] - R[0][1])) < 1e-5
rows = {line.split("\t")[0]: line.rstrip("\n").split("\t") for line in open("run.tsv")}
assert near([float(x) for x in rows["R2"][4:7]], [round(x, 4) for x in R[2]]), rows["R2"]
info = json.load(open("core2.json"))
assert sum(info["groups"].values()) == 6 and info["groups"]["p1"] == 4, info
print("the figures agree")
END
qc-calibrate -q -c core.qcd -s p2.qcd -s nothing.qcd --no-output f.qcm
echo $?
