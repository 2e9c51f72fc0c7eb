# Every method on the same small session: qc-eval gives a saved model the accuracy of its run log. A model that cannot
# be saved is refused in a sentence.
export OMP_NUM_THREADS=1
/usr/bin/python3 -c '' 2>/dev/null || { echo "python3 is not installed" >&2; exit 77; }
qc-synth -q --subjects 2 --activities 3 --channels 3 --length 24 --windows 10 -o all.qcd || exit 1
qc-split -q -g p1 -o p1.qcd all.qcd && qc-split -q -g p2 -t 0.4 -o stream.qcd -O test.qcd all.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - batchnorm\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 8 -a tiny.yaml -d p1.qcd -o float.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d p1.qcd -o plain.qcm float.qcm >words || exit 1
qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd -d p1.qcd -o \
    flip.qcm plain.qcm >words || exit 1

calibrate() { qc-rival -q -c core.qcd -s stream.qcd -B 7 -t test.qcd -t p1.qcd --json "$@"; }
same() { # same NAME: the last accuracies of the run log equal qc-eval's of the saved model
    qc-eval --json -d test.qcd "$1.qcm" >"$1.eval" && qc-eval --json -d p1.qcd "$1.qcm" >>"$1.eval" || return
    /usr/bin/python3 - "$1" <<'P'
import json, sys
*batches, summary = [json.loads(line) for line in open(sys.argv[1] + ".json")]
for ours, theirs in ("test", "accuracy"), ("ece", "ece"):
    want = [json.loads(line)[theirs] for line in open(sys.argv[1] + ".eval")]
    assert len(want) == 2 and all(abs(a - b) < 1e-5 for a, b in zip(batches[-1][ours], want)), \
        (ours, batches[-1][ours], want)
assert summary["method"] == sys.argv[1].split(":")[0] and len(batches) == 3
for b in batches:
    assert b["set"] >= b["n"] or sys.argv[1] == "none", b
    assert b["bytes"] == summary["working_bytes"] + summary["model_bytes"], b
for key in ("forwards", "backwards", "operations"):
    assert abs(summary[key] - sum(b[key] for b in batches) / 3) < 1e-3 * (1 + summary[key]), key
passes = sum(b["forwards"] + b["backwards"] for b in batches) / max(1, sum(b["set"] for b in batches))
assert abs(summary["passes"] - passes) < 1e-3 * (1 + passes), summary
P
}
for method in qcore none flip-random flip-greedy bn spsa refit; do
    calibrate -m $method -o $method.qcm flip.qcm >$method.json && same $method && echo "$method: qc-eval agrees"
done
for method in head proto bn+head; do
    calibrate -m $method --set fold=1 -o $method.qcm flip.qcm >$method.json && same $method &&
        echo "$method, folded: qc-eval agrees"
    # figures are printed, no model is written
    calibrate -m $method flip.qcm >open.json && grep -c summary open.json
    calibrate -m $method -o open.qcm flip.qcm
    echo "saving it: $?"
done
[ -e open.qcm ] && echo "but it was saved"
for method in none bn head bn+head proto spsa refit; do # these need no flip network and ignore it
    fold=
    case $method in head | bn+head | proto) fold='--set fold=1' ;; esac
    calibrate -m $method $fold -o bare.qcm plain.qcm >bare.json || echo "$method needs a flip network"
    sed 's/"\(ms\|bytes\|model_bytes\)": [0-9.]*//g' bare.json >bare.cut
    sed 's/"\(ms\|bytes\|model_bytes\)": [0-9.]*//g' $method.json | cmp -s - bare.cut ||
        echo "$method differs without one"
done
calibrate -m flip-random plain.qcm
echo "without a flip network: $?"
for method in qcore none; do # the product's program, the same figures
    qc-calibrate -q -m $method -c core.qcd -s stream.qcd -B 7 -t test.qcd -t p1.qcd --json --no-output flip.qcm |
        sed 's/"\(predict_\)*ms": [^,]*//g' >product.cut
    sed 's/"\(predict_\)*ms": [^,]*//g' $method.json | cmp - product.cut &&
        echo "qc-calibrate -m $method is qc-rival -m $method"
done
qc-calibrate -m bn -c core.qcd -s stream.qcd -o x.qcm flip.qcm
echo "a rival in the product: $?"
calibrate -m bn --no-output -o x.qcm flip.qcm
echo "-o and --no-output: $?"
calibrate -m bn --set alpha=2 -o x.qcm flip.qcm
echo "a setting out of range: $?"
calibrate -m bn --set beta=1 -o x.qcm flip.qcm
echo "an unknown setting: $?"
calibrate -m none --set alpha=1 -o x.qcm flip.qcm
echo "no settings: $?"
calibrate -m bn --set alpha=0 -o still.qcm flip.qcm >still.json &&
    qc-eval --logits still.npy -d test.qcd still.qcm >words && qc-eval --logits none.npy -d test.qcd none.qcm >words &&
    cmp still.npy none.npy && echo "bn that mixes nothing in changes nothing"
calibrate -m spsa --set passes=0 -o still.qcm flip.qcm >still.json &&
    qc-eval --logits still.npy -d test.qcd still.qcm >words && cmp still.npy none.npy &&
    echo "spsa without a step neither"
# a sweep gives every method the same command line
for method in qcore head proto; do calibrate -m $method --no-output flip.qcm >null.json &&
    grep -c summary null.json; done
# a parameter that the method sets itself is named; of two texts of a parameter the later counts
calibrate -m er --set steps=1 --tune update=1 --no-output plain.qcm >null.json
calibrate -m er --set steps=1 --set reservoir=0 --tune update=0 --tune update=1 --no-output plain.qcm >null.json
calibrate -m labels --tune guess_weight=1 --no-output plain.qcm >null.json
