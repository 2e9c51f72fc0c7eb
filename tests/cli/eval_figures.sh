# Figures agree: text with JSON, the confusion matrix with the logits that NumPy reads, a pipe with a file, one number
# of threads with another.
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo "python3-numpy is not installed" >&2; exit 77; }
qc-synth -q --subjects 2 --activities 4 --windows 8 --channels 3 --length 40 -o data.qcd || exit 1
qc-train -q -a mlp -d data.qcd --epochs 2 --rate 0.0005 -o model.qcm || exit 1
qc-eval -d data.qcd --json --confusion --logits x.npy model.qcm >one.json || exit 1
/usr/bin/python3 - <<'P'
import json, numpy
logits = numpy.load("x.npy").astype(float)
s = json.load(open("one.json"))
confusion = numpy.array(s["confusion"])
assert logits.shape == (64, 4) and s["examples"] == 64 and s["unlabelled"] == 0
assert (numpy.bincount(logits.argmax(1), minlength=4) == confusion.sum(0)).all() and (confusion.sum(1) == 16).all()
assert abs(confusion.trace() / 64 - s["accuracy"]) < 1e-6 and abs(s["recall_mean"] - s["accuracy"]) < 1e-6
p = numpy.exp(logits - logits.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
# the mean confidence differs from the accuracy by no more than the bins' summed errors
assert abs(p.max(1).mean() - s["accuracy"]) <= s["ece"] + 1e-6
assert [s["recall"][k] for k in s["labels"]] == [round(float(v), 6) for v in confusion.diagonal() / 16]
P
echo "second source: $?"
qc-eval -d data.qcd -d data.qcd --json --confusion <model.qcm >two.json
cat one.json one.json | cmp - two.json && echo "by pipe, twice"
qc-eval -d - --json --confusion model.qcm <data.qcd | sed 's/"standard input"/"data.qcd"/' | cmp - one.json &&
    echo "data by pipe"
printf 'accuracy\t%.4f\n' "$(sed 's/.*"accuracy": \([0-9.]*\),.*/\1/' one.json)" >expected
qc-eval -d data.qcd model.qcm | grep '^accuracy' | cmp - expected && echo "text as JSON"
qc-coreset -q -n 12 -d data.qcd -o core.qcd
qc-quantize --force -q -b 4 -c core.qcd --epochs 0 -o q4.qcm model.qcm >/dev/null
for threads in 1 2 5; do qc-eval -d data.qcd --json --logits q$threads.npy --threads $threads q4.qcm >q$threads.json; \
    done
QC_ISA=scalar qc-eval -d data.qcd --json --logits q6.npy q4.qcm >q6.json
for other in 2 5 6; do cmp q1.json q$other.json && cmp q1.npy q$other.npy; done &&
    echo "integers: whatever the threads and kernels"
