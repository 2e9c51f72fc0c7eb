# What qc-quantize, qc-bitflip-train and qc-calibrate cannot read or do: one sentence that names the cause, the right
# status, old files unchanged.
export OMP_NUM_THREADS=1
synth() { qc-synth -q --subjects 1 --windows 4 --channels 3 --length 24 "$@" || exit 1; }
synth --activities 3 -o data.qcd
synth --activities 4 -o more_classes.qcd
synth --activities 3 --channels 6 -o more_channels.qcd
synth --activities 3 --length 25 -o longer.qcd
qc-synth -q --subjects 2 --activities 3 --channels 3 --length 24 --windows 10 |
    qc-split -q -g p2 -o stream.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 4\n    kernel: 3\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 2 -a tiny.yaml -d data.qcd -o float.qcm &&
    qc-coreset -q -n 6 -d data.qcd -o core.qcd || exit 1
few='--subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1'
qc-quantize --force -b 4 --epochs 1 --threads 1 -c core.qcd -o quantized.qcm float.qcm >words &&
    qc-bitflip-train $few -c core.qcd -o good.qcm quantized.qcm >words || exit 1
awk 'BEGIN {
    for (i = 0; i < 12; i++) {
        for (k = 0; k < 12; k++) printf "%d,", 9 * (i % 3) + (i + k) % 5
        print "k" i % 3
    }
}' >labelled.csv
sed 's/,[^,]*$//' labelled.csv >bare.csv
qc-import -q -f csv -o labelled.qcd labelled.csv &&
    qc-import -q -f csv --header no --label-column none -o bare.qcd bare.csv &&
    qc-coreset -q -n 6 -d labelled.qcd -o series.qcd || exit 1
qc-train -q --threads 1 -a tiny.yaml -d labelled.qcd --epochs 1 -o series.qcm &&
    qc-quantize --force -b 2 --epochs 1 --threads 1 -c series.qcd series.qcm 2>words |
    qc-bitflip-train $few --drift series -c series.qcd -o seriesf.qcm >words || exit 1

flip() { # flip FILE OFFSET: one bit of one byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
head -c 900 good.qcm >short.qcm
cp good.qcm flipped.qcm && flip flipped.qcm 700
head -c 900 core.qcd >short.qcd
cp core.qcd flipped.qcd && flip flipped.qcd 700
: >empty.qcm
echo "not one of ours, but long enough to hold a header of ours" >text.qcm

printf old >old.qcm
printf old >old.qcd
try() { # try CULPRIT PROGRAM OPTION...: the sentence must contain CULPRIT
    culprit=$1
    shift
    "$@" >out 2>err </dev/null
    status=$?
    sentences=$(grep -vc "^try '" err)
    [ "$sentences" -eq 1 ] && [ ! -s out ] && grep -q "^$1: .*$culprit" err ||
        { echo "not one sentence about $culprit:"; cat out err; }
    echo "$culprit: $status"
}

echo "--- qc-quantize"
q() { culprit=$1; shift; try "$culprit" qc-quantize --force --threads 1 -o old.qcm "$@"; }
q "real data is needed" float.qcm
q "last-bits are 2, 4 or 8" -b 3 -c core.qcd float.qcm
q "-a is 4 or 8" -a 5 -c core.qcd float.qcm
q "none.qcm" -c core.qcd none.qcm
q "empty.qcm: is empty" -c core.qcd empty.qcm
q "text.qcm" -c core.qcd text.qcm
q "core.qcd: is a data file; a model file is needed" -c core.qcd core.qcd
q "quantized.qcm: the model is quantized; a float model is needed" -c core.qcd quantized.qcm
q "float.qcm: is a model file; a data file is needed" -c float.qcm float.qcm
q "data.qcd: is a data file, not a coreset" -c data.qcd float.qcm
q "data.qcd: is a data file, not a coreset" -c data.qcd -d data.qcd float.qcm
q "none.qcd" -c none.qcd -d data.qcd float.qcm
q "short.qcd: is truncated" -c short.qcd float.qcm
q "flipped.qcd" -c flipped.qcd float.qcm
q "more_channels.qcd: the data has 6 channels, but the model takes 3" -d more_channels.qcd float.qcm
q "longer.qcd: the data has windows of length 25, but the model takes 24" -c core.qcd -d longer.qcd float.qcm
q "more_classes.qcd: the data has the class 'walking'" -d more_classes.qcd float.qcm
q "bare.qcd: example 0 of the data has no label" -d bare.qcd series.qcm
QC_ISA=abacus q "QC_ISA=abacus" -c core.qcd float.qcm
try "nowhere" qc-quantize --force --epochs 0 -c core.qcd -o nowhere/x float.qcm
try "/dev/full" qc-quantize --force --threads 1 --epochs 0 -c core.qcd -o /dev/full float.qcm
qc-quantize --force --threads 1 --epochs 0 -c core.qcd float.qcm 2>err >/dev/full
echo "full disk: $?"

echo "--- qc-bitflip-train"
b() { culprit=$1; shift; try "$culprit" qc-bitflip-train $few -o old.qcm "$@"; }
b "nothing to train on" quantized.qcm
b "float.qcm: the model is a float model; a quantized one is needed" -c core.qcd float.qcm
b "core.qcd: is a data file; a model file is needed" -c core.qcd core.qcd
b "quantized.qcm: is a model file; a data file is needed" -c quantized.qcm quantized.qcm
b "data.qcd: is a data file, not a coreset" -c data.qcd quantized.qcm
b "short.qcm: is truncated" -c core.qcd short.qcm
b "flipped.qcm" -c core.qcd flipped.qcm
b "more_channels.qcd: the data has 6 channels" -d more_channels.qcd quantized.qcm
b "more_classes.qcd: the data has the class 'walking'" -d more_classes.qcd quantized.qcm
b "bare.qcd: example 0 of the data has no label" -d bare.qcd seriesf.qcm
b "drift 'wind' is unknown" --drift wind -c core.qcd quantized.qcm
b "subjects must be a whole number" --subjects 0 -c core.qcd quantized.qcm
try "nowhere" qc-bitflip-train $few -c core.qcd -o nowhere/x quantized.qcm
try "/dev/full" qc-bitflip-train $few -c core.qcd -o /dev/full quantized.qcm

echo "--- qc-calibrate"
c() { culprit=$1; shift; try "$culprit" qc-calibrate -o old.qcm -C old.qcd "$@"; }
c "a coreset (-c) and a stream (-s) are needed" -c core.qcd good.qcm
c "float.qcm: the model is a float model; a quantized one is needed" -c core.qcd -s stream.qcd float.qcm
c "quantized.qcm: the model has no bit-flip network yet" -m qcore -c core.qcd -s stream.qcd quantized.qcm
c "data.qcd: is a data file, not a coreset" -c data.qcd -s stream.qcd good.qcm
c "good.qcm: is a model file; a data file is needed" -c good.qcm -s stream.qcd good.qcm
c "core.qcd: is a data file; a model file is needed" -c core.qcd -s stream.qcd core.qcd
c "good.qcm: is a model file; a data file is needed" -c core.qcd -s good.qcm good.qcm
c "float.qcm: is a model file; a data file is needed" -c core.qcd -s stream.qcd -t float.qcm good.qcm
c "none.qcd" -c core.qcd -s none.qcd good.qcm
c "short.qcm: is truncated" -c core.qcd -s stream.qcd short.qcm
c "flipped.qcm" -c core.qcd -s stream.qcd flipped.qcm
c "short.qcd: is truncated" -c short.qcd -s stream.qcd good.qcm
c "flipped.qcd" -c flipped.qcd -s stream.qcd good.qcm
c "more_channels.qcd: the data has 6 channels, but the model takes 3" -c core.qcd -s more_channels.qcd good.qcm
c "longer.qcd: the data has windows of length 25" -c core.qcd -s stream.qcd -t longer.qcd good.qcm
c "more_classes.qcd: the data has the class 'walking', which the model does not know" -c core.qcd -s more_classes.qcd \
    good.qcm
try "bare.qcd: no example of the data has a label" qc-rival -m er -o old.qcm -c series.qcd -s bare.qcd seriesf.qcm
c "bare.qcd: no example of the data has a label" -c series.qcd -s labelled.qcd -t bare.qcd seriesf.qcm
c "30 examples cannot be cut into 31 batches" -c core.qcd -s stream.qcd --batches 31 good.qcm
c "update is a whole number from 0 to 3" -c core.qcd -s stream.qcd --tune update=never good.qcm
c "the names are prior_count" -c core.qcd -s stream.qcd --tune lead=1 good.qcm
c "no method 'magic'" -c core.qcd -s stream.qcd -m magic good.qcm
c "sideways" -c core.qcd -s stream.qcd --order sideways good.qcm
QC_ISA=abacus c "QC_ISA=abacus" -c core.qcd -s stream.qcd good.qcm
try "-C needs a file" qc-calibrate -c core.qcd -s stream.qcd -C - -o old.qcm good.qcm
try "name the same file" qc-calibrate -c core.qcd -s stream.qcd -C old.qcm -o old.qcm good.qcm
try "name the same file" qc-calibrate -c core.qcd -s stream.qcd -C "$PWD/old.qcm" -o old.qcm good.qcm
try "nowhere" qc-calibrate -c core.qcd -s stream.qcd -C nowhere/x -o old.qcm good.qcm
try "nowhere" qc-calibrate -c core.qcd -s stream.qcd -C old.qcd -o nowhere/x good.qcm
try "/dev/full" qc-calibrate -c core.qcd -s stream.qcd -o /dev/full good.qcm
[ "$(cat old.qcm old.qcd)" = oldold ] && echo "the old files are whole"
try "/dev/full" qc-calibrate -c core.qcd -s stream.qcd -C /dev/full -o new.qcm good.qcm
qc-info new.qcm >words && echo "what was written before the disk was full is whole"
qc-calibrate -c core.qcd -s stream.qcd good.qcm 2>err >/dev/full
echo "full disk: $?"
qc-calibrate -c core.qcd -s stream.qcd -o new.qcm good.qcm 2>err >/dev/full
echo "full disk for the figures: $?"
qc-quantize --force -c - -o new.qcm <float.qcm 2>&1
echo "twice standard input: $?"
qc-calibrate -c - -s - -o new.qcm good.qcm <core.qcd 2>&1
echo "twice standard input: $?"
ls | grep tmp
true

# An input that a method does not use is no error, but it is reported.
qc-rival -q -m head --tune skip_flips=0 --tune update=2 -c core.qcd -s stream.qcd quantized.qcm 2>&1 >words
