# qc-synth -d: synthetic subjects from recordings. Without drift their windows are the source's, with drift they are
# not. The same seed makes the same subjects; each has its own windows, names and ids.
qc-synth -q --subjects 1 --activities 3 --windows 6 --channels 6 --length 20 -o source.qcd || exit
qc-synth -q -d source.qcd --subjects 2 --drift 0 -o same.qcd &&
    qc-synth -q -d source.qcd --subjects 2 --seed 5 -o two.qcd || exit
qc-synth -q -d - --subjects 2 --seed 5 -o again.qcd <source.qcd &&
    qc-synth -q -d source.qcd --subjects 3 --seed 5 -o three.qcd &&
    qc-synth -q -d source.qcd --subjects 2 --seed 6 -o other.qcd || exit
cmp two.qcd again.qcd || exit
for data in source same two three other; do qc-export -q -f npz -o $data.npz $data.qcd || exit; done
$(command -v /usr/bin/python3 python3 | head -1) - <<'END_OF_PYTHON' || exit
import numpy as np
d = {name: np.load(name + ".npz", allow_pickle=False) for name in ("source", "same", "two", "three", "other")}
source, x = d["source"]["x"], {name: d[name]["x"] for name in d}
n = len(source)
twice, tolerance = np.concatenate([source, source]), 1e-4 * np.abs(source).max()
assert np.allclose(x["same"], twice, atol=tolerance), "subjects without drift are not the source"
assert len(x["two"]) == 2 * n and np.array_equal(x["three"][:2 * n], x["two"]), "a third person changes the first two"
far = lambda a, b: np.abs(a - b).mean() > 0.05 * source.std()
assert far(x["two"][:n], source) and far(x["two"][n:], x["two"][:n]) and far(x["other"], x["two"])
for name in ("same", "two", "other"): assert np.array_equal(d[name]["y"], np.concatenate([d["source"]["y"]] * 2)), name
# A drift is the same change of every window, linear except in time: the mean over time of a sensor is rotated, scaled
# and shifted.
a, b = source.mean(2), x["two"][:n].mean(2)
fit = np.c_[a[:, :3], np.ones(n)]
left = b[:, :3] - fit @ np.linalg.lstsq(fit, b[:, :3], rcond=None)[0]
assert np.abs(left).max() < 0.2 * b[:, :3].std(), np.abs(left).max() / b[:, :3].std()
print("as they should be")
END_OF_PYTHON
qc-info two.qcd | sed -n '/^labels/,/^recordings/p'
qc-split -q -g x2 -t 0.34 -o train.qcd -O test.qcd two.qcd && qc-info test.qcd | grep '^examples'
# in a session with the source, no id is mistaken for an id of the source
qc-train -q -a fcn -d source.qcd --epochs 2 --threads 1 -o fp.qcm &&
    qc-coreset -q -n 6 -d source.qcd -o core.qcd fp.qcm &&
    qc-quantize --force -q -b 8 --epochs 0 -c core.qcd -o q.qcm fp.qcm >report || exit
qc-rival -q -m proto -c core.qcd -C after.qcd -s train.qcd --batches 2 --no-output q.qcm >report &&
    qc-info after.qcd | grep '^examples'
echo nothing >bad.qcd
qc-synth -q -d bad.qcd -o out.qcd
echo $?
qc-synth -q -d none.qcd -o out.qcd
echo $?
