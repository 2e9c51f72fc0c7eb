# Quantized models as TensorFlow Lite: Arm NN's reference backend gives each window the class of qc-eval, and qc-import
# reads the file back. Operators that TensorFlow Lite lacks are refused.
/usr/bin/python3 "$TOP/tests/tflite/models.py" models resnet mobilenet ds-cnn series branches >/dev/null ||
    { echo 'python3-numpy or python3-flatbuffers is missing (share/setup/install.sh --test)' >&2; exit 77; }
/usr/bin/python3 -c 'import pyarmnn' >/dev/null 2>&1 ||
    { echo 'python3-pyarmnn is missing (share/setup/install.sh --test)' >&2; exit 77; }
same() { # same MODEL.qcm DATA.npz WORDS
    qc-export -q -f tflite -o net.tflite "$1" && qc-import -q -f npz -o d.qcd "$2" &&
        qc-eval -q --threads 1 -d d.qcd --logits logits.npy "$1" >/dev/null &&
        /usr/bin/python3 "$TOP/tests/tflite/outcheck.py" net.tflite "$2" logits.npy "$3" 2>>words
}
for model in resnet mobilenet ds-cnn series; do
    qc-import -q --mean 0.1 --std 1.5 -o fp.qcm models/$model.tflite &&
        qc-import -q -f npz -o data.qcd models/$model.npz || exit
    for bits in 8 2; do
        qc-quantize -q --no-std --last-bits 8 --force -b $bits -d data.qcd --epochs 0 --threads 1 -o q.qcm fp.qcm \
            >/dev/null 2>&1 && same q.qcm models/$model.npz "$model, $bits bits" || exit
    done
    qc-import -o back.qcm net.tflite 2>&1 && qc-eval -q --threads 1 -d d.qcd --logits back.npy back.qcm >/dev/null &&
        /usr/bin/python3 -c 'import numpy as np; a, b = np.load("logits.npy"), np.load("back.npy")
print("other classes:", (a.argmax(1) != b.argmax(1)).sum(), "and the same logits" if (a == b).all() else "")'
    qc-info back.qcm | sed -n 's/^  - \(mean .*\)/\1/p' | head -1
done
try() { # try ARGUMENTS: prints the sentence and the exit status
    qc-export -q -f tflite -o none.tflite "$@" 2>&1
    echo "$?"
}
try fp.qcm
try -c data.qcd q.qcm
try --codes int8 q.qcm
qc-quantize -q --no-std --force -b 4 -a 4 -d data.qcd --epochs 0 -o a.qcm fp.qcm >/dev/null && try a.qcm
qc-import -q -o fp.qcm models/branches.tflite && qc-import -q -f npz -o data.qcd models/branches.npz &&
    qc-quantize -q --no-std --force -b 8 -d data.qcd --epochs 0 -o t.qcm fp.qcm >/dev/null && try t.qcm
qc-import -q -o fp.qcm models/mobilenet.tflite && qc-import -q -f npz -o data.qcd models/mobilenet.npz &&
    qc-quantize -q --std --force -b 8 -d data.qcd --epochs 0 -o t.qcm fp.qcm >/dev/null && try t.qcm
[ -e none.tflite ] && echo 'something was written'
# A real test set: a model of one person of UCI-DSA, windows of another.
model=$QC_DATA/onnx/inceptiontime-nf16-d3-dsa-p1.onnx norm=$QC_DATA/onnx/dsa-p1-norm.npz people=$QC_DATA/dsa/p2.tar.zst
[ -f "$model" ] && [ -f "$people" ] || { echo "skipped: $QC_DATA has no dsa and onnx" >&2; exit 0; }
mkdir tree && zstd -dc "$people" | tar -x -C tree || exit
for a in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19; do echo "a$a"; done >labels
qc-import -q -f dsa -o all.qcd tree && qc-split -q -t 0.05 --by block -o some.qcd -O test.qcd all.qcd &&
    qc-coreset -q -n 190 -d some.qcd -o core.qcd && qc-export -q -f npz -o test.npz test.qcd &&
    qc-import -q --labels labels --norm "$norm" -o fp.qcm "$model" &&
    qc-quantize -q --no-std --last-bits 8 -b 2 -c core.qcd --epochs 0 --threads 1 -o q.qcm fp.qcm >/dev/null &&
    same q.qcm test.npz 'UCI-DSA, 2 bits' || exit
exit 0
