# Models as users have them go the whole way: imported, quantized, exported as C and as ONNX. ONNX Runtime gives the
# logits of qc-eval.
command -v node >/dev/null && [ -d "$TOP/tests/onnx/node_modules/onnxruntime-node" ] ||
    { echo 'onnxruntime-node is missing (share/setup/install.sh --test)' >&2; exit 77; }
mkdir models && /usr/bin/python3 "$TOP/tests/onnx/make_models.py" models >/dev/null 2>&1 ||
    { echo 'python3-onnx is missing' >&2; exit 77; }
[ -f models/eegnet-13.onnx ] || { echo 'python3-torch is missing' >&2; exit 77; }
for model in eegnet-13 tcn-13 gated-13 shuffle-13 branches-13 over-time-13 head relu-head one-logit act-mish; do
    qc-import -q -o fp.qcm models/$model.onnx || exit
    shape=$(qc-info fp.qcm | awk \
        '/channels:/ { c = $2 } /height:/ { h = $2 } /length:/ { l = $2 } /^classes:/ { print c, h, l, $2 }')
    # shellcheck disable=SC2086 # four numbers
    /usr/bin/python3 - $shape <<'EOF' || exit
import sys
import numpy as np
c, h, l, k = map(int, sys.argv[1:])
x = np.random.default_rng(3).normal(size=(40, c, l) if h == 1 else (40, c, h, l)).astype("f4")
np.savez("data.npz", x=x, y=np.arange(40) % k)
EOF
    qc-import -q -f npz -o data.qcd data.npz || exit
    for bits in 8 2; do
        qc-quantize -q --force -b $bits -d data.qcd --epochs 1 --threads 1 -o q.qcm fp.qcm >/dev/null &&
            qc-export -q -f c -o q.c q.qcm && qc-export -q -f onnx -o q.onnx q.qcm || exit
        qc-eval -q --threads 1 -d data.qcd --logits q.npy q.qcm >/dev/null &&
            /usr/bin/python3 "$TOP/tests/onnx/compare.py" data.qcd q.onnx q.npy "$model, $bits bits" 2>>words || exit
    done
done
exit 0
