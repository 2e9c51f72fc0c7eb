# A quantized ONNX model (QDQ) keeps its codes, scales and zero points: logits are within one output step of ONNX
# Runtime's. Coreset, calibration and export then work as for models of qc-quantize.
command -v node >/dev/null && [ -d "$TOP/tests/onnx/node_modules/onnxruntime-node" ] ||
    { echo 'onnxruntime-node is missing (share/setup/install.sh --test)' >&2; exit 77; }
/usr/bin/python3 -c 'import onnx, torch' 2>/dev/null ||
    { echo 'python3-torch or python3-onnx is missing' >&2; exit 77; }
for zero in 0 5; do
    step=$(/usr/bin/python3 "$TOP/tests/onnx/make_quantized.py" $zero) || exit
    qc-import -o q.qcm qdq.onnx 2>words && cat words && qc-import -q -f npz -o data.qcd data.npz &&
        qc-eval -q -d data.qcd --logits ours.npy q.qcm >/dev/null || exit
    OPTIMISE=disabled /usr/bin/python3 "$TOP/tests/onnx/compare.py" data.qcd qdq.onnx ours.npy qdq >counts || exit
    /usr/bin/python3 - "$step" <<'END' || exit
import sys
import numpy as np
ours, theirs = np.load("ours.npy"), np.fromfile("qdq.onnx.y", "<f4")
off = np.abs(ours.ravel() - theirs).max() / float(sys.argv[1])
print("within one output step" if off <= 1 else "%.4f output steps apart" % off)
END
    # The export of an import has the same bytes.
    qc-export -q -f onnx -o own.onnx q.qcm && qc-import -q -o back.qcm own.onnx &&
        qc-eval -q -d data.qcd --logits back.npy back.qcm >/dev/null && cmp ours.npy back.npy &&
        echo 'our own comes back'
    qc-coreset -q -n 12 -d data.qcd -o core.qcd &&
        qc-calibrate -q -c core.qcd -s data.qcd --batches 2 --json -o n.qcm q.qcm >/dev/null &&
        qc-export -q -f c -o net.c n.qcm && echo 'calibrated, and C'
done
qc-import --real -o fp.qcm qdq.onnx 2>words && cat words &&
    qc-quantize -q --force -b 4 -d data.qcd --epochs 0 -o q4.qcm fp.qcm >/dev/null && echo 'quantized anew'
qc-export -q -f onnx -o fp.onnx fp.qcm && qc-import --real -o fp2.qcm fp.onnx 2>&1 | grep real
exit 0
