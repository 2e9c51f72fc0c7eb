# Models that public bug reports describe (../shared/data/cases): refused by operator and node, or imported to the
# logits that ONNX Runtime has.
cases=$QC_DATA/cases
[ -d "$cases" ] || { echo "$QC_DATA has no cases" >&2; exit 77; }
command -v node >/dev/null && [ -d "$TOP/tests/onnx/node_modules/onnxruntime-node" ] ||
    { echo 'onnxruntime-node is missing (share/setup/install.sh --test)' >&2; exit 77; }
/usr/bin/python3 -c 'import numpy, onnx' 2>/dev/null || { echo 'python3-onnx is missing' >&2; exit 77; }
compared() { # compared CASE LAYOUT: the model reads windows as channels first (c) or last (l)
    model=$(echo "$cases/$1"-*/m.onnx)
    qc-import -q -o fp.qcm "$model" &&
        /usr/bin/python3 "$TOP/tests/onnx/windows.py" "$model" "$2" data.npz windows.bin shape &&
        qc-import -q -f npz -o data.qcd data.npz &&
        node "$TOP/tests/onnx/run.js" "$model" windows.bin "$(cat shape)" y &&
        qc-eval -q --threads 1 -d data.qcd --logits logits.npy fp.qcm >/dev/null || exit
    /usr/bin/python3 - "$1" <<'EOF'
import sys
import numpy as np
ours = np.load("logits.npy")
theirs = np.fromfile("y", "<f4").reshape(ours.shape)
if np.allclose(theirs.sum(1), 1, atol=1e-5):  # of a model that ends in a softmax
    e = np.exp(ours - ours.max(1, keepdims=True))
    ours = e / e.sum(1, keepdims=True)
off = np.abs(ours - theirs).max() / np.abs(theirs).max()
print(sys.argv[1], "equal" if off < 1e-4 and np.ptp(theirs, axis=0).max() > 0 else "differs by %.2g" % off)
EOF
}
refused() { # refused CASE OPERATOR
    ! qc-import -q -o fp.qcm "$cases/$1"-*/m.onnx 2>words && [ ! -e fp.qcm ] && [ "$(wc -l <words)" -eq 1 ] &&
        grep -q "operator $2 (node" words && echo "$1 refused by operator and node"
}
refused 07 Cast
refused 08 BatchNormalization
compared 10 l
compared 11 c
compared 13 c
compared 14 c
compared 16 c
exit 0
