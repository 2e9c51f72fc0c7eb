# QDQ models as other tools write them, compared with ONNX Runtime: codes and clips that cut values off.
command -v node >/dev/null && [ -d "$TOP/tests/onnx/node_modules/onnxruntime-node" ] ||
    { echo 'onnxruntime-node is missing (share/setup/install.sh --test)' >&2; exit 77; }
/usr/bin/python3 -c 'import onnx' 2>/dev/null || { echo 'python3-onnx is missing' >&2; exit 77; }
compare() { # compare CASE [OPTION]
    step=$(/usr/bin/python3 "$TOP/tests/onnx/make_codes.py" "$1") || return
    qc-import -q $2 -o q.qcm case.onnx && qc-import -q -f npz -o data.qcd data.npz &&
        qc-eval -q -d data.qcd --logits ours.npy q.qcm >words || return
    node "$TOP/tests/onnx/run.js" case.onnx case.x 60,3,16 case.y || return
    /usr/bin/python3 - "$1${2:+, $2}" "$step" "$2" <<'END'
import sys
import numpy as np
name, step, real = sys.argv[1], float(sys.argv[2]), sys.argv[3]
ours, theirs = np.load("ours.npy"), np.fromfile("case.y", "<f4")
if ours.shape[1] == 2: # ours has two logits, theirs one probability
    second = theirs > .5
    other = int(((ours[:, 1] > ours[:, 0]) != second).sum())
    print(f"{name}: {other} other classes, both are there:", 5 < second.sum() < 55)
else:
    off = np.abs(ours.ravel() - theirs).max() / step
    print(f"{name}:", "alike" if off <= (3 if real else .5 if 'clip' in name else 1.001) else f"{off:.3f} steps apart")
END
}
export OPTIMISE=disabled
/usr/bin/python3 "$TOP/tests/onnx/make_codes.py" plain >words && /usr/bin/python3 -c "
import numpy; numpy.load('data.npz')['x'].tofile('case.x')" || exit
for case in plain 'codes before the ReLU' 'a clip below the codes' 'a clip at half a code' \
    'a clip between two codes' 'no ReLU' alpha 'one probability' 'weights of 9 bits'; do
    compare "$case" || exit
done
for case in plain 'no ReLU'; do compare "$case" --real || exit; done
for case in 'weights of 9 bits' 'weights of 16 bits' 'operators on codes'; do
    /usr/bin/python3 "$TOP/tests/onnx/make_codes.py" "$case" >/dev/null || exit
    qc-import -o q.qcm case.onnx 2>&1
    echo "$case: $?"
done
exit 0
