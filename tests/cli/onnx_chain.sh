# A model that another tool made goes all the way: quantized, with a coreset (no miss log), a flip network, calibrated;
# by file and by pipe alike.
/usr/bin/python3 "$TOP/tests/onnx/fit_model.py" || { echo 'python3-onnx is missing' >&2; exit 77; }
for part in train drifted; do qc-import -q --channels 3 -o $part.qcd $part.csv || exit; done
qc-import -f onnx --labels classes.txt -o fp.qcm net.onnx 2>words || exit
cat words
accuracy() { qc-eval --json -d "$1" "$2" | sed 's/.*"accuracy": \([0-9.]*\).*/\1/'; }
above() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a >= b) }' && echo "$1" || echo "$1: $2 is below $3"; }
above 'the float model knows its classes' "$(accuracy train.qcd fp.qcm)" .95
qc-import -f onnx --labels classes.txt <net.onnx >piped.qcm 2>/dev/null && cmp fp.qcm piped.qcm &&
    echo 'a pipe gives the same bytes'
qc-coreset -q -n 12 -d train.qcd -o core.qcd || exit
for bits in 2 4 8; do
    qc-quantize -q -b $bits -c core.qcd -d train.qcd --epochs 2 --threads 1 -o q.qcm fp.qcm >/dev/null || exit
    qc-bitflip-train -q -c core.qcd --threads 1 --subjects 1 --test-subjects 1 --oracle-steps 4 --steps 30 -o f.qcm \
        q.qcm >/dev/null || exit
    qc-calibrate -q -c core.qcd -s drifted.qcd --batches 4 -t train.qcd --json -o n.qcm f.qcm >steps || exit
    above "$bits bits: quantized" "$(accuracy train.qcd q.qcm)" .85
    above "$bits bits: calibrated" "$(accuracy drifted.qcd n.qcm)" .9
    above "$bits bits: better than uncalibrated" "$(accuracy drifted.qcd n.qcm)" \
        "$(accuracy drifted.qcd q.qcm | awk '{ print $1 + .2 }')"
done

# Options for information that the file lacks, and options that contradict the file.
qc-import --labels classes.txt -o /dev/null train.csv
echo $?
printf 'a\nb\n' >two.txt
qc-import --labels two.txt -o two.qcm net.onnx
echo $?
qc-import --mean 1,2 -o two.qcm net.onnx
echo $?
qc-import --std 0 -o two.qcm net.onnx
echo $?
qc-import --mean nan -o two.qcm net.onnx
echo $?
qc-import --std 1,inf -o two.qcm net.onnx
echo $?
qc-import --shape 3,25 -o two.qcm net.onnx
echo $?
qc-import --channels 3 -o two.qcm net.onnx
echo $?
head -c 300 net.onnx | qc-import -f onnx -o two.qcm
echo $?
qc-import -f onnx -o two.qcm train.csv
echo $?
[ -e two.qcm ] && echo 'something was written'
exit 0
