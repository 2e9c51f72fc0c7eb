# Files that version 0.1.0 wrote (tests/formats/0.1.0, one of each kind) stay readable and keep their meaning. The
# figures that 0.1.0 printed about these files are stored beside them. Not kept: --state, the private state of a
# session, which another version refuses in one sentence.
cp "$TOP"/tests/formats/0.1.0/* . || exit 1
cat >check.py <<'EOF'
import json, subprocess, sys

def printed(*words): return subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.decode()

n = 0
def same(old, new, where):
    global n
    n += 1
    # float sums differ between processors
    if isinstance(old, float) or isinstance(new, float):
        equal = old is not None and new is not None and abs(old - new) <= 2e-3
    else: equal = old == new
    if not equal: print(where, "was", old, "and is", new)

# Models of floats and of 2, 4 and 8 bits, with and without deviations, with a flip network, and after qc-calibrate.
for line in open("eval.json"):
    old = json.loads(line)
    new = json.loads(printed("qc-eval", "--json", "-d", old["data"], old["model"] + ".qcm"))
    for key in old:
        if key != "model" and key in new and not isinstance(old[key], (dict, list)):
            same(old[key], new[key], (old["model"], key))
    same(old["examples"], new["examples"], old["model"])
    same(old["accuracy"], new["accuracy"], old["model"])
    same(old["loss"], new["loss"], old["model"])

for line in open("info.json"):
    old = json.loads(line)
    new = json.loads(printed("qc-info", "--json", old["file"]))
    for key in ("kind", "bytes", "sha256", "provenance"): same(old.get(key), new.get(key), (old["file"], key))
    for key in ("examples", "classes", "labels", "groups", "window", "bits"):
        if key in new: same(old.get(key), new[key], (old["file"], key))

report = printed("qc-report", "-q", "-f", "tsv", "-d", "none", "--runs", "runs.tsv", "runs.yaml")
old, new = (dict(zip(*[line.split("\t") for line in text.splitlines()]))
            for text in (open("report.tsv").read(), report))
for key in old: same(old[key], new.get(key), ("runs.tsv", key))
print(n > 150)
EOF
/usr/bin/python3 check.py || exit
# a checkpoint whose epochs are all made: resuming makes the model that was written then
qc-train -q --epochs 40 --rate .05 -a tiny.yaml -d data.qcd -L again.miss --checkpoint checkpoint --resume -o \
    again.qcm || exit
for m in float again; do qc-export -q -f safetensors -o $m.st $m.qcm || exit; done
cmp float.st again.st && echo "the checkpoint's model"
# a miss log: the same examples are chosen by it
qc-coreset -q -n 6 -L log.miss -d data.qcd -o chosen.qcd || exit
for c in coreset chosen; do qc-export -q -f csv -o $c.csv $c.qcd || exit; done
cmp coreset.csv chosen.csv && echo "the miss log's examples"
for m in flip adapted bits2 std; do qc-calibrate -q -c coreset.qcd -s stream.qcd -B 6 -o next.qcm $m.qcm >lines &&
    qc-info next.qcm >words && echo "$m learns on"; done
