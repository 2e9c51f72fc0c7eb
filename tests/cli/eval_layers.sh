# A model layer by layer: the dump has every layer, is the same for all kernels, and ends in the logits of --logits. The
# profile's MACs and times add up to the model's.
qc-synth -q --subjects 1 --activities 4 --windows 6 --channels 3 --length 40 -o data.qcd || exit 1
printf 'name: tiny\ninception:\n  filters: 4\n  depth: 3\n  kernels: [9, 5, 3]\n  bottleneck: 4\n  residual: 3\n' \
    >tiny.yaml
qc-train -q -a tiny.yaml -d data.qcd --epochs 1 -o fp.qcm || exit 1
qc-coreset -q -n 8 -d data.qcd -o core.qcd
qc-quantize --force -q -b 4 -c core.qcd --epochs 0 -o q.qcm fp.qcm >/dev/null || exit 1
qc-eval -d data.qcd --dump-layers layers.txt -n 3 q.qcm &&
    QC_ISA=scalar qc-eval -d data.qcd --dump-layers scalar.txt -n 3 q.qcm || exit 1
cmp layers.txt scalar.txt && echo "the same from all kernels"
# Without -n, the dump has the first window only.
qc-eval -d data.qcd --dump-layers - q.qcm >one.txt &&
    head -n "$(wc -l <one.txt)" layers.txt | cmp - one.txt &&
    tail -n 1 one.txt | grep -c "^0 "
qc-eval -d data.qcd --logits x.npy q.qcm >/dev/null
qc-eval -d data.qcd --profile --json -n 5 q.qcm >profile.json &&
    qc-eval -d data.qcd --profile -n 5 q.qcm >profile.txt || exit 1
qc-info --json q.qcm >info.json
/usr/bin/python3 - <<'P'
import json, numpy
logits, info, profile = numpy.load("x.npy"), json.load(open("info.json")), json.load(open("profile.json"))
windows = {}
for line in open("layers.txt"):
    head, values = line.rstrip("\n").split(":")
    window, node, op, shape = head.split()
    values = numpy.array(values.split(), float)
    assert numpy.prod([int(s) for s in shape.split("x")]) == values.size
    windows.setdefault(int(window), []).append((node, op, values))
assert sorted(windows) == [0, 1, 2]
for window, lines in windows.items():
    assert [n for n, _, _ in lines] == ["-"] + [str(i) for i in range(info["nodes"])]
    for node, op, values in lines[:-1]:
        assert (values == values.round()).all() and values.min() >= 0 and values.max() <= 255
    assert lines[0][2].size == 120 and lines[0][2].std() > 0
    assert (lines[-1][2].astype(numpy.float32) == logits[window]).all()
    # a pool over three steps of the input, by the definition
    x = lines[0][2].reshape(40, 3)
    pools = [values for _, op, values in lines if op == "maxpool"]
    padded = numpy.pad(x, ((1, 1), (0, 0)))
    assert (pools[0].reshape(40, 3) == numpy.maximum(numpy.maximum(padded[:-2], padded[1:-1]), padded[2:])).all()
nodes = profile["nodes"]
assert profile["windows"] == 5 and len(nodes) == info["nodes"]
assert profile["macs"] == info["macs"] == sum(n["macs"] for n in nodes)
assert profile["ns"] == sum(n["ns"] for n in nodes) and abs(sum(n["share"] for n in nodes) - 1) < 1e-6
text = [line.rstrip("\n").split("\t") for line in open("profile.txt")]
assert len(text) == len(nodes) + 2 and all(len(row) == 8 for row in text)
assert [(row[1], int(row[4])) for row in text[1:-1]] == [(n["operation"], n["macs"]) for n in nodes]
assert int(text[-1][4]) == info["macs"]
P
echo "second source: $?"
try() {
    qc-eval "$@" >out 2>err </dev/null
    echo "exit $?: $(head -1 err)"
    [ ! -s out ] || echo "something on stdout"
}
try -d data.qcd --dump-layers l.txt fp.qcm
try -d data.qcd --profile fp.qcm
try -d data.qcd -d data.qcd --profile q.qcm
try -d data.qcd --profile --confusion q.qcm
try -d data.qcd --profile --dump-layers - q.qcm
try -d data.qcd -n 3 q.qcm
try -d data.qcd --dump-layers none/l.txt q.qcm
try -d core.qcm --profile q.qcm
[ ! -e l.txt ] && echo "nothing is left"
