# TensorFlow Lite models (float32, float16 weights, int8) of the layers of MLPerf Tiny's models and of small Keras CNNs.
# Logits equal NumPy's and the logits of Arm NN's reference backend. Unsupported models are refused by name.
/usr/bin/python3 "$TOP/tests/tflite/models.py" models >scales ||
    { echo 'python3-numpy or python3-flatbuffers is missing (share/setup/install.sh --test)' >&2; exit 77; }
/usr/bin/python3 "$TOP/tests/tflite/check.py" models scales || exit
# A bias without a scale has the scale that TensorFlow Lite's specification gives it.
for name in ds-cnn resnet; do
    qc-import -q -o data.qcd models/$name-int8.npz || exit 1
    for model in $name $name-full; do
        qc-import -q -o m.qcm models/bare/$model.tflite && qc-eval -q -d data.qcd --logits $model.npy m.qcm >words
    done
    cmp $name.npy $name-full.npy && echo "$name without scales of biases: the same logits"
done
for model in models/refused/*; do
    qc-import -q -o none.qcm "$model" 2>&1 | sed 's,.*models/refused/,,'
done
head -c 900 models/tiny.tflite >cut.tflite
echo 'not a model' >text.tflite
: >empty.tflite
for model in cut.tflite text.tflite empty.tflite '-f tflite text.tflite' '--like m.qcm models/tiny.tflite' \
    '--logits y models/tiny.tflite'; do
    # shellcheck disable=SC2086 # words
    qc-import -q -o none.qcm $model 2>&1
    echo "$?"
done
[ -e none.qcm ] && echo 'something was written'
# An option for information that the file lacks, and the provenance.
printf 'a\nb\nc\n' >classes
qc-import --labels classes --mean 0.5 --std 2 -o m.qcm models/tiny-middle.tflite 2>&1 && qc-info m.qcm |
    grep -E 'tflite=|mean|^quantized' | sed 's/sha256:.*/sha256/'
qc-import -q -o m.qcm - <models/tiny.tflite 2>&1
qc-import -q -f tflite -o m.qcm - <models/tiny.tflite && echo 'from standard input'
qc-import -o m.qcm models/two-graphs.tflite 2>&1 | grep graphs
exit 0
