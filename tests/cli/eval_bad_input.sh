# What qc-eval cannot read, or cannot evaluate: one sentence that names the culprit, and the right status.
synth() { qc-synth -q --subjects 1 --windows 3 --channels 3 --length 40 "$@" || exit 1; }
synth --activities 4 -o data.qcd
synth --activities 5 -o more_classes.qcd
synth --activities 4 --channels 6 -o more_channels.qcd
synth --activities 4 --length 41 -o longer.qcd
qc-train -q -a mlp -d data.qcd --epochs 1 -o model.qcm || exit 1

try() { # try CULPRIT OPTION...
    culprit=$1
    shift
    qc-eval "$@" >out 2>err </dev/null
    status=$?
    [ "$(wc -l <err)" -eq 1 ] && grep -q "^qc-eval: .*$culprit" err ||
        { echo "not one sentence about $culprit:"; cat out err; }
    echo "$culprit: $status"
}

flip() { # flip FILE OFFSET: one bit of one byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

head -c 3000 model.qcm >short.qcm
cp model.qcm flipped.qcm && flip flipped.qcm 3000
: >empty.qcm
try none.qcm -d data.qcd none.qcm
try empty.qcm -d data.qcd empty.qcm
try /dev/zero -d data.qcd /dev/zero # which never ends
try short.qcm -d data.qcd short.qcm
try flipped.qcm -d data.qcd flipped.qcm
try "data.qcd: is a data file; a model file is needed" -d data.qcd data.qcd
try "model.qcm: is a model file; a data file is needed" -d model.qcm model.qcm
try "more_classes.qcd: the data has the class" -d more_classes.qcd model.qcm
try "more_channels.qcd: the data has 6 channels, but the model takes 3" -d more_channels.qcd model.qcm
try "longer.qcd: the data has windows of length 41, but the model takes 40" -d longer.qcd model.qcm
try "say which data" model.qcm
try "only one of the inputs" -d -
try "one -d at a time" -d data.qcd -d data.qcd --logits x.npy model.qcm
try nowhere -d data.qcd --logits nowhere/x.npy model.qcm
QC_ISA=abacus qc-eval -d data.qcd model.qcm >/dev/null && echo "a float model does not care for QC_ISA"
qc-eval -d data.qcd model.qcm >/dev/full 2>err
echo "full disk: $?"
awk 'BEGIN {
    for (i = 0; i < 12; i++) {
        for (k = 0; k < 12; k++) printf "%d,", 9 * (i % 3) + (i + k) % 5
        print "k" i % 3
    }
}' >labelled.csv
sed 's/,[^,]*$//' labelled.csv >bare.csv
qc-import -q -f csv -o labelled.qcd labelled.csv &&
    qc-import -q -f csv --header no --label-column none -o bare.qcd bare.csv || exit 1
qc-train -q -a mlp -d labelled.qcd --epochs 1 -o series.qcm || exit 1
try "bare.qcd: no example of the data has a label" -d bare.qcd series.qcm
qc-eval -d bare.qcd --logits bare.npy --json series.qcm | grep -o '"examples": 0, "unlabelled": 12, "accuracy": null'
qc-eval -d labelled.qcd --logits labelled.npy series.qcm >/dev/null
cmp bare.npy labelled.npy && echo "logits need no labels"
